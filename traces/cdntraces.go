package traces

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"cachesim/sim"
)

// The traces of content delivery networks and of other caches of whole objects.

var metaCDN = &table{
	name: "meta-cdn", doc: "CSV with a header: timestamp,cacheKey,OpType,objectSize,responseSize,...,rangeStart,rangeEnd,TTL,... (Meta CDN)",
	tick: time.Second, params: []Param{{blockParam.Name, blockParam.Default,
		"request: an object is a whole file; a size such as 128KiB: every block of that size of the range that is asked for is an object"}},
	delim: ',', quoted: true, header: mustHeader,
	columns: []textColumn{{"timestamp", -1, false}, {"cacheKey", -1, false}, {"OpType", -1, false}, {"objectSize", -1, false},
		{"responseSize", -1, false}, {"rangeStart", -1, true}, {"rangeEnd", -1, true}, {"TTL", -1, true}},
	start: namedVolumes,
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[0], 0); err != nil {
			return err
		}
		if r.Time >= 1e11 { // ms, in some copies: s would be the year 5138
			r.Time /= 1000
		}
		if string(f[2]) != "1" {
			if err := r.setOp(f[2]); err != nil {
				return fmt.Errorf("%w: it is 1 in all published traces", err)
			}
		}
		if err := r.setTTL(f[7]); err != nil {
			return err
		}
		// Objects whose size was not known have what was sent of them.
		size, ok := parseInt(f[3])
		if !ok {
			return fmt.Errorf("object size %s is not a number of bytes", quote(f[3]))
		}
		if size <= 0 {
			if size, ok = parseInt(f[4]); !ok || size < 0 {
				return fmt.Errorf("response size %s is not a number of bytes", quote(f[4]))
			}
		}
		r.Size = size
		if d.ranger.block == 0 {
			r.setID(f[1])
			return nil
		}
		start, end := int64(0), size-1
		if f[5] != nil && f[6] != nil {
			a, ok1 := parseInt(f[5])
			b, ok2 := parseInt(f[6])
			if !ok1 || !ok2 {
				return fmt.Errorf("range %s to %s is not of numbers", quote(f[5]), quote(f[6]))
			}
			if a >= 0 {
				start = a
			}
			if b >= 0 {
				end = min(b, end)
			}
		}
		if r.Size > sim.MaxSize {
			return nil // parse refuses it
		}
		r.ranged = true
		r.span = span{volume: f[1], offset: start, length: max(end-start+1, 0), unit: 1}
		return nil
	},
}

// wiki2019 reads the columns that Wikimedia's traces of 2019 share.
func wiki2019(d *tableDecoder, f [][]byte, r *row) error {
	if err := r.setTime(f[0], 0); err != nil {
		return err
	}
	id, ok := parseInt(f[1])
	if !ok {
		if _, ok = parseUint(f[1]); !ok {
			return fmt.Errorf("hash %s is not a number", quote(f[1]))
		}
		r.setID(f[1])
	} else if r.Key = uint64(id); id < 0 {
		r.Text = f[1]
	}
	if !isFloat(f[3]) {
		return fmt.Errorf("time to first byte %s is not a number", quote(f[3]))
	}
	return r.setSize(f[2])
}

var wiki2019Upload = &table{
	name: "wikimedia-2019-upload", doc: "tab-separated: relative_unix hashed_path_query image_type response_size time_firstbyte (Wikimedia CDN 2019)",
	tick: time.Second, delim: '\t', header: mayHeader, fields: [2]int{5, 5}, likely: Likely,
	columns: []textColumn{{"relative_unix", 0, false}, {"hashed_path_query", 1, false}, {"response_size", 3, false},
		{"time_firstbyte", 4, false}, {"image_type", 2, false}},
	row: wiki2019,
}

var wiki2019Text = &table{
	name: "wikimedia-2019-text", doc: "tab-separated: relative_unix hashed_host_path_query response_size time_firstbyte (Wikimedia CDN 2019)",
	tick: time.Second, delim: '\t', header: mayHeader, fields: [2]int{4, 4}, likely: Likely,
	columns: []textColumn{{"relative_unix", 0, false}, {"hashed_host_path_query", 1, false}, {"response_size", 2, false},
		{"time_firstbyte", 3, false}},
	row: wiki2019,
}

var wiki2016 = &table{
	name: "wikimedia-2016", doc: "tab-separated: hashed_host_path uri_query content_type response_size X_Cache (Wikimedia CDN 2016)",
	delim: '\t', header: mayHeader, fields: [2]int{5, 5}, likely: Likely,
	columns: []textColumn{{"hashed_host_and_path", 0, false}, {"uri_query", 1, false}, {"content_type", 2, false},
		{"response_size", 3, false}, {"X_Cache", 4, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if bytes.IndexByte(f[2], '/') < 0 && string(f[2]) != "-" {
			return fmt.Errorf("content type %s has no slash", quote(f[2]))
		}
		// The query is part of the URL; without one, the hash is enough.
		if len(f[1]) == 0 || string(f[1]) == "-" {
			r.setID(f[0])
		} else {
			r.Text = d.join(f[0], f[1])
		}
		return r.setSize(f[3])
	},
}

var wikibench = &table{
	name: "wikibench", doc: "text: counter timestamp URL flag, size 1 (Wikibench)",
	tick: time.Millisecond, fields: [2]int{4, 4}, likely: Likely,
	columns: []textColumn{{"counter", 0, false}, {"timestamp", 1, false}, {"URL", 2, false}, {"flag", 3, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if _, err := number("counter", f[0]); err != nil {
			return err
		}
		if err := r.setTime(f[1], 3); err != nil {
			return err
		}
		if !bytes.Contains(f[2], []byte("://")) {
			return fmt.Errorf("URL %s has no scheme", quote(f[2]))
		}
		switch string(f[3]) {
		case "-":
		case "save":
			r.Op = sim.Set
		default:
			return fmt.Errorf(`flag %s is neither "-" nor "save"`, quote(f[3]))
		}
		r.Text, r.Size = f[2], 1
		return nil
	},
}

var tencentPhoto = &table{
	name: "tencent-photo", doc: "text: YYYYMMDDHHMMSS photo_id format size_category return_size cache_hit terminal response_ms (Tencent Photo)",
	tick: time.Second, fields: [2]int{8, 8}, likely: Likely,
	columns: []textColumn{{"timestamp", 0, false}, {"photo id", 1, false}, {"format", 2, false}, {"size category", 3, false},
		{"return size", 4, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		t, ok := parseCompactTime(f[0])
		if !ok {
			return fmt.Errorf("time %s is not of the form YYYYMMDDHHMMSS", quote(f[0]))
		}
		r.Time = t
		if !isHex(f[1]) {
			return fmt.Errorf("photo id %s is not hexadecimal", quote(f[1]))
		}
		if s := string(f[2]); s != "0" && s != "5" {
			r.skip = "of photos that are neither jpg (0) nor webp (5)"
			return nil
		}
		// A photo is stored once for each format and size.
		r.Text = d.join(f[1], f[2], f[3])
		return r.setSize(f[4])
	},
}

var outbrain = &table{
	name: "outbrain", doc: "CSV with a header: uuid,document_id,timestamp,platform,geo_location,traffic_source, size 1 (Outbrain)",
	tick: time.Millisecond, delim: ',', quoted: true, header: mustHeader,
	columns: []textColumn{{"uuid", 0, false}, {"document_id", 1, false}, {"timestamp", 2, false}, {"platform", 3, true}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		r.setID(f[1])
		r.Size = 1
		return r.setTime(f[2], 0)
	},
}

var gradle = &table{
	name: "gradle", doc: "text: a 128-bit hexadecimal id a line, size 1 (Gradle build cache)",
	fields: [2]int{1, 1}, likely: Likely,
	columns: []textColumn{{"id", 0, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if len(f[0]) > 32 {
			return fmt.Errorf("id %s has more than 128 bits", quote(f[0]))
		}
		if !isHex(f[0]) {
			return fmt.Errorf("id %s is not hexadecimal", quote(f[0]))
		}
		r.Text, r.Size = f[0], 1
		return nil
	},
	accept: func(_ *tableDecoder, rows []row) string {
		for _, r := range rows {
			if len(r.Text) < 24 {
				return "its ids are short"
			}
		}
		return ""
	},
}

var idLines = &table{
	name: "id", doc: "text: an id a line, size 1", fields: [2]int{1, 1}, likely: Possible,
	columns: []textColumn{{"id", 0, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		r.setID(f[0])
		r.Size = 1
		return nil
	},
	accept: func(_ *tableDecoder, rows []row) string {
		for _, r := range rows {
			if bytes.ContainsAny(r.Text, ",;|{") {
				return "its lines have delimiters"
			}
		}
		return ""
	},
}

var lrb = &table{
	name: "lrb", doc: "text: time id size and 1 to 4 more numbers (LRB's .tr)",
	tick: time.Second, fields: [2]int{4, 7}, likely: Possible,
	columns: []textColumn{{"time", 0, false}, {"id", 1, false}, {"size", 2, false},
		{"extra", 3, true}, {"extra", 4, true}, {"extra", 5, true}, {"extra", 6, true}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[0], 0); err != nil {
			return err
		}
		if _, err := number("id", f[1]); err != nil {
			return err
		}
		r.setID(f[1])
		for _, e := range f[3:] {
			if e == nil {
				break
			}
			if n, ok := parseUint(e); !ok || n > math.MaxUint16 {
				return fmt.Errorf("extra field %s is not a number below 65536", quote(e))
			}
		}
		return r.setSize(f[2])
	},
	accept: func(_ *tableDecoder, rows []row) string {
		if len(rows) < 3 || rows[0].Time == rows[len(rows)-1].Time {
			return "its lines are too few, or their times do not rise"
		}
		return ""
	},
}

var webcachesimAnt = &table{
	name: "webcachesim-ant", doc: "text: next_request time id size and more numbers (annotated traces of webcachesim and LRB)",
	tick: time.Second, fields: [2]int{4, 12}, likely: Likely,
	columns: []textColumn{{"next request", 0, false}, {"time", 1, false}, {"id", 2, false}, {"size", 3, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		next, err := number("next request", f[0])
		if err != nil {
			return err
		}
		if n := d.rows; next <= n && next != antNever {
			return fmt.Errorf("next request %d does not lie behind request %d", next, n)
		}
		if err := r.setTime(f[1], 0); err != nil {
			return err
		}
		if _, err := number("id", f[2]); err != nil {
			return err
		}
		r.setID(f[2])
		return r.setSize(f[3])
	},
	accept: func(_ *tableDecoder, rows []row) string {
		if len(rows) < 2 {
			return "one request is too few to recognise it"
		}
		return ""
	},
}

// antNever is the next request of an object that is not asked for again.
const antNever = 1<<32 - 1

// parseCompactTime reads YYYYMMDDHHMMSS as seconds since 1970, UTC.
func parseCompactTime(b []byte) (int64, bool) {
	if len(b) != 14 {
		return 0, false
	}
	n, ok := parseUint(b)
	if !ok {
		return 0, false
	}
	return dateSeconds(int(n/1e10), int(n/1e8%100), int(n/1e6%100), int(n/1e4%100), int(n/100%100), int(n%100))
}

// dateSeconds returns the seconds from 1970 to a date and time, UTC.
func dateSeconds(year, month, day, hour, minute, second int) (int64, bool) {
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t.Unix(), t.Day() == day // 31 February is another day
}

// isHex reports whether b is of hexadecimal digits, one at least.
func isHex(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 && c|0x20-'a' > 5 {
			return false
		}
	}
	return len(b) > 0
}

// isFloat reports whether b may be a floating point number. None is computed
// with.
func isFloat(b []byte) bool {
	digits := 0
	for _, c := range b {
		switch {
		case c-'0' <= 9:
			digits++
		case c != '.' && c != '-' && c != '+' && c|0x20 != 'e':
			return false
		}
	}
	return digits > 0
}
