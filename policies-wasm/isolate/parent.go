package isolate

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	wasm "cachesim/policies-wasm"
	"cachesim/sim"
)

// guest is a policy in a process of its own: a sim.Replayer and a sim.Timer.
type guest struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stderr  head
	answers chan answer
	unhook  func() bool
	stopped func() error // not nil: cachesim has ended the process

	canRemove bool
	canHold   bool
	keyOf     func(object uint32) string // nil: the module asks for no keys
	known     []uint64                   // bits of the objects whose keys were passed
	keys      []key                      // to be passed
	served    int64                      // requests
	spent     time.Duration
	frame     []byte
}

// answer is a frame of the child's, or why there will be none.
type answer struct {
	kind    byte
	content []byte
	err     error
}

// Open has a process that command starts, which must call Serve, make what
// wasm.Open would make of c. The process is killed when ctx ends.
func Open(ctx context.Context, c wasm.Config, command ...string) (sim.Replayer, sim.Setup, error) {
	if err := c.Binary.Err(); err != nil {
		return nil, sim.Setup{}, err
	}
	config, params := c.Config, make(map[string]uint64)
	for name, v := range config.Params {
		params[name] = math.Float64bits(v)
	}
	config.Params, config.Sizes = nil, nil
	content, err := json.Marshal(spec{
		Config: config, Version: c.Version, Params: params, Name: c.Binary.Name, Module: c.Binary.Bytes, StoresMisses: c.Binary.StoresMisses,
		Declared: c.Declared, Memory: c.Memory, Stoppable: c.Stoppable,
	})
	if err != nil {
		return nil, sim.Setup{}, err
	}
	g := &guest{cmd: exec.Command(command[0], command[1:]...), answers: make(chan answer)}
	g.cmd.Stderr = &g.stderr
	endWithParent(g.cmd)
	var stdout io.ReadCloser
	if g.stdin, err = g.cmd.StdinPipe(); err == nil {
		stdout, err = g.cmd.StdoutPipe()
	}
	if err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		return nil, sim.Setup{}, fmt.Errorf("start a process for the guest: %w", err)
	}
	if c.Binary.WantsKeys() {
		g.keyOf, g.known = c.Key, make([]uint64, (c.Objects+63)/64)
	}
	heartbeat := c.Heartbeat
	if heartbeat == nil {
		heartbeat = func() {}
	}
	g.stopped = ctx.Err
	go g.read(stdout, heartbeat)
	g.unhook = context.AfterFunc(ctx, func() { _ = g.cmd.Process.Kill() })
	g.frame = append(startFrame(nil), content...)
	b, err := g.ask(kindOpen)
	var o opened
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		g.Close()
		return nil, sim.Setup{}, err
	}
	g.canRemove, g.canHold = o.CanRemove, o.CanHold
	return g, o.Setup, nil
}

// read passes on what the child writes until the child ends.
func (g *guest) read(stdout io.Reader, heartbeat func()) {
	defer close(g.answers)
	var buf []byte
	for {
		kind, content, err := readFrame(stdout, &buf)
		if err != nil {
			_ = g.cmd.Process.Kill() // it may have closed its output, and be waiting
			g.answers <- answer{err: g.death(g.cmd.Wait())}
			return
		}
		if kind == kindBeat {
			heartbeat()
			continue
		}
		g.answers <- answer{kind: kind, content: content}
	}
}

// death says in one line how the process ended.
func (g *guest) death(err error) error {
	if g.stopped() != nil {
		return errors.New("the guest's process was stopped")
	}
	how := "it ended without an answer"
	if err != nil {
		how = err.Error()
	}
	if status, ok := g.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		how = "signal: " + status.Signal().String()
		if status.Signal() == syscall.SIGKILL {
			how += ", sent by somebody, or by the system because memory was short"
		}
	}
	if said := g.stderr.line(); said != "" {
		how += ": " + said
	}
	return fmt.Errorf("the guest's process died (%s)", how)
}

// ask sends the frame and returns the content of the answer, valid until the next.
func (g *guest) ask(kind byte) ([]byte, error) {
	wrong := writeFrame(g.stdin, kind, g.frame) // of a process that died: read knows how
	a, ok := <-g.answers
	switch {
	case !ok:
		return nil, fmt.Errorf("the guest's process has ended")
	case a.err != nil:
		return nil, a.err
	case a.kind == kindError:
		return nil, fmt.Errorf("%s", a.content)
	case wrong != nil:
		return nil, wrong
	case a.kind != kind:
		return nil, fmt.Errorf("the guest's process answered %q to %q", a.kind, kind)
	}
	return a.content, nil
}

// Replay has the child serve b's requests.
func (g *guest) Replay(b sim.Batch, hit []bool) error {
	g.keys = g.keys[:0]
	if g.keyOf != nil {
		for _, r := range b.Requests {
			if w, bit := &g.known[r.ID>>6], uint64(1)<<(r.ID&63); *w&bit == 0 {
				*w |= bit
				g.keys = append(g.keys, key{r.ID, g.keyOf(r.ID)})
			}
		}
	}
	g.frame = appendBatch(startFrame(g.frame), b, g.keys)
	got, err := g.ask(kindReplay)
	if err != nil {
		if strings.HasPrefix(err.Error(), "the guest's process") {
			return fmt.Errorf("requests %d to %d: %w", g.served+1, g.served+int64(len(b.Requests)), err)
		}
		return err
	}
	if len(got) != 8+len(hit) {
		return fmt.Errorf("the guest's process answered with %d bytes to %d requests", len(got), len(hit))
	}
	g.served += int64(len(hit))
	g.spent = time.Duration(binary.LittleEndian.Uint64(got))
	for i, o := range got[8:] {
		hit[i] = o == 1
	}
	return nil
}

// Remove has the child remove an object.
func (g *guest) Remove(id uint32) (bool, error) { return g.object(kindRemove, id) }

// Has asks the child whether an object is in the cache.
func (g *guest) Has(id uint32) (bool, error) { return g.object(kindHas, id) }

// CanHold reports whether the module can say so.
func (g *guest) CanHold() bool { return g.canHold }

// object asks the child something about an object.
func (g *guest) object(kind byte, id uint32) (bool, error) {
	g.frame = binary.LittleEndian.AppendUint32(startFrame(g.frame), id)
	got, err := g.ask(kind)
	if err == nil && len(got) != 9 {
		err = fmt.Errorf("the guest's process answered with %d bytes about an object", len(got))
	}
	if err != nil {
		return false, err
	}
	g.spent = time.Duration(binary.LittleEndian.Uint64(got))
	return got[8] == 1, nil
}

// CanRemove reports whether the module can remove objects.
func (g *guest) CanRemove() bool { return g.canRemove }

// Counts asks for the module's own counts. A process that died has none.
func (g *guest) Counts() sim.Counts {
	c := sim.Counts{Evictions: -1, Admissions: -1, AdmittedBytes: -1}
	g.frame = startFrame(g.frame)
	if b, err := g.ask(kindCounts); err == nil {
		_ = json.Unmarshal(b, &c)
	}
	return c
}

// Used asks for the bytes in the cache, for wasm.Used.
func (g *guest) Used() (bytes int64, ok bool) {
	g.frame = startFrame(g.frame)
	b, err := g.ask(kindUsed)
	if err != nil || len(b) != 8 {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(b)), true
}

// Said asks for what the guest has logged or written.
func (g *guest) Said() string {
	g.frame = startFrame(g.frame)
	b, _ := g.ask(kindSaid)
	return string(b)
}

// Spent is the time inside the guest, as the child measured it.
func (g *guest) Spent() time.Duration { return g.spent }

// Close kills the process: it has nothing to lose.
func (g *guest) Close() error {
	g.unhook()
	_ = g.cmd.Process.Kill()
	g.stdin.Close()
	for range g.answers { // until it is gone
	}
	return nil
}

// head keeps the beginning of what is written to it: a crash says first what it is.
type head struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.b.Write(p[:min(len(p), 4096-h.b.Len())])
	return len(p), nil
}

// line returns the first line that is not empty.
func (h *head) line() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range strings.Lines(h.b.String()) {
		if l = strings.TrimSpace(l); l != "" {
			return strings.ToValidUTF8(l[:min(len(l), 200)], "")
		}
	}
	return ""
}
