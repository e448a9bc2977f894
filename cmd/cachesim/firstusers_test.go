package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	wasm "cachesim/policies-wasm"
)

// These tests do what people do in their first minutes with cachesim, and look
// for what they came to read.

// mustSay runs cachesim, which must end with code, and looks for texts in what
// it prints.
func mustSay(t *testing.T, code int, texts []string, args ...string) (printed string) {
	t.Helper()
	stdout, stderr, got := cachesim(args...)
	if got != code {
		t.Errorf("cachesim %s: exit %d, want %d: %s", strings.Join(args, " "), got, code, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(stdout+stderr, text) {
			t.Errorf("cachesim %s: it does not say %q:\n%s%s", strings.Join(args, " "), text, stdout, stderr)
		}
	}
	return stdout
}

// isThere looks for files in a folder.
func isThere(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing or empty: %v", name, err)
		}
	}
}

// TestResearcher has a trace as published, a CSV with a header, and a paper due.
func TestResearcher(t *testing.T) {
	var b strings.Builder
	b.WriteString("# time, object, size, next_access_vtime\n")
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.2, 1, 400)
	for i := range 4000 {
		id := z.Uint64()
		fmt.Fprintf(&b, "%d, %d, %d, -1\n", i, id, 100+id%7*100)
	}
	trace := file(t, "twitter.sample.csv", []byte(b.String()))
	dir := filepath.Join(t.TempDir(), "results")

	out := mustSay(t, exitDone, []string{
		"twitter.sample.csv: 4,000 requests", "footprint (all objects together)",
		"Hit ratio (%), twitter.sample.csv", "Byte hit ratio (%)", "S3-FIFO", "W-TinyLFU", "Belady",
		"which no cache can serve", "Sizes as shares of the footprint: 1% is ", ", 10% is ",
	}, "run", trace, "--policy", "LRU,S3-FIFO,SIEVE,ARC,W-TinyLFU,Belady", "--size", "0.01,10%", "--timing-requests", "none",
		"--label", "lru=Least recent", "--out", dir)
	if !regexp.MustCompile(`(?m)^Least recent +\d+\.\d\d`).MatchString(out) {
		t.Errorf("the label is not in the table:\n%s", out)
	}
	if strings.Contains(out, "ns per request") {
		t.Errorf("running times are printed beside hit ratios without being asked for:\n%s", out)
	}
	isThere(t, dir, "results.csv", "results.json", "hit-ratio.pdf", "hit-ratio.png", "byte-hit-ratio.pdf")

	// One hit ratio for each policy and size, found again by the size asked for.
	seen := make(map[string]bool)
	for _, row := range readCSV(t, dir, "results.csv") {
		key := row["policy"] + " " + row["size"]
		if seen[key] || row["footprint_bytes"] == "" || row["trace_path"] != trace {
			t.Errorf("row %s is there twice, or without footprint or path: %v", key, row)
		}
		seen[key] = true
	}
	if !seen["s3fifo 10%"] || !seen["s3fifo 1%"] || len(seen) != 12 {
		t.Errorf("cells %v, want six policies at 1%% and 10%%", seen)
	}

	mustSay(t, exitDone, []string{"SIEVE", `\begin{tabular}`}, "table", dir, "--format", "latex")

	// One size: bars, also where nothing is hit.
	for _, size := range []string{"10%", "1"} {
		one := filepath.Join(t.TempDir(), "one")
		mustSay(t, exitDone, nil, "run", trace, "--policy", "lru,sieve", "--size", size, "--timing-requests", "none", "--out", one)
		isThere(t, one, "hit-ratio.pdf", "results.csv")
	}

	// What goes wrong at first.
	mustSay(t, exitUsage, []string{`did you mean "lirs"?`}, "run", trace, "--policy", "lirss")
	mustSay(t, exitUsage, []string{"10%"}, "run", trace, "--warmup", "0.1")
	none := filepath.Join(t.TempDir(), "none")
	mustSay(t, exitFailed, []string{"no such file"}, "run", "nowhere.csv", "--out", none)
	if _, err := os.Stat(none); err == nil {
		t.Error("a trace that cannot be read left a folder of results")
	}
	mustSay(t, exitDone, []string{"0."}, "--version")
}

// logOfSite is a log in the combined format, with what logs have: HEAD, 304
// without a size, errors, query strings, and a download that few caches hold.
func logOfSite(t *testing.T) string {
	var b strings.Builder
	r := rand.New(rand.NewPCG(3, 4))
	z := rand.NewZipf(r, 1.3, 1, 300)
	for i := range 3000 {
		id := z.Uint64()
		line := fmt.Sprintf(`"GET /page/%d HTTP/1.1" 200 %d`, id, 500+id%11*900)
		switch {
		case i%50 == 7:
			line = fmt.Sprintf(`"HEAD /page/%d HTTP/1.1" 200 -`, id)
		case i%50 == 9:
			line = fmt.Sprintf(`"GET /page/%d HTTP/1.1" 304 -`, id)
		case i%50 == 11:
			line = fmt.Sprintf(`"GET /gone/%d HTTP/1.1" 404 210`, i)
		case i%500 == 13:
			line = `"GET /download.iso HTTP/1.1" 200 200000`
		}
		fmt.Fprintf(&b, "10.0.0.%d - - [17/May/2015:%02d:%02d:%02d +0000] %s \"-\" \"browser\"\n", i%200, 10+i/3600, i/60%60, i%60, line)
	}
	return file(t, "access.log", []byte(b.String()))
}

// TestEngineerWithLogs wants to know what cache the log asks for.
func TestEngineerWithLogs(t *testing.T) {
	log := logOfSite(t)
	dir := filepath.Join(t.TempDir(), "results")
	mustSay(t, exitDone, []string{
		"format combined", "60 requests with method HEAD", "60 requests with status 404",
		"Hit ratio (%), access.log", "larger than the cache, which are misses and never stored",
		"a hit ratio may fall as the cache grows",
	}, "run", log, "--policy", "lru,gdsf", "--size", "5%,50%", "--timing-requests", "none", "--window", "10m", "--out", dir)
	isThere(t, dir, "series.csv")
	if figures, err := filepath.Glob(filepath.Join(dir, "over-time*.pdf")); len(figures) == 0 {
		t.Errorf("no figure over time: %v", err)
	}
	mustSay(t, exitDone, []string{"Limit: a cache that keeps everything serves", "Size: ", "is the smallest", "origin traffic: ", "saved", "cachesim run"}, "advise", log, "--out", t.TempDir())
	mustSay(t, exitDone, []string{"Objects requested once", "reuse distance"}, "trace", "info", log)

	// Another figure of the folder does not stay when it no longer follows from
	// the results, and two logs of one name can be told apart.
	again := filepath.Join(t.TempDir(), "two")
	other := filepath.Join(t.TempDir(), "access.log")
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, b[:len(b)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	mustSay(t, exitFailed, []string{"access.log:", "--skip-bad N or P% leaves malformed records out"}, "run", other, "--out", t.TempDir())
	out := mustSay(t, exitDone, nil, "run", log, other, "--skip-bad", "1", "--separate", "--policy", "lru", "--size", "10%", "--timing-requests", "none", "--out", again)
	if !strings.Contains(out, log) || !strings.Contains(out, other) {
		t.Errorf("two traces of one name are not told apart:\n%s", out)
	}
	paths := make(map[string]bool)
	for _, row := range readCSV(t, again, "results.csv") {
		paths[row["trace_path"]] = true
	}
	if !paths[log] || !paths[other] {
		t.Errorf("results are of %v, want %s and %s", paths, log, other)
	}

	// What is not a log is shown, with what would read it.
	mustSay(t, exitFailed, []string{`"user nginx;"`, "--log-format"}, "run", file(t, "some.txt", []byte("user nginx;\npid /run/nginx.pid;\n")), "--out", t.TempDir())
}

// TestAuthorOfPolicy brings modules, good ones and others.
func TestAuthorOfPolicy(t *testing.T) {
	trace := smallTrace(t, 3000)
	lru, _ := wasm.Builtin("lru")
	mine := file(t, "mine.wasm", lru.Bytes)
	dir := filepath.Join(t.TempDir(), "results")
	out := mustSay(t, exitDone, []string{"ns per request", "the checks that stop endless loops", "--guest-timeout 0"},
		"run", trace, "--policy", "lru,"+mine, "--label", "mine.wasm=My policy", "--size", "30%", "--engine", "native,wazero", "--repeat", "1", "--out", dir)
	if n := len(regexp.MustCompile(`(?m)^My policy `).FindAllString(out, -1)); n != 3 {
		t.Errorf("the label is in %d tables, want hit ratios, byte hit ratios and running times:\n%s", n, out)
	}
	outcomes := make(map[string]bool)
	for _, row := range readCSV(t, dir, "results.csv") {
		outcomes[row["outcome"]] = true
	}
	if len(outcomes) != 1 {
		t.Errorf("one policy, native and as a module, has the outcomes %v", outcomes)
	}
	out = mustSay(t, exitDone, nil, "run", trace, "--policy", mine, "--size", "30%", "--engine", "wazero", "--repeat", "1", "--guest-timeout", "0", "--out", filepath.Join(t.TempDir(), "unwatched"))
	if strings.Contains(out, "endless loops") {
		t.Errorf("a note on checks that are left out:\n%s", out)
	}
	mustSay(t, exitDone, []string{"ABIs", "pair", "batch", "SHA-256"}, "policies", mine)

	// A module that stores everything, whatever its capacity.
	greedy := module(t, "greedy.wasm", `(module (memory 1)
		(func (export "init") (param i64))
		(func (export "send") (param i32 i64) (result i32)
			(i32.load8_u (local.get 0))
			(i32.store8 (local.get 0) (i32.const 1))))`)
	mustSay(t, exitDone, []string{"no policy can have more than", "it keeps more than its capacity"},
		"run", trace, "--policy", greedy, "--size", "10%", "--timing-requests", "none", "--out", filepath.Join(t.TempDir(), "greedy"))

	// A trap names request, object and function, whoever calls.
	trap := module(t, "trap.wasm", `(module (global $n (mut i32) (i32.const 0))
		(func (export "init") (param i64))
		(func $choose (if (i32.eq (global.get $n) (i32.const 100)) (then unreachable)))
		(func (export "send") (param i32 i64) (result i32)
			(global.set $n (i32.add (global.get $n) (i32.const 1))) (call $choose) (i32.const 0)))`)
	for _, handle := range []string{"srs", "driver"} {
		mustSay(t, exitFailed, []string{"at its request 100, for object", "unreachable", "choose"},
			"run", trace, "--policy", trap, "--size", "100%", "--engine", "wazero", "--abi", "pair", "--handle", handle, "--out", filepath.Join(t.TempDir(), "trap"))
	}
}

// TestControlCharacters has them in the names of a trace, its objects, a module,
// its import and its function: they reach neither terminal nor files.
func TestControlCharacters(t *testing.T) {
	const evil = "\x1b[31m\a\u202e"
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, "%d obj%s%d %d\n", i, evil, i*i%37, 100+i%37)
	}
	trace := file(t, "t"+evil+".tr", []byte(b.String()))
	lru, _ := wasm.Builtin("lru")
	good := file(t, "m"+evil+".wasm", lru.Bytes)
	quoted := `\1b[31m\07`
	imports := module(t, "imports.wasm", `(module (import "env`+quoted+`" "f`+quoted+`" (func)) (func (export "init") (param i64))
		(func (export "send") (param i32 i64) (result i32) (i32.const 0)))`)
	exports := module(t, "exports.wasm", `(module (func (export "init") (param i64)) (func (export "param_`+quoted+`") (param f64))
		(func (export "send") (param i32 i64) (result i32) unreachable))`)
	dir := filepath.Join(t.TempDir(), "results")
	read := []string{"--trace-format", "time-id-size"}
	check := func(what, s string) {
		t.Helper()
		for _, c := range []string{"\x1b", "\a", "\u202e"} {
			if i := strings.Index(s, c); i >= 0 {
				t.Errorf("%s has a raw %q: ...%q", what, c, s[max(0, i-60):i+1])
			}
		}
	}
	for _, args := range [][]string{
		append([]string{"run", trace, "--policy", "lru," + good + "," + imports + "," + exports, "--size", "10%", "--engine", "native,wazero", "--repeat", "1",
			"--window", "100", "--report", "--format", "svg,pgf,tex,csv", "--out", dir}, read...),
		append([]string{"trace", "info", trace}, read...),
		append([]string{"trace", "head", trace}, read...),
		append([]string{"advise", trace, "--out", t.TempDir()}, read...),
		append([]string{"plan", trace}, read...),
		{"run", trace + "none"}, {"run", trace, "--policy", "x" + evil}, {"run" + evil}, {"run", trace, "--policy", exports + ":b=1"},
		{"policies", good, imports, exports}, {"table", dir}, {"table", dir, "--format", "latex"},
	} {
		stdout, stderr, _ := cachesim(args...)
		check("stdout of "+args[0], stdout)
		check("stderr of "+args[0], stderr)
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, filepath.Ext(path))
			b, _ := os.ReadFile(path)
			if ext := filepath.Ext(path); ext == ".json" || ext == ".jsonl" {
				b = bytes.ReplaceAll(b, []byte("\u202e"), nil) // JSON has names as they are, and escapes only what it must
			}
			check(filepath.Base(path), string(b))
		}
		return err
	})
	for _, ext := range []string{".svg", ".csv", ".json", ".html", ".tex", ".pgf"} {
		if !slices.Contains(files, ext) {
			t.Errorf("no %s file among %v: %v", ext, files, err)
		}
	}
}

// TestSizesThatVary replays a trace in which an object changes its size by each of the rules, which
// have the same outcome on an engine, and are named in the results.
func TestSizesThatVary(t *testing.T) {
	trace := file(t, "sizes.txt", []byte("a 10\nb 10\na 20\na 20\nb 10\nc 0\na 10\n"))
	for _, tt := range []struct{ rule, hits, admissions, evictions, says string }{
		{"first", "4", "3", "0", "requests give their object another size; its first one counts"},
		{"new", "2", "5", "2", "sizes.txt: 7 requests for 4 objects"},
		{"update", "4", "5", "0", "2 requests give their object another size; a hit stores it with the new one"},
		{"as-miss", "2", "5", "0", "2 requests give their object another size; they are misses that replace it"},
	} {
		outcomes := map[string]bool{}
		for _, engine := range []string{"native", "wazero"} {
			dir := filepath.Join(t.TempDir(), "results")
			mustSay(t, exitDone, []string{tt.says}, "run", trace, "--policy", "lru", "--size", "30", "--object-size", tt.rule,
				"--engine", engine, "--timing-requests", "none", "--out", dir)
			row := readCSV(t, dir, "results.csv")[0]
			if row["hits"] != tt.hits || row["admissions"] != tt.admissions || row["evictions"] != tt.evictions || row["object_size"] != tt.rule || row["zero_size"] != "keep" {
				t.Errorf("--object-size %s on %s: %v", tt.rule, engine, row)
			}
			outcomes[row["outcome"]] = true
		}
		if len(outcomes) != 1 {
			t.Errorf("--object-size %s: outcomes differ", tt.rule)
		}
	}
	mustSay(t, exitDone, []string{"1 requests of size 0 were left out", "6 requests for 2 objects"}, "run", trace, "--policy", "lru", "--size", "30",
		"--zero-size", "skip", "--timing-requests", "none", "--out", filepath.Join(t.TempDir(), "results"))
	mustSay(t, exitUsage, []string{"it goes without --object-size update"}, "run", trace, "--policy", "lru,pfoo-l", "--size", "30", "--object-size", "update")
	// What cannot be done is refused before anything is replayed.
	for _, args := range []string{"trace convert --sample 50% --to csv --output -", "run --policy lru --latency hit=1ms,miss=50s --delayed strict"} {
		f := strings.Fields(args)
		n := 1
		if f[0] == "trace" {
			n = 2
		}
		mustSay(t, exitUsage, []string{"it needs --object-size first, last, max or new"}, slices.Concat(f[:n], []string{file(t, "timed.txt", []byte("1 a 10\n2 a 20\n3 b 5\n")), "--object-size", "update"}, f[n:])...)
	}
}

// TestModuleTimes: a module without a native version is compared with the native lru, and
// marked as such.
func TestModuleTimes(t *testing.T) {
	module := filepath.Join(t.TempDir(), "mine.wasm")
	b, err := os.ReadFile("../../policies-wasm/guests/fifo.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(module, b, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		policies string
		marked   bool
	}{{"lru," + module, true}, {"lru", false}, {module, false}} {
		stdout, stderr, code := cachesim("run", smallTrace(t, 3000), "--policy", tt.policies, "--size", "10%", "--engine", "native,wazero", "--out", t.TempDir())
		if code != 0 {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		row := regexp.MustCompile(`(?m)^mine\.wasm +[\d.]+ \([\d.]+†\)$`).MatchString(stdout)
		note := strings.Contains(stdout, "† no time of a native version: times that of lru")
		if row != tt.marked || note != tt.marked {
			t.Errorf("%s: row %v, note %v, want %v:\n%s", tt.policies, row, note, tt.marked, stdout)
		}
	}
}
