package sim

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func ms(n ...int) []time.Duration {
	var d []time.Duration
	for _, n := range n {
		d = append(d, time.Duration(n)*time.Millisecond)
	}
	return d
}

func TestSetTimes(t *testing.T) {
	tests := []struct {
		replays                   []time.Duration
		median, low, high, spread int // ms
	}{
		{ms(5), 5, 5, 5, 0},
		{ms(4, 2), 3, 2, 4, 2},
		{ms(9, 1, 5), 5, 1, 9, 8},
		{ms(7, 100, 1, 9), 8, 1, 100, 99},
		{ms(2, 2, 2, 50, 2), 2, 2, 50, 48},
	}
	for _, tt := range tests {
		given := append([]time.Duration(nil), tt.replays...)
		var setups []Setup
		for _, d := range tt.replays {
			setups = append(setups, Setup{Compile: 10 * d, Instantiate: d})
		}
		var r Result
		r.setTimes(tt.replays, setups)
		want := Result{
			Repeats: len(tt.replays),
			Replay:  ms(tt.median)[0], ReplayMin: ms(tt.low)[0], ReplayMax: ms(tt.high)[0], ReplaySpread: ms(tt.spread)[0],
			Compile: 10 * ms(tt.median)[0], Instantiate: ms(tt.median)[0], Setup: 11 * ms(tt.median)[0],
		}
		if r != want {
			t.Errorf("%v: got %+v, want %+v", tt.replays, r, want)
		}
		if !reflect.DeepEqual(tt.replays, given) {
			t.Errorf("the durations given were changed to %v", tt.replays)
		}
	}
}

func TestResultRatios(t *testing.T) {
	r := Result{Cell: Cell{Requests: 8}, Hits: 2, Bytes: 1000, HitBytes: 750, Replay: 400 * time.Nanosecond}
	if r.HitRatio() != 0.25 || r.ByteHitRatio() != 0.75 || r.PerRequest() != 50 {
		t.Errorf("got %v, %v and %v, want 0.25, 0.75 and 50", r.HitRatio(), r.ByteHitRatio(), r.PerRequest())
	}
	// Over no requests at all there is no NaN, which JSON and axes cannot take.
	if z := (Result{}); z.HitRatio() != 0 || z.ByteHitRatio() != 0 || z.PerRequest() != 0 {
		t.Errorf("no requests: got %v, %v and %v, want zeros", z.HitRatio(), z.ByteHitRatio(), z.PerRequest())
	}
}

// filled sets every field of a Result, in structs inside it too, to a value of
// its own, so that a field that does not travel is found.
func filled() Result {
	var r Result
	n := 0
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		n++
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(time.Date(2024, 2, n, 3, 4, 5, 6, time.UTC)))
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case v.Kind() == reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem())
		case v.Kind() == reflect.Map:
			v.Set(reflect.ValueOf(map[string]string{"singlepass": fmt.Sprint(n)}))
		case v.Kind() == reflect.Slice:
			v.Set(reflect.ValueOf([]string{"cachesim", fmt.Sprint(n)}))
		case v.Kind() == reflect.String:
			v.SetString(fmt.Sprintf("text %d", n))
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		case v.CanInt():
			v.SetInt(int64(n))
		case v.CanUint():
			v.SetUint(uint64(n))
		default:
			panic(v.Type())
		}
	}
	fill(reflect.ValueOf(&r).Elem())
	return r
}

// travellers are results that are hard to write down.
func travellers() []Result {
	zero := int64(0)
	return []Result{
		filled(),
		{Cell: Cell{Engine: NativeEngine, Policy: "lru"}},
		{Cell: Cell{Engine: NativeEngine, Policy: "lru"}, Evictions: &zero},
		{Cell: Cell{Engine: "cranelift", Policy: "two:a=1,b=2", Trace: "a \"b\", c;\n d é.log"}},
		{Cell: Cell{Engine: "llvm", Policy: "lru", Seed: math.MaxUint64, Capacity: math.MaxInt64}, Hits: math.MaxInt64, Replay: math.MaxInt64},
		{Cell: Cell{Engine: "llvm", Policy: "lru", Requests: 3}, Hits: 1, Bytes: 3, HitBytes: 1, Replay: 100 * time.Hour, Timed: true, Repeats: 5},
	}
}

func TestCSVRoundTrip(t *testing.T) {
	want := travellers()
	for i := range want {
		want[i].Provenance = nil // is for JSON only
	}
	for n := range len(want) + 1 {
		var b bytes.Buffer
		if err := WriteCSV(&b, want[:n]); err != nil {
			t.Fatal(err)
		}
		got, err := ReadCSV(&b)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n {
			t.Fatalf("wrote %d results, read %d", n, len(got))
		}
		for i := range got {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("got %+v\nwant %+v", got[i], want[i])
			}
		}
	}
}

// TestCSVForPeople checks what is written for spreadsheets and not read again.
func TestCSVForPeople(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCSV(&b, []Result{{Cell: Cell{Requests: 3}, Hits: 2, Bytes: 10, HitBytes: 5, Replay: 1500 * time.Nanosecond}}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for i, name := range rows[0] {
		got[name] = rows[1][i]
	}
	for name, want := range map[string]string{
		"hit_ratio": "0.666667", "byte_hit_ratio": "0.500000", "evictions": "", "replay_ns": "1500", "whole": "false",
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s: got %q, want %q", name, v, want)
		}
	}
}

// table returns travellers as rows of CSV, to be spoilt.
func table(t *testing.T) [][]string {
	var b bytes.Buffer
	if err := WriteCSV(&b, travellers()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func readRows(t *testing.T, rows [][]string) ([]Result, error) {
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return ReadCSV(&b)
}

func TestReadCSVColumns(t *testing.T) {
	want, err := readRows(t, table(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range table(t)[0] {
		rows := table(t)
		for j := range rows {
			rows[j] = append(rows[j][:i:i], rows[j][i+1:]...)
		}
		got, err := readRows(t, rows)
		if strings.HasSuffix(name, "hit_ratio") { // is computed
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("without %s: got %v, %v", name, got, err)
			}
			continue
		}
		if want := fmt.Sprintf("no column %q", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: got %v, want … %s", name, err, want)
		}
	}
	// Order and further columns do not matter.
	rows := table(t)
	for j := range rows {
		for a, b := 0, len(rows[j])-1; a < b; a, b = a+1, b-1 {
			rows[j][a], rows[j][b] = rows[j][b], rows[j][a]
		}
		rows[j] = append([]string{fmt.Sprint("note ", j)}, rows[j]...)
	}
	if got, err := readRows(t, rows); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("columns in another order: got %v, %v", got, err)
	}
}

func TestReadCSVFaults(t *testing.T) {
	tests := []struct{ column, value string }{
		{"requests", "many"}, {"hits", ""}, {"hits", "1.5"}, {"evictions", "none"}, {"replay_ns", "1ms"},
		{"capacity_bytes", "99999999999999999999"}, {"timed", "perhaps"}, {"whole", ""}, {"seed", "-1"},
	}
	for _, tt := range tests {
		rows := table(t)
		for i, name := range rows[0] {
			if name == tt.column {
				rows[5][i] = tt.value
			}
		}
		// The fourth result's trace name holds a line break.
		want := fmt.Sprintf("line 7: column %s: ", tt.column)
		if _, err := readRows(t, rows); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s=%q: got %v, want %s…", tt.column, tt.value, err, want)
		}
	}
	for _, s := range []string{"", "\n", "hello\n", "\"", "a,b\n1,2\n"} {
		if got, err := ReadCSV(strings.NewReader(s)); err == nil {
			t.Errorf("%q: got %v, want an error", s, got)
		}
	}
	rows := table(t)
	var b bytes.Buffer
	_ = csv.NewWriter(&b).WriteAll(rows)
	cut := strings.TrimSuffix(b.String(), rows[len(rows)-1][len(rows[0])-1]+"\n")
	cut = cut[:len(cut)-1]
	if got, err := ReadCSV(strings.NewReader(cut)); err == nil {
		t.Errorf("last line cut: got %d results, want an error", len(got))
	}
}

func TestJSONRoundTrip(t *testing.T) {
	want := travellers()
	var array, lines bytes.Buffer
	if err := WriteJSON(&array, want); err != nil {
		t.Fatal(err)
	}
	for _, r := range want {
		var b bytes.Buffer
		if err := WriteJSON(&b, []Result{r}); err != nil {
			t.Fatal(err)
		}
		one := bytes.TrimSpace(b.Bytes())
		one = bytes.TrimSpace(one[1 : len(one)-1]) // without the brackets
		lines.Write(append(bytes.ReplaceAll(one, []byte("\n"), nil), '\n'))
	}
	for name, s := range map[string]string{"array": array.String(), "lines": lines.String()} {
		got, err := ReadJSON(strings.NewReader(s))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v\nwant %+v", name, got, want)
		}
	}
	// Files of several runs can be put one behind the other.
	if got, err := ReadJSON(strings.NewReader(array.String() + lines.String() + array.String())); err != nil || len(got) != 3*len(want) {
		t.Errorf("array, lines, array: got %d results and %v, want %d", len(got), err, 3*len(want))
	}
}

func TestJSONOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(b.String()); got != "[]" {
		t.Errorf("no results: wrote %q, want []", got)
	}
	if got, err := ReadJSON(&b); err != nil || len(got) != 0 {
		t.Errorf("no results: read %v, %v", got, err)
	}
}

func TestReadJSONFaults(t *testing.T) {
	const good = `{"policy":"lru","engine":"native"}`
	tests := []struct{ json, want string }{
		{"hello", "at byte 0"},
		{"\x00\x01", "at byte 0"},
		{"null", "entry 1 has no policy"},
		{"{}", "entry 1 has no policy"},
		{"17", "cannot unmarshal"},
		{`[` + good + `,{"policy":"lru"}]`, "entry 2 has no policy or no engine"},
		{good + "\n" + `{"engine":"native"}`, "entry 2 has no policy or no engine"},
		{`[` + good + `,`, "unexpected EOF"},
		{good + "\n" + good[:20], "unexpected EOF"},
		{`{"policy":"lru","engine":"native","hits":"many"}`, "hits"},
		{`[{"policy":"lru","engine":"native","capacity_bytes":1.5}]`, "capacity_bytes"},
	}
	for _, tt := range tests {
		if got, err := ReadJSON(strings.NewReader(tt.json)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v and %v, want … %s …", tt.json, got, err, tt.want)
		}
	}
}

// FuzzReadCSV reads anything without a panic. What it takes for results it can
// write and read again.
func FuzzReadCSV(f *testing.F) {
	var b bytes.Buffer
	if err := WriteCSV(&b, travellers()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte("\r\n")))
	f.Add(b.Bytes()[:b.Len()/2])
	f.Add([]byte("trace,policy\na,b\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := ReadCSV(bytes.NewReader(in))
		if err != nil || bytes.ContainsRune(in, '\r') { // the csv package reads \r\n as \n even inside quotes
			return
		}
		var b bytes.Buffer
		if err := WriteCSV(&b, first); err != nil {
			t.Fatal(err)
		}
		if second, err := ReadCSV(&b); err != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("read %+v\nwrote and read again %+v, %v", first, second, err)
		}
	})
}

// FuzzReadJSON does the same to JSON.
func FuzzReadJSON(f *testing.F) {
	var b bytes.Buffer
	if err := WriteJSON(&b, travellers()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"policy":"lru","engine":"native"}` + "\n" + `{"policy":"lru","engine":"native"}`))
	f.Add([]byte(`[[]] null`))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := ReadJSON(bytes.NewReader(in))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteJSON(&b, first); err != nil {
			t.Fatal(err)
		}
		second, err := ReadJSON(&b)
		if err != nil || len(first) != len(second) || len(first) > 0 && !reflect.DeepEqual(first, second) {
			t.Errorf("read %+v\nwrote and read again %+v, %v", first, second, err)
		}
	})
}
