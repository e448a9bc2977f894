package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"cachesim/traces"
)

var updateDocs = flag.Bool("update", false, "renew the generated parts of docs")

// TestFormatTable compares the table of docs/FORMATS.md with the formats.
func TestFormatTable(t *testing.T) {
	var b strings.Builder
	pages := map[string]string{traces.Corpora: "formats/corpora.md", traces.AccessLogs: "formats/weblogs.md", traces.LLM: "formats/corpora.md"}
	for _, group := range traces.Groups {
		title := strings.ToUpper(group[:1]) + group[1:]
		if page := pages[group]; page != "" {
			title = fmt.Sprintf("[%s](%s)", title, page)
		}
		fmt.Fprintf(&b, "\n| %s | a request | parameters |\n| --- | --- | --- |\n", title)
		for _, f := range traces.Formats {
			if f.Group != group {
				continue
			}
			var params []string
			for _, p := range f.Params {
				name := p.Name
				if slices.ContainsFunc(paramFlags, func(f paramFlag) bool { return f.name == name }) {
					name = "**" + name + "**"
				}
				params = append(params, name)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, strings.ReplaceAll(f.Doc, "|", "\\|"), strings.Join(params, ", "))
		}
	}
	b.WriteString("\n")
	const name, begin, end = "../../docs/FORMATS.md", "-update -->\n", "<!-- end of the table -->"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("docs/FORMATS.md has no marks around its table")
	}
	if table == b.String() {
		return
	}
	if !*updateDocs {
		t.Fatal("the table is out of date: run this test with -update")
	}
	if err := os.WriteFile(name, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
