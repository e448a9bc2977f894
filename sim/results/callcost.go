package results

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// A CallCost is what one test of the micro benchmark came to on one engine in
// one build mode.
type CallCost struct {
	Kind    string `json:"kind"`    // one of the kinds below
	Test    string `json:"test"`    // "pair-cached-preload"; of a part: its name
	Engine  string `json:"engine"`  // native for the native test
	ABI     string `json:"abi"`     // empty for native and loop
	Handle  string `json:"handle"`  // uncached, cached or srs; may be empty
	Loading string `json:"loading"` // preload or hotload; of pair only
	Payload int    `json:"payload"` // bytes that a call passes in memory; 0: none
	Mode    string `json:"mode"`    // release or debug: how the host was built
	Module  string `json:"module"`  // file of the guest; empty: cachesim's own

	Calls   int `json:"calls"`   // of one run
	Runs    int `json:"runs"`    // that count
	Warmups int `json:"warmups"` // runs before them, which do not

	Call  Stats `json:"call"`  // ns a call, calls alone
	Total Stats `json:"total"` // ns a call, compiling and instantiating included
	Setup Stats `json:"setup"` // ns a run, compiling and instantiating alone
	// Allocations of the Go host, per call.
	Allocs     float64 `json:"allocs"`
	AllocBytes float64 `json:"alloc_bytes"`
	// Ratios of the calls alone, each of a run to the run of its round: to the
	// native test, and to cached pair with preload on the same engine. Zero
	// where there is none.
	ToNative Stats `json:"to_native"`
	ToPair   Stats `json:"to_pair"`

	// Samples are what Call describes: ns a call of each run, in order.
	Samples []float64 `json:"samples"`

	Provenance *Provenance `json:"provenance,omitempty"`
}

// Kinds of a CallCost.
const (
	CostOfCall    = "call"    // a test of the micro benchmark
	CostOfPayload = "payload" // a call that passes Payload bytes
	CostOfPart    = "part"    // a part of a cached pair call; Test names it
)

// Stats describe a sample. Low and High bound the median: the 95 % confidence
// interval of a percentile bootstrap.
type Stats struct {
	Mean   float64 `json:"mean"`
	SD     float64 `json:"sd"` // standard deviation of the sample
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Min    float64 `json:"min"`
}

// WriteCallCostCSV writes costs as CSV with a header line.
func WriteCallCostCSV(w io.Writer, costs []CallCost) error {
	c := csv.NewWriter(w)
	header := []string{"kind", "test", "engine", "abi", "handle", "loading", "payload_bytes", "mode", "module", "calls", "runs", "warmups"}
	for _, what := range []string{"call_ns", "total_ns", "setup_ns", "to_native", "to_pair"} {
		for _, s := range []string{"mean", "sd", "median", "low", "high", "min"} {
			header = append(header, what+"_"+s)
		}
	}
	if err := c.Write(append(header, "allocs", "alloc_bytes")); err != nil {
		return err
	}
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', 8, 64) }
	for _, r := range costs {
		row := []string{r.Kind, r.Test, r.Engine, r.ABI, r.Handle, r.Loading, strconv.Itoa(r.Payload), r.Mode, r.Module,
			strconv.Itoa(r.Calls), strconv.Itoa(r.Runs), strconv.Itoa(r.Warmups)}
		for _, s := range []Stats{r.Call, r.Total, r.Setup, r.ToNative, r.ToPair} {
			row = append(row, number(s.Mean), number(s.SD), number(s.Median), number(s.Low), number(s.High), number(s.Min))
		}
		if err := c.Write(append(row, number(r.Allocs), number(r.AllocBytes))); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// WriteCallCostJSON writes costs, with their provenance, as one JSON array.
func WriteCallCostJSON(w io.Writer, costs []CallCost) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if costs == nil {
		costs = []CallCost{}
	}
	return e.Encode(costs)
}

// ReadCallCostJSON reads what WriteCallCostJSON wrote; anything else is an error.
func ReadCallCostJSON(r io.Reader) ([]CallCost, error) {
	var costs []CallCost
	if err := json.NewDecoder(r).Decode(&costs); err != nil {
		return nil, err
	}
	for _, c := range costs {
		if c.Kind == "" || c.Engine == "" || c.Test == "" {
			return nil, errors.New("not a result file of bench")
		}
	}
	return costs, nil
}
