package plots

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cachesim/sim/results"
)

// TestMuted: of many lines the best ones, Belady and those named stand out, by what
// is better in the figure; of few lines all do, unless some are named.
func TestMuted(t *testing.T) {
	var many, few []results.Result
	for i := range 15 {
		policy := fmt.Sprintf("policy%02d", i)
		switch i {
		case 13:
			policy = "belady"
		case 14:
			policy = "belady-bypass"
		}
		for _, size := range []int64{mib, 2 * mib} {
			many = append(many, cell("t", policy, size, int64(10+i)))
			if i < 3 {
				few = append(few, cell("t", policy, size, int64(10+i)))
			}
		}
	}
	for _, tt := range []struct {
		rs        []results.Result
		kind      string
		highlight []string
		label     string   // of belady, if any
		want      []string // that stand out; nil: all alike
	}{
		{many, "hit-ratio", nil, "", []string{"policy08", "policy09", "policy10", "policy11", "policy12", "Belady"}},
		{many, "miss-ratio", []string{"policy02"}, "", []string{"policy02", "policy08", "policy09", "policy10", "policy11", "policy12", "Belady"}},
		{many, "values", []string{"policy03"}, "", []string{"policy03", "policy08", "policy09", "policy10", "policy11", "policy12", "Belady"}},
		{many, "hit-ratio", nil, "OPT", []string{"policy08", "policy09", "policy10", "policy11", "policy12", "OPT"}},
		{few, "hit-ratio", nil, "", nil},
		{few, "hit-ratio", []string{"policy01"}, "", []string{"policy01"}},
	} {
		o := Options{Highlight: tt.highlight}
		if tt.label != "" {
			o.Labels = map[string]string{"belady": tt.label}
		}
		figs, err := Make(Rows{Results: tt.rs}, o, tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		f := figs[0]
		var got []string
		for _, name := range seriesNames(f.Panels) {
			if len(f.muted) > 0 && !f.muted[name] {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s, %v: %v stand out, want %v", tt.kind, tt.highlight, got, tt.want)
		}
		checkDrawing(t, f)
		if tt.want == nil {
			continue
		}
		// The names of those, and of no other, are written in either form.
		others := mutedText(len(f.muted))
		var texts []string
		for _, p := range record(f).texts {
			texts = append(texts, p.text)
		}
		tex := string(drawn(t, f, "tex"))
		for _, name := range seriesNames(f.Panels) {
			if slices.Contains(texts, name) == f.muted[name] || strings.Contains(tex, "\\addlegendentry{"+name+"}") == f.muted[name] {
				t.Errorf("%s, %v: %s is named among %q, or is not", tt.kind, tt.highlight, name, texts)
			}
		}
		if !slices.Contains(texts, others) || !strings.Contains(tex, "\\addlegendentry{"+others+"}") {
			t.Errorf("%s, %v: no %q", tt.kind, tt.highlight, others)
		}
	}
	// More than can be named at the ends of lines are named in the legend.
	var all []string
	for _, r := range many[:len(many)-4] {
		all = append(all, r.Policy)
	}
	figs, err := Make(Rows{Results: many}, Options{Highlight: all}, "hit-ratio")
	if err != nil {
		t.Fatal(err)
	}
	checkDrawing(t, figs[0])
	if err := (Options{Highlight: []string{"policy01", "nobody"}}).CheckHighlight(many); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("a policy without results: %v", err)
	}
	if err := (Options{Highlight: []string{"policy01"}}).CheckHighlight(many); err != nil {
		t.Error(err)
	}
}
