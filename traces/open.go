package traces

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"cachesim/sim"
)

// Size rules say which size of an object counts where a trace tells several.
const (
	FirstSize = "first" // the first one seen
	LastSize  = "last"  // the last one seen
	MaxSize   = "max"   // the largest one seen
)

// SizeRules lists them, the default first.
var SizeRules = []string{FirstSize, LastSize, MaxSize}

// Options say how to read a trace.
type Options struct {
	Format   string // name of the format; empty: found from the content
	SizeRule string // empty: FirstSize
}

// Open reads the trace in the named file, "-" for standard input, whole into
// memory: 16 bytes a request, and a few dozen an object.
func Open(name string, o Options) (*sim.Trace, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, fmt.Errorf("open trace: %w", err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return nil, fmt.Errorf("open trace %s: it is a directory: name a trace file in it", name)
		}
	}
	return Read(f, name, o)
}

// Read is Open for a reader; name stands in errors and in the trace.
func Read(r io.Reader, name string, o Options) (*sim.Trace, error) {
	if o.SizeRule == "" {
		o.SizeRule = FirstSize
	}
	if !slices.Contains(SizeRules, o.SizeRule) {
		return nil, fmt.Errorf("unknown size rule %q%s", o.SizeRule, sim.DidYouMean(o.SizeRule, SizeRules))
	}
	hash := sha256.New()
	whole := bufio.NewReaderSize(io.TeeReader(r, hash), 1<<18)
	data, err := decompress(whole)
	if err != nil {
		return nil, fmt.Errorf("read trace %s: %w", name, err)
	}
	defer data.stop()
	format, plain, err := detect(data, o.Format)
	if err != nil {
		return nil, fmt.Errorf("read trace %s: %w", name, err)
	}
	t, err := load(format, plain, o.SizeRule)
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		syntax.File = name
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("read trace %s: %w", name, err)
	}
	// The hash is that of the file, so read what the decompressor left.
	if _, err := io.Copy(io.Discard, whole); err != nil {
		return nil, fmt.Errorf("read trace %s: %w", name, err)
	}
	t.Name = filepath.Base(name)
	t.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return t, nil
}

// detect finds the format by name or, where that is empty, from the content,
// and returns a reader that still has all of it.
func detect(r io.Reader, wanted string) (Format, io.Reader, error) {
	if wanted != "" {
		var known []string
		for _, f := range Formats {
			if f.Name == wanted {
				return f, r, nil
			}
			known = append(known, f.Name)
		}
		return Format{}, nil, fmt.Errorf("unknown trace format %q%s", wanted, sim.DidYouMean(wanted, known))
	}
	head := make([]byte, 1<<16)
	n, err := io.ReadFull(r, head)
	whole := err == io.EOF || err == io.ErrUnexpectedEOF
	if err != nil && !whole {
		return Format{}, nil, err
	}
	head = head[:n]
	for _, f := range Formats {
		if f.Match(head, whole) {
			return f, io.MultiReader(bytes.NewReader(head), r), nil
		}
	}
	if countFields(head) == 0 {
		if whole {
			return Format{}, nil, errors.New("it holds no requests")
		}
		return Format{}, nil, fmt.Errorf("cannot tell its format: its first %d bytes are blank", len(head))
	}
	what := "it starts with binary data that is of no known format"
	if n := columns(head, whole); n > 0 {
		what = fmt.Sprintf("the number of fields in its first line is %d", n)
	}
	return Format{}, nil, fmt.Errorf("cannot tell its format: %s; cachesim reads text lines of \"id size\" or \"time id size\" and binary oracleGeneral (--trace-format says which)", what)
}

func load(f Format, r io.Reader, rule string) (*sim.Trace, error) {
	t := &sim.Trace{Format: f.Name, SizeRule: rule}
	in := newInterner()
	var sizes []int64 // of each object, the one that counts
	var start int64   // of the trace's clock
	var rec Record
	for d := f.NewDecoder(r); ; {
		err := d.Decode(&rec)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(t.Requests) == 0 {
			start = rec.Time
		}
		id, known := in.number(&rec)
		switch {
		case !known:
			if id == math.MaxUint32-1<<16 {
				return nil, fmt.Errorf("it has more than %d objects, which do not fit 32-bit numbers", id)
			}
			sizes = append(sizes, rec.Size)
		case rule == LastSize, rule == MaxSize && rec.Size > sizes[id]:
			sizes[id] = rec.Size
		}
		req := sim.Request{ID: id, Size: rec.Size}
		if f.Clock {
			req.Time = uint32(rec.Time - start)
		}
		t.Requests = append(t.Requests, req)
	}
	if len(t.Requests) == 0 {
		return nil, errors.New("it holds no requests")
	}
	for i := range t.Requests {
		r := &t.Requests[i]
		if r.Size != sizes[r.ID] {
			t.SizeChanges++
			r.Size = sizes[r.ID]
		}
		if t.RequestBytes += r.Size; t.RequestBytes < 0 {
			return nil, fmt.Errorf("its requests ask for more than %d bytes in all", int64(math.MaxInt64))
		}
	}
	for _, s := range sizes {
		t.Footprint += s
		t.LargestSize = max(t.LargestSize, s)
	}
	t.Objects = len(sizes)
	t.ObjectName = in.name
	return t, nil
}
