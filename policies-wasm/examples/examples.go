// Package examples holds modules to copy, FIFO, LRU and SIEVE in each of several
// languages, and writes new projects from them.
package examples

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	wasm "cachesim/policies-wasm"
	"cachesim/sim"
)

//go:embed README.md.tmpl assemblyscript/*.ts assemblyscript/build.sh c/*.c c/*.h c/build.sh cpp/*.cpp cpp/build.sh
//go:embed go/*.go go/build.sh rust/*.rs rust/Cargo.toml rust/build.sh zig/*.zig zig/build.sh
//go:embed */policies/* */priority/* rust/bindgen/*
var files embed.FS

// A Language is one that policies can be written in.
type Language struct {
	Name   string // of its folder, and as in --lang
	Title  string // as in print
	Policy string // file with the policy
	Kit    string // file with what it is built from
	Needs  string // what builds it, in words

	// flag, if any, has build.sh build the interface of policy.wit; it is put behind
	// what its command has before.
	flag, before string
	wit          bool
	priority     bool // see Priority
	bindgen      bool // see Bindgen

	also  []string          // files of other examples
	extra map[string]string // files that the example does not need in its place
	tools func() error
}

// Languages lists them.
var Languages = []Language{
	{Name: "rust", Title: "Rust", flag: "--cfg wit ", before: "--crate-name ", Policy: "policy.rs", Kit: "kit.rs",
		Needs: "Rust 1.63 or later with its WASM target (rustup target add wasm32-unknown-unknown; on Debian rustc and libstd-rust-dev-wasm32)",
		tools: func() error {
			rustc := command("RUSTC", "rustc")
			out, err := exec.Command(rustc, "--print", "target-libdir", "--target", "wasm32-unknown-unknown").Output()
			if err != nil {
				return fmt.Errorf("%s: %w", rustc, err)
			}
			if _, err := os.Stat(strings.TrimSpace(string(out))); err != nil {
				return fmt.Errorf("%s does not have the target wasm32-unknown-unknown", rustc)
			}
			return nil
		}},
	{Name: "c", Title: "C", flag: "-DWIT ", before: "--target=wasm32 ", Policy: "policy.c", Kit: "kit.h", Needs: "clang and lld (Debian's packages of those names)",
		tools: func() error { return found(command("CC", "clang"), "wasm-ld") }},
	{Name: "cpp", Title: "C++", flag: "-DWIT ", before: "--target=wasm32 ", Policy: "policy.cpp", Kit: "kit.h", Needs: "clang and lld (Debian's packages of those names)",
		also:  []string{"c/kit.h"},
		tools: func() error { return found(command("CXX", "clang++"), "wasm-ld") }},
	{Name: "assemblyscript", Title: "AssemblyScript", Policy: "policy.ts", Kit: "kit.ts", Needs: "asc, of the npm package assemblyscript (npm install assemblyscript)",
		tools: func() error { return found("asc") }},
	{Name: "zig", Title: "Zig", Policy: "policy.zig", Kit: "kit.zig", Needs: "zig, as a command or as the Python package ziglang (pip install ziglang)",
		tools: func() error {
			if found("zig") == nil {
				return nil
			}
			python := command("PYTHON", "python3")
			if err := exec.Command(python, "-m", "ziglang", "version").Run(); err != nil {
				return fmt.Errorf("neither zig nor its Python package is installed: %s -m ziglang: %w", python, err)
			}
			return nil
		}},
	{Name: "go", Title: "Go", Policy: "policy.go", Kit: "kit.go", Needs: "Go 1.24 or later",
		extra: map[string]string{"go.mod": "module fifo\n\ngo 1.24\n"},
		tools: func() error { return found("go") }},
}

// WIT returns the language with projects that export the interface of policy.wit,
// instead of the functions of docs/ABI.md that serve requests.
func (l Language) WIT() (Language, error) {
	if l.flag == "" {
		return l, fmt.Errorf("no example of the interface of policy.wit in %s", l.Title)
	}
	l.wit = true
	return l, nil
}

// Priority returns the language with projects whose policy is one function, which
// says what an object is worth: those that programs write.
func (l Language) Priority() (Language, error) {
	if _, err := fs.Stat(files, path.Join(l.Name, "priority")); err != nil {
		return l, fmt.Errorf("no scaffold of one function in %s", l.Title)
	}
	l.priority = true
	return l, nil
}

// Bindgen returns the language with projects on the crate wit-bindgen, which makes
// the interface of policy.wit: Cargo builds them.
func (l Language) Bindgen() (Language, error) {
	if l.Name != "rust" {
		return l, fmt.Errorf("no example with wit-bindgen in %s", l.Title)
	}
	l.bindgen = true
	l.Needs = "Rust 1.85 or later with its WASM target (rustup target add wasm32-unknown-unknown)"
	l.tools = func() error { return currentRust(os.Environ()) }
	return l, nil
}

// currentRust returns why there is no Rust in an environment that builds current
// crates for WebAssembly.
func currentRust(env []string) error {
	c := exec.Command("sh", "-c", `rustc=${RUSTC:-rustc}
		cargo --version >/dev/null && $rustc --edition 2024 - --print file-names </dev/null >/dev/null || exit
		[ -d "$($rustc --print target-libdir --target wasm32-unknown-unknown)" ] || { echo it does not have the target; exit 1; }`)
	c.Env = env
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("no cargo with a rustc from 1.85 that has the target wasm32-unknown-unknown: %.300s", strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}

// Named finds a language.
func Named(name string) (Language, error) {
	var known []string
	for _, l := range Languages {
		if l.Name == strings.ToLower(name) {
			return l, nil
		}
		known = append(known, l.Name)
	}
	return Language{}, fmt.Errorf("unknown language %q%s", name, sim.DidYouMean(name, known))
}

// Missing returns why build.sh cannot build here, nil where it can.
func (l Language) Missing() error { return l.tools() }

// command returns what an environment variable names, or else name.
func command(variable, name string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	return name
}

func found(tools ...string) error {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return err
		}
	}
	return nil
}

// names of policies have to be names in all languages.
var names = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// word is what is replaced by a policy's name.
var word = regexp.MustCompile(`\bfifo\b`)

// Policies are those that a project can start from.
var Policies = []string{"fifo", "lru", "sieve"}

// New writes a project for a policy of that name, which starts as one of Policies,
// into the folder dir, which must not exist or be empty, and returns the names of
// its files.
func (l Language) New(dir, name, start string) (written []string, err error) {
	if !names.MatchString(name) {
		return nil, fmt.Errorf("%q cannot name a policy: use lower-case letters, digits and _, a letter first", name)
	}
	content := make(map[string]string)
	entries, err := fs.ReadDir(files, l.Name)
	if err != nil {
		return nil, err
	}
	sources := append([]string{}, l.also...)
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		sources = append(sources, path.Join(l.Name, e.Name()))
	}
	// Of two files of a name the later one is written.
	for folder, wanted := range map[string]bool{"priority": l.priority, "bindgen": l.bindgen} {
		if !wanted {
			continue
		}
		more, err := fs.Glob(files, path.Join(l.Name, folder, "*"))
		if err != nil {
			return nil, err
		}
		sources = append(sources, more...)
	}
	for _, source := range sources {
		b, err := files.ReadFile(source)
		if err != nil {
			return nil, err
		}
		content[path.Base(source)] = word.ReplaceAllString(string(b), name)
	}
	if !slices.Contains(Policies, start) {
		return nil, fmt.Errorf("no example of the policy %q%s", start, sim.DidYouMean(start, Policies))
	}
	if start != Policies[0] && !l.priority {
		b, err := files.ReadFile(path.Join(l.Name, "policies", start+path.Ext(l.Policy)))
		if err != nil {
			return nil, err
		}
		content[l.Policy] = string(b)
	}
	for file, text := range l.extra {
		content[file] = word.ReplaceAllString(text, name)
	}
	if l.bindgen {
		content[l.Policy] = strings.Replace(content[l.Policy], "mod kit;", "mod bindings;\nmod kit;", 1)
		content["policy.wit"] = wasm.WITFile
	}
	if l.wit {
		content["build.sh"] = strings.Replace(content["build.sh"], l.before, l.flag+l.before, 1)
		content["policy.wit"] = wasm.WITFile
	}
	content["test.sh"] = fmt.Sprintf("#!/bin/sh\n# Builds %s.wasm and checks that it behaves as a cache.\nset -eu\ncd \"$(dirname \"$0\")\"\nsh build.sh\n${CACHESIM:-cachesim} policy check %s.wasm\n", name, name)
	content[".gitignore"] = "*.wasm\n*.wasm.o\nnode_modules/\ntarget/\n"
	readme, err := template.ParseFS(files, "README.md.tmpl")
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	about := struct {
		Language
		Name, Start, Scaffold, Component string
	}{l, name, strings.ToUpper(start), "", ""}
	switch {
	case l.bindgen:
		about.Component = fmt.Sprintf("wasm-tools component new %s.wasm -o %[1]s-component.wasm", name)
	case l.wit:
		about.Component = fmt.Sprintf("wasm-tools component embed policy.wit %s.wasm -o %[1]s-typed.wasm\n    wasm-tools component new %[1]s-typed.wasm -o %[1]s-component.wasm", name)
	}
	if l.priority {
		about.Start, about.Scaffold = "LRU", "priority"+path.Ext(l.Kit)
	}
	if err := readme.Execute(&b, about); err != nil {
		return nil, err
	}
	content["README.md"] = b.String()

	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		if err == nil {
			err = fmt.Errorf("folder %s is not empty", dir)
		}
		return nil, err
	}
	for file, text := range content {
		mode := os.FileMode(0o666)
		if strings.HasSuffix(file, ".sh") {
			mode = 0o777
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), mode); err != nil {
			return nil, err
		}
		written = append(written, file)
	}
	return written, nil
}
