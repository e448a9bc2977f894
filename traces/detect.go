package traces

import (
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
	var best []Format
	var reasons []string
	confidence := Possible
	for _, f := range formats {
		c, why := f.Probe(head, whole)
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
		what := "it starts with binary data that is of no known format"
		if line, err := firstLine(head, whole); err == nil {
			what = fmt.Sprintf("the number of fields in its first line is %d", countFields(line))
		}
		return Format{}, "", fmt.Errorf("cannot tell its format: %s; the list of formats is in docs/FORMATS.md (--trace-format says which it is)", what)
	}
	e := &AmbiguousError{Reasons: reasons}
	for _, f := range best {
		e.Formats = append(e.Formats, f.Name)
	}
	return Format{}, "", e
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
