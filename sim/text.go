package sim

import (
	"fmt"
	"strings"
	"unicode"
)

// Printable returns s with the codes of the characters that are not printable,
// as those that control a terminal or change the direction of text: names come
// from traces and modules.
func Printable(s string) string { return PrintableBut(s, "") }

// PrintableBut is Printable for all but the characters in kept.
func PrintableBut(s, kept string) string {
	hidden := func(r rune) bool {
		return (r == unicode.ReplacementChar || !unicode.IsPrint(r)) && !strings.ContainsRune(kept, r)
	}
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
