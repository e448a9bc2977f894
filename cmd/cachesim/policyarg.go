package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	native "cachesim/policies-native"
	"cachesim/policies-native/bounds"
	wasm "cachesim/policies-wasm"
	"cachesim/sim"
	"cachesim/sim/plan"
)

// A policy is an element of --policy: one that cachesim provides, as a Go
// struct and perhaps as a guest, or a module in a file.
type policy struct {
	name     string             // canonical, with the parameters given
	params   map[string]float64 // complete for native ones, as given for files
	spec     *sim.Spec          // nil: there is no native version
	module   *wasm.Binary       // nil: there is no WASM version
	path     string             // of the module's file
	declared string             // ABI that the user says a file's module supports
	bound    *bounds.Bound      // it is computed, not replayed
}

// planned returns what a plan has to know of p.
func (p policy) planned() plan.Policy {
	if p.bound != nil {
		return plan.Policy{Name: p.name, Title: p.bound.Title, Native: true, PerRequest: p.bound.Memory}
	}
	q := plan.Policy{Name: p.name, Title: p.name, Native: p.spec != nil, Guest: p.module != nil}
	if p.spec != nil {
		q.Revision, q.Needs, q.Memory, q.Sizes, q.Cost = p.spec.Revision, p.spec.Needs, p.spec.Memory, p.spec.Sizes, p.spec.Cost
		q.Miniature = p.spec.Miniature
		if p.spec.Title != "" {
			q.Title = p.spec.Title + strings.TrimPrefix(p.name, p.spec.Name)
		}
	}
	if p.module == nil {
		return q
	}
	q.ModuleSHA = p.module.SHA256
	q.Needs |= p.module.Needs()
	q.Keys = p.module.WantsKeys()
	abis, err := p.module.ABIs(p.declared)
	if err != nil {
		abis = []string{wasm.Pair} // its cells will say what is wrong
	}
	q.ABIs = abis
	q.Refuses = func(engine string) string { return wasm.Refuses(p.module, engine) }
	return q
}

// joinParams undoes what splitting at commas did to the parameters of policies.
func joinParams(values []string) (texts []string) {
	for _, v := range values {
		// A piece like ghost=0.9 goes on with the parameters of the policy before.
		eq, colon := strings.Index(v, "="), strings.Index(v, ":")
		if eq > 0 && (colon < 0 || eq < colon) && len(texts) > 0 {
			texts[len(texts)-1] += "," + v
			continue
		}
		texts = append(texts, strings.TrimSpace(v))
	}
	return texts
}

// parsePolicies reads the values of --policy, which the flag package has split
// at commas: lru, s3fifo:small=0.2,ghost=0.9, dir/my.wasm:abi=bincode.
//
// A name that no policy has is that of a module in the folder dir: mine is dir/mine.wasm. dir may
// be empty or missing.
func parsePolicies(values []string, dir string) ([]policy, error) {
	texts := joinParams(values)
	if slices.ContainsFunc(texts, func(t string) bool { return strings.EqualFold(t, "all") }) {
		texts = slices.DeleteFunc(texts, func(t string) bool { return strings.EqualFold(t, "all") })
		var named []string
		for _, s := range native.All {
			if !slices.Contains(texts, s.Name) {
				named = append(named, s.Name)
			}
		}
		texts = append(named, texts...)
	}
	var all []policy
	for _, text := range texts {
		p, err := parsePolicy(inFolder(text, dir))
		if err != nil {
			return nil, err
		}
		for i := range all {
			switch q := &all[i]; {
			case p.path == "" || q.path == "" || p.title() != q.title():
			case p.module.SHA256 == q.module.SHA256:
				return nil, usagef("--policy names one module twice: %s", text)
			default: // two files of one base name
				q.name, p.name = sim.PolicyName(q.path, q.params), sim.PolicyName(p.path, p.params)
			}
		}
		if slices.ContainsFunc(all, func(q policy) bool { return q.name == p.name }) {
			return nil, usagef("--policy names %s twice", p.name)
		}
		all = append(all, p)
	}
	return all, nil
}

// title is the name of a module in a file where no other has it.
func (p policy) title() string { return sim.PolicyName(filepath.Base(p.path), p.params) }

// inFolder replaces the name of a module in a folder by its path.
func inFolder(text, dir string) string {
	name, list, isFile := cutPolicy(text)
	if isFile || dir == "" || name == "" || filepath.Base(name) != name {
		return text
	}
	if _, ok := native.ByName(strings.ToLower(name)); ok {
		return text
	}
	path := filepath.Join(dir, name+".wasm")
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return text
	}
	if list == "" {
		return path
	}
	return path + ":" + list
}

// policyFolder is where a user's modules are found by name: cachesim/policies in the folder of the
// user's configuration.
func policyFolder() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "cachesim", "policies")
}

// modulesIn returns the names of the modules in a folder.
func modulesIn(dir string) (names []string) {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.wasm"))
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(p), ".wasm"))
	}
	return names
}

func policyDirFlag() cli.Flag {
	return &cli.StringFlag{Category: aboutPolicies, Name: "policy-dir", Usage: "`FOLDER` of modules that --policy finds by name: mine is FOLDER/mine.wasm", Value: policyFolder()}
}

// cutPolicy separates a policy from its parameters. The name of a file ends with
// .wasm; colons before that are its own.
func cutPolicy(text string) (name, params string, isFile bool) {
	if i := strings.Index(text, ".wasm:"); i >= 0 {
		end := i + len(".wasm")
		return text[:end], text[end+1:], true
	}
	if strings.HasSuffix(text, ".wasm") {
		return text, "", true
	}
	name, params, _ = strings.Cut(text, ":")
	return name, params, strings.ContainsRune(name, os.PathSeparator)
}

func parsePolicy(text string) (policy, error) {
	name, list, isFile := cutPolicy(text)
	if isFile {
		return parseFile(name, list)
	}
	if _, err := os.Stat(name); err == nil {
		if _, ok := native.ByName(strings.ToLower(name)); !ok {
			return policy{}, usagef("unknown policy %q: a module's file name ends in .wasm", name)
		}
	}
	if b, ok := bounds.ByName(strings.ToLower(name)); ok {
		if list != "" {
			return policy{}, usagef("policy %s has no parameters", b.Name)
		}
		return policy{name: b.Name, bound: &b}, nil
	}
	if list != "" {
		list = ":" + list
	}
	spec, given, err := native.Parse(strings.ToLower(name) + list)
	if err != nil {
		return policy{}, usageError{err}
	}
	params, err := sim.CheckParams(spec.Name, spec.Params, given)
	if err != nil {
		return policy{}, usageError{err}
	}
	p := policy{name: sim.PolicyName(spec.Name, given), params: params, spec: &spec}
	if m, ok := wasm.Builtin(spec.Name); ok {
		p.module = m
	}
	return p, nil
}

// parseFile reads a module's file and the parameters given for it.
func parseFile(name, list string) (policy, error) {
	given := make(map[string]float64)
	var declared string
	for _, part := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ':' }) {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return policy{}, usagef("policy %s: %q is not a parameter: write name=value", name, part)
		}
		if key == "abi" {
			if !slices.Contains(wasm.ABIs, value) {
				return policy{}, usagef("policy %s: unknown ABI %q%s", name, value, sim.DidYouMean(value, wasm.ABIs))
			}
			declared = value
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return policy{}, usagef("policy %s: %s=%s is not a number", name, key, value)
		}
		given[key] = v
	}
	return filePolicy(name, given, declared)
}

// filePolicy reads a module's file. One that is not a module is for its cells
// to fail on, while the rest of the run goes on.
func filePolicy(path string, given map[string]float64, declared string) (policy, error) {
	m, err := wasm.ReadFile(path)
	if m == nil {
		return policy{}, usageError{err}
	}
	if err == nil && len(given) > 0 {
		declared, err := m.Declared()
		if err != nil {
			return policy{}, fmt.Errorf("%s: %w", path, err)
		}
		if len(declared) == 0 {
			for key := range given {
				return policy{}, usagef("%s has no parameter %q: it exports no param_NAME", path, key)
			}
		}
		if _, err := sim.CheckParams(path, declared, given); err != nil {
			return policy{}, usageError{err}
		}
	}
	p := policy{params: given, module: m, path: path, declared: declared}
	p.name = p.title()
	return p, nil
}
