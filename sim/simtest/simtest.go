// Package simtest reads scripts that tell how a replacement policy behaves,
// and runs them. Native policies and guests pass the same scripts.
//
// A script is a text file. "#" starts a comment, and each line is a word and
// what belongs to it:
//
//	policy lru
//
//	capacity 3           # bytes; starts a case
//	requests a b c:1 a   # objects: name:size, or the name alone
//	outcomes . . .   H   # one for each request above: H for a hit, . for a miss
//	requests d b
//	outcomes . .
//	requests -a d        # -a removes a, as a delete or an expired object does
//	outcomes H  .        # H where a was in the cache
//	evictions 2          # in the whole case; ends it
//
// The policy, with parameters as in --policy (s3fifo:small=0.2), is that of all
// cases below it. An object's size is given where the case requests it first,
// and is 1 byte where it is not given. No object may be larger than the
// capacity, because such an object never reaches a policy.
package simtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"cachesim/sim"
)

// A Case is one replay of a script.
type Case struct {
	File      string // as it was opened
	Line      int    // of its capacity
	Policy    string // with parameters, if any
	Capacity  int64  // bytes
	Requests  []sim.Request
	Removed   []bool // whether each request removes its object
	Objects   int
	Want      []bool // whether each request found its object in the cache
	Evictions int64
}

// Load reads the scripts in dir, the files named *.txt. An error tells the file
// and the line of the first fault.
func Load(dir string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("load scripts: there is no *.txt in %s", dir)
	}
	return LoadFiles(files)
}

// LoadFiles reads scripts.
func LoadFiles(files []string) ([]Case, error) {
	var all []Case
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("load scripts: %w", err)
		}
		p := parser{}
		for i, line := range bytes.Split(b, []byte("\n")) {
			text, _, _ := strings.Cut(string(line), "#")
			f := strings.Fields(text)
			if len(f) == 0 {
				continue
			}
			if err := p.line(f[0], f[1:], i+1); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
		}
		if p.c != nil {
			return nil, fmt.Errorf("%s:%d: this case has no evictions to end it", name, p.c.Line)
		}
		if len(p.cases) == 0 {
			return nil, fmt.Errorf("%s:1: it has no case", name)
		}
		for _, c := range p.cases {
			c.File = name
			all = append(all, c)
		}
	}
	return all, nil
}

// parser holds what the lines so far came to.
type parser struct {
	cases  []Case
	policy string
	c      *Case             // the case that is being read; nil between cases
	ids    map[string]uint32 // of the names in it
	sizes  []int64           // of its objects
}

// line takes one line in: a word and its arguments.
func (p *parser) line(word string, args []string, n int) error {
	if p.c == nil && (word == "requests" || word == "outcomes" || word == "evictions") {
		return fmt.Errorf("%s outside a case, which capacity starts", word)
	}
	if p.c != nil {
		// Outcomes and requests take turns, requests first.
		open := len(p.c.Want) < len(p.c.Requests)
		if open && word != "outcomes" {
			return fmt.Errorf("want the outcomes of the requests above, got %s", word)
		}
		if !open && word == "outcomes" {
			return errors.New("outcomes without requests above")
		}
	}
	switch word {
	case "policy", "capacity":
		if p.c != nil {
			return fmt.Errorf("%s inside the case of line %d, which evictions ends", word, p.c.Line)
		}
		if len(args) != 1 {
			return fmt.Errorf("want one %s, got %d", word, len(args))
		}
		if word == "policy" {
			p.policy = args[0]
			return nil
		}
		if p.policy == "" {
			return errors.New("want a policy before the first case")
		}
		capacity, err := number(args[0])
		p.c = &Case{Line: n, Policy: p.policy, Capacity: capacity}
		p.ids, p.sizes = map[string]uint32{}, nil
		return err
	case "requests":
		if len(args) == 0 {
			return errors.New("want at least one request")
		}
		for _, a := range args {
			if err := p.request(a); err != nil {
				return err
			}
		}
		return nil
	case "outcomes":
		if want := len(p.c.Requests) - len(p.c.Want); len(args) != want {
			return fmt.Errorf("want %d outcomes, got %d", want, len(args))
		}
		for _, a := range args {
			if a != "H" && a != "." {
				return fmt.Errorf("want outcomes H or ., got %q", a)
			}
			p.c.Want = append(p.c.Want, a == "H")
		}
		return nil
	case "evictions":
		if len(args) != 1 || len(p.c.Requests) == 0 {
			return errors.New("want requests and then one number of evictions")
		}
		var err error
		p.c.Evictions, err = number(args[0])
		p.c.Objects = len(p.sizes)
		p.cases, p.c = append(p.cases, *p.c), nil
		return err
	}
	return fmt.Errorf("unknown word %q: want policy, capacity, requests, outcomes or evictions", word)
}

// request takes in name, name:size or -name.
func (p *parser) request(arg string) error {
	arg, removed := strings.CutPrefix(arg, "-")
	name, given, sized := strings.Cut(arg, ":")
	size := int64(1)
	if sized {
		var err error
		if size, err = number(given); err != nil {
			return err
		}
	}
	id, known := p.ids[name]
	switch {
	case known && sized && size != p.sizes[id]:
		return fmt.Errorf("object %s has %d bytes here and %d above", name, size, p.sizes[id])
	case known:
		size = p.sizes[id]
	case size > p.c.Capacity:
		return fmt.Errorf("object %s of %d bytes is larger than the capacity and would never reach a policy", name, size)
	default:
		id = uint32(len(p.sizes))
		p.ids[name] = id
		p.sizes = append(p.sizes, size)
	}
	p.c.Requests = append(p.c.Requests, sim.Request{ID: id, Size: size})
	p.c.Removed = append(p.c.Removed, removed)
	return nil
}

func number(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("want a number from 0, got %q", s)
	}
	return n, nil
}

// Removes reports whether the case removes an object.
func (c Case) Removes() bool { return slices.Contains(c.Removed, true) }

// Run replays the case through p, which must be new, and returns an error with
// file and line where p behaves otherwise.
func (c Case) Run(p sim.Replayer) error {
	got, err := Replay(p, c.Requests, c.Removed)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", c.File, c.Line, err)
	}
	if got, want := marks(got), marks(c.Want); got != want {
		return fmt.Errorf("%s:%d: wrong outcomes\n got %s\nwant %s", c.File, c.Line, got, want)
	}
	switch n := p.Counts().Evictions; {
	case n < 0:
		return fmt.Errorf("%s:%d: the policy does not count its evictions", c.File, c.Line)
	case n != c.Evictions:
		return fmt.Errorf("%s:%d: got %d evictions, want %d", c.File, c.Line, n, c.Evictions)
	}
	return nil
}

// Replay passes reqs to p in batches that end before each removal, and returns
// for each whether the object was in the cache. removed may be nil. Requests
// have the next access that follows from reqs.
func Replay(p sim.Replayer, reqs []sim.Request, removed []bool) ([]bool, error) {
	hit := make([]bool, len(reqs))
	next := NextAccess(reqs, removed)
	for start := 0; start < len(reqs); {
		end := start
		for end < len(reqs) && (removed == nil || !removed[end]) {
			end++
		}
		if end > start {
			if err := p.Replay(sim.Batch{Requests: reqs[start:end], Next: next[start:end]}, hit[start:end]); err != nil {
				return nil, err
			}
		}
		if start = end; start < len(reqs) {
			var err error
			if hit[start], err = p.Remove(reqs[start].ID); err != nil {
				return nil, err
			}
			start++
		}
	}
	return hit, nil
}

// NextAccess returns the next access of each request, as a trace has it.
func NextAccess(reqs []sim.Request, removed []bool) []uint32 {
	objects := uint32(0)
	ops := make([]sim.Op, len(reqs))
	for i, r := range reqs {
		objects = max(objects, r.ID+1)
		if removed != nil && removed[i] {
			ops[i] = sim.Delete
		}
	}
	next := make([]uint32, len(reqs))
	sim.NewNextAccesses(int(objects), false).Fill(0, reqs, ops, next)
	return next
}

// marks writes outcomes as a script does.
func marks(hit []bool) string {
	b := bytes.Repeat([]byte(". "), len(hit))
	for i, h := range hit {
		if h {
			b[2*i] = 'H'
		}
	}
	return string(bytes.TrimSpace(b))
}

// FromBytes makes requests of what a fuzzer makes up: object i has sizes[i]
// bytes, cut to what the capacity allows, and every byte of order is a request.
// It makes none where there is no object.
func FromBytes(capacity uint16, sizes, order []byte) (reqs []sim.Request, objects int) {
	objects = min(len(sizes), 256)
	if objects == 0 {
		return nil, 0
	}
	for _, b := range order {
		id := int(b) % objects
		reqs = append(reqs, sim.Request{ID: uint32(id), Size: min(int64(sizes[id]), int64(capacity))})
	}
	return reqs, objects
}

// Bytes returns what FromBytes makes the case's requests of, as a seed for a
// fuzzer. It holds for sizes and numbers of objects below 256.
func (c Case) Bytes() (capacity uint16, sizes, order []byte) {
	sizes = make([]byte, c.Objects)
	for _, r := range c.Requests {
		sizes[r.ID] = byte(r.Size)
		order = append(order, byte(r.ID))
	}
	return uint16(c.Capacity), sizes, order
}

// Mixed returns what FromBytes makes a longer trace of, as a seed for a fuzzer:
// 500 requests, most of them for a few of 50 objects, most of which are small;
// but some push out a good part of the cache.
func Mixed() (capacity uint16, sizes, order []byte) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		sizes = append(sizes, byte(rng.IntN(1<<rng.IntN(9))))
	}
	for range 500 {
		order = append(order, byte(rng.IntN(1+rng.IntN(50))))
	}
	return 300, sizes, order
}
