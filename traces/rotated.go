package traces

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// InTimeOrder returns the files of a rotated log from the oldest to the newest, and whether that is
// another order than theirs. Names that are not all of one log stay as they are:
//
//	access.log.2.gz access.log.1 access.log                  numbers that grow with age
//	access.log-20240101.gz access.log-20240102 access.log    dates
//
// Their names sort in another order, which is that of a shell's access.log*.
func InTimeOrder(names []string) (ordered []string, changed bool) {
	type rotation struct {
		name string
		n    int64 // larger: newer
	}
	const newest = 1 << 62
	var all []rotation
	base, dated := "", 0
	for _, name := range names {
		stem, n, isDate := cutRotation(name)
		if base == "" {
			base = stem
		}
		if stem != base {
			return names, false
		}
		switch {
		case n < 0:
			n = newest
		case isDate:
			dated++
		default:
			n = -n
		}
		all = append(all, rotation{name, n})
	}
	rotated := 0
	for _, r := range all {
		if r.n != newest {
			rotated++
		}
	}
	// What is numbered throughout may be parts, which count up.
	if rotated == len(all) && dated == 0 && !strings.Contains(filepath.Base(base), "log") {
		return names, false
	}
	// A log that is there twice, or by both numbers and dates, is something else.
	if len(all) < 2 || rotated < len(all)-1 || dated != 0 && dated != rotated {
		return names, false
	}
	slices.SortStableFunc(all, func(a, b rotation) int { return cmp.Compare(a.n, b.n) })
	for _, r := range all {
		ordered = append(ordered, r.name)
	}
	return ordered, !slices.Equal(ordered, names)
}

// cutRotation splits the name of a rotated log; n is -1 for the one that is being written.
func cutRotation(name string) (stem string, n int64, isDate bool) {
	stem = name
	switch filepath.Ext(stem) {
	case ".gz", ".zst", ".xz", ".bz2", ".lz4":
		stem = strings.TrimSuffix(stem, filepath.Ext(stem))
	}
	i := len(stem)
	for i > 0 && stem[i-1]-'0' <= 9 {
		i--
	}
	number, err := strconv.ParseInt(stem[i:], 10, 64)
	if err != nil || i < 2 || strings.ContainsRune(`/\`, rune(stem[i-2])) {
		return name, -1, false
	}
	switch digits := len(stem) - i; {
	case stem[i-1] == '.' && digits <= 4 && (digits == 1 || stem[i] != '0'): // padded numbers are of parts
		return stem[:i-1], number, false
	case (stem[i-1] == '-' || stem[i-1] == '.') && (digits == 8 || digits == 10):
		return stem[:i-1], number, true
	}
	return name, -1, false
}
