package traces

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cachesim/sim"
)

// Size rules say which size of an object counts where a trace has several.
const (
	FirstSize = "first" // the first one seen
	LastSize  = "last"  // the last one seen
	MaxSize   = "max"   // the largest one seen
	NewObject = "new"   // each: an object with another size is another object

	// The size of each request: one that differs updates the object in the cache,
	// or is a miss that replaces it.
	UpdateSize = sim.SizeUpdates
	AsMiss     = sim.SizeReplaces
)

// SizeRules lists them, the default first.
var SizeRules = []string{FirstSize, LastSize, MaxSize, NewObject, UpdateSize, AsMiss}

// Zero-size rules say what becomes of requests of size 0.
const (
	KeepZero = "keep" // they are replayed; their objects take no room
	OneByte  = "one"  // they get 1 byte
	SkipZero = "skip" // they are left out
)

// ZeroSizes lists them, the default first.
var ZeroSizes = []string{KeepZero, OneByte, SkipZero}

// Operations say what becomes of requests that are not reads.
const (
	ReadsOnly = "reads"  // only reads are replayed, the others are left out
	ApplyOps  = "apply"  // writes, deletes and times to live are replayed
	IgnoreOps = "ignore" // every request is replayed as a read
)

// OpsModes lists them, the default first.
var OpsModes = []string{ReadsOnly, ApplyOps, IgnoreOps}

// Options say how to read a trace. The zero value is a usable default.
type Options struct {
	Format string // name of the format; empty: found from the content
	Params map[string]string

	// Merge reads the files side by side and orders their requests by time,
	// instead of one file after the other.
	Merge bool

	SizeRule   string        // empty: FirstSize
	ZeroSize   string        // empty: KeepZero
	IgnoreSize bool          // every object has 1 byte
	Ops        string        // empty: ReadsOnly
	Skip       int           // requests left out at the start
	Limit      int           // requests read after those; 0: all
	TimeUnit   time.Duration // of the times in the file; 0: that of the format, or its parameter time-unit
	Filter     Filter        // which requests are kept

	// Malformed records are an error unless no more than SkipBad of them, or
	// SkipBadShare of all records, are malformed; then they are left out.
	SkipBad      int64
	SkipBadShare float64

	// Memory is how many bytes the requests may occupy; a longer trace is kept
	// in a file. 0: no bound.
	Memory int64

	// Cache is the folder of the trace cache, see DefaultCache; empty: none is
	// used, and what does not fit in Memory is kept in a temporary folder until
	// the trace is closed. CacheSize is how many bytes it may have; 0: no bound.
	// The traces that were not used for longest are removed.
	Cache     string
	CacheSize int64

	// Progress, if set, is called with the number of bytes, as they are stored,
	// that were read since the last call, from another goroutine.
	Progress func(bytes int64)

	limits limits
	filter *filter // Filter, compiled; nil: all requests are kept
}

// limits are those of sim, and smaller in tests.
type limits struct {
	requests, objects uint64
	size              int64
}

func (o Options) complete() (Options, error) {
	for _, choice := range []struct {
		what    string
		value   *string
		choices []string
	}{{"size rule", &o.SizeRule, SizeRules}, {"treatment of size 0", &o.ZeroSize, ZeroSizes}, {"treatment of operations", &o.Ops, OpsModes}} {
		if *choice.value == "" {
			*choice.value = choice.choices[0]
		}
		if !slices.Contains(choice.choices, *choice.value) {
			return o, fmt.Errorf("unknown %s %q%s", choice.what, *choice.value, sim.DidYouMean(*choice.value, choice.choices))
		}
	}
	if o.SizeRule == NewObject && o.Ops == ApplyOps {
		return o, errors.New("operations cannot be applied where an object with another size is another one: a delete does not say which")
	}
	if o.Skip < 0 || o.Limit < 0 || o.TimeUnit < 0 || o.SkipBad < 0 || !(o.SkipBadShare >= 0 && o.SkipBadShare <= 1) {
		return o, errors.New("numbers of requests, the unit of time and tolerances of malformed records cannot be negative, or a share above 1")
	}
	// The content of files that parameters refer to decides what is decoded, so
	// the cache has to see it.
	var err error
	if o.Params, err = ResolveParams(o.Params); err != nil {
		return o, err
	}
	if o.limits == (limits{}) {
		o.limits = limits{sim.MaxRequests, sim.MaxObjects, sim.MaxSize}
	}
	if o.filter, err = o.Filter.compile(); err != nil {
		return o, err
	}
	if o.filter != nil && o.Ops == ReadsOnly && !o.filter.ops[sim.Get] {
		return o, errors.New("only requests with other operations than get are asked for, but only gets are replayed: with --ops apply or --ops ignore, others are, too")
	}
	return o, nil
}

// Open reads the trace in the named files, one after the other or merged. "-" is standard
// input, FORMAT:NAME a file whose format is known, and ARCHIVE!MEMBER a file in a
// tar or zip archive. In memory, a trace takes 16 bytes a request, and while it
// is read up to 48 an object.
func Open(names []string, o Options) (*sim.Trace, error) {
	if len(names) == 0 {
		return nil, errors.New("open trace: no file is named")
	}
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	files := make([]file, len(names))
	for i, name := range names {
		if files[i], err = openFile(name, o.Format); err != nil {
			return nil, err
		}
	}
	return read(files, o)
}

// A file is one of those that a trace consists of.
type file struct {
	name   string // as it was given, without the format
	path   string // without the member of an archive
	inside string // that member; empty: the only one, or the file is no archive
	member string // inside, where it is found by reading the file from the start
	format string // empty: found from the content
	open   func() (io.ReadCloser, error)
	pipe   bool // reading may block indefinitely
}

// stdin is the name of standard input in errors and results.
const stdin = "stdin"

// CutFormat splits FORMAT:FILE, the name of a file whose format is known. A file of that very name
// counts first, and so does C:\trace.
func CutFormat(name string) (format, file string) {
	f, rest, ok := strings.Cut(name, ":")
	if !ok || rest == "" || !slices.ContainsFunc(Formats, func(x Format) bool { return x.Name == f }) {
		return "", name
	}
	if _, err := os.Stat(name); err == nil {
		return "", name
	}
	return f, rest
}

// locateFile takes the name of a file apart, as Open takes it.
func locateFile(name, format string) file {
	if f, rest := CutFormat(name); f != "" {
		name, format = rest, f
	}
	if name == "-" {
		return file{name: stdin, format: format, pipe: true}
	}
	archive, inside := splitMember(name)
	return file{name: name, path: archive, inside: inside, member: inside, format: format}
}

// NameOf returns the Name that Open gives to the trace in a file, and PathOf the path of that file on
// disk, which may be an archive.
func NameOf(name string) string { return locateFile(name, "").base() }

// PathOf is described with NameOf.
func PathOf(name string) string { return locateFile(name, "").path }

// openFile checks that the file can be opened.
func openFile(name, format string) (file, error) {
	f := locateFile(name, format)
	if f.pipe {
		f.open = func() (io.ReadCloser, error) { return io.NopCloser(os.Stdin), nil }
		return f, nil
	}
	name = f.name
	archive, inside := f.path, f.inside
	info, err := os.Stat(archive)
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return file{}, fmt.Errorf("open trace %s: %w", name, missing.Err)
	} else if err != nil {
		return file{}, fmt.Errorf("open trace: %w", err)
	}
	f.pipe = !info.Mode().IsRegular()
	if info.IsDir() {
		return file{}, isFolder(name)
	}
	zipped := false
	if !f.pipe {
		if zipped, err = startsAsZip(archive); err != nil {
			return file{}, fmt.Errorf("open trace: %w", err)
		}
	}
	if zipped {
		f.member = ""
	}
	f.open = func() (io.ReadCloser, error) {
		r, err := os.Open(archive)
		if err != nil {
			return nil, fmt.Errorf("open trace: %w", err)
		}
		if info, err := r.Stat(); err == nil && info.IsDir() {
			r.Close()
			return nil, isFolder(name)
		}
		var m io.ReadCloser = r
		switch {
		case zipped:
			m, err = openZip(r, inside)
		case inside == "" && !f.pipe:
			err = onlyMember(r)
		}
		if err != nil {
			r.Close()
			return nil, fmt.Errorf("read trace %s: %w", name, err)
		}
		return m, nil
	}
	return f, nil
}

func isFolder(name string) error {
	return fmt.Errorf("open trace %s: it is a directory: name a trace file in it", name)
}

// base is the last element of the file's name, with the one of an archive that
// it is in.
func (f file) base() string {
	if f.inside != "" {
		return filepath.Base(f.path) + "!" + path.Base(f.inside)
	}
	return filepath.Base(f.name)
}

// Read is Open for a reader; name appears in errors and in the trace.
func Read(r io.Reader, name string, o Options) (*sim.Trace, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	return read([]file{{name: name, format: o.Format, open: func() (io.ReadCloser, error) { return io.NopCloser(r), nil }}}, o)
}

// read reads files as one trace.
func read(files []file, o Options) (*sim.Trace, error) {
	if cost, hit, miss := costColumns(o.Params); cost || hit || miss {
		o.Cache = "" // a spool has no costs
	}
	c := newCache(files, o)
	s, unusable := c.find()
	var t *sim.Trace
	if s != nil {
		t = s.trace()
	} else {
		var err error
		if t, err = load(files, o, c); err != nil {
			return nil, locate(err, files)
		}
		if unusable != nil {
			t.Notes = append(t.Notes, fmt.Sprintf("its copy in the trace cache could not be used and was made again: %v", unusable))
		}
	}
	var base, paths []string
	for _, f := range files {
		base = append(base, f.base())
		paths = append(paths, f.name)
	}
	t.Name, t.Path = strings.Join(base, "+"), strings.Join(paths, " ")
	if len(base) > 3 {
		t.Name = fmt.Sprintf("%s+%d", base[0], len(base)-1)
	}
	return t, nil
}

// load decodes files.
func load(files []file, o Options, c *cache) (*sim.Trace, error) {
	d := startDecoding(files, o)
	b := newBuilder(o, c)
	err := b.consume(d)
	d.stop(err == nil)
	if err == nil { // otherwise that is about earlier records
		err = d.err
	}
	var t *sim.Trace
	if err == nil {
		t, err = b.finish(d)
	}
	if err == ErrNoRequests {
		if why := d.whyNone(); why != "" {
			err = fmt.Errorf("%w that are to be replayed: %s", err, why)
		}
	}
	if err != nil {
		b.store.abort()
		return nil, err
	}
	return t, nil
}

// locate names the file in an error that does not do so yet.
func locate(err error, files []file) error {
	var syntax *SyntaxError
	var in *fileError
	if errors.As(err, &syntax) {
		return syntax
	}
	if errors.As(err, &in) {
		if in.name == "" { // it could not be opened, which names it
			return in.err
		}
		return fmt.Errorf("read trace %s: %w", in.name, in.err)
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.name
	}
	return fmt.Errorf("read trace %s: %w", strings.Join(names, " "), err)
}
