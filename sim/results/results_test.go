package results

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
)

// filled sets every field of a value, in structs and slices inside it too, to a
// value of its own, so that a field that does not travel is found.
func filled[T any]() T {
	var value T
	n := 0
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		n++
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(time.Date(2024, 2, n%28, 3, 4, 5, 6, time.UTC)))
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.Tag.Get("json") != "-" {
					fill(v.Field(i))
				}
			}
		case v.Kind() == reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem())
		case v.Kind() == reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(v.Index(0))
			fill(v.Index(1))
		case v.Kind() == reflect.Map:
			v.Set(reflect.ValueOf(map[string]string{"a": fmt.Sprint(n)}))
		case v.Kind() == reflect.String:
			v.SetString(fmt.Sprint("s", n, "\",\n"))
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		case v.CanInt():
			v.SetInt(int64(n))
		case v.CanFloat():
			v.SetFloat(float64(n) / 1024)
		case v.CanUint():
			v.SetUint(uint64(n))
		default:
			panic(v.Kind())
		}
	}
	fill(reflect.ValueOf(&value).Elem())
	return value
}

func TestNew(t *testing.T) {
	ms := func(n ...int) (d []time.Duration) {
		for _, n := range n {
			d = append(d, time.Duration(n)*time.Millisecond)
		}
		return d
	}
	tests := []struct {
		replays           []time.Duration
		median, low, high int // ms
	}{
		{ms(5), 5, 5, 5},
		{ms(4, 2), 3, 2, 4},
		{ms(9, 1, 5), 5, 1, 9},
		{ms(7, 100, 1, 9), 8, 1, 100},
		{ms(2, 2, 2, 50, 2), 2, 2, 50},
	}
	for _, tt := range tests {
		m := sim.Measurement{Replays: tt.replays, Outcome: "o", Whole: true}
		m.Cell = sim.Cell{Policy: "p", Requests: 1000}
		m.Hits = 7
		for _, d := range tt.replays {
			m.Setups = append(m.Setups, sim.Setup{Compile: 10 * d, Instantiate: d})
		}
		r := New(m)
		if r.Replay != ms(tt.median)[0] || r.ReplayMin != ms(tt.low)[0] || r.ReplayMax != ms(tt.high)[0] || r.Repeats != len(tt.replays) {
			t.Errorf("%v: got %v, %v to %v of %d", tt.replays, r.Replay, r.ReplayMin, r.ReplayMax, r.Repeats)
		}
		if r.Compile != 10*r.Replay || r.Instantiate != r.Replay || r.Setup != 11*r.Replay {
			t.Errorf("%v: set-up %v, %v and %v", tt.replays, r.Compile, r.Instantiate, r.Setup)
		}
		if r.CellID != m.Cell.ID() || r.Hits != 7 || r.Outcome != "o" || !r.Whole {
			t.Errorf("got %+v", r)
		}
	}
}

func TestRatios(t *testing.T) {
	var r Result
	r.Requests, r.Gets, r.Hits, r.Bytes, r.HitBytes, r.Replay = 16, 8, 2, 1000, 750, 800*time.Nanosecond
	if r.HitRatio() != 0.25 || r.ByteHitRatio() != 0.75 || r.PerRequest() != 50 {
		t.Errorf("got %v, %v and %v, want 0.25, 0.75 and 50", r.HitRatio(), r.ByteHitRatio(), r.PerRequest())
	}
	// Over no requests at all there is no NaN, which JSON and axes cannot take.
	if z := (Result{}); z.HitRatio() != 0 || z.ByteHitRatio() != 0 || z.PerRequest() != 0 || z.Spread() != 0 {
		t.Errorf("no requests: got %v, %v and %v, want zeros", z.HitRatio(), z.ByteHitRatio(), z.PerRequest())
	}
}

func TestJSONKeepsEverything(t *testing.T) {
	want := filled[Set]()
	want.Schema = Schema
	var b bytes.Buffer
	if err := want.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got  %+v\nwant %+v", *got, want)
	}
}

// TestCSVKeepsCounts writes both tables and reads them back: what figures and
// tables use must be there.
func TestCSVKeepsCounts(t *testing.T) {
	for _, timed := range []bool{false, true} {
		var s Set
		tr := filled[Trace]()
		for range 2 {
			r := filled[Result]()
			r.Timed, r.Cell.Trace, r.TraceDigest, r.Clock = timed, tr.Name, tr.Digest, tr.Clock
			r.Capacity += int64(len(s.Results))
			r.CellID = fmt.Sprint("id", len(s.Results))
			s.Results = append(s.Results, r)
		}
		s.Traces = []Trace{tr}
		var b bytes.Buffer
		write := s.WriteCSV
		if timed {
			write = s.WriteTimesCSV
		}
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		got, err := ReadCSV(&b)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Results) != 2 {
			t.Fatalf("got %d results, want 2", len(got.Results))
		}
		for i, want := range s.Results {
			want.Series, want.Title, want.Window = nil, "", sim.Window{}
			if timed {
				want.Tally = sim.Tally{Gets: want.Gets, Hits: want.Hits, TooLarge: want.TooLarge}
				want.Sampling, want.Sampled, want.Delayed = sim.Sampling{}, sim.Sampled{}, sim.Latency{} // times are measured
				want.Costs = Costs{}
			} else {
				want.Repeats, want.Setup, want.Compile, want.Instantiate = 0, 0, 0, 0
				want.Replay, want.ReplayMin, want.ReplayMax, want.Replays = 0, 0, 0, nil
			}
			if !reflect.DeepEqual(got.Results[i], want) {
				t.Errorf("timed %v: got  %+v\nwant %+v", timed, got.Results[i], want)
			}
		}
		if got.Traces[0].Footprint != tr.Footprint || got.Traces[0].Path != tr.Path {
			t.Errorf("got trace %+v", got.Traces[0])
		}
	}
}

// TestCSVWithoutColumns reads a table with the fewest columns.
func TestCSVWithoutColumns(t *testing.T) {
	s, err := ReadCSV(strings.NewReader("policy,engine,capacity_bytes,requests,hits,extra\nlru,native,100,10,4,x\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Results[0]; r.Policy != "lru" || r.Capacity != 100 || r.HitRatio() != 0.4 || r.Unit != sim.UnitBytes || !r.Whole {
		t.Errorf("got %+v", r)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ name, text, want string }{
		{"a.csv", "", "it is empty"},
		{"a.csv", "x,y\n1,2\n", `no column "policy"`},
		{"a.csv", "policy,engine,capacity,requests,timed\n", "cachesim 0.1"},
		{"a.csv", "policy,engine,capacity,requests\nlru,native,ten,1\n", "line 2"},
		{"a.json", "[]", "cachesim 0.1"},
		{"a.json", `{"x":1}`, "no schema"},
		{"a.json", `{"schema":999}`, "use a newer one"},
		{"a.json", `{"schema":2,"results":[{}]}`, "result 1 has no policy"},
		{"a.jsonl", "{}\n", "does not start with a run"},
		{"a.jsonl", "{\"schema\":2,\"run\":{}}\n{}\n", "line 2"},
		{"a.jsonl", "{\"schema\":2,\"run\":{}}\nx\n{}\n", "line 2"},
	}
	for _, tt := range tests {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error with %q and the file's name", tt.text, err, tt.want)
		}
	}
	if _, err := Read(filepath.Join(dir, "nowhere.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("an empty folder passes for results")
	}
}

func result(policy string, timed bool, outcome string) Result {
	r := Result{Timed: timed, Outcome: outcome}
	r.Cell = sim.Cell{Policy: policy, Version: sim.Version{Engine: sim.NativeEngine}}
	r.CellID = r.Cell.ID()
	return r
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	later, err := CreateJournal(dir, Provenance{Version: "2", Started: day.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := CreateJournal(dir, Provenance{Version: "1", Started: day})
	if err != nil {
		t.Fatal(err)
	}
	failure := func(policy string) Failure {
		r := result(policy, false, "")
		return Failure{Cell: r.Cell, CellID: r.CellID, Error: "e"}
	}
	for _, err := range []error{
		earlier.AddTrace(Trace{Name: "t", Digest: "d"}),
		earlier.AddResult(result("a", false, "x")),
		earlier.AddResult(result("a", true, "x")),
		earlier.AddResult(result("b", false, "x")),
		earlier.AddFailure(failure("c")),
		earlier.AddFailure(failure("d")),
		later.AddTrace(Trace{Name: "t", Digest: "d"}),
		later.AddResult(result("b", false, "y")),
		later.AddResult(result("c", false, "x")),
		earlier.Close(), later.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// The later process was killed while it wrote.
	f, err := os.OpenFile(later.Path(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"result":{"policy":"torn"`); err != nil {
		t.Fatal(err)
	}
	f.Close()

	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range s.Results {
		got = append(got, fmt.Sprint(r.Policy, " ", r.Timed, " ", r.Outcome))
	}
	if want := "a false x,a true x,b false y,c false x"; strings.Join(got, ",") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if len(s.Runs) != 2 || s.Runs[0].Version != "1" || len(s.Traces) != 1 {
		t.Errorf("got %d runs and %d traces", len(s.Runs), len(s.Traces))
	}
	if s.Repeated != 1 || len(s.Conflicts) != 1 || !strings.Contains(s.Conflicts[0], "b at") {
		t.Errorf("got %d repeated, conflicts %q; want b, which has two outcomes", s.Repeated, s.Conflicts)
	}
	if len(s.Failures) != 1 || s.Failures[0].Policy != "d" {
		t.Errorf("got failures %+v, want d only: c has a result", s.Failures)
	}
}

// TestJournalCannotBeWritten says so once and keeps what is there.
func TestJournalCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	j, err := CreateJournal(dir, Provenance{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.AddResult(result("a", false, "x")); err != nil {
		t.Fatal(err)
	}
	j.f.Close() // as a disk that went away
	first := j.AddResult(result("b", false, "x"))
	if first == nil || j.AddResult(result("c", false, "x")) != first || j.Err() != first {
		t.Errorf("got %v", first)
	}
	if s, err := Read(dir); err != nil || len(s.Results) != 1 {
		t.Errorf("got %v, %v, want the result from before", s, err)
	}
}

// TestComputedAgrees: a result that was computed without a replay does not
// contradict a replay of the same cell that has the same counts.
func TestComputedAgrees(t *testing.T) {
	result := func(outcome string, hits int64) *Set {
		return &Set{Results: []Result{{Cell: sim.Cell{Policy: "lru"}, CellID: "c", Outcome: outcome, Tally: sim.Tally{Gets: 9, Hits: hits}}}}
	}
	for _, tt := range []struct {
		a, b      *Set
		conflicts int
	}{
		{result("x", 5), result("", 5), 0},
		{result("", 5), result("x", 6), 1},
		{result("x", 5), result("y", 5), 1},
	} {
		tt.a.Add(tt.b)
		if len(tt.a.Conflicts) != tt.conflicts {
			t.Errorf("got conflicts %q, want %d", tt.a.Conflicts, tt.conflicts)
		}
	}
}
