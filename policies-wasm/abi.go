package wasm

import (
	"errors"
	"fmt"
	"strings"

	"cachesim/sim"
)

// A calling convention (ABI) is how one request, or a batch of them, gets into
// a guest and its outcome out. docs/ABI.md tells what a module exports for each.
const (
	Pair           = "pair"            // the request is two arguments
	Bincode        = "bincode"         // 12 bytes in memory, allocated for each request
	Bytemuck       = "bytemuck"        // 16 bytes in memory, allocated for each request
	BytemuckStatic = "bytemuck-static" // 16 bytes in memory, always at the same address
	BincodeStatic  = "bincode-static"  // 12 bytes in memory, always at the same address
	Batch          = "batch"           // many requests in memory, 16 bytes each
	WIT            = "wit"             // as pair, by the names that WIT gives to exports
)

// ABIs lists the calling conventions in the order in which they are shown.
var ABIs = []string{Pair, Bincode, Bytemuck, BytemuckStatic, BincodeStatic, Batch, WIT}

// Handles are how the host finds what it calls.
const (
	SRS      = "srs"      // looked up once, kept in the struct that owns the instance
	Uncached = "uncached" // looked up by name at each call
	Driver   = "driver"   // looked up once, by a module inside the sandbox that calls it for each request of a batch
)

// Handles lists the handles in the order in which they are shown.
var Handles = []string{Uncached, SRS, Driver}

// Combines reports whether an ABI can be used with a handle: a batch has no
// calls left for a driver to make.
func Combines(abi, handle string) bool { return !(abi == Batch && handle == Driver) }

// A convention is an ABI as one module speaks it.
type convention struct {
	abi     string
	send    string // the export that takes a request, or a batch
	returns bool   // send returns the outcome; otherwise stats tells it
	record  int    // bytes of a request in the guest's memory; 0: arguments
	static  bool   // the address of a request in memory is asked for once
}

// conventions lists all that a module may speak. Modules of the published
// experiment call every export that takes a request send, and have it return
// nothing.
var conventions = func() []convention {
	var all []convention
	for _, c := range []convention{
		{abi: Pair, send: "send"},
		{abi: Bincode, send: "send_bincode", record: 12},
		{abi: Bytemuck, send: "send_bytemuck", record: 16},
		{abi: BytemuckStatic, send: "send_bytemuck_static", record: 16, static: true},
		{abi: BincodeStatic, send: "send_bincode_static", record: 12, static: true},
	} {
		for _, name := range []string{c.send, "send"} {
			for _, returns := range []bool{true, false} {
				c.send, c.returns = name, returns
				all = append(all, c)
			}
			if c.record == 0 {
				break
			}
		}
	}
	return append(all, convention{abi: Batch, send: "replay", record: 16, static: true}, convention{abi: WIT, send: witSend, returns: true})
}()

// needs returns the exports that c wants, by name, as signatures.
func (c convention) needs() [][2]string {
	if c.abi == WIT {
		return [][2]string{{witInit, "(i64, i32, i64) -> ()"}, {witSend, "(i32, i64) -> i32"}}
	}
	params := "(i32, i64)"
	if c.record > 0 {
		params = "(i32, i32)"
	}
	sig := params + " -> ()"
	if c.returns {
		sig = params + " -> i32"
	}
	if c.abi == Batch {
		sig = "(i32, i32, i32) -> ()"
	}
	needs := [][2]string{{"init", "(i64) -> ()"}, {c.send, sig}}
	if c.record > 0 {
		needs = append(needs, [2]string{"alloc", "(i32) -> i64"}, [2]string{"memory", ""})
	}
	if !c.returns && c.abi != Batch {
		needs = append(needs, [2]string{"stats", "() -> i64"})
	}
	return needs
}

// missing returns what m is missing to support c, in words.
func (c convention) missing(m *Binary) []string {
	var absent []string
	for _, need := range c.needs() {
		name, sig := need[0], need[1]
		e, ok := m.module.Exports[name]
		switch {
		case sig == "" && !(ok && e.Kind == 2):
			absent = append(absent, fmt.Sprintf("a memory named %s", name))
		case sig == "":
		case !ok || e.Sig == nil:
			absent = append(absent, name+" "+sig)
		case e.Sig.String() != sig:
			absent = append(absent, fmt.Sprintf("%s %s (its %s is %s)", name, sig, name, e.Sig))
		}
	}
	return absent
}

// ABIs returns the calling conventions that m speaks, by its exports and their
// signatures. Where these cannot tell, declared must: a send of (i32, i32) may
// expect bincode or bytemuck, static or not. An error says what is missing.
func (m *Binary) ABIs(declared string) ([]string, error) {
	abis, err := m.abis(declared)
	if err != nil {
		return nil, oneLine(err)
	}
	return abis, nil
}

func (m *Binary) abis(declared string) ([]string, error) {
	if m.err != nil {
		return nil, m.err
	}
	if declared != "" {
		_, err := m.convention(declared, declared)
		if err != nil {
			return nil, err
		}
		return []string{declared}, nil
	}
	var found []string
	for _, abi := range ABIs {
		if _, err := m.convention(abi, ""); err == nil {
			found = append(found, abi)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	if m.vague() {
		return nil, errors.New("its exports fit bincode, bytemuck and their static forms alike: say which, as in FILE.wasm:abi=bincode")
	}
	return nil, fmt.Errorf("it supports no calling convention: for the simplest, %s, it is missing %s; see docs/ABI.md",
		Pair, strings.Join(m.nearest(Pair, ""), ", "))
}

// Valid returns why no engine can run m as a policy, as far as what it declares
// shows that: it is no module, has no convention, or imports what is not provided.
func (m *Binary) Valid(declared string) error {
	_, err := m.abis(declared)
	if err == nil {
		err = m.checkImports()
	}
	if err == nil {
		err = m.checkExports()
	}
	if err != nil {
		return oneLine(err)
	}
	return nil
}

// spoken finds the way in which m speaks an ABI, if it is a policy at all.
func (m *Binary) spoken(abi, declared string) (convention, error) {
	if _, err := m.abis(declared); err != nil {
		return convention{}, err
	}
	return m.convention(abi, declared)
}

// vague reports whether m has the one send that several ABIs share.
func (m *Binary) vague() bool {
	for _, c := range conventions {
		if c.record > 0 && c.send == "send" && len(c.missing(m)) == 0 {
			return true
		}
	}
	return false
}

// convention finds the way in which m speaks an ABI.
func (m *Binary) convention(abi, declared string) (convention, error) {
	for _, c := range conventions {
		if c.abi == abi && (c.record == 0 || c.send != "send" || declared == abi) && len(c.missing(m)) == 0 {
			return c, nil
		}
	}
	return convention{}, fmt.Errorf("it does not support %s: it is missing %s; see docs/ABI.md", abi, strings.Join(m.nearest(abi, declared), ", "))
}

// nearest returns what m is missing for the convention of abi that it is nearest to.
func (m *Binary) nearest(abi, declared string) []string {
	var best []string
	for _, c := range conventions {
		if c.abi != abi || c.record > 0 && c.send == "send" && declared != abi {
			continue
		}
		if absent := c.missing(m); best == nil || len(absent) < len(best) {
			best = absent
		}
	}
	return best
}

// paramPrefix starts the name of an export that takes a parameter:
// param_small (f64) -> () declares the parameter small.
const paramPrefix = "param_"

// Params returns the parameters that m declares, in the order of its exports.
// Their defaults and ranges are the module's own business.
func (m *Binary) Params() []string {
	var names []string
	for _, export := range m.module.Names {
		if name, ok := strings.CutPrefix(export, paramPrefix); ok && m.module.Has(export, "(f64) -> ()") {
			names = append(names, name)
		}
	}
	return names
}

// impossible is what a guest's outcome comes to when it is neither hit nor
// miss.
func impossible(outcome uint64) error {
	return fmt.Errorf("impossible outcome: the guest returned %d, want 0 (miss) or 1 (hit)", int32(outcome))
}

// replayer is a function that serves requests in order.
type replayer func(reqs []sim.Request, hit []bool) error
