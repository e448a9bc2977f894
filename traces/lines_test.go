package traces

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// linesOf returns all lines with their numbers, and "!" for those that are too
// long.
func linesOf(t *testing.T, r io.Reader) (lines []string) {
	t.Helper()
	l := newLineReader(r)
	for {
		line, ok, err := l.next()
		if err == nil && !ok {
			err = l.fill()
			if err == nil {
				continue
			}
		}
		var syntax *SyntaxError
		switch {
		case err == io.EOF:
			return lines
		case errors.As(err, &syntax):
			lines = append(lines, fmt.Sprint(syntax.Line, "!"))
		case err != nil:
			t.Fatal(err)
		default:
			lines = append(lines, fmt.Sprint(l.line, ":", string(line)))
		}
	}
}

func TestLines(t *testing.T) {
	longest, longer := strings.Repeat("x", maxLine), strings.Repeat("y", maxLine+1)
	huge := strings.Repeat("z", 5*maxLine)
	for _, test := range []struct {
		data string
		want []string
	}{
		{"", nil},
		{"\n", []string{"1:"}},
		{"a", []string{"1:a"}},
		{"a\nb\n", []string{"1:a", "2:b"}},
		{"a\r\n\r\nb\r", []string{"1:a", "2:", "3:b"}},
		{"\xef\xbb\xbfa\n\xef\xbb\xbfb", []string{"1:a", "2:\xef\xbb\xbfb"}},
		{"\xef\xbb\xbf", nil},
		{"\xef\xbb", []string{"1:\xef\xbb"}},
		{"\xef\xbb\n", []string{"1:\xef\xbb"}},
		{longest + "\nb\n", []string{"1:" + longest, "2:b"}},
		{"a\n" + longer + "\nb", []string{"1:a", "2!", "3:b"}},
		{huge + "\n" + huge + "\nb\n" + huge, []string{"1!", "2!", "3:b", "4!"}},
		{huge, []string{"1!"}},
		{strings.Repeat("0123456\n", blockSize/8) + "b\n", append(numbered(blockSize/8, "0123456"), fmt.Sprint(blockSize/8+1, ":b"))},
	} {
		readers := map[string]io.Reader{"whole": strings.NewReader(test.data), "with errors at the end": iotest.DataErrReader(strings.NewReader(test.data))}
		if len(test.data) < 2*maxLine {
			readers["half"] = iotest.HalfReader(strings.NewReader(test.data))
		}
		if len(test.data) < 1000 {
			readers["byte by byte"] = iotest.OneByteReader(strings.NewReader(test.data))
		}
		for how, r := range readers {
			if got := linesOf(t, r); !slices.Equal(got, test.want) {
				t.Errorf("%s of %.20q (%d bytes): got %.60q, want %.60q", how, test.data, len(test.data), got, test.want)
			}
		}
	}
}

func numbered(n int, line string) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprint(i+1, ":", line))
	}
	return lines
}

// A line that a failing reader cuts off is not returned.
func TestLinesOfAFailingReader(t *testing.T) {
	fault := errors.New("disk on fire")
	l := newLineReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(fault)))
	var got []string
	for {
		line, ok, err := l.next()
		if err == nil && !ok {
			err = l.fill()
		} else if ok {
			got = append(got, string(line))
		}
		if err != nil {
			if err != fault || !slices.Equal(got, []string{"a"}) {
				t.Errorf("got %q and %v", got, err)
			}
			return
		}
	}
}

func texts(fields [][]byte) (s []string) {
	for _, f := range fields {
		s = append(s, string(f))
	}
	return s
}

func TestSplit(t *testing.T) {
	for _, test := range []struct {
		line   string
		blanks []string
		commas []string
	}{
		{"a b", []string{"a", "b"}, []string{"a b"}},
		{" \ta  b\t", []string{"a", "b"}, []string{" \ta  b\t"}},
		{"", nil, []string{""}},
		{"a,,b", []string{"a,,b"}, []string{"a", "", "b"}},
		{",", []string{","}, []string{"", ""}},
		{"a b c d e", []string{"a", "b", "c"}, []string{"a b c d e"}},
		{"a,b,c,d,e", []string{"a,b,c,d,e"}, []string{"a", "b", "c,d,e"}},
	} {
		dst := make([][]byte, 3)
		if got := texts(dst[:splitBlanks([]byte(test.line), dst)]); !slices.Equal(got, test.blanks) {
			t.Errorf("%q by blanks: %q, want %q", test.line, got, test.blanks)
		}
		if got := texts(dst[:split([]byte(test.line), ',', dst)]); !slices.Equal(got, test.commas) {
			t.Errorf("%q by commas: %q, want %q", test.line, got, test.commas)
		}
	}
}

func TestSplitQuoted(t *testing.T) {
	for _, test := range []struct {
		line string
		want []string
		err  string
	}{
		{`a,b`, []string{"a", "b"}, ""},
		{``, []string{""}, ""},
		{`a,`, []string{"a", ""}, ""},
		{`"a","b,c",d`, []string{"a", "b,c", "d"}, ""},
		{`"a ""b"" c",""`, []string{`a "b" c`, ""}, ""},
		{`"""",""""""`, []string{`"`, `""`}, ""},
		{`"",x`, []string{"", "x"}, ""},
		{`a"b,c"d`, []string{`a"b`, `c"d`}, ""}, // quotes inside a field that does not start with one
		{`"a`, nil, "field 1 has no closing quote"},
		{`a,"b""`, nil, "field 2 has no closing quote"},
		{`"a"b,c`, nil, "field 1 goes on behind its closing quote"},
	} {
		got, err := splitQuoted([]byte(test.line), ',', nil)
		if test.err != "" {
			if err == nil || err.Error() != test.err {
				t.Errorf("%s: got %q, %v; want the error %s", test.line, texts(got), err, test.err)
			}
		} else if err != nil || !slices.Equal(texts(got), test.want) {
			t.Errorf("%s: got %q, %v; want %q", test.line, texts(got), err, test.want)
		}
	}
}

// Numbers are read as strconv reads them, but without signs, underscores and
// other bases.
func TestParseNumbers(t *testing.T) {
	words := []string{"", "0", "7", "007", "-1", "+1", "1_0", " 1", "1 ", "0x10", "1e3", "12345678", "123456789", "1234567x", "x2345678", "12345678x",
		"/2345678", ":2345678", "1234567/", "1234567:", "12345678\x80", "\xb12345678", "18446744073709551615", "18446744073709551616",
		"9223372036854775807", "9223372036854775808", "9999999999999999999", "99999999999999999999", "00000000000000000007", "000000000000000000007",
		"-9223372036854775808", "-9223372036854775809", "--1", "-"}
	for n := uint64(1); n < math.MaxUint64/3; n = n*3 + 1 {
		words = append(words, strconv.FormatUint(n, 10))
	}
	for _, w := range words {
		want, err := strconv.ParseUint(w, 10, 64)
		if got, ok := parseUint([]byte(w)); ok != (err == nil && len(w) <= 20) || ok && got != want {
			t.Errorf("%q: %d, %v; want %d, %v", w, got, ok, want, err)
		}
		signed, err := strconv.ParseInt(w, 10, 64)
		if got, ok := parseInt([]byte(w)); ok != (err == nil && len(w) <= 20 && w[0] != '+') || ok && got != signed {
			t.Errorf("%q: %d, %v; want %d, %v", w, got, ok, signed, err)
		}
		if _, ok := plainNumber([]byte(w)); ok != (strconv.FormatUint(want, 10) == w) {
			t.Errorf("%q is a plain number: %v", w, ok)
		}
	}
	for w, want := range map[string]uint64{"0": 0, "ff": 255, "FF": 255, "0xfF": 255, "ffffffffffffffff": math.MaxUint64, "0000000000000000000a": 10} {
		if got, ok := parseHex([]byte(w)); !ok || got != want {
			t.Errorf("%q in hex: %d, %v; want %d", w, got, ok, want)
		}
	}
	for _, w := range []string{"", "0x", "g", "x1", "10000000000000000", "1 ", "@", "`"} {
		if got, ok := parseHex([]byte(w)); ok {
			t.Errorf("%q in hex: %d, want none", w, got)
		}
	}
	for _, test := range []struct {
		word   string
		digits int
		want   int64
		ok     bool
	}{
		{"1.5", 0, 1, true}, {"1.5", 1, 15, true}, {"1.5", 9, 1_500_000_000, true}, {"-1.25", 1, -12, true}, {"7", 3, 7000, true},
		{"1.2345678", 3, 1234, true}, {"0.001", 3, 1, true}, {"1.", 3, 0, false}, {".5", 3, 0, false}, {"1.x", 3, 0, false}, {"1.0x", 0, 0, false},
		{"9223372036", 9, 9223372036000000000, true}, {"9223372037", 9, 0, false}, {"9223372036.854775807", 9, math.MaxInt64, true},
		{"9223372036.854775808", 9, 0, false}, {"", 0, 0, false}, {"-", 0, 0, false}, {"9223372036854775808", 0, 0, false},
	} {
		if got, ok := parseDecimal([]byte(test.word), test.digits); ok != test.ok || ok && got != test.want {
			t.Errorf("%q with %d digits: %d, %v; want %d, %v", test.word, test.digits, got, ok, test.want, test.ok)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\r\nb\n\nc"), uint8(1))
	f.Add([]byte("\xef\xbb\xbfa\n"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		if len(data) > 10_000 {
			return
		}
		text := strings.TrimPrefix(string(data), "\xef\xbb\xbf")
		var want []string
		for i, line := range strings.SplitAfter(text, "\n") {
			if line != "" {
				want = append(want, fmt.Sprint(i+1, ":", strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")))
			}
		}
		if got := linesOf(t, &stepReader{data, int(step) + 1}); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A stepReader reads a few bytes at a time.
type stepReader struct {
	data []byte
	step int
}

func (r *stepReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.data[:min(r.step, len(r.data))])
	r.data = r.data[n:]
	return n, nil
}
