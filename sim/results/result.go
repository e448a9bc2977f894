package sim

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"time"
)

// A Result is what one cell came to.
type Result struct {
	Cell
	CellID   string `json:"cell"`
	Hits     int64  `json:"hits"`
	Bytes    int64  `json:"bytes"`
	HitBytes int64  `json:"hit_bytes"`
	// Evictions is nil where the policy cannot tell.
	Evictions *int64 `json:"evictions"`
	TooLarge  int64  `json:"too_large"` // requests for objects larger than the cache
	Outcome   string `json:"outcome"`   // digest of every request's outcome
	Whole     bool   `json:"whole"`     // whether the whole trace was replayed, not a prefix

	// Timed cells were replayed with nothing else running, Repeats times in
	// turns with the other timed cells. The times of the others are those of
	// one replay among parallel ones: good for a guess, not for a figure.
	Timed   bool `json:"timed"`
	Repeats int  `json:"repeats"`
	// Set-up is compiling, instantiating and initialising; the medians over
	// the repeats.
	Setup       time.Duration `json:"setup_ns"`
	Compile     time.Duration `json:"compile_ns"`
	Instantiate time.Duration `json:"instantiate_ns"`
	// Replay is the time inside the policy, median, largest less smallest,
	// smallest and largest over the repeats.
	Replay       time.Duration `json:"replay_ns"`
	ReplaySpread time.Duration `json:"replay_ns_spread"`
	ReplayMin    time.Duration `json:"replay_ns_min"`
	ReplayMax    time.Duration `json:"replay_ns_max"`

	Provenance *Provenance `json:"provenance,omitempty"`
}

// Provenance tells where a result comes from.
type Provenance struct {
	Version string            `json:"version"` // of cachesim
	Go      string            `json:"go"`
	OS      string            `json:"os"`
	Arch    string            `json:"arch"`
	Host    string            `json:"host"`
	CPU     string            `json:"cpu"`
	CPUs    int               `json:"cpus"`
	Engines map[string]string `json:"engines"` // version of each engine
	Started time.Time         `json:"started"`
	Command []string          `json:"command"`

	Trace TraceSummary `json:"trace"`
}

// TraceSummary describes a trace by its counts.
type TraceSummary struct {
	Name         string `json:"name"`
	SHA256       string `json:"sha256"`
	Format       string `json:"format"`
	ObjectSize   string `json:"object_size"`
	Requests     int    `json:"requests"`
	Objects      int    `json:"objects"`
	Footprint    int64  `json:"footprint_bytes"`
	RequestBytes int64  `json:"request_bytes"`
	SizeChanges  int    `json:"size_changes"`
}

// Summary returns t's counts.
func (t *Trace) Summary() TraceSummary {
	return TraceSummary{t.Name, t.SHA256, t.Format, t.SizeRule, len(t.Requests), t.Objects, t.Footprint, t.RequestBytes, t.SizeChanges}
}

// HitRatio is the share of the requests that were hits: 0 to 1.
func (r Result) HitRatio() float64 { return ratio(r.Hits, int64(r.Requests)) }

// ByteHitRatio is the share of the bytes that came from hits: 0 to 1.
func (r Result) ByteHitRatio() float64 { return ratio(r.HitBytes, r.Bytes) }

// PerRequest is the median replay time of one request in nanoseconds.
func (r Result) PerRequest() float64 {
	if r.Requests == 0 {
		return 0
	}
	return float64(r.Replay) / float64(r.Requests)
}

func ratio(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// setTimes fills r's times from those of its repeats.
func (r *Result) setTimes(replays []time.Duration, setups []Setup) {
	r.Repeats = len(replays)
	s := append([]time.Duration(nil), replays...)
	sort.Slice(s, func(i, j int) bool { return s[i] < s[j] })
	r.Replay, r.ReplayMin, r.ReplayMax = median(s), s[0], s[len(s)-1]
	r.ReplaySpread = r.ReplayMax - r.ReplayMin
	var compile, instantiate []time.Duration
	for _, s := range setups {
		compile, instantiate = append(compile, s.Compile), append(instantiate, s.Instantiate)
	}
	r.Compile, r.Instantiate = median(compile), median(instantiate)
	r.Setup = r.Compile + r.Instantiate
}

func median(d []time.Duration) time.Duration {
	s := append([]time.Duration(nil), d...)
	sort.Slice(s, func(i, j int) bool { return s[i] < s[j] })
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// column is one column of results.csv; get and set translate a field.
type column struct {
	name string
	get  func(*Result) string
	set  func(*Result, string) error
}

func text(name string, f func(*Result) *string) column {
	return column{name,
		func(r *Result) string { return *f(r) },
		func(r *Result, s string) error { *f(r) = s; return nil }}
}

func integer[T ~int | ~int64](name string, f func(*Result) *T) column {
	return column{name,
		func(r *Result) string { return strconv.FormatInt(int64(*f(r)), 10) },
		func(r *Result, s string) error {
			n, err := strconv.ParseInt(s, 10, 64)
			*f(r) = T(n)
			return err
		}}
}

func boolean(name string, f func(*Result) *bool) column {
	return column{name,
		func(r *Result) string { return strconv.FormatBool(*f(r)) },
		func(r *Result, s string) (err error) { *f(r), err = strconv.ParseBool(s); return err }}
}

// columns are results.csv in order. Ratios are there for people and
// spreadsheets: reading recomputes them.
var columns = []column{
	text("trace", func(r *Result) *string { return &r.Trace }),
	text("policy", func(r *Result) *string { return &r.Policy }),
	text("engine", func(r *Result) *string { return &r.Engine }),
	text("abi", func(r *Result) *string { return &r.ABI }),
	text("handle", func(r *Result) *string { return &r.Handle }),
	integer("capacity_bytes", func(r *Result) *int64 { return &r.Capacity }),
	integer("requests", func(r *Result) *int { return &r.Requests }),
	integer("hits", func(r *Result) *int64 { return &r.Hits }),
	integer("bytes", func(r *Result) *int64 { return &r.Bytes }),
	integer("hit_bytes", func(r *Result) *int64 { return &r.HitBytes }),
	{"evictions",
		func(r *Result) string {
			if r.Evictions == nil {
				return ""
			}
			return strconv.FormatInt(*r.Evictions, 10)
		},
		func(r *Result, s string) error {
			if s == "" {
				return nil
			}
			n, err := strconv.ParseInt(s, 10, 64)
			r.Evictions = &n
			return err
		}},
	integer("too_large", func(r *Result) *int64 { return &r.TooLarge }),
	integer("setup_ns", func(r *Result) *time.Duration { return &r.Setup }),
	integer("replay_ns", func(r *Result) *time.Duration { return &r.Replay }),
	integer("replay_ns_spread", func(r *Result) *time.Duration { return &r.ReplaySpread }),
	integer("repeats", func(r *Result) *int { return &r.Repeats }),
	{"hit_ratio", func(r *Result) string { return strconv.FormatFloat(r.HitRatio(), 'f', 6, 64) }, nil},
	{"byte_hit_ratio", func(r *Result) string { return strconv.FormatFloat(r.ByteHitRatio(), 'f', 6, 64) }, nil},
	boolean("timed", func(r *Result) *bool { return &r.Timed }),
	boolean("whole", func(r *Result) *bool { return &r.Whole }),
	integer("compile_ns", func(r *Result) *time.Duration { return &r.Compile }),
	integer("instantiate_ns", func(r *Result) *time.Duration { return &r.Instantiate }),
	integer("replay_ns_min", func(r *Result) *time.Duration { return &r.ReplayMin }),
	integer("replay_ns_max", func(r *Result) *time.Duration { return &r.ReplayMax }),
	{"seed",
		func(r *Result) string { return strconv.FormatUint(r.Seed, 10) },
		func(r *Result, s string) (err error) { r.Seed, err = strconv.ParseUint(s, 10, 64); return err }},
	text("object_size", func(r *Result) *string { return &r.ObjectSize }),
	text("outcome", func(r *Result) *string { return &r.Outcome }),
	text("module_sha256", func(r *Result) *string { return &r.ModuleSHA }),
	text("trace_sha256", func(r *Result) *string { return &r.TraceSHA256 }),
	text("cell", func(r *Result) *string { return &r.CellID }),
}

// WriteCSV writes results as CSV with a header line.
func WriteCSV(w io.Writer, results []Result) error {
	c := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, col := range columns {
		row[i] = col.name
	}
	if err := c.Write(row); err != nil {
		return err
	}
	for _, r := range results {
		for i, col := range columns {
			row[i] = col.get(&r)
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// ReadCSV reads what WriteCSV wrote. Columns are found by their names; unknown
// ones are passed over, all but the ratios must be there.
func ReadCSV(r io.Reader) ([]Result, error) {
	c := csv.NewReader(r)
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("empty: want a header line and results")
	}
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(header))
	for i, name := range header {
		place[name] = i
	}
	for _, col := range columns {
		if _, ok := place[col.name]; !ok && col.set != nil {
			return nil, fmt.Errorf("not a result file: it has no column %q", col.name)
		}
	}
	var results []Result
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return results, nil
		}
		if err != nil {
			return nil, err
		}
		var res Result
		for _, col := range columns {
			if col.set == nil {
				continue
			}
			if err := col.set(&res, row[place[col.name]]); err != nil {
				line, _ := c.FieldPos(0)
				return nil, fmt.Errorf("line %d: column %s: %w", line, col.name, err)
			}
		}
		results = append(results, res)
	}
}

// WriteJSON writes results, with their provenance, as one JSON array.
func WriteJSON(w io.Writer, results []Result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if results == nil {
		results = []Result{}
	}
	return e.Encode(results)
}

// ReadJSON reads what WriteJSON wrote, or the JSON lines of run --json.
func ReadJSON(r io.Reader) ([]Result, error) {
	var results []Result
	d := json.NewDecoder(r)
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", d.InputOffset(), err)
		}
		if raw[0] == '[' {
			var some []Result
			if err := json.Unmarshal(raw, &some); err != nil {
				return nil, err
			}
			results = append(results, some...)
			continue
		}
		var one Result
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, err
		}
		results = append(results, one)
	}
	for i := range results {
		if results[i].Engine == "" || results[i].Policy == "" {
			return nil, fmt.Errorf("not a result file: entry %d has no policy or no engine", i+1)
		}
	}
	return results, nil
}
