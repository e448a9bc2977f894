package traces

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"cachesim/sim"
)

// A sample is a small file of a format, and what it says.
type sample struct {
	name       string // empty: the format's
	format     string
	args       Args // that are not defaults
	data       string
	want       []string // "time id size operation ttl"; ids that are text are in quotes
	report     []string // parts of lines of the report
	confidence Confidence
	// ties are the formats that are as sure or surer that the file is of them.
	ties []string
}

func (s sample) String() string {
	if s.name != "" {
		return s.format + "/" + s.name
	}
	return s.format
}

func fromHex(s string) string {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func samples() []sample { return slices.Concat(binarySamples, headerSamples, textSamples, kvSamples) }

// knownFormats are those of this package whose samples are compared.
var knownFormats = slices.Concat([]Format{OracleGeneral, IDSize, TimeIDSize}, corpusFormats, weblogFormats)

func formatNamed(t testing.TB, name string) Format {
	t.Helper()
	i := slices.IndexFunc(knownFormats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no format %s", name)
	}
	return knownFormats[i]
}

func newDecoder(t testing.TB, name string, args Args, r io.Reader) Decoder {
	t.Helper()
	f := formatNamed(t, name)
	a, err := f.args(args)
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.New(r, a)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// decodeRecords decodes with batches of n records, and goes on behind bad records.
func decodeRecords(d Decoder, n int) (records []string, bad []error, err error) {
	dst := make([]Record, n)
	for {
		for i := range dst { // what an earlier batch left
			dst[i] = Record{Text: []byte("left"), Key: 1, Time: 2, Size: 3, TTL: 4, Op: sim.Delete}
		}
		n, err := d.Decode(dst)
		for _, r := range dst[:n] {
			records = append(records, describe(r))
		}
		var syntax *SyntaxError
		switch {
		case err == io.EOF && n == 0:
			return records, bad, nil
		case errors.As(err, &syntax):
			bad = append(bad, err)
		case err != nil:
			return records, bad, err
		}
	}
}

// describe writes r as in samples. Formats that have neither operations nor
// times to live may leave those of an earlier record, which the loader clears.
func describe(r Record) string {
	id := fmt.Sprint(r.Key)
	if r.Text != nil {
		id = fmt.Sprintf("%q", r.Text)
	}
	return fmt.Sprintf("%d %s %d %v %d", r.Time, id, r.Size, r.Op, r.TTL)
}

func TestCorpora(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range samples() {
		seen[s.format] = true
		if s.format == OracleGeneral.Name { // has its own tests
			continue
		}
		t.Run(s.String(), func(t *testing.T) {
			for _, n := range []int{1, 2, 3, 100} {
				d := newDecoder(t, s.format, s.args, strings.NewReader(s.data))
				got, bad, err := decodeRecords(d, n)
				if err != nil || len(bad) > 0 || !slices.Equal(got, s.want) {
					t.Fatalf("in batches of %d: got %q, %v, %v\nwant %q", n, got, bad, err, s.want)
				}
				var report string
				if r, ok := d.(Reporter); ok {
					report = strings.Join(r.Report(), "\n")
				}
				for _, want := range s.report {
					if !strings.Contains(report, want) {
						t.Errorf("the report is %q, want %q in it", report, want)
					}
				}
			}
			d := newDecoder(t, s.format, s.args, iotest.OneByteReader(strings.NewReader(s.data)))
			got, bad, err := decodeRecords(d, 10)
			if err != nil || len(bad) > 0 || !slices.Equal(got, s.want) {
				t.Errorf("byte by byte: got %q, %v, %v\nwant %q", got, bad, err, s.want)
			}
			// A reader that fails is no end of the trace.
			broken := errors.New("broken disk")
			d = newDecoder(t, s.format, s.args, io.MultiReader(strings.NewReader(s.data), iotest.ErrReader(broken)))
			if _, _, err = decodeRecords(d, 10); !errors.Is(err, broken) {
				t.Errorf("with a reader that fails at the end: got %v, want its error", err)
			}
		})
	}
	for _, f := range corpusFormats {
		if !seen[f.Name] {
			t.Errorf("format %s has no sample", f.Name)
		}
	}
}

// TestProbes compares every sample with every format.
func TestProbes(t *testing.T) {
	for _, s := range samples() {
		own, why := formatNamed(t, s.format).Probe([]byte(s.data), true)
		if own != s.confidence {
			t.Errorf("%s: confidence %d (%s), want %d", s, own, why, s.confidence)
		}
		var ties []string
		for _, f := range knownFormats {
			c, why := f.Probe([]byte(s.data), true)
			if why == "" {
				t.Errorf("%s as %s: confidence %d without a reason", s, f.Name, c)
			}
			if f.Name != s.format && c >= max(own, Possible) {
				ties = append(ties, f.Name)
			}
		}
		if !slices.Equal(ties, s.ties) {
			t.Errorf("%s (confidence %d) is also taken for %q, want %q", s, own, ties, s.ties)
		}
	}
}

// TestProbeForeign tries what is no trace, or one of other kinds.
func TestProbeForeign(t *testing.T) {
	noise := make([]byte, headSize)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for name, head := range map[string][]byte{
		"empty":      nil,
		"noise":      noise,
		"zeros":      make([]byte, headSize),
		"ones":       bytes.Repeat([]byte{1}, headSize),
		"0xff":       bytes.Repeat([]byte{0xff}, headSize),
		"blank":      bytes.Repeat([]byte("\n"), 1000),
		"prose":      []byte("It was a bright cold day in April,\nand the clocks were striking thirteen.\n"),
		"access log": []byte(`83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a.png HTTP/1.1" 200 203023 "-" "Mozilla/5.0"` + "\n"),
		"squid":      []byte("1715938200.123 45 10.0.0.1 TCP_MISS/200 5120 GET http://a.example/b - HIER_DIRECT/10.1.1.1 text/html\n"),
		"json log":   []byte(`{"ts":1715938200.5,"status":200,"request":{"uri":"/a"},"size":512}` + "\n"),
	} {
		for _, f := range corpusFormats {
			if c, why := f.Probe(head, true); c > No {
				t.Errorf("%s is taken for %s (%d: %s)", name, f.Name, c, why)
			}
		}
	}
}

// TestCorporaDamaged cuts the samples everywhere, and flips bits. Every cut
// within a record of a binary format must fail; nothing may panic, or return
// more records than there are.
func TestCorporaDamaged(t *testing.T) {
	for _, s := range samples() {
		f := formatNamed(t, s.format)
		for _, cut := range positions(len(s.data)) {
			d := newDecoder(t, s.format, s.args, strings.NewReader(s.data[:cut]))
			got, bad, err := decodeRecords(d, 4)
			if len(got) > len(s.want) {
				t.Errorf("%s cut at %d: %d records, the whole has %d", s, cut, len(got), len(s.want))
			}
			if record := recordSize(s); record > 0 && cut%record != 0 && len(bad) == 0 && err == nil {
				t.Errorf("%s cut at %d: no error", s, cut)
			}
			f.Probe([]byte(s.data[:cut]), true)
			f.Probe([]byte(s.data[:cut]), false)
		}
		for _, i := range positions(len(s.data)) {
			b := []byte(s.data)
			b[i] ^= 1 << (i % 8)
			d := newDecoder(t, s.format, s.args, bytes.NewReader(b))
			if got := countRecords(d); got > len(s.want)+maxBlocks {
				t.Errorf("%s with byte %d damaged: %d records", s, i, got)
			}
			f.Probe(b, true)
		}
	}
}

// positions returns some offsets in a file of n bytes: all of a small one, and
// the first, the last and a share of those between in a larger one.
func positions(n int) (list []int) {
	for i := range n {
		if i < 120 || i >= n-120 || i%61 == 0 {
			list = append(list, i)
		}
	}
	return list
}

// countRecords reads up to some millions of records, which a damaged count of
// requests may ask for.
func countRecords(d Decoder) (total int) {
	dst := make([]Record, 4096)
	for total < 1<<22 {
		n, err := d.Decode(dst)
		total += n
		var syntax *SyntaxError
		if err != nil && !errors.As(err, &syntax) {
			break
		}
	}
	return total
}

// recordSize returns the bytes of a record of s, 0 if that is not fixed.
func recordSize(s sample) int {
	for _, l := range layouts {
		if l.name == s.format {
			return l.record
		}
	}
	return 0
}
