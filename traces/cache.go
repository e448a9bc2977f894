package traces

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"cachesim/sim"
)

// The trace cache is a folder of spools, each named after a hash of the content
// of its files and of the options, and of entries in the folder "index" that
// lead from the state of files on disk to a spool:
//
//	0f3a.../          a spool
//	index/77c1...     the name of the spool for files with these paths, sizes, times and samples
//	tmp-...           a spool that is being written, or was by a process that was killed
//
// Several processes may use it at the same time: what is there under its final
// name is complete, and of two that write the same spool the first one wins.

const (
	indexFolder = "index"
	tmpPrefix   = "tmp-"
	// staleAfter is how long ago a folder that is being written was changed
	// when its process must be gone.
	staleAfter = 6 * time.Hour
)

// cacheFrom is how many requests a trace has that is worth a place in the
// cache. It is a variable for tests.
var cacheFrom = 1 << 20

// DefaultCache returns the usual folder of the trace cache.
func DefaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for the trace cache: %w", err)
	}
	return filepath.Join(dir, "cachesim", "traces"), nil
}

// A source is a file of a trace, as it was when it was read.
type source struct {
	Path     string // absolute
	Member   string `json:",omitempty"` // of an archive, that was named
	Format   string // that was named; empty: found from the content
	Size     int64
	Modified time.Time
	Inode    uint64 // 0: not known
	Sample   sum64  // of a few blocks
}

// newSource describes a regular file.
func newSource(f file) (source, error) {
	path, err := filepath.Abs(f.path)
	if err != nil {
		return source{}, err
	}
	r, err := os.Open(path)
	if err != nil {
		return source{}, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return source{}, err
	}
	s := source{Path: path, Member: f.inside, Format: f.format, Size: info.Size(), Modified: info.ModTime().UTC(), Inode: inode(info)}
	// A file may be changed without its time changing, within the clock's
	// resolution or by a tool that sets it: look at a few blocks.
	const samples, size = 16, 4096
	h := xxh3.New()
	buf := make([]byte, size)
	for i := range int64(samples) {
		n, err := r.ReadAt(buf, max(0, s.Size-size)*i/(samples-1))
		if err != nil && err != io.EOF {
			return source{}, err
		}
		h.Write(buf[:n])
	}
	s.Sample = sum64(h.Sum64())
	return s, nil
}

// decodingOptions are the options that decide what is decoded.
type decodingOptions struct {
	Version      int
	Params       map[string]string
	SizeRule     string
	ZeroSize     string
	IgnoreSize   bool
	Ops          string
	Skip, Limit  int
	TimeUnit     time.Duration
	SkipBad      int64
	SkipBadShare float64
	Merge        bool
	Filter       *Filter `json:",omitempty"`
	Program      string
}

func (o Options) decoding() decodingOptions {
	return decodingOptions{spoolVersion, o.Params, o.SizeRule, o.ZeroSize, o.IgnoreSize, o.Ops, o.Skip, o.Limit, o.TimeUnit, o.SkipBad, o.SkipBadShare, o.Merge, o.filter.identity(), programVersion()}
}

// programVersion identifies the program's version, because another one may decode or
// detect formats differently. Of a program without a version, built from a
// changed working tree, it is the executable as it is on disk.
var programVersion = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		v := info.Main.Version
		if v != "" && v != "(devel)" && !strings.HasSuffix(v, "+dirty") {
			return v
		}
	}
	name, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(name)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano())
})

// keyOf returns a name made of v.
func keyOf(v ...any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers are always representable
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// A cache is the trace cache as one call of Open uses it.
type cache struct {
	dir     string
	size    int64
	sources []source // nil: one is no regular file
	o       Options
}

// newCache returns the cache for files, or nil if there is none.
func newCache(files []file, o Options) *cache {
	if o.Cache == "" {
		return nil
	}
	c := &cache{dir: o.Cache, size: o.CacheSize, o: o}
	for _, f := range files {
		if f.pipe {
			return c
		}
	}
	for _, f := range files {
		s, err := newSource(f)
		if err != nil {
			c.sources = nil
			return c
		}
		c.sources = append(c.sources, s)
	}
	return c
}

// keeps reports whether the trace can be found again.
func (c *cache) keeps() bool { return c != nil && c.sources != nil }

func (c *cache) indexPath() string {
	return filepath.Join(c.dir, indexFolder, keyOf(c.sources, c.o.decoding()))
}

// find opens the spool of the files as they are now. An error says that there
// is one that cannot be used; it has been removed.
func (c *cache) find() (*spool, error) {
	if !c.keeps() {
		return nil, nil
	}
	b, err := os.ReadFile(c.indexPath())
	if err != nil {
		return nil, nil
	}
	return c.open(string(b))
}

// open opens a spool by its name, nil if it is not there.
func (c *cache) open(key string) (*spool, error) {
	if key == "" || key != filepath.Base(key) {
		return nil, fmt.Errorf("the index entry %s is damaged", c.indexPath())
	}
	dir := filepath.Join(c.dir, key)
	s, err := openSpool(dir, true)
	if err == nil {
		now := time.Now()
		os.Chtimes(filepath.Join(dir, "meta.json"), now, now) // the time of its last use; a cache may be read-only
		return s, nil
	}
	if _, statErr := os.Stat(dir); errors.Is(statErr, fs.ErrNotExist) {
		return nil, nil // evicted
	}
	return nil, errors.Join(err, c.remove(key))
}

// remove deletes a spool in a way that nobody finds half of it.
func (c *cache) remove(key string) error {
	return removeSpool(c.dir, key)
}

func removeSpool(dir, key string) error {
	gone, err := os.MkdirTemp(dir, tmpPrefix)
	if err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, key), filepath.Join(gone, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		os.Remove(gone)
		return err
	}
	return os.RemoveAll(gone)
}

// newFolder makes a folder for a spool that is to be written.
func (c *cache) newFolder() (string, error) {
	if c == nil {
		return os.MkdirTemp("", "cachesim-")
	}
	if err := os.MkdirAll(filepath.Join(c.dir, indexFolder), 0o777); err != nil {
		return "", err
	}
	return os.MkdirTemp(c.dir, tmpPrefix)
}

// key returns the name of the spool of t.
func (c *cache) key(t *sim.Trace) string {
	formats := make([]string, len(c.sources))
	for i, s := range c.sources {
		formats[i] = s.Format
		if s.Member != "" { // the hash may be that of the whole archive
			formats[i] += "\x00" + s.Member
		}
	}
	sha256 := t.SHA256()
	if sha256 == "" { // not read whole: the files themselves identify it
		return keyOf(c.sources, formats, c.o.decoding())
	}
	return keyOf(sha256, formats, c.o.decoding())
}

// keep gives a complete spool in folder tmp its final name. It returns the
// folder in which the spool now is, which is tmp if it cannot be kept.
func (c *cache) keep(tmp string, t *sim.Trace) (string, error) {
	// The files may have been changed while they were read.
	for _, s := range c.sources {
		if now, err := newSource(file{path: s.Path, inside: s.Member, format: s.Format}); err != nil || !now.equal(s) {
			return tmp, nil
		}
	}
	key := c.key(t)
	dir := filepath.Join(c.dir, key)
	size := folderSize(tmp)
	if c.size > 0 && size > c.size {
		return tmp, nil
	}
	if err := os.Rename(tmp, dir); err != nil {
		// Another process was faster.
		s, openErr := c.open(key)
		if s != nil {
			s.Close()
			os.RemoveAll(tmp)
		} else if err = os.Rename(tmp, dir); err != nil {
			return tmp, errors.Join(err, openErr)
		}
	}
	if err := writeAtomic(c.indexPath(), []byte(key)); err != nil {
		return dir, err
	}
	return dir, c.evict(key)
}

func (s source) equal(o source) bool {
	return s.Modified.Equal(o.Modified) && s.Size == o.Size && s.Sample == o.Sample && s.Inode == o.Inode
}

func writeAtomic(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), tmpPrefix)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// evict removes the spools that were not used for longest until the rest fits,
// but not the one named, and what killed processes have left behind.
func (c *cache) evict(but string) error {
	entries, err := CacheEntries(c.dir)
	if err != nil {
		return err
	}
	var total int64
	for _, e := range entries {
		total += e.Bytes
	}
	slices.SortFunc(entries, func(a, b CacheEntry) int { return a.LastUse.Compare(b.LastUse) })
	var errs []error
	for _, e := range entries {
		if c.size <= 0 || total <= c.size {
			break
		}
		if e.Key != but {
			errs = append(errs, c.remove(e.Key))
			total -= e.Bytes
		}
	}
	return errors.Join(append(errs, sweep(c.dir, time.Now().Add(-staleAfter)))...)
}

// sweep removes what was left unfinished before the given time, and index
// entries without a spool.
func sweep(dir string, before time.Time) error {
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range found {
		if strings.HasPrefix(e.Name(), tmpPrefix) && lastChange(filepath.Join(dir, e.Name())).Before(before) {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	index := filepath.Join(dir, indexFolder)
	found, err = os.ReadDir(index)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	for _, e := range found {
		path := filepath.Join(index, e.Name())
		if strings.HasPrefix(e.Name(), tmpPrefix) {
			if lastChange(path).Before(before) {
				errs = append(errs, ignoreMissing(os.Remove(path)))
			}
			continue
		}
		key, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, ignoreMissing(err))
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, filepath.Base(string(key)))); errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, ignoreMissing(os.Remove(path)))
		}
	}
	return errors.Join(errs...)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lastChange returns when a folder, or a file in it, was changed last.
func lastChange(path string) (t time.Time) {
	filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			if info, err := d.Info(); err == nil && info.ModTime().After(t) {
				t = info.ModTime()
			}
		}
		return nil
	})
	return t
}

func folderSize(dir string) (n int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// A CacheEntry is a trace in the trace cache.
type CacheEntry struct {
	Key      string   // name of its folder
	Sources  []string // paths of the files that it was made of
	Format   string
	Requests int
	Objects  int
	Bytes    int64 // on disk
	LastUse  time.Time
}

// CacheEntries lists the traces in the cache in a folder, the one used last
// first. A folder that does not exist is an empty cache.
func CacheEntries(dir string) ([]CacheEntry, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the trace cache: %w", err)
	}
	var entries []CacheEntry
	for _, f := range found {
		path := filepath.Join(dir, f.Name(), "meta.json")
		info, err := os.Stat(path)
		if strings.HasPrefix(f.Name(), tmpPrefix) || err != nil {
			continue
		}
		var m spoolMeta
		e := CacheEntry{Key: f.Name(), LastUse: info.ModTime(), Bytes: folderSize(filepath.Join(dir, f.Name()))}
		if err := readMeta(path, &m); err == nil { // a damaged one is removed when it is opened
			e.Format, e.Requests, e.Objects = m.Format, m.Requests, m.Objects
			for _, s := range m.Sources {
				e.Sources = append(e.Sources, s.Path)
			}
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b CacheEntry) int { return b.LastUse.Compare(a.LastUse) })
	return entries, nil
}

// ClearCache removes all traces from the cache in a folder, and what killed
// processes have left there; it leaves other files alone.
func ClearCache(dir string) error {
	entries, err := CacheEntries(dir)
	if err != nil || len(entries) == 0 {
		if _, statErr := os.Stat(dir); err != nil || statErr != nil {
			return err
		}
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, removeSpool(dir, e.Key))
	}
	errs = append(errs, sweep(dir, time.Now().Add(-staleAfter)))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("clear the trace cache: %w", err)
	}
	return nil
}
