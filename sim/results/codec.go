package results

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jszwec/csvutil"

	"cachesim/sim"
)

func compare(a, b Result) int {
	return cmp.Or(
		cmp.Compare(a.Cell.Trace, b.Cell.Trace), cmp.Compare(a.TraceDigest, b.TraceDigest), cmp.Compare(a.Clock, b.Clock),
		cmp.Compare(a.Order, b.Order), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Capacity, b.Capacity),
		cmp.Compare(a.Metadata, b.Metadata), cmp.Compare(a.Requests, b.Requests), cmp.Compare(a.Warmup, b.Warmup),
		cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Sampling.Rate, b.Sampling.Rate), cmp.Compare(a.Delayed.String(), b.Delayed.String()), cmp.Compare(a.Engine, b.Engine), cmp.Compare(a.ABI, b.ABI), cmp.Compare(a.Handle, b.Handle),
		cmp.Compare(a.CellID, b.CellID),
	)
}

// cellRow is the part of a CSV row that says what was replayed.
type cellRow struct {
	Trace     string `csv:"trace"`
	Policy    string `csv:"policy"`
	Capacity  int64  `csv:"capacity"`
	Unit      string `csv:"capacity_unit"`
	Size      string `csv:"size"`
	Footprint int64  `csv:"footprint_bytes"`
	Requests  int    `csv:"requests"`
	Warmup    int    `csv:"warmup"`
	Seed      uint64 `csv:"seed"`
	Engine    string `csv:"engine"`
	ABI       string `csv:"abi"`
	Handle    string `csv:"handle"`
}

// identityRow is the part at the end of a CSV row that identifies everything.
type identityRow struct {
	Order       int    `csv:"order"`
	Metadata    int64  `csv:"metadata_bytes"`
	ObjectSize  string `csv:"object_size"`
	ZeroSize    string `csv:"zero_size"`
	Revision    int    `csv:"policy_revision"`
	ModuleSHA   string `csv:"module_sha256"`
	GuestMemory int64  `csv:"guest_memory_bytes"`
	Path        string `csv:"trace_path"`
	TraceDigest string `csv:"trace_digest"`
	Clock       string `csv:"clock_digest"`
	Keys        string `csv:"keys_digest"`
	Outcome     string `csv:"outcome"`
	CellID      string `csv:"cell"`
}

// ratioRow is a row of results.csv, where every cell that was not timed is.
type ratioRow struct {
	cellRow
	Gets          int64  `csv:"gets"`
	Hits          int64  `csv:"hits"`
	Bytes         int64  `csv:"bytes"`
	HitBytes      int64  `csv:"hit_bytes"`
	HitRatio      string `csv:"hit_ratio"`
	ByteHitRatio  string `csv:"byte_hit_ratio"`
	TooLarge      int64  `csv:"too_large"`
	Evictions     *int64 `csv:"evictions"`
	Admissions    *int64 `csv:"admissions"`
	AdmittedBytes *int64 `csv:"admitted_bytes"`
	Sets          int64  `csv:"sets"`
	Deletes       int64  `csv:"deletes"`
	Expired       int64  `csv:"expired"`
	LLMRequests   *int64 `csv:"llm_requests"`
	PrefixHits    *int64 `csv:"prefix_hit_blocks"`
	PrefixRatio   string `csv:"prefix_hit_ratio"`
	SavedTokens   *int64 `csv:"saved_tokens"`
	Whole         bool   `csv:"whole"`
	sampleRow
	delayedRow
	Costs
	identityRow
}

// sampleRow is the part of a row of results.csv that says how it is estimated:
// empty where it is exact.
type sampleRow struct {
	Rate       *float64 `csv:"sample_rate"`
	Salts      *int     `csv:"salts"`
	HitSD      *float64 `csv:"hit_ratio_sd"`
	ByteHitSD  *float64 `csv:"byte_hit_ratio_sd"`
	UnfitBytes *float64 `csv:"unfit_bytes"`
	RealSizes  *bool    `csv:"sample_real_sizes"`
	Planned    *float64 `csv:"sample_rate_planned"`
	Error      *float64 `csv:"sample_error"`
}

// delayedRow is the part of a row of results.csv of a replay in which an object
// enters the cache when its fetch is complete: empty where it enters at once.
type delayedRow struct {
	Fetch        *int64   `csv:"fetch_ns"`
	FetchPerByte *float64 `csv:"fetch_ns_per_byte"`
}

func newDelayedRow(r Result) delayedRow {
	if r.Delayed == (sim.Latency{}) {
		return delayedRow{}
	}
	fixed := int64(r.Delayed.Fixed)
	return delayedRow{&fixed, &r.Delayed.PerByte}
}

func (d delayedRow) set(r *Result) {
	if d.Fetch != nil && d.FetchPerByte != nil {
		r.Delayed = sim.Latency{Fixed: time.Duration(*d.Fetch), PerByte: *d.FetchPerByte}
	}
}

func newSampleRow(r Result) sampleRow {
	if r.Sampling.Rate == 0 {
		return sampleRow{}
	}
	s := r.Sample()
	row := sampleRow{Rate: &s.Rate, Salts: &s.Salts, HitSD: &r.HitRatioSD, ByteHitSD: &r.ByteHitRatioSD, UnfitBytes: &r.Unfit, RealSizes: &s.RealSizes}
	row.Planned, row.Error = &r.Sampling.Rate, &s.Error
	return row
}

func (s sampleRow) set(r *Result) {
	if s.Rate == nil || s.Salts == nil {
		return
	}
	r.Sampling = sim.Sampling{Rate: *s.Rate, Salts: *s.Salts, RealSizes: s.RealSizes != nil && *s.RealSizes}
	if s.Planned != nil && *s.Planned < *s.Rate {
		r.Sampling.Rate, r.RateUsed = *s.Planned, *s.Rate
	}
	for _, v := range []struct {
		from *float64
		to   *float64
	}{{s.HitSD, &r.HitRatioSD}, {s.Error, &r.Sampling.Error}, {s.ByteHitSD, &r.ByteHitRatioSD}, {s.UnfitBytes, &r.Unfit}} {
		if v.from != nil {
			*v.to = *v.from
		}
	}
}

// timeRow is a row of times.csv, where every timed cell is. It has no hit
// ratio: a timed cell replays a prefix of the trace.
type timeRow struct {
	cellRow
	Repeats     int     `csv:"repeats"`
	PerRequest  string  `csv:"ns_per_request"`
	Replay      int64   `csv:"replay_ns"`
	ReplayMin   int64   `csv:"replay_ns_min"`
	ReplayMax   int64   `csv:"replay_ns_max"`
	Setup       int64   `csv:"setup_ns"`
	Compile     int64   `csv:"compile_ns"`
	Instantiate int64   `csv:"instantiate_ns"`
	Gets        int64   `csv:"timed_gets"`
	Hits        int64   `csv:"timed_hits"`
	TooLarge    int64   `csv:"timed_too_large"`
	Whole       bool    `csv:"whole"`
	Replays     samples `csv:"replays_ns"`
	identityRow
}

// samples are durations in nanoseconds, separated by spaces in a CSV field.
type samples []time.Duration

func (s samples) MarshalCSV() ([]byte, error) {
	var b []byte
	for i, d := range s {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(d), 10)
	}
	return b, nil
}

func (s *samples) UnmarshalCSV(b []byte) error {
	for _, f := range strings.Fields(string(b)) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return err
		}
		*s = append(*s, time.Duration(n))
	}
	return nil
}

// text returns s as CSV files hold it: a terminal may show them.
func text(s string) string { return sim.PrintableBut(s, "\t\n") }

func (s *Set) cellRow(r Result) cellRow {
	return cellRow{text(r.Cell.Trace), text(r.Policy), r.Capacity, r.Unit, r.Size, s.Trace(r).Footprint, r.Requests, r.Warmup, r.Seed, r.Engine, r.ABI, r.Handle}
}

func (s *Set) identityRow(r Result) identityRow {
	t := s.Trace(r)
	return identityRow{r.Order, r.Metadata, t.ObjectSize, t.ZeroSize, r.Revision, r.ModuleSHA, r.GuestMemory, text(t.Path), r.TraceDigest, r.Clock, r.Keys, r.Outcome, r.CellID}
}

func (c cellRow) result(id identityRow) Result {
	return Result{
		Cell: sim.Cell{
			Trace: c.Trace, TraceDigest: id.TraceDigest, Clock: id.Clock, Keys: id.Keys, Requests: c.Requests, Warmup: c.Warmup,
			Policy: c.Policy, Revision: id.Revision, ModuleSHA: id.ModuleSHA, Seed: c.Seed,
			Capacity: c.Capacity, Unit: c.Unit, Metadata: id.Metadata, GuestMemory: id.GuestMemory,
			Version: sim.Version{Engine: c.Engine, ABI: c.ABI, Handle: c.Handle},
		},
		CellID: id.CellID, Size: c.Size, Order: id.Order, Outcome: id.Outcome,
	}
}

func (c cellRow) trace(id identityRow) Trace {
	return Trace{Name: c.Trace, Path: id.Path, Digest: id.TraceDigest, Clock: id.Clock, ObjectSize: id.ObjectSize, ZeroSize: id.ZeroSize, Footprint: c.Footprint}
}

// WriteCSV writes the results that are not timed as CSV with a header line:
// results.csv.
func (s *Set) WriteCSV(w io.Writer) error {
	rows := []ratioRow{}
	share := func(f float64) string { return strconv.FormatFloat(f, 'f', 6, 64) }
	for _, r := range s.Results {
		if r.Timed {
			continue
		}
		row := ratioRow{
			cellRow: s.cellRow(r), Gets: r.Gets, Hits: r.Hits, Bytes: r.Bytes, HitBytes: r.HitBytes,
			HitRatio: share(r.HitRatio()), ByteHitRatio: share(r.ByteHitRatio()), TooLarge: r.TooLarge,
			Evictions: r.Evictions, Admissions: r.Admissions, AdmittedBytes: r.AdmittedBytes,
			Sets: r.Sets, Deletes: r.Deletes, Expired: r.Expired, Whole: r.Whole,
			sampleRow: newSampleRow(r), delayedRow: newDelayedRow(r), Costs: r.Costs, identityRow: s.identityRow(r),
		}
		if r.LLMRequests > 0 { // otherwise the trace is of something else
			row.LLMRequests, row.PrefixHits, row.SavedTokens = &r.LLMRequests, &r.PrefixHitBlocks, &r.SavedTokens
			row.PrefixRatio = share(r.PrefixHitRatio())
		}
		rows = append(rows, row)
	}
	return writeRows(w, rows)
}

// WriteTimesCSV writes the timed results as CSV with a header line: times.csv.
func (s *Set) WriteTimesCSV(w io.Writer) error {
	rows := []timeRow{}
	for _, r := range s.Results {
		if !r.Timed {
			continue
		}
		rows = append(rows, timeRow{
			cellRow: s.cellRow(r), Repeats: r.Repeats, PerRequest: strconv.FormatFloat(r.PerRequest(), 'f', 2, 64),
			Replay: int64(r.Replay), ReplayMin: int64(r.ReplayMin), ReplayMax: int64(r.ReplayMax),
			Setup: int64(r.Setup), Compile: int64(r.Compile), Instantiate: int64(r.Instantiate),
			Gets: r.Gets, Hits: r.Hits, TooLarge: r.TooLarge, Whole: r.Whole, Replays: r.Replays, identityRow: s.identityRow(r),
		})
	}
	return writeRows(w, rows)
}

// seriesRow is a row of series.csv.
type seriesRow struct {
	Trace    string `csv:"trace"`
	Policy   string `csv:"policy"`
	Capacity int64  `csv:"capacity"`
	Unit     string `csv:"capacity_unit"`
	Version  string `csv:"version"`
	Start    int    `csv:"start"`
	Time     string `csv:"time_s"`
	Warmup   bool   `csv:"warmup"`
	Gets     int64  `csv:"gets"`
	Hits     int64  `csv:"hits"`
	Bytes    int64  `csv:"bytes"`
	HitBytes int64  `csv:"hit_bytes"`
	HitRatio string `csv:"hit_ratio"`
	CellID   string `csv:"cell"`
}

// WriteSeriesCSV writes the intervals of the results that have a series as CSV
// with a header line: series.csv.
func (s *Set) WriteSeriesCSV(w io.Writer) error {
	rows := []seriesRow{}
	for _, r := range s.Results {
		for _, v := range r.Series {
			rows = append(rows, seriesRow{
				text(r.Cell.Trace), text(r.Policy), r.Capacity, r.Unit, r.Version.String(), v.Start,
				strconv.FormatFloat(time.Duration(v.Time).Seconds(), 'f', -1, 64), v.Warmup,
				v.Gets, v.Hits, v.Bytes, v.HitBytes, strconv.FormatFloat(ratio(v.Hits, v.Gets), 'f', 6, 64), r.CellID,
			})
		}
	}
	return writeRows(w, rows)
}

func writeRows[T any](w io.Writer, rows []T) error {
	c := csv.NewWriter(w)
	if err := csvutil.NewEncoder(c).Encode(rows); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}

// WriteJSON writes s, with everything that it holds, as one JSON object.
func (s *Set) WriteJSON(w io.Writer) error {
	c := *s
	c.Schema = Schema
	if c.Results == nil {
		c.Results = []Result{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(c)
}

// ReadCSV reads a results.csv or times.csv. Columns are found by their names;
// those that are absent are left at zero, so that older files can be read.
func ReadCSV(r io.Reader) (*Set, error) {
	c := csv.NewReader(r)
	header, err := c.Read()
	if err == io.EOF {
		return nil, errors.New("it is empty")
	}
	if err != nil {
		return nil, err
	}
	for i, name := range header { // names of the first design
		switch name {
		case "capacity_bytes":
			header[i] = "capacity"
		case "trace_sha256":
			header[i] = "trace_digest"
		}
	}
	for _, name := range []string{"policy", "engine", "capacity", "requests"} {
		if !slices.Contains(header, name) {
			return nil, fmt.Errorf("not a result file: it has no column %q", name)
		}
	}
	if slices.Contains(header, "timed") {
		return nil, errors.New("it was written by cachesim 0.1, which kept hit ratios and times in one table: run its command again, or keep the rows of one kind and drop the column timed")
	}
	d, err := csvutil.NewDecoder(c, header...)
	if err != nil {
		return nil, err
	}
	s := &Set{Schema: Schema}
	timed := slices.Contains(header, "replay_ns")
	for {
		var res Result
		var t Trace
		if timed {
			var row timeRow
			err = d.Decode(&row)
			res, t = row.result(row.identityRow), row.trace(row.identityRow)
			res.Timed, res.Repeats, res.Gets, res.Hits, res.TooLarge, res.Whole = true, row.Repeats, row.Gets, row.Hits, row.TooLarge, row.Whole
			res.Replay, res.ReplayMin, res.ReplayMax = time.Duration(row.Replay), time.Duration(row.ReplayMin), time.Duration(row.ReplayMax)
			res.Setup, res.Compile, res.Instantiate = time.Duration(row.Setup), time.Duration(row.Compile), time.Duration(row.Instantiate)
			res.Replays = row.Replays
		} else {
			row := ratioRow{Whole: true}
			err = d.Decode(&row)
			res, t = row.result(row.identityRow), row.trace(row.identityRow)
			res.Tally = sim.Tally{
				Gets: row.Gets, Hits: row.Hits, Bytes: row.Bytes, HitBytes: row.HitBytes, TooLarge: row.TooLarge,
				Sets: row.Sets, Deletes: row.Deletes, Expired: row.Expired,
				Evictions: row.Evictions, Admissions: row.Admissions, AdmittedBytes: row.AdmittedBytes,
			}
			for _, c := range []struct{ to, from *int64 }{
				{&res.LLMRequests, row.LLMRequests}, {&res.PrefixHitBlocks, row.PrefixHits}, {&res.SavedTokens, row.SavedTokens},
			} {
				if c.from != nil {
					*c.to = *c.from
				}
			}
			res.Whole = row.Whole
			row.sampleRow.set(&res)
			row.delayedRow.set(&res)
			res.Costs = row.Costs
			if !slices.Contains(header, "gets") {
				res.Gets = int64(res.Requests)
			}
		}
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			line, _ := c.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if res.Unit == "" {
			res.Unit = sim.UnitBytes
		}
		if res.CellID == "" {
			res.CellID = res.Cell.ID()
		}
		s.Add(&Set{Traces: []Trace{t}, Results: []Result{res}})
	}
}

// ReadJSON reads what WriteJSON wrote.
func ReadJSON(r io.Reader) (*Set, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(string(bytes.TrimSpace(b)), "[") {
		return nil, errors.New("it is a list, as cachesim 0.1 wrote it: run its command again")
	}
	var s Set
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, err
	}
	if s.Schema == 0 {
		return nil, errors.New("not a result file: it has no schema")
	}
	if s.Schema > Schema {
		return nil, fmt.Errorf("its schema is %d and this cachesim knows up to %d: use a newer one", s.Schema, Schema)
	}
	for i, res := range s.Results {
		if res.Engine == "" || res.Policy == "" {
			return nil, fmt.Errorf("not a result file: result %d has no policy or no engine", i+1)
		}
	}
	return &s, nil
}

// Read reads a results.csv, times.csv, results.json, a journal, or the journals
// of a folder that runs have written to.
func Read(path string) (*Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	if info.IsDir() {
		s, err := ReadJournals(path)
		if err == nil && len(s.Runs) == 0 {
			if _, serr := os.Stat(filepath.Join(path, "results.json")); serr == nil {
				return Read(filepath.Join(path, "results.json"))
			}
			return nil, fmt.Errorf("read results: %s holds none", path)
		}
		return s, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	defer f.Close()
	read := ReadJSON
	switch filepath.Ext(path) {
	case ".csv":
		read = ReadCSV
	case ".jsonl":
		read = func(r io.Reader) (*Set, error) { return readJournal(r, nil) }
	}
	s, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("read results %s: %w", path, err)
	}
	return s, nil
}
