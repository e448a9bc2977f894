package sim

import (
	"maps"
	"math"
	"strings"
	"testing"
)

var someParams = []Param{
	{Name: "small", Default: 0.1, Min: 0, Max: 1},
	{Name: "ghost", Default: 2, Min: 1, Max: 8},
}

func TestCheckParams(t *testing.T) {
	type values = map[string]float64
	tests := []struct {
		name   string
		params []Param
		given  values
		want   values
		err    string
	}{
		{"defaults", someParams, nil, values{"small": 0.1, "ghost": 2}, ""},
		{"one given", someParams, values{"small": 0.25}, values{"small": 0.25, "ghost": 2}, ""},
		{"both bounds", someParams, values{"small": 0, "ghost": 8}, values{"small": 0, "ghost": 8}, ""},
		{"none declared", nil, nil, values{}, ""},
		{"too large", someParams, values{"small": 1.5}, nil, "policy p: small=1.5 is out of range: want 0 to 1"},
		{"too small", someParams, values{"ghost": 0.5}, nil, "policy p: ghost=0.5 is out of range: want 1 to 8"},
		{"not a number", someParams, values{"small": math.NaN()}, nil, "policy p: small=NaN is out of range: want 0 to 1"},
		{"misspelt", someParams, values{"smal": 0.1}, nil, `policy p has no parameter "smal"; did you mean "small"?`},
		{"unknown", someParams, values{"frequency": 1}, nil, `policy p has no parameter "frequency"; known are small, ghost`},
		{"takes none", nil, values{"small": 1}, nil, `policy p has no parameter "small": it takes none`},
		{"first of two faults", someParams, values{"zz": 1, "ghost": 99}, nil, "policy p: ghost=99 is out of range: want 1 to 8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := maps.Clone(tt.given)
			got, err := CheckParams("p", tt.params, tt.given)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Fatalf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if !maps.Equal(tt.given, given) {
				t.Errorf("the map given was changed to %v", tt.given)
			}
		})
	}
}

func TestPolicyName(t *testing.T) {
	tests := []struct {
		given map[string]float64
		want  string
	}{
		{nil, "p"},
		{map[string]float64{}, "p"},
		{map[string]float64{"small": 0.1}, "p:small=0.1"},
		{map[string]float64{"b": 2, "a": 1e-7, "c": 1 << 40}, "p:a=1e-07,b=2,c=1.099511627776e+12"},
	}
	for _, tt := range tests {
		if got := PolicyName("p", tt.given); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"lru", "lfu", "gdsize", "s3fifo", "wtinylfu"}
	tests := []struct{ name, want string }{
		{"gdsiez", `did you mean "gdsize"?`},
		{"GDSize", `did you mean "gdsize"?`},
		{"tinylfu", `did you mean "wtinylfu"?`},
		{"fifo", `did you mean "s3fifo"?`},
		{"somethingelse", "known are lru, lfu, gdsize, s3fifo, wtinylfu"},
	}
	for _, tt := range tests {
		if got := DidYouMean(tt.name, known); strings.TrimPrefix(got, "; ") != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
