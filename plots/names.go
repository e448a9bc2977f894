package plots

import (
	"path"
	"slices"
	"strings"

	"cachesim/sim/results"
)

// policyTitles are the names of policies in print where they are not just capitals.
var policyTitles = map[string]string{
	"2q": "2Q", "3lcache": "3L-Cache", "adaptsize": "AdaptSize", "belady": "Belady", "beladysize": "Belady-Size",
	"belady-size": "Belady-Size", "cacheus": "CACHEUS", "camp": "CAMP", "clockpro": "CLOCK-Pro", "clock-pro": "CLOCK-Pro",
	"dlirs": "DLIRS", "fifomerge": "FIFO-Merge", "fifo-merge": "FIFO-Merge", "fifo-reinsertion": "FIFO-Reinsertion",
	"gdsize": "GD-Size", "gdstar": "GD*", "hyperbolic": "Hyperbolic", "lecar": "LeCaR", "lruk": "LRU-K", "lru-k": "LRU-K",
	"qdlp": "QD-LP", "random": "Random", "s3fifo": "S3-FIFO", "s3-fifo": "S3-FIFO", "s4lru": "S4LRU", "secondhit": "2nd-hit",
	"second-hit": "2nd-hit", "tinylfu": "TinyLFU", "twoq": "2Q", "unbounded": "Unbounded", "wtinylfu": "W-TinyLFU", "w-tinylfu": "W-TinyLFU",
}

// PolicyTitle returns a policy's name as in print: "S3-FIFO (small=0.2)" for
// "s3fifo:small=0.2". That of a module is its file's.
func PolicyTitle(policy string) string {
	name, params, _ := strings.Cut(policy, ":")
	if strings.HasSuffix(name, ".wasm") {
		name = strings.TrimSuffix(path.Base(name), ".wasm")
	} else {
		parts := strings.Split(name, "+")
		for i, p := range parts {
			switch t, ok := policyTitles[p]; {
			case ok:
				parts[i] = t
			case len(p) <= 6 && strings.ToLower(p) == p:
				parts[i] = strings.ToUpper(p)
			}
		}
		if !strings.Contains(name, "++") { // that is of a language
			name = strings.Join(parts, " + ")
		}
	}
	if params != "" {
		name += " (" + strings.ReplaceAll(params, ",", ", ") + ")"
	}
	return name
}

// Labels names the policies of rs for a reader: as given, by the policy's whole
// name or its name without parameters; else by the result's title; else by
// PolicyTitle. Different policies have different labels.
func Labels(rs []results.Result, given map[string]string) map[string]string {
	labels := make(map[string]string)
	taken := make(map[string]string)
	for _, r := range rs {
		if _, ok := labels[r.Policy]; ok {
			continue
		}
		name, params, _ := strings.Cut(r.Policy, ":")
		withParams := func(s string) string {
			if params == "" {
				return s
			}
			return s + " (" + strings.ReplaceAll(params, ",", ", ") + ")"
		}
		candidates := []string{PolicyTitle(r.Policy), r.Policy}
		if r.Title != "" {
			candidates = append([]string{r.Title, withParams(r.Title)}, candidates...)
		}
		if s, ok := given[name]; ok {
			candidates = append([]string{s, withParams(s)}, candidates...)
		}
		if s, ok := given[r.Policy]; ok {
			candidates = append([]string{s}, candidates...)
		}
		i := slices.IndexFunc(candidates, func(s string) bool { return taken[s] == "" })
		if i < 0 {
			i = len(candidates) - 1
		}
		labels[r.Policy] = candidates[i]
		taken[candidates[i]] = r.Policy
	}
	return labels
}

// fileName writes s with letters, digits, - and _ alone. Older versions of LaTeX
// take what follows a dot for the extension.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_':
			return r
		case r == '.':
			return '-'
		}
		return '_'
	}, s)
}
