package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"
	"time"

	"github.com/google/renameio/v2/maybe"

	"cachesim/sim/plan"
)

// systems are those that job files can be written for.
var systems = []string{"slurm", "snakemake", "parallel", "kubernetes"}

// jobFiles is what the templates of job files are filled with.
type jobFiles struct {
	Program string // path of cachesim
	File    string // the sweep file
	Out     string // results folder
	Folder  string // of the job files
	Name    string
	Jobs    int // cells at a time, and processors, of a job
	Count   int // jobs
	Shards  []jobRequest
	Most    jobRequest // the most that a shard requests
	Options []string   // of sbatch, from the sweep file

	Kubernetes kubernetesOptions
}

// A jobRequest is what a job asks of its scheduler.
type jobRequest struct {
	Memory int64 // bytes
	Time   time.Duration
}

func (r jobRequest) MiB() int64     { return r.Memory >> 20 }
func (r jobRequest) Minutes() int64 { return int64(r.Time / time.Minute) }

// request rounds an estimate up. The memory takes few values, so that the jobs of
// a class can be one array; the time is five times the estimate, since policies and machines
// differ, and is limited by most queues rather than by us.
func request(memory, nanoseconds int64) jobRequest {
	need := processMemory + memory/4*5
	class := int64(256 << 20)
	for class < need {
		if class/2*3 >= need {
			class = class / 2 * 3
			break
		}
		class *= 2
	}
	t := (5*time.Duration(nanoseconds) + 10*time.Minute).Truncate(time.Minute)
	return jobRequest{class, t}
}

func (s *sweep) jobFiles(program string, all *shards) *jobFiles {
	f := &jobFiles{
		Program: program, File: s.file, Out: s.out, Folder: s.folder(), Jobs: all.Jobs, Count: len(all.Shards),
		Name:    "cachesim-" + strings.TrimSuffix(filepath.Base(s.file), ".toml"),
		Options: s.slurm.Options, Kubernetes: s.kubernetes,
	}
	if f.Kubernetes.Mount == "" {
		f.Kubernetes.Mount = s.dir
	}
	for _, b := range all.Shards {
		r := f.requestOf(b)
		f.Shards = append(f.Shards, r)
		f.Most.Memory, f.Most.Time = max(f.Most.Memory, r.Memory), max(f.Most.Time, r.Time)
	}
	return f
}

func (f *jobFiles) requestOf(b plan.Bin) jobRequest { return request(b.Memory, b.Time) }

//go:embed sweep_sbatch.tmpl
var sbatchTemplate string

//go:embed sweep_snakefile.tmpl
var snakefileTemplate string

//go:embed sweep_parallel.tmpl
var parallelTemplate string

//go:embed sweep_kubernetes.tmpl
var kubernetesTemplate string

// jobFile is a file that is written for a system.
type jobFile struct {
	name, template string
	executable     bool
}

var jobFilesOf = map[string][]jobFile{
	"slurm":      {{"sweep.sbatch", sbatchTemplate, true}},
	"snakemake":  {{"Snakefile", snakefileTemplate, false}},
	"parallel":   {{"parallel.sh", parallelTemplate, true}, {"parallel.jobs", "{{range $i, $s := .Shards}}{{$.Command (printf \"--shard=%d/%d\" (inc $i) $.Count)}}\n{{end}}", false}},
	"kubernetes": {{"job.yaml", kubernetesTemplate, false}},
}

// Path returns the path of a job file.
func (f *jobFiles) Path(name string) string { return filepath.Join(f.Folder, name) }

func (f *jobFiles) LastIndex() int     { return f.Count - 1 }
func (f *jobFiles) Slots() int         { return max(1, runtime.NumCPU()/f.Jobs) }
func (f *jobFiles) Seconds() int64     { return int64(f.Most.Time / time.Second) }
func (f *jobFiles) MemoryLimit() int64 { return f.Most.MiB() * 9 / 10 } // of Go's collector
func (f *jobFiles) MergeCommand() string {
	return shellQuote(f.Program) + " merge " + shellQuote(f.Out) + " --out " + shellQuote(f.Out)
}

// Command is the command line of a job, for a shell.
func (f *jobFiles) Command(args ...string) string {
	words := []string{f.Program, "sweep", "run", f.File, "--resume", "--jobs", fmt.Sprint(f.Jobs)}
	var quoted []string
	for _, w := range append(words, args...) {
		quoted = append(quoted, shellQuote(w))
	}
	return strings.Join(quoted, " ")
}

// DNSName is the name as Kubernetes has names: lower case, digits and hyphens.
func (f *jobFiles) DNSName() string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, f.Name)
	return strings.Trim(clean[:min(len(clean), 52)], "-")
}

// shellQuote quotes s for a POSIX shell, if need be.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,%+@") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// jsonQuote quotes s for YAML and for Python, both of which read JSON's strings.
func jsonQuote(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

// write writes the files for one system and says how to use them.
func (f *jobFiles) write(on string, stderr io.Writer) error {
	if err := os.MkdirAll(f.Path("log"), 0o777); err != nil {
		return err
	}
	functions := template.FuncMap{"sh": shellQuote, "json": jsonQuote, "inc": func(i int) int { return i + 1 }}
	for _, file := range jobFilesOf[on] {
		t, err := template.New(file.name).Funcs(functions).Parse(file.template)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, f); err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if file.executable {
			mode = 0o755
		}
		if err := maybe.WriteFile(f.Path(file.name), b.Bytes(), mode); err != nil {
			return fmt.Errorf("write job files: %w", err)
		}
	}
	how := map[string]string{
		"slurm":      "sbatch " + shellQuote(f.Path("sweep.sbatch")),
		"snakemake":  "snakemake --snakefile " + shellQuote(f.Path("Snakefile")) + " --cores all",
		"parallel":   shellQuote(f.Path("parallel.sh")),
		"kubernetes": "kubectl apply -f " + shellQuote(f.Path("job.yaml")),
	}
	fmt.Fprintf(stderr, "cachesim: %d jobs of up to %d MiB and %v each; start them with: %s\n", f.Count, f.Most.MiB(), f.Most.Time, how[on])
	if on != "snakemake" {
		fmt.Fprintf(stderr, "cachesim: then cachesim merge %s --out %s makes the tables and figures\n", shellQuote(f.Out), shellQuote(f.Out))
	}
	return nil
}
