package traces

import (
	"bytes"
	"errors"
	"fmt"
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
		line, err := firstLine(head, whole)
		if err != nil {
			return Format{}, "", err
		}
		hint := "--trace-format says which it is; cachesim formats lists them"
		if n := bytes.Count(line, []byte(",")); n > 0 || bytes.ContainsAny(line, "\t;|") {
			hint = "if it is a table, --columns id=1,size=2,time=3 reads it, with the numbers or names of its columns; if it is an access log, --log-format does, with its layout"
		}
		return Format{}, "", fmt.Errorf("cannot tell its format: the number of fields in its first line is %d: %s (%s)", countFields(line), quote(line), hint)
	}
	e := &AmbiguousError{Reasons: reasons}
	for _, f := range best {
		e.Formats = append(e.Formats, f.Name)
	}
	return Format{}, "", e
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
