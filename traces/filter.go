package traces

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cachesim/sim"

	"github.com/dustin/go-humanize"
)

// A Filter says which requests of a trace are kept, by what its file says of them. The zero value
// keeps all. What it leaves out is gone before operations are treated (Options.Ops) and before
// requests are skipped or limited.
type Filter struct {
	// Sizes in bytes that are kept, both inclusive. A delete has no size, and is kept. 0: no bound.
	MinSize, MaxSize int64

	// From and Until are the times that are kept, the latter exclusive: since the first request of
	// the trace (1h30m), or dates (2015-05-17, 2015-05-17T10:05:03+02:00), which are UTC without a
	// zone. Empty: no bound.
	From, Until string

	// Ops are the operations that are kept; nil: all.
	Ops []sim.Op

	// Include and Exclude are regular expressions: an id has to match the first and must not match
	// the second. In access logs they are compared with host and URI, whatever makes up the id.
	Include, Exclude string

	// IDs names a file with an id a line; others are not kept. Empty: all are.
	IDs string
}

// active reports whether f may leave anything out.
func (f Filter) active() bool {
	return f.MinSize > 0 || f.MaxSize > 0 || f.From != "" || f.Until != "" || f.Ops != nil || f.Include != "" || f.Exclude != "" || f.IDs != ""
}

// The rules of a filter, in the order in which they are looked at. A request is counted by the
// first that leaves it out.
const (
	byOp = iota
	bySmall
	byLarge
	byInclude
	byExclude
	byID
	byFrom
	byUntil
	filterRules
)

// A filter is a Filter that is being applied.
type filter struct {
	Filter
	ops              [sim.Delete + 1]bool
	include, exclude *regexp.Regexp
	ids              *idSet
	from, until      *timeBound
	windowed         bool // from or until is set

	first     int64 // time of the first request, in firstTick
	firstTick time.Duration
	begun     bool
	pending   bool // as that of compact, of window

	seen    int64 // requests that were looked at
	early   int64 // of them, those that a decoder left out since decode asked last
	leftOut [filterRules]int64
	digits  []byte // of an id that is a number
}

// Check returns what is wrong with f, but for the file of ids. The error starts with the name of a
// rule.
func (f Filter) Check() error {
	_, err := f.check()
	return err
}

// compile prepares f; nil: it leaves nothing out.
func (f Filter) compile() (*filter, error) {
	if !f.active() {
		return nil, nil
	}
	c, err := f.check()
	if err == nil && f.IDs != "" {
		c.ids, err = readIDs(f.IDs)
	}
	return c, err
}

func (f Filter) check() (*filter, error) {
	c := &filter{Filter: f}
	var err error
	if f.MinSize < 0 || f.MaxSize < 0 {
		return nil, errors.New("min-size and max-size cannot be negative")
	}
	if f.MaxSize > 0 && f.MinSize > f.MaxSize {
		return nil, fmt.Errorf("min-size %d is above max-size %d: no size is kept", f.MinSize, f.MaxSize)
	}
	for op := range c.ops {
		c.ops[op] = f.Ops == nil || slices.Contains(f.Ops, sim.Op(op))
	}
	if c.include, err = compilePattern("include", f.Include); err != nil {
		return nil, err
	}
	if c.exclude, err = compilePattern("exclude", f.Exclude); err != nil {
		return nil, err
	}
	if c.from, err = parseTimeBound("from", f.From); err != nil {
		return nil, err
	}
	if c.until, err = parseTimeBound("until", f.Until); err != nil {
		return nil, err
	}
	c.windowed = c.from != nil || c.until != nil
	if c.from != nil && c.until != nil && c.from.date == c.until.date && (c.from.since >= c.until.since && c.from.micros >= c.until.micros) {
		return nil, fmt.Errorf("from %s is not before until %s: no time is kept", f.From, f.Until)
	}
	return c, nil
}

func compilePattern(name, pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		hint := ""
		if strings.HasPrefix(pattern, "*") {
			hint = `; it is a regular expression, in which names that end in .jpg are \.jpg$`
		}
		return nil, fmt.Errorf("%s %s: %w%s", name, quote([]byte(pattern)), err, hint)
	}
	return re, nil
}

// A timeBound is a point in time: a date, or a time since the first request.
type timeBound struct {
	name, given string
	since       time.Duration
	micros      int64 // of a date, since 1970
	date        bool
}

func parseTimeBound(name, s string) (*timeBound, error) {
	if s == "" {
		return nil, nil
	}
	b := &timeBound{name: name, given: s}
	d, err := time.ParseDuration(s)
	if err == nil && d >= 0 {
		b.since = d
		return b, nil
	}
	var ok bool
	if b.micros, ok = isoDate([]byte(s)); !ok && len(s) >= 19 {
		b.micros, ok = logTime([]byte(s))
	}
	if b.date = ok; !ok || max(b.micros, -b.micros) > latestMicros {
		return nil, fmt.Errorf("%s %s is neither a time since the first request, such as 90s or 1h30m, nor a date, such as 2015-05-17 or 2015-05-17T10:05:03Z", name, quote([]byte(s)))
	}
	return b, nil
}

// latestMicros is a time whose nanoseconds fit 64 bits, in 2255.
const latestMicros = 9e15

// ticks returns the bound in the unit of times, rounded up.
func (b *timeBound) ticks(f *filter, tick time.Duration) int64 {
	if b.date {
		return (b.micros*int64(time.Microsecond) + int64(tick) - 1) / int64(tick)
	}
	return convert(f.first, f.firstTick, tick) + int64((b.since+tick-1)/tick)
}

// begin takes in the first record of a file. Of files that are merged the earliest counts.
func (f *filter) begin(r *Record, tick time.Duration, merged bool) {
	if !f.begun || merged && convert(r.Time, tick, time.Microsecond) < convert(f.first, f.firstTick, time.Microsecond) {
		f.begun, f.first, f.firstTick = true, r.Time, tick
	}
}

// keep moves the records that all rules but those of time keep to the front, and returns how many
// they are. matched says that the decoder has applied Include and Exclude; pending is as that of
// compact.
func (f *filter) keep(records []Record, matched bool, pending *bool) int {
	f.seen += int64(len(records))
	return f.compact(records, pending, func(r *Record) int { return f.rule(r, matched) })
}

// compact keeps the records for which rule returns no rule. Of a prompt whose first records are
// left out, the first that is kept becomes its start; pending remembers between calls that it is to
// come.
func (f *filter) compact(records []Record, pending *bool, rule func(*Record) int) int {
	n := 0
	for i := range records {
		r := &records[i]
		if r.Start {
			*pending = false
		}
		if by := rule(r); by < filterRules {
			f.leftOut[by]++
			*pending = *pending || r.Start
			continue
		}
		if *pending {
			r.Start, *pending = true, false
		}
		if n < i {
			records[n] = *r
		}
		n++
	}
	return n
}

// rule returns the rule that leaves r out; filterRules: none.
func (f *filter) rule(r *Record, matched bool) int {
	switch {
	case !f.ops[r.Op]:
		return byOp
	case r.Size < f.MinSize && r.Op != sim.Delete:
		return bySmall
	case f.MaxSize > 0 && r.Size > f.MaxSize && r.Op != sim.Delete:
		return byLarge
	}
	if f.include != nil || f.exclude != nil {
		if !matched {
			id := r.Text
			if id == nil {
				f.digits = strconv.AppendUint(f.digits[:0], r.Key, 10)
				id = f.digits
			}
			if by := f.match(id); by < filterRules {
				return by
			}
		}
	}
	if f.ids != nil && !f.ids.has(r) {
		return byID
	}
	return filterRules
}

// match applies Include and Exclude.
func (f *filter) match(id []byte) int {
	if f.include != nil && !f.include.Match(id) {
		return byInclude
	}
	if f.exclude != nil && f.exclude.Match(id) {
		return byExclude
	}
	return filterRules
}

// chooses applies Include and Exclude to what a decoder has in place of an id, and counts it if
// it is not kept.
func (f *filter) chooses(id []byte) bool {
	by := f.match(id)
	if by < filterRules {
		f.seen++
		f.early++
		f.leftOut[by]++
	}
	return by == filterRules
}

// A urlChooser is a decoder to whose requests Include and Exclude are applied by itself, because
// they are not compared with ids. choose reports whether it does so; it then tells the filter of
// the first request of its file, too.
type urlChooser interface {
	choose(f *filter, tick time.Duration, merged bool) bool
}

// window is keep for the rules of time. It fails where the trace has no times.
func (f *filter) window(b *batch) error {
	if !f.windowed || len(b.records) == 0 {
		return nil
	}
	from, until := int64(0), int64(0)
	for _, bound := range []struct {
		*timeBound
		ticks *int64
	}{{f.from, &from}, {f.until, &until}} {
		if bound.timeBound == nil {
			continue
		}
		if b.tick == 0 {
			return fmt.Errorf("%s %s: it has no times", bound.name, bound.given)
		}
		// Most traces start at 0 or at a time that only their authors know.
		const year1990, year2100 = 631_152_000, 4_102_444_800
		if s := convert(f.first, f.firstTick, time.Second); bound.date && (s < year1990 || s >= year2100) {
			return fmt.Errorf("%s %s: its times are not dates: the first request is at %d s; give a time since that, such as 1h30m", bound.name, bound.given, s)
		}
		*bound.ticks = bound.timeBound.ticks(f, b.tick)
	}
	n := f.compact(b.records, &f.pending, func(r *Record) int {
		switch {
		case f.from != nil && r.Time < from:
			return byFrom
		case f.until != nil && r.Time >= until:
			return byUntil
		}
		return filterRules
	})
	b.records = b.records[:n]
	return nil
}

// summary says what each rule has left out.
func (f *filter) summary() string {
	var total int64
	var parts []string
	var ops []string
	for _, op := range f.Ops {
		ops = append(ops, op.String())
	}
	for by, n := range f.leftOut {
		if total += n; n == 0 {
			continue
		}
		parts = append(parts, humanize.Comma(n)+" "+[filterRules]string{
			byOp:      "with another operation than " + strings.Join(ops, " or "),
			bySmall:   fmt.Sprintf("smaller than %d B", f.MinSize),
			byLarge:   fmt.Sprintf("larger than %d B", f.MaxSize),
			byInclude: "not matched by include " + quote([]byte(f.Include)),
			byExclude: "matched by exclude " + quote([]byte(f.Exclude)),
			byID:      "for objects that " + filepath.Base(f.IDs) + " does not list",
			byFrom:    "before " + f.From,
			byUntil:   "at or after " + f.Until,
		}[by])
	}
	if total == 0 {
		return fmt.Sprintf("the filter left out none of %s", plural(f.seen))
	}
	return fmt.Sprintf("the filter left out %s of %s: %s", humanize.Comma(total), plural(f.seen), strings.Join(parts, ", "))
}

// An idSet is a list of ids, compared as those of records are.
type idSet struct {
	numbers map[uint64]struct{}
	texts   map[string]struct{}
	sha256  string
}

// readIDs reads a file with an id a line, which may be compressed. Blanks around an id and empty
// lines do not count.
func readIDs(name string) (*idSet, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	defer f.Close()
	s := &idSet{numbers: map[uint64]struct{}{}, texts: map[string]struct{}{}}
	sum := sha256.New()
	in, err := decompress(bufio.NewReader(io.TeeReader(f, sum)))
	if err != nil {
		return nil, fmt.Errorf("read ids %s: %w", name, err)
	}
	defer in.stop(true)
	lines := newLineReader(in)
	for {
		line, ok, err := lines.next()
		if err == nil && !ok {
			if err = lines.fill(); err == nil {
				continue
			}
		}
		if err == io.EOF {
			break
		}
		if syntax, ok := err.(*SyntaxError); ok {
			syntax.File = name
			return nil, syntax
		}
		if err != nil {
			return nil, fmt.Errorf("read ids %s: %w", name, err)
		}
		line = bytes.TrimSpace(line)
		if key, ok := plainNumber(line); ok {
			s.numbers[key] = struct{}{}
		} else if len(line) > 0 {
			s.texts[string(line)] = struct{}{}
		}
	}
	if len(s.numbers)+len(s.texts) == 0 {
		return nil, fmt.Errorf("read ids %s: it lists no id", name)
	}
	s.sha256 = hex.EncodeToString(sum.Sum(nil))
	return s, nil
}

func (s *idSet) has(r *Record) bool {
	key := r.Key
	if r.Text != nil {
		var ok bool
		if key, ok = plainNumber(r.Text); !ok {
			_, ok = s.texts[string(r.Text)]
			return ok
		}
	}
	_, ok := s.numbers[key]
	return ok
}

// identity is f with the content of files in place of their names, for the trace cache.
func (f *filter) identity() *Filter {
	if f == nil {
		return nil
	}
	id := f.Filter
	if f.ids != nil {
		id.IDs = f.ids.sha256
	}
	return &id
}
