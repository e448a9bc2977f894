package traces

import (
	"fmt"
	"strings"
	"testing"
)

// TestWarnings has each sign of a misread trace, which is a note with a count, once.
func TestWarnings(t *testing.T) {
	rows := func(n int, row func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(row(i) + "\n")
		}
		return b.String()
	}
	good := rows(200, func(i int) string { return fmt.Sprintf("%d id%d %d", i, i%60, i%60+1) })
	for _, test := range []struct {
		name, data string
		o          Options
		want       string // empty: none but the format
	}{
		{"nothing", good, Options{}, ""},
		{"distinct ids", rows(60, func(i int) string { return fmt.Sprintf("%d id%d %d", i, i, i+1) }), Options{}, "all ids are different, so that every request is a miss"},
		{"one size", rows(200, func(i int) string { return fmt.Sprintf("%d id%d 4096", i, i%60) }), Options{}, "all objects have the same size, 4096 bytes"},
		{"one size of all, as was asked for", good, Options{IgnoreSize: true}, ""},
		{"no sizes", rows(200, func(i int) string { return fmt.Sprintf("%d id%d 0", i, i%60) }), Options{}, "all sizes are 0"},
		{"times go back", strings.Replace(good, "\n150 ", "\n140 ", 1), Options{}, "1 request earlier than the one before"},
		{"times go back in a table", "time,id,size\n2,a,1\n1,b,2\n3,a,1\n", Options{}, "1 request earlier than the one before"},
		{"cut off", strings.TrimSuffix(good, "0\n"), Options{}, "the last line has no line end: the file may be cut off"},
		{"cut off, behind the limit", strings.TrimSuffix(good, "0\n"), Options{Limit: 10}, "up to request 10"},
		{"errors", rows(10, func(i int) string {
			return fmt.Sprintf(`h - - [10/Oct/2000:13:55:%02d +0000] "GET /%d HTTP/1.0" %d 100 "-" "u"`, i, i%3, []int{500, 404, 200}[i%3])
		}), Options{}, "have an error status, 400 or above"},
	} {
		trace, err := Read(strings.NewReader(test.data), "t", test.o)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		notes := trace.Notes[1:] // the first one is the format
		n := 0
		for _, note := range notes {
			if test.want != "" && strings.Contains(note, test.want) {
				n++
			}
		}
		if test.want == "" && len(notes) > 0 || test.want != "" && n != 1 || test.o.Limit > 0 && len(notes) != 1 {
			t.Errorf("%s: got the notes %q, want one with %q", test.name, notes, test.want)
		}
	}
	// The sizes of blocks are one by choice.
	blocks := rows(100, func(i int) string {
		return fmt.Sprintf("%d,h,0,Read,%d,4096,100", 128166372003061629+int64(i), i%60*4096)
	})
	trace, err := Read(strings.NewReader(blocks), "t", Options{Format: "msr"})
	if err != nil || strings.Contains(strings.Join(trace.Notes, "\n"), "same size") {
		t.Errorf("blocks: %v, %v", trace.Notes, err)
	}
}
