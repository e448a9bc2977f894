package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/conformance"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

func policyCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "start, show and check a policy of your own, a WASM module",
		Subcommands: []*cli.Command{
			policyNew(stdout), policyShow(stdout), policyCheck(stdout),
		},
	}
}

func policyShow(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "show",
		Usage:       "print what modules export and import, in words",
		ArgsUsage:   "FILE.wasm [FILE.wasm...]",
		Description: "Example:\n  cachesim policy show my.wasm",
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("policy show expects a module: cachesim policy show FILE.wasm")
			}
			for _, name := range c.Args().Slice() {
				p, err := modulePolicy(name)
				if err != nil {
					return err
				}
				if err := showModule(stdout, p); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// modulePolicy reads FILE.wasm with the parameters given for it, as --policy
// does.
func modulePolicy(text string) (policy, error) {
	name, list, isFile := cutPolicy(text)
	if !isFile || !strings.HasSuffix(name, ".wasm") {
		return policy{}, usagef("%s is not a module: its name does not end in .wasm", text)
	}
	return parseFile(name, list)
}

// What a module may export besides what its ABIs need.
var optionalExports = []struct{ name, sig, doc string }{
	{"reserve", "(i32) -> ()", "is given the number of objects before the first request"},
	{"seed", "(i64) -> ()", "is given --seed"},
	{"used", "() -> i64", "reports the bytes in the cache, which are compared with the capacity"},
	{"evictions", "() -> i64", "counts evictions"},
	{"admissions", "() -> i64", "counts objects stored"},
	{"admitted_bytes", "() -> i64", "counts bytes stored"},
	{"remove", "(i32) -> i32", "removes an object: it can replay traces with deletes and times to live"},
	{"has", "(i32) -> i32", "says whether an object is in the cache: it can replay --delayed strict"},
	{"failure", "() -> i64", "explains a trap"},
	{"changes_v1", "() -> i64", "reports what it stores and evicts: the host counts bytes itself"},
	{"params_v1", "() -> i64", "describes its parameters"},
	{"tick_v1", "(i64) -> ()", "is given the nanoseconds in a tick of the trace's clock"},
	{"time_v1", "(i32, i32) -> ()", "is given the times of the requests"},
	{"next_v1", "(i32, i32) -> ()", "is given the next access of each object: an offline policy"},
	{"op_v1", "(i32, i32) -> ()", "is given the operations"},
	{"ttl_v1", "(i32, i32) -> ()", "is given the times to live"},
	{"key_v1", "(i32, i32, i32) -> ()", "is given the key of each object, as the trace has it"},
	{"_initialize", "() -> ()", "initialises a reactor of WASI"},
}

func showModule(w io.Writer, p policy) error {
	m := p.module
	fmt.Fprintf(w, "%s\n  size        %s\n  SHA-256     %s\n", clean(p.name), humanize.IBytes(uint64(len(m.Bytes))), m.SHA256)
	if err := m.Err(); err != nil {
		return fmt.Errorf("%s: %w", clean(p.name), err)
	}
	abis, err := m.ABIs(p.declared)
	if err != nil {
		fmt.Fprintf(w, "  ABIs        none: %v\n", err)
	} else {
		fmt.Fprintf(w, "  ABIs        %s\n", strings.Join(abis, ", "))
	}
	list := func(all []string) string {
		if len(all) == 0 {
			return "none"
		}
		return clean(strings.Join(all, ", "))
	}
	declared, err := m.Declared()
	if err != nil {
		fmt.Fprintf(w, "  parameters  cannot be read: %v\n", err)
	} else if len(declared) == 0 {
		fmt.Fprintf(w, "  parameters  none\n")
	}
	for _, p := range declared {
		fmt.Fprintf(w, "  parameter   %s\n", clean(moduleParam(p)))
	}
	var imports []string
	for _, i := range m.Imports() {
		imports = append(imports, i.String())
	}
	fmt.Fprintf(w, "  imports     %s\n", list(imports))
	memory := "none of its own"
	if first, most, ok := m.Memory(); ok {
		memory = humanize.IBytes(first)
		if most > 0 {
			memory += ", at most " + humanize.IBytes(most)
		} else {
			memory += ", growing up to --guest-memory"
		}
		if !m.ExportsMemory("memory") {
			memory += ", not exported"
		}
	}
	fmt.Fprintf(w, "  memory      %s\n", memory)
	var absent []string
	for _, e := range optionalExports {
		if m.Exports(e.name, e.sig) {
			fmt.Fprintf(w, "  %-11s %s\n", e.name, e.doc)
		} else {
			absent = append(absent, e.name)
		}
	}
	fmt.Fprintf(w, "  not there   %s\n", list(absent))
	var refuse []string
	for _, e := range engines.Names(true) {
		if why := wasm.Refuses(m, e); why != "" {
			refuse = append(refuse, e+" ("+why+")")
		}
	}
	if len(refuse) > 0 {
		fmt.Fprintf(w, "  not on      %s\n", clean(strings.Join(refuse, "; ")))
	}
	return nil
}

func policyCheck(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "check",
		Usage:       "check that modules behave as caches, on every engine",
		ArgsUsage:   "FILE.wasm[:NAME=VALUE...] [...]",
		Description: "A line for each check: PASS, FAIL with what was expected and what came, or SKIP with why.\nExamples:\n  cachesim policy check my.wasm\n  cachesim policy check my.wasm:small=0.2 --engine wazero --timeout 2s",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "engine", Usage: "`ENGINES` to check on, the first for all checks of behaviour (default: all)"},
			&cli.StringSliceFlag{Name: "script", Usage: "`FILES` of requests with the outcomes that the module must have, as policies-native/testdata/scripts has them"},
			&cli.Uint64Flag{Name: "seed", Usage: "`SEED` of the requests, and of policies that draw random numbers", Value: 1},
			&cli.DurationFlag{Name: "timeout", Usage: "stop a module that makes no progress for this `TIME`", Value: 10 * time.Second},
			&cli.StringFlag{Name: "guest-memory", Usage: "`SIZE` of memory that a module may have", Value: "1GiB"},
			&cli.BoolFlag{Name: "isolate", Usage: "run each instance in a process of its own, so that what crashes its engine fails one check"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("policy check expects a module: cachesim policy check FILE.wasm")
			}
			memory, err := humanize.ParseBytes(c.String("guest-memory"))
			if err != nil || memory == 0 || memory > 4<<30 {
				return usagef("--guest-memory %q: expects a size up to 4GiB", c.String("guest-memory"))
			}
			if c.Duration("timeout") <= 0 {
				return usagef("--timeout %v: expects a time such as 10s", c.Duration("timeout"))
			}
			o := conformance.Options{Seed: c.Uint64("seed"), Timeout: c.Duration("timeout"), Memory: int64(memory)}
			if o.Scripts, err = simtest.LoadFiles(c.StringSlice("script")); err != nil {
				return usageError{err}
			}
			if c.Bool("isolate") {
				if o.Open, err = isolatedGuests(); err != nil {
					return err
				}
			}
			for _, e := range c.StringSlice("engine") {
				if e == sim.NativeEngine {
					return usagef("--engine native: a module runs on %s", strings.Join(engines.Names(true), ", "))
				}
				if _, err := engines.Named(e); err != nil {
					return usageError{err}
				}
				o.Engines = append(o.Engines, e)
			}
			ok := true
			for _, name := range c.Args().Slice() {
				p, err := modulePolicy(name)
				if err != nil {
					return err
				}
				o.Declared, o.Params = p.declared, p.params
				fmt.Fprintln(stdout, clean(p.name))
				counts := make(map[conformance.Status]int)
				passed := conformance.Run(c.Context, p.module, o, func(r conformance.Result) {
					counts[r.Status]++
					fmt.Fprintf(stdout, "%s  %-26s %s\n", r.Status, r.Check, clean(r.Detail))
				})
				if c.Context.Err() != nil {
					return errInterrupted
				}
				fmt.Fprintf(stdout, "%d passed, %d failed, %d skipped\n", counts[conformance.Pass], counts[conformance.Fail], counts[conformance.Skip])
				ok = ok && passed
			}
			if !ok {
				return errReported
			}
			return nil
		},
	}
}
