package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"cachesim/sim"
	"cachesim/traces"
)

// A sweep is what a sweep file says: the flags of run for each of many traces.
type sweep struct {
	file   string // absolute path
	dir    string // of the file; relative paths in it start there
	traces []string
	out    string   // absolute path of the results
	args   []string // flags of run, without --out
	slurm  struct {
		Options []string `toml:"options"` // of sbatch
	}
	kubernetes kubernetesOptions
	given      map[string]bool // flags in the file
}

type kubernetesOptions struct {
	Image string `toml:"image"` // of the container, with cachesim in its path
	Claim string `toml:"claim"` // PersistentVolumeClaim that holds traces and results
	Mount string `toml:"mount"` // where it is mounted; default: the folder of the sweep file
}

// notInSweeps are flags of run that a sweep file does not have, and why.
var notInSweeps = map[string]string{
	"separate":     "every trace of a sweep is replayed by itself",
	"shard":        "it is a flag of cachesim sweep run",
	"resume":       "a sweep always resumes",
	"retry-failed": "it is a flag of cachesim sweep run",
	"any-version":  "it is a flag of cachesim sweep run",
	"quiet":        "it is a flag of cachesim sweep run",
	"json":         "the results are in journals",
	"verbose":      "it is for the tables of cachesim run",
}

// sweepKeys are the flags of run that a sweep file may have.
func sweepKeys() (flags []cli.Flag) {
	for _, f := range everyRunFlag() {
		if _, ok := notInSweeps[f.Names()[0]]; !ok {
			flags = append(flags, f)
		}
	}
	return flags
}

// readSweep reads a sweep file.
func readSweep(path string) (*sweep, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{err}
	}
	return parseSweep(path, b)
}

func parseSweep(path string, b []byte) (*sweep, error) {
	var table map[string]any
	if err := toml.Unmarshal(b, &table); err != nil {
		return nil, usagef("%s: %w", path, err)
	}
	var sections struct {
		Slurm struct {
			Options []string `toml:"options"`
		} `toml:"slurm"`
		Kubernetes kubernetesOptions `toml:"kubernetes"`
	}
	meta, err := toml.Decode(string(b), &sections)
	if err != nil {
		return nil, usagef("%s: %w", path, err)
	}
	for _, key := range meta.Undecoded() {
		if len(key) == 2 && (key[0] == "slurm" || key[0] == "kubernetes") {
			return nil, usagef("%s: unknown key %s", path, key)
		}
	}
	s := &sweep{given: make(map[string]bool), kubernetes: sections.Kubernetes}
	s.slurm.Options = sections.Slurm.Options
	if s.file, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	s.dir = filepath.Dir(s.file)
	known := []string{"traces", "slurm", "kubernetes"}
	base := strings.TrimSuffix(filepath.Base(path), ".toml")
	if base == filepath.Base(path) {
		base += "-results"
	}
	s.out = filepath.Join(s.dir, base)
	for _, f := range sweepKeys() {
		name := f.Names()[0]
		known = append(known, name)
		value, ok := table[name]
		if !ok {
			continue
		}
		s.given[name] = true
		_, many := f.(*cli.StringSliceFlag)
		if _, whole := f.(*cli.GenericFlag); whole {
			many = true
		}
		values, err := valueTexts(value, many)
		if err != nil {
			return nil, usagef("%s: %s: %w", path, name, err)
		}
		for _, v := range values {
			switch {
			case name == "out":
				s.out = s.abs(v)
				continue
			case isPath(name, v):
				v = s.abs(v)
			case name == "log-format":
				v = withConfiguration(v, s.abs)
			case name == "policy":
				v = withModules(v, s.abs)
			}
			s.args = append(s.args, "--"+name+"="+v)
		}
	}
	for key, value := range table {
		if why, ok := notInSweeps[key]; ok {
			return nil, usagef("%s: %s: %s", path, key, why)
		}
		if !slices.Contains(known, key) {
			return nil, usagef("%s: unknown key %q%s; the keys are traces and the flags of run", path, key, sim.DidYouMean(key, known))
		}
		if key == "traces" {
			if s.traces, err = valueTexts(value, true); err != nil {
				return nil, usagef("%s: traces: %w", path, err)
			}
		}
	}
	if len(s.traces) == 0 {
		return nil, usagef(`%s: it names no traces: traces = ["folder/*.zst"]`, path)
	}
	return s, nil
}

// valueTexts returns a value of a sweep file as the flag's text, one for each of a
// list.
func valueTexts(value any, many bool) ([]string, error) {
	switch v := value.(type) {
	case string:
		return []string{v}, nil
	case bool:
		return []string{strconv.FormatBool(v)}, nil
	case int64:
		return []string{strconv.FormatInt(v, 10)}, nil
	case float64:
		return []string{strconv.FormatFloat(v, 'g', -1, 64)}, nil
	case []any:
		if !many {
			return nil, errors.New("expects one value, not a list")
		}
		var all []string
		for _, e := range v {
			t, err := valueTexts(e, false)
			if err != nil {
				return nil, err
			}
			all = append(all, t...)
		}
		return all, nil
	}
	return nil, fmt.Errorf("expects text, a number, true or false, not %T", value)
}

// isPath reports whether the value of a flag is the path of a file or folder to read.
func isPath(flag, value string) bool {
	return value != "" && (flag == "ids" || flag == "policy-dir" || flag == "trace-cache" && value != "off")
}

// withConfiguration returns a value of --log-format with f of the file where it names a
// server's configuration, @FILE:NAME.
func withConfiguration(value string, f func(path string) string) string {
	file, ok := strings.CutPrefix(value, "@")
	if !ok {
		return value
	}
	name := ""
	if i := strings.LastIndexByte(file, ':'); i >= 0 {
		file, name = file[:i], file[i:]
	}
	return "@" + f(file) + name
}

// withModules returns a value of --policy, of one or more policies, with f of each file.
func withModules(value string, f func(path string) string) string {
	list := joinParams(strings.Split(value, ","))
	for i, p := range list {
		if file, params, ok := cutPolicy(p); ok {
			list[i] = f(file)
			if params != "" {
				list[i] += ":" + params
			}
		}
	}
	return strings.Join(list, ",")
}

func (s *sweep) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.dir, path)
}

// files returns the traces, each once, in order.
func (s *sweep) files() ([]string, error) {
	var all []string
	for _, pattern := range s.traces {
		// A name with characters of a pattern in it is taken as it stands, and so is one that starts
		// with what would be a format.
		format, name := "", s.abs(pattern)
		if _, err := os.Stat(name); err != nil {
			format, name = cutFormat(absTrace(s.dir, pattern))
		}
		found := []string{name}
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && !traces.InArchive(name) {
			if found, err = filepath.Glob(name); err != nil {
				return nil, usagef("%s: traces: %s: %w", s.file, pattern, err)
			}
		}
		if len(found) == 0 {
			return nil, usagef("%s: traces: no file matches %s", s.file, name)
		}
		for _, f := range found {
			all = append(all, format+f)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// key identifies what the file says of cells, with the modules, ids and layouts of logs
// in the files that it names, so that what was derived from them is known to be stale.
func (s *sweep) key() (string, error) {
	contents, err := s.contents()
	if err != nil {
		return "", err
	}
	b, err := json.Marshal([]any{buildVersion(), s.args, contents})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}

// contents returns what identifies the contents of the files that the flags name.
func (s *sweep) contents() (all []string, err error) {
	dir := policyFolder()
	var policies, files []string
	for _, arg := range s.args {
		name, value, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		switch name {
		case "policy":
			policies = append(policies, joinParams(strings.Split(value, ","))...)
		case "policy-dir":
			dir = value
		case "ids":
			files = append(files, value)
		case "log-format":
			resolved, err := traces.ResolveParams(map[string]string{name: value})
			if err != nil {
				return nil, err
			}
			all = append(all, fmt.Sprint(resolved))
		}
	}
	for _, p := range policies {
		if file, _, ok := cutPolicy(inFolder(p, dir)); ok {
			files = append(files, file)
		}
	}
	for _, f := range files {
		sum, err := fileSHA256(f)
		if err != nil {
			return nil, err
		}
		all = append(all, sum)
	}
	return all, nil
}

// fileSHA256 returns the SHA-256 of a file in hex.
func fileSHA256(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// options reads the flags of the sweep as run does, for the given traces.
func (s *sweep) options(files []string, stdout, stderr io.Writer) (*runOptions, error) {
	var o *runOptions
	app := &cli.App{
		Writer: stdout, ErrWriter: stderr, ExitErrHandler: func(*cli.Context, error) {}, HideHelp: true,
		Commands: []*cli.Command{{
			Name: "run", Flags: everyRunFlag(), HideHelp: true,
			OnUsageError: func(_ *cli.Context, err error, _ bool) error { return usageError{err} },
			Action: func(c *cli.Context) (err error) {
				o, err = newRunOptions(c, stdout, stderr)
				return err
			},
		}},
	}
	args := append([]string{"cachesim", "run"}, s.args...)
	args = append(args, "--resume", "--separate", "--out="+s.out, "--")
	if err := app.Run(append(args, files...)); err != nil {
		var usage usageError
		if errors.As(err, &usage) {
			return nil, usagef("%s: %w", s.file, err)
		}
		return nil, err
	}
	return o, nil
}

// saveSweep writes a sweep file that says what the command line does.
func saveSweep(c *cli.Context, stderr io.Writer) error {
	if c.NArg() == 0 {
		return usagef("plan --save expects traces, or patterns of their names: cachesim plan 'traces/*.zst' --save sweep.toml")
	}
	path := c.String("save")
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return err
	}
	rel := func(p string) string {
		abs, err := filepath.Abs(p)
		if err != nil {
			return p
		}
		if r, err := filepath.Rel(dir, abs); err == nil && filepath.IsLocal(r) {
			return r
		}
		return abs
	}
	var names []string
	for _, a := range c.Args().Slice() {
		format, file := cutFormat(a)
		names = append(names, format+rel(file))
	}
	var b bytes.Buffer
	b.WriteString("# A sweep for cachesim: `cachesim sweep run` runs it, `cachesim sweep --on slurm` has a cluster do so.\n" +
		"# The keys are the flags of `cachesim run`; each trace is replayed by itself.\n\n")
	write := func(name string, value any) error {
		return toml.NewEncoder(&b).Encode(map[string]any{name: value})
	}
	if err := write("traces", names); err != nil {
		return err
	}
	for _, f := range everyRunFlag() {
		name := f.Names()[0]
		if !c.IsSet(name) {
			continue
		}
		if _, ok := notInSweeps[name]; ok {
			if name == "separate" || name == "resume" {
				continue // as every sweep does
			}
			return usagef("--save: --%s is not part of a sweep file: %s", name, notInSweeps[name])
		}
		var value any
		switch f.(type) {
		case *cli.StringSliceFlag:
			list := c.StringSlice(name)
			if name == "policy" {
				list = joinParams(list)
				for i, p := range list {
					list[i] = withModules(p, rel)
				}
			}
			value = list
		case *cli.GenericFlag:
			value = textsOf(c, name)
		case *cli.IntFlag, *cli.Int64Flag, *cli.Uint64Flag, *cli.BoolFlag:
			value = c.Value(name)
		case *cli.DurationFlag:
			value = c.Duration(name).String()
		default:
			switch v := c.String(name); {
			case name == "out" || isPath(name, v):
				value = rel(v)
			case name == "log-format":
				value = withConfiguration(v, rel)
			default:
				value = v
			}
		}
		if err := write(name, value); err != nil {
			return err
		}
	}
	// What is written must be what is read.
	s, err := parseSweep(path, b.Bytes())
	if err != nil {
		return err
	}
	if _, err := s.options([]string{"trace"}, io.Discard, stderr); err != nil {
		return err
	}
	if err := maybe.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	fmt.Fprintf(stderr, "cachesim: wrote %s; cachesim sweep run %s runs it\n", path, path)
	return nil
}
