package traces

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// decode returns the records of data, each as "time id size" with an id that
// is text in quotes, and the error that ended them.
func decode(f Format, r io.Reader) (records []string, err error) {
	args, err := f.args(nil)
	if err != nil {
		return nil, err
	}
	d, err := f.New(r, args)
	if err != nil {
		return nil, err
	}
	batch := make([]Record, 7)
	for {
		n, err := d.Decode(batch)
		for _, r := range batch[:n] {
			id := fmt.Sprint(r.Key)
			if r.Text != nil {
				id = fmt.Sprintf("%q", r.Text)
			}
			records = append(records, fmt.Sprintf("%d %s %d", r.Time, id, r.Size))
		}
		if err == io.EOF {
			return records, nil
		} else if err != nil {
			return records, err
		}
	}
}

// next is a record of oracleGeneral.
type next struct {
	time uint32
	id   uint64
	size uint32
	next int64
}

func oracle(t testing.TB, records ...next) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, r := range records {
		for _, v := range []any{r.time, r.id, r.size, r.next} {
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.Bytes()
}

func TestDecode(t *testing.T) {
	long := strings.Repeat("x", 100_000) // longer than the decoder's buffer
	tests := []struct {
		name   string
		format Format
		data   string
		want   []string
	}{
		{"plain", IDSize, "1 10\n2 20\n1 10\n", []string{"0 1 10", "0 2 20", "0 1 10"}},
		{"crlf", IDSize, "1 10\r\na 20\r\n", []string{"0 1 10", `0 "a" 20`}},
		{"no-end-of-line", IDSize, "1 10\n2 20", []string{"0 1 10", "0 2 20"}},
		{"blanks", IDSize, "  1 10\n\t2\t20\t\n3   30  \n", []string{"0 1 10", "0 2 20", "0 3 30"}},
		{"empty-lines", IDSize, "\n \t\r\n1 10\n\n\n2 20\n\n", []string{"0 1 10", "0 2 20"}},
		{"text-ids", IDSize, "/a.jpg?x=1 10\n-5 10\n1.5 10\nκ 10\na\u00a0b 10\n",
			[]string{`0 "/a.jpg?x=1" 10`, `0 "-5" 10`, `0 "1.5" 10`, `0 "κ" 10`, `0 "a\u00a0b" 10`}},
		{"leading-zeros", IDSize, "7 1\n007 1\n0 1\n00 1\n", []string{"0 7 1", `0 "007" 1`, "0 0 1", `0 "00" 1`}},
		{"longest-number", IDSize, "18446744073709551615 1\n18446744073709551616 1\n99999999999999999999 1\n",
			[]string{"0 18446744073709551615 1", `0 "18446744073709551616" 1`, `0 "99999999999999999999" 1`}},
		{"sizes", IDSize, "1 0\n2 9223372036854775807\n3 00010\n", []string{"0 1 0", "0 2 9223372036854775807", "0 3 10"}},
		{"long-lines", IDSize, long + " 1\n" + long + "y 2\n3 3\n", []string{`0 "` + long + `" 1`, `0 "` + long + `y" 2`, "0 3 3"}},
		{"timed", TimeIDSize, "100 1 10\n101\tb\t20\r\n", []string{"100 1 10", `101 "b" 20`}},
		{"fractions", TimeIDSize, "0.25 1 10\n1.999999999999999999999999 1 10\n2.0 1 10\n", []string{"0 1 10", "1 1 10", "2 1 10"}},
		{"negative-times", TimeIDSize, "-3 1 10\n-1.5 1 10\n-0.5 1 10\n4 1 10\n", []string{"-3 1 10", "-1 1 10", "0 1 10", "4 1 10"}},
		{"oracle", OracleGeneral,
			string(oracle(t, next{5, 1, 10, 3}, next{6, math.MaxUint64, math.MaxUint32, -1}, next{math.MaxUint32, 1, 0, math.MaxInt64})),
			[]string{"5 1 10", "6 18446744073709551615 4294967295", "4294967295 1 0"}},
	}
	for _, test := range tests {
		t.Run(test.format.Name+"/"+test.name, func(t *testing.T) {
			got, err := decode(test.format, strings.NewReader(test.data))
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %q, %v\nwant %q", got, err, test.want)
			}
			got, err = decode(test.format, iotest.OneByteReader(strings.NewReader(test.data)))
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("byte by byte: got %q, %v\nwant %q", got, err, test.want)
			}
		})
	}
}

func TestBadRecords(t *testing.T) {
	good := next{1, 1, 1, -1}
	cut := string(oracle(t, good, good))
	tests := []struct {
		format Format
		data   string
		want   string
	}{
		{IDSize, "1 10\n2 -20\n", `t.log:2: size "-20" is not a number of bytes`},
		{IDSize, "1 10\n\n\n2 +20\n", `t.log:4: size "+20" is not a number of bytes`},
		{IDSize, "1 1e3\n", `t.log:1: size "1e3" is not a number of bytes`},
		{IDSize, "1 10.0\n", `t.log:1: size "10.0" is not a number of bytes`},
		{IDSize, "1 0x10\n", `t.log:1: size "0x10" is not a number of bytes`},
		{IDSize, "1 9223372036854775808\n", `t.log:1: size "9223372036854775808" is not a number of bytes`},
		{IDSize, "1 18446744073709551617\n", `t.log:1: size "18446744073709551617" is not a number of bytes`},
		{IDSize, "1 " + strings.Repeat("9", 60), `t.log:1: size "` + strings.Repeat("9", 40) + `"... is not a number of bytes`},
		{IDSize, "1 10\r\n2\r\n", `t.log:2: want 2 fields, "id size", got 1`},
		{IDSize, "1 10 2 20\n", `t.log:1: want 2 fields, "id size", got 4`},
		{IDSize, "1 10\n1 2 3 4 5 6 7\n", `t.log:2: want 2 fields, "id size", got 7`},
		{IDSize, "1 10\n" + strings.Repeat("x", 2<<20) + " 1\n", `t.log:2: line is longer than 1048576 bytes`},
		{TimeIDSize, "1 1 10\n2 10\n", `t.log:2: want 3 fields, "time id size", got 2`},
		{TimeIDSize, "1 1 10\n2 1 10 x\n", `t.log:2: want 3 fields, "time id size", got 4`},
		{TimeIDSize, "now 1 10\n", `t.log:1: time "now" is not a number`},
		{TimeIDSize, "- 1 10\n", `t.log:1: time "-" is not a number`},
		{TimeIDSize, "1. 1 10\n", `t.log:1: time "1." is not a number`},
		{TimeIDSize, ".5 1 10\n", `t.log:1: time ".5" is not a number`},
		{TimeIDSize, "1.5.5 1 10\n", `t.log:1: time "1.5.5" is not a number`},
		{TimeIDSize, "1.5e9 1 10\n", `t.log:1: time "1.5e9" is not a number`},
		{TimeIDSize, "9223372036854775808 1 10\n", `t.log:1: time "9223372036854775808" is not a number`},
		{TimeIDSize, "1 1 -1\n", `t.log:1: size "-1" is not a number of bytes`},
		{OracleGeneral, cut[:47], "t.log: at byte 24: the last record has 23 of 24 bytes: the file is cut off or is not oracleGeneral"},
		{OracleGeneral, cut[:25], "t.log: at byte 24: the last record has 1 of 24 bytes: the file is cut off or is not oracleGeneral"},
		{OracleGeneral, string(oracle(t, good, next{1, 1, 1, -2})),
			"t.log: at byte 40: next access -2 is neither an index nor -1: the file is damaged or is not oracleGeneral"},
		{OracleGeneral, string(oracle(t, next{1, 1, 1, math.MinInt64})),
			"t.log: at byte 16: next access -9223372036854775808 is neither an index nor -1: the file is damaged or is not oracleGeneral"},
	}
	for _, test := range tests {
		trace, err := Read(strings.NewReader(test.data), "t.log", Options{Format: test.format.Name})
		if err == nil {
			t.Errorf("%s %.40q: read as %d requests, want an error", test.format.Name, test.data, trace.Requests)
		} else if err.Error() != test.want {
			t.Errorf("%s %.40q:\n got %v\nwant %s", test.format.Name, test.data, err, test.want)
		}
	}
}
