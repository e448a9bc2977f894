package traces

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cachesim/sim"
)

// headSize is how much of a file Probe sees.
const headSize = 1 << 16

// An AmbiguousError says that several formats fit a file equally well.
type AmbiguousError struct {
	Formats []string
	Reasons []string // of each format
}

func (e *AmbiguousError) Error() string {
	var b strings.Builder
	b.WriteString("cannot tell its format: it may be ")
	for i, f := range e.Formats {
		if i > 0 {
			b.WriteString(" or ")
		}
		fmt.Fprintf(&b, "%s (%s)", f, e.Reasons[i])
	}
	b.WriteString("; say which with --trace-format")
	return b.String()
}

// FormatByName returns the format with the name. The error for another name has
// the nearest one.
func FormatByName(name string) (Format, error) {
	var known []string
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	return Format{}, fmt.Errorf("unknown trace format %q%s", name, sim.DidYouMean(name, known))
}

// detect finds the format of a file that starts with head, and the reason.
func detect(formats []Format, head []byte, whole bool) (Format, string, error) {
	if countFields(head) == 0 {
		if whole {
			if len(head) == 0 {
				return Format{}, "", fmt.Errorf("%w: it is empty", ErrNoRequests)
			}
			return Format{}, "", ErrNoRequests
		}
		return Format{}, "", fmt.Errorf("cannot tell its format: its first %d bytes are blank", len(head))
	}
	var best, weak []Format
	var reasons []string
	confidence := Possible
	binary := !isText(head)
	// A word alone, too, as of a compressed file that was cut after its first byte.
	word := !binary && whole && countFields(head) == 1 && bytes.IndexByte(head, '\n') < 0
	for _, f := range formats {
		c, why := f.Probe(head, whole)
		if (binary || word && !isDigits(head)) && c == Possible { // numbers that could be anything are no reason to believe it
			weak = append(weak, f)
			continue
		}
		if c > confidence {
			confidence, best, reasons = c, nil, nil
		}
		if c == confidence {
			best, reasons = append(best, f), append(reasons, why)
		}
	}
	switch len(best) {
	case 1:
		return best[0], reasons[0], nil
	case 0:
		if kind := foreign(head); kind != "" {
			return Format{}, "", fmt.Errorf("it looks like %s, not a trace (--trace-format reads it as one all the same)", kind)
		}
		if binary {
			what := "it starts with binary data that is of no known format"
			if len(weak) > 0 {
				what = "it is binary, without marks by which to know it, and could be " + formatNames(weak)
			}
			return Format{}, "", fmt.Errorf("cannot tell its format: %s (--trace-format says which it is; cachesim formats lists them)", what)
		}
		if word {
			return Format{}, "", fmt.Errorf("cannot tell its format: all that it holds is %s (--trace-format says which it is)", quote(head))
		}
		switch text := bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n"); {
		case jsonArray(text):
			return Format{}, "", errors.New("it looks like a JSON array, but a log has an object a line: jq -c '.[]' FILE prints that")
		case bytes.HasPrefix(text, []byte("{\n")) || bytes.HasPrefix(text, []byte("{\r\n")):
			return Format{}, "", errors.New("it looks like JSON over several lines, but a log has an object a line: jq -c . FILE prints that")
		}
		line, err := firstLine(head, whole)
		if err != nil {
			return Format{}, "", err
		}
		if why := prose(head, whole); why != "" {
			return Format{}, "", fmt.Errorf("it does not look like a trace: %s, as %s (if it is one, --columns says in which fields its ids and sizes are, or --log-format which layout it has)", why, quote(line))
		}
		return Format{}, "", fmt.Errorf("cannot tell its format: its first line is %s (%s)", quote(line), tableHint(line))
	}
	e := &AmbiguousError{Reasons: reasons}
	for _, f := range best {
		e.Formats = append(e.Formats, f.Name)
	}
	return Format{}, "", e
}

// tableHint says how to read a file whose first line is line, if it is a table.
func tableHint(line []byte) string {
	type delimiter struct{ name, flags string }
	best, most := delimiter{}, 0
	for _, d := range []struct {
		c byte
		delimiter
	}{
		{',', delimiter{"commas", ""}},
		{'\t', delimiter{"tabs", " --trace-format tsv"}},
		{';', delimiter{"semicolons", " --trace-param delimiter=semicolon"}},
		{'|', delimiter{"bars", " --trace-param delimiter=pipe"}},
		{':', delimiter{"colons", " --trace-param delimiter=:"}},
	} {
		if n := bytes.Count(line, []byte{d.c}); n > most {
			best, most = d.delimiter, n
		}
	}
	if n := countFields(line) - 1; n > most || most == 0 {
		best, most = delimiter{"blanks", " --trace-param delimiter=space"}, n
	}
	if most == 0 {
		return "if each line is an id, --trace-format id reads it; cachesim formats lists the others"
	}
	columns := "id=1,size=2"
	if most > 1 {
		columns += ",time=3"
	}
	return fmt.Sprintf("a table of %d fields between %s is read with --columns %s%s, by the numbers or names of its columns, an access log with --log-format and its layout; cachesim formats lists all formats",
		most+1, best.name, columns, best.flags)
}

// jsonArray reports whether text starts as a JSON array of objects.
func jsonArray(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte{'['})
	return ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{'{'})
}

// magics are the first bytes of files that are often beside traces, but for
// those that http.DetectContentType knows.
var magics = []struct{ magic, kind string }{
	{"\x7fELF", "an executable"}, {"MZ", "an executable"}, {"\xcf\xfa\xed\xfe", "an executable"}, {"\xca\xfe\xba\xbe", "an executable"},
	{"#!", "a script"}, {"!<arch>\n", "a library"}, {"SQLite format 3\x00", "a database"}, {"7z\xbc\xaf'\x1c", "a 7z archive, which cachesim does not read"},
	{"MDMP", "a crash dump"}, {"<svg", "an image (SVG)"},
	{"version https://git-lfs.github.com/", "a pointer of Git LFS (git lfs pull fetches the file itself)"},
	{"/annex/objects/", "a pointer of git-annex (git annex get fetches the file itself)"},
}

// foreign says what a file is whose first bytes show that it is no trace.
func foreign(head []byte) string {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
	if len(bytes.Trim(head, "\x00")) == 0 {
		return "a file of zeros"
	}
	for _, m := range magics {
		if bytes.HasPrefix(text, []byte(m.magic)) {
			return m.kind
		}
	}
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	class, name, _ := strings.Cut(kind, "/")
	switch class {
	case "image":
		return "an image (" + kind + ")"
	case "audio", "video", "font":
		return kind
	case "text":
		switch name {
		case "html":
			return "HTML (a web page that was saved in place of the file?)"
		case "xml":
			return "XML"
		}
	}
	switch kind {
	case "application/pdf", "application/postscript":
		return "a document (" + kind + ")"
	case "application/wasm":
		return "a WASM module (--policy takes it)"
	case "application/x-rar-compressed":
		return "a rar archive, which cachesim does not read"
	}
	return ""
}

// prose says why text looks like one to be read by people, or a configuration;
// empty: it does not. Lines of a trace have numbers, and most of them as many
// fields as others.
func prose(head []byte, whole bool) string {
	lines, plain, comments := 0, 0, 0
	counts := map[int]int{} // lines by their number of fields
	for len(head) > 0 && lines < probedLines {
		line, rest, found := bytes.Cut(head, []byte{'\n'})
		if !found && !whole {
			break
		}
		head = rest
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		lines++
		if !bytes.ContainsAny(line, "0123456789") {
			plain++
		}
		if line[0] == '#' || bytes.HasPrefix(line, []byte("//")) {
			comments++
		}
		counts[countFields(line)]++
	}
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	switch {
	case lines < 4:
		return ""
	case comments*2 > lines:
		return "most of its first lines are comments"
	case plain*2 > lines:
		return "most of its first lines have no number"
	case len(counts) > 3 && most*3 < lines:
		return "the number of fields differs from line to line"
	}
	return ""
}

func formatNames(formats []Format) string {
	var list []string
	for _, f := range formats {
		list = append(list, f.Name)
	}
	return strings.Join(list, ", ")
}

// ErrNoRequests says that there is nothing to replay.
var ErrNoRequests = errors.New("it holds no requests")

// args completes the given parameters of f with their defaults.
func (f Format) args(given map[string]string) (Args, error) {
	a := make(Args, len(f.Params))
	var known []string
	for _, p := range f.Params {
		a[p.Name] = p.Default
		known = append(known, p.Name)
	}
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, ok := a[name]; !ok {
			if len(known) == 0 {
				return nil, fmt.Errorf("format %s has no parameter %q: it takes none", f.Name, name)
			}
			return nil, fmt.Errorf("format %s has no parameter %q%s", f.Name, name, sim.DidYouMean(name, known))
		}
		a[name] = given[name]
	}
	return a, nil
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
