package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cachesim/plots"
)

// papers are the documents that figures are put into: the preambles of papers in
// two columns, in LaTeX's own fonts and in Times as IEEE has it.
var papers = []struct {
	name, preamble, style string
	all                   bool // exhibits, not just the first of each kind
}{
	{"acm", `\documentclass[10pt,twocolumn]{article}
\usepackage[letterpaper,textwidth=7in,textheight=9.25in,columnsep=0.33in]{geometry}
`, "acm", true},
	{"ieee", `\documentclass[10pt,twocolumn]{article}
\usepackage[letterpaper,textwidth=7.16in,textheight=9.25in,columnsep=0.16in]{geometry}
\usepackage[T1]{fontenc}
\usepackage{mathptmx}
`, "ieee", false},
}

const packages = `\usepackage[utf8]{inputenc}
\usepackage{booktabs}
\usepackage{graphicx}
\usepackage{pgfplots}
\pgfplotsset{compat=1.18}
\usepgfplotslibrary{groupplots,statistics}
\usetikzlibrary{patterns}
`

// complaint is a line of TeX's log that a paper must not have: of errors, fonts
// that were replaced, letters that are missing, boxes that are too wide or too
// full, floats that are larger than the page.
var complaint = regexp.MustCompile(`(?m)^(!.*|.*Warning:.*|(Over|Under)full.*|Missing character.*|.*undefined.*)$`)

// TestLaTeX includes every figure of the gallery in papers, as PDF, as pgf
// drawing and as pgfplots axes, and every kind of table, and compiles them:
// LaTeX has nothing to complain of. CACHESIM_LATEX=required fails without LaTeX;
// CACHESIM_PAPERS is a folder that keeps the papers.
func TestLaTeX(t *testing.T) {
	if _, err := exec.LookPath("pdflatex"); err != nil {
		if os.Getenv("CACHESIM_LATEX") == "required" {
			t.Fatal("there is no pdflatex: apt-get install texlive-latex-recommended texlive-pictures texlive-fonts-recommended")
		}
		t.Skip("there is no pdflatex to compile papers with: apt-get install texlive-latex-recommended texlive-pictures texlive-fonts-recommended")
	}
	if testing.Short() {
		t.Skip("compiling takes half a minute")
	}
	for _, paper := range papers {
		t.Run(paper.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if keep := os.Getenv("CACHESIM_PAPERS"); keep != "" {
				dir = filepath.Join(keep, paper.name)
				if err := os.MkdirAll(dir, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			style, err := plots.StyleNamed(paper.style)
			if err != nil {
				t.Fatal(err)
			}
			log := compile(t, dir, paper.preamble+packages, content(t, dir, style, paper.all))
			for _, line := range complaint.FindAllString(log, 20) {
				t.Errorf("LaTeX: %s", line)
			}
		})
	}
}

// content writes the figures and tables into a folder and returns what includes
// them.
func content(t *testing.T, dir string, style plots.Style, all bool) string {
	t.Helper()
	var b strings.Builder
	for _, e := range exhibits() {
		if !all && e.file() != e.kind {
			continue
		}
		e.opts.Style = style
		f, err := e.figure()
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"pdf", "pgf", "tex"} {
			var file bytes.Buffer
			if err := f.Draw(&file, format); err != nil {
				t.Fatal(err)
			}
			name := e.file() + "." + format
			if err := os.WriteFile(filepath.Join(dir, name), file.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			env := "figure"
			if f.Width > style.OneColumn {
				env = "figure*"
			}
			include := `\input{` + name + `}`
			if format == "pdf" {
				include = `\includegraphics{` + name + `}`
			}
			fmt.Fprintf(&b, "\\typeout{figure %s}\n\\begin{%s}\n\\centering\n%s\n\\caption{%s}\n\\end{%[2]s}\n\\clearpage\n", name, env, include, strings.ReplaceAll(e.file(), "_", "-")+" as "+format)
		}
	}
	for _, shown := range tables() {
		made, err := plots.Tables(shown.rows, shown.opts, shown.kind)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := made[0].Render(&file, "latex"); err != nil {
			t.Fatal(err)
		}
		name := "table-" + shown.file() + ".tex"
		if err := os.WriteFile(filepath.Join(dir, name), file.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\\typeout{table %s}\n\\input{%s}\n\\clearpage\n", name, name)
	}
	return b.String()
}

// compile returns the log of LaTeX.
func compile(t *testing.T, dir, preamble, content string) string {
	t.Helper()
	doc := preamble + "\\begin{document}\n" + content + "\\end{document}\n"
	if err := os.WriteFile(filepath.Join(dir, "paper.tex"), []byte(doc), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"-interaction=nonstopmode", "-halt-on-error", "paper.tex"}
	if os.Getenv("CACHESIM_PAPERS") == "" {
		args = append([]string{"-draftmode"}, args...) // no file, but the same log
	}
	cmd := exec.Command("pdflatex", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "max_print_line=1000", "SOURCE_DATE_EPOCH=946684800")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("pdflatex: %v\n%s", err, out[max(0, len(out)-1500):])
	}
	log, err := os.ReadFile(filepath.Join(dir, "paper.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(log)
}
