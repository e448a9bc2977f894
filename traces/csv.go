package traces

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"cachesim/sim"
)

// csvTable and tsvTable are text with delimiters whose columns are found by
// their names in a header line, or named by parameters.
var (
	csvTable = delimited("csv", "comma", ',')
	tsvTable = delimited("tsv", "tab", '\t')
)

// The columns that a csv may have.
const (
	csvID = iota
	csvSize
	csvTime
	csvOp
	csvTTL
	csvNext
	csvCost
	csvHit
	csvMiss
)

// csvColumns has the names by which a column is found in a header line if the
// parameters do not name it, the likeliest first.
var csvColumns = [...]struct {
	name    string
	aliases []string
}{
	csvID: {"id", []string{"id", "obj_id", "object_id", "objid", "objectid", "object", "key", "cachekey", "cache_key",
		"lbn", "lba", "block", "block_id", "url", "uri", "path"}},
	csvSize: {"size", []string{"size", "obj_size", "object_size", "objsize", "objectsize", "bytes", "size_bytes", "length", "len"}},
	csvTime: {"time", []string{"time", "timestamp", "ts", "clock_time", "real_time", "op_time", "relative_unix"}},
	csvOp:   {"op", []string{"op", "operation", "op_name", "opcode", "cmd", "command"}},
	csvTTL:  {"ttl", []string{"ttl"}},
	csvNext: {"next", []string{"next", "next_access_vtime", "next_access"}},
	// These are read where they are named only: they take memory.
	csvCost: {"cost", nil},
	csvHit:  {"hit_us", nil},
	csvMiss: {"miss_us", nil},
}

func delimited(name, delimName string, delim byte) *table {
	t := &table{
		name: name,
		doc:  "text, fields separated by a " + delimName + ": columns by name or number",
		tick: time.Nanosecond,
		params: []Param{
			{"columns", "", "fields by number from 1 or by name in the header line: id=5,size=4,time=2,op=3,ttl=6,next=7, " +
				"and what a miss costs, and latencies of hits and misses in microseconds: cost=8,hit_us=9,miss_us=10; " +
				"empty: from the header line, by their usual names"},
			{"header", "auto", "yes, no, or auto: the first line is a header if none of its fields is a number"},
			{"delimiter", delimName, "a character, comma, tab, space, semicolon or pipe"},
			{"time-unit", "s", "unit of the times: s, ms, us or ns; times may have a fraction, or be RFC 3339 such as 2006-01-02T15:04:05Z"},
		},
		delim: delim, quoted: true, header: mayHeader,
		columns: make([]textColumn, len(csvColumns)),
		fields:  [2]int{1, manyFields},
		row:     csvRow,
		likely:  No,
		named:   Likely,
	}
	t.start = func(d *tableDecoder, args Args) error { return startCSV(d, args) }
	return t
}

// csvState is what a decoder of csv keeps.
type csvState struct {
	spec   [len(csvColumns)]string // parameters: number or name; empty: not given
	header string
	given  bool // there are parameters for columns
	named  bool // some of them are names
	timed  bool
}

func startCSV(d *tableDecoder, args Args) error {
	t := *d.t // the delimiter may be another
	d.t = &t
	switch v := args["delimiter"]; v {
	case "comma":
		t.delim = ','
	case "tab", `\t`:
		t.delim = '\t'
	case "space":
		t.delim = ' '
	case "semicolon":
		t.delim = ';'
	case "pipe":
		t.delim = '|'
	default:
		if len(v) != 1 || v[0] == '"' || v[0] == '\n' || v[0] >= 0x80 {
			return fmt.Errorf("delimiter %q is not one ASCII character", v)
		}
		t.delim = v[0]
	}
	unit, err := parseTimeUnit(args["time-unit"])
	if err != nil {
		return err
	}
	d.digits = len(strconv.FormatInt(int64(unit), 10)) - 1
	s := &csvState{header: args["header"]}
	d.csv = s
	if !slices.Contains([]string{"auto", "yes", "no"}, s.header) {
		return fmt.Errorf("header=%s is not one of auto, yes, no", s.header)
	}
	for _, c := range strings.Split(args["columns"], ",") {
		if c == "" {
			continue
		}
		name, field, ok := strings.Cut(c, "=")
		i := slices.IndexFunc(csvColumns[:], func(c struct {
			name    string
			aliases []string
		}) bool {
			return c.name == strings.TrimSpace(name)
		})
		if field = strings.TrimSpace(field); !ok || i < 0 || field == "" {
			return fmt.Errorf("columns has %q, which is not id=, size=, time=, op=, ttl=, next=, cost=, hit_us= or miss_us= with a number or a name", c)
		}
		if s.spec[i] != "" {
			return fmt.Errorf("columns names %s twice", name)
		}
		if n, err := strconv.Atoi(field); err == nil && (n < 1 || n > manyFields) {
			return fmt.Errorf("columns has %s, but fields have the numbers 1 to %d", c, manyFields)
		} else if err != nil {
			s.named = true
		}
		s.spec[i] = field
		s.given = true
	}
	if s.given && s.spec[csvID] == "" {
		return fmt.Errorf("columns=%s does not name the id", args["columns"])
	}
	if s.named && s.header == "no" {
		return errors.New("columns has names, but header=no")
	}
	s.timed = s.spec[csvTime] != ""
	d.first = d.csvFirst
	return nil
}

// csvFirst finds the columns with the first line's help.
func (d *tableDecoder) csvFirst(f [][]byte, line []byte) (bool, error) {
	s := d.csv
	is := s.header == "yes"
	if s.header == "auto" {
		is = !slices.ContainsFunc(f, func(b []byte) bool { _, ok := parseDecimal(trim(b), 0); return ok })
	}
	if !is && s.named {
		return false, fmt.Errorf("columns has names, but the first line is no header line: %s", quote(line))
	}
	if !is && !s.given {
		return false, fmt.Errorf("it has no header line that names its columns: say which they are, as in columns=time=1,id=2,size=3: %s", quote(line))
	}
	var used []string
	for i, c := range csvColumns {
		at := -1
		if v := s.spec[i]; v != "" {
			if n, err := strconv.Atoi(v); err == nil {
				at = n - 1
			} else if at = slices.IndexFunc(f, func(b []byte) bool { return string(trim(b)) == v || string(columnName(b)) == v }); at < 0 {
				return is, fmt.Errorf("its header line has no column %s: %s", v, quote(line))
			}
			if at >= len(f) {
				return is, fmt.Errorf("%s is field %s, but its first line has %d: %s", c.name, v, len(f), quote(line))
			}
		} else if is && !s.given {
			for _, name := range c.aliases {
				if at = slices.IndexFunc(f, func(b []byte) bool { return bytes.EqualFold(columnName(b), []byte(name)) }); at >= 0 {
					break
				}
			}
		}
		d.index[i] = at
		if at >= 0 {
			what := fmt.Sprintf("%s is field %d", c.name, at+1)
			if is {
				what += " " + quote(trim(f[at]))
			}
			used = append(used, what)
		}
	}
	if d.index[csvID] < 0 {
		return is, fmt.Errorf("its header line has no column with a usual name for the id: say which it is, as in columns=id=1: %s", quote(line))
	}
	s.timed = d.index[csvTime] >= 0
	d.notes = append(d.notes, strings.Join(used, ", "))
	if d.index[csvSize] < 0 {
		d.notes = append(d.notes, noSizes)
	}
	d.want = [2]int{len(f), len(f)}
	d.names = []string{}
	if is {
		d.head = slices.Clone(line)
	}
	n := len(f)
	d.f = append(d.f[:n:n], nil) // f's fields stay: a line that is no header is read next
	return is, nil
}

// csvRow reads the columns of a line.
func csvRow(d *tableDecoder, f [][]byte, r *row) error {
	id := trim(f[csvID])
	if len(id) == 0 {
		return errors.New("its id is empty")
	}
	r.setID(id)
	r.Size = 1
	if b := f[csvSize]; b != nil {
		var err error
		if r.Size, err = parseSize(trim(b)); err != nil {
			return err
		}
	}
	if b := f[csvTime]; b != nil {
		var ok bool
		if b = trim(b); len(b) > 10 && b[4] == '-' {
			r.Time, ok = parseRFC3339(b)
		} else {
			r.Time, ok = parseDecimal(b, d.digits)
		}
		if !ok {
			return fmt.Errorf("time %s is neither a number nor of RFC 3339", quote(b))
		}
	}
	if b := f[csvOp]; b != nil {
		if err := r.setCSVOp(trim(b)); err != nil {
			return err
		}
	}
	if b := f[csvTTL]; b != nil {
		if err := r.setTTL(trim(b)); err != nil {
			return err
		}
	}
	if b := f[csvNext]; b != nil {
		if n, ok := parseInt(trim(b)); !ok || n < -1 {
			return fmt.Errorf("next access %s is neither an index nor -1", quote(b))
		}
	}
	if f[csvCost] != nil || f[csvHit] != nil || f[csvMiss] != nil {
		return r.setCosts(f[csvCost], f[csvHit], f[csvMiss])
	}
	return nil
}

// setCosts reads those of the columns that there are.
func (r *row) setCosts(cost, hit, miss []byte) error {
	r.Costs = &RecordCosts{}
	if cost != nil {
		v, err := strconv.ParseFloat(string(trim(cost)), 64)
		if err != nil || !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("cost %s is not a number from 0", quote(cost))
		}
		r.Costs.Cost = v
	}
	for _, c := range []struct {
		what string
		text []byte
		to   *uint32
	}{{"hit_us", hit, &r.Costs.Hit}, {"miss_us", miss, &r.Costs.Miss}} {
		if c.text == nil {
			continue
		}
		n, ok := parseUint(trim(c.text))
		if !ok || n > math.MaxUint32 {
			return fmt.Errorf("%s %s is not a number of microseconds below 2^32", c.what, quote(c.text))
		}
		*c.to = uint32(n)
	}
	return nil
}

// costColumns says which columns of costs the parameters name.
func costColumns(params map[string]string) (cost, hit, miss bool) {
	for _, c := range strings.Split(params["columns"], ",") {
		name, _, _ := strings.Cut(c, "=")
		switch strings.TrimSpace(name) {
		case "cost":
			cost = true
		case "hit_us":
			hit = true
		case "miss_us":
			miss = true
		}
	}
	return cost, hit, miss
}

// setCSVOp reads an operation by name or, as in libCacheSim's samples of block
// traces, the number of a SCSI command in hexadecimal.
func (r *row) setCSVOp(b []byte) error {
	op, ok := parseOp(b)
	if !ok && len(b) == 2 {
		code, isHex := parseHex(b)
		switch {
		case !isHex:
		case scsiOps(code) == opGet:
			op, ok = sim.Get, true
		case scsiOps(code) == opSet:
			op, ok = sim.Set, true
		}
	}
	if !ok {
		return fmt.Errorf("operation %s is not known", quote(b))
	}
	r.Op = op
	return nil
}

// columnName returns a name in a header line, which may be a comment.
func columnName(b []byte) []byte { return trim(bytes.TrimPrefix(trim(b), []byte("#"))) }

// trim returns b without the blanks around it.
func trim(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// parseRFC3339 reads a date and a time as nanoseconds since 1970. A blank may be
// there instead of T, and the zone may be absent: it is UTC then.
func parseRFC3339(b []byte) (int64, bool) {
	var buf [40]byte
	if len(b) < len("2006-01-02T15:04:05") || len(b) >= len(buf) {
		return 0, false
	}
	n := copy(buf[:], b)
	if buf[10] == ' ' || buf[10] == 't' {
		buf[10] = 'T'
	}
	if zone := buf[19:n]; !bytes.ContainsAny(zone, "Zz+-") {
		buf[n] = 'Z'
		n++
	}
	var t time.Time
	if err := t.UnmarshalText(buf[:n]); err != nil {
		return 0, false
	}
	if y := t.Year(); y < 1700 || y > 2200 { // which nanoseconds cannot count
		return 0, false
	}
	return t.UnixNano(), true
}

// csvDecoder is a tableDecoder that may have no times.
type csvDecoder struct{ *tableDecoder }

// Tick returns the unit of the times, if there are any.
func (d *csvDecoder) Tick() time.Duration {
	if !d.csv.timed {
		return 0
	}
	return d.t.tick
}
