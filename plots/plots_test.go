package plots

import (
	"bytes"
	"compress/zlib"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	imagedraw "image/draw"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"cachesim/sim/results"
)

var figures = flag.String("figures", "", "keep the figures of TestDraw in this `folder`, to look at")

// The measures of the default style.
var (
	acm                   = Styles[0]
	oneColumn, twoColumns = acm.OneColumn, acm.TwoColumns
)

func textStyle(size vg.Length) draw.TextStyle { return acm.text(size) }

// all returns the default figures of results.
func all(rs []results.Result, title string) ([]Figure, error) {
	return Make(Rows{Results: rs}, Options{Title: title})
}

// one returns the only figure that results give.
func one(t *testing.T, rs []results.Result, title string) Figure {
	t.Helper()
	figs, err := all(rs, title)
	if err != nil {
		t.Fatal(err)
	}
	if len(figs) != 1 {
		t.Fatalf("got %d figures, want 1", len(figs))
	}
	return figs[0]
}

// drawn returns f as a file of a format.
func drawn(t *testing.T, f Figure, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Draw(&b, format); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

// TestDraw draws every case in every format.
func TestDraw(t *testing.T) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := one(t, tt.results, "")
			if f.Width != oneColumn && f.Width != twoColumns {
				t.Errorf("%v wide, want one or two columns of a paper", f.Width)
			}
			if f.Height > 9.5*vg.Inch {
				t.Errorf("%v high, want what fits on a page", f.Height)
			}
			for _, format := range Formats {
				file := drawn(t, f, format)
				if *figures != "" {
					if err := os.WriteFile(filepath.Join(*figures, tt.name+"."+format), file, 0o666); err != nil {
						t.Fatal(err)
					}
				}
				checkFile[format](t, f, file)
			}
		})
	}
}

var checkFile = map[string]func(t *testing.T, f Figure, file []byte){
	"png": checkPNG, "svg": checkSVG, "pdf": checkPDF, "pgf": checkTeX, "tex": checkTeX, "csv": checkCSV,
}

// checkTeX: braces are in pairs, environments end in turn, and no number is
// infinite.
func checkTeX(t *testing.T, f Figure, file []byte) {
	depth := 0
	for i, b := range file {
		if escaped := i > 0 && file[i-1] == '\\'; escaped {
			continue
		}
		switch b {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth < 0 {
			t.Fatalf("tex: a brace closes nothing: …%s", file[max(0, i-80):i+1])
		}
	}
	if depth != 0 {
		t.Errorf("tex: %d braces are open", depth)
	}
	var open []string
	for _, part := range bytes.Split(file, []byte("\\"))[1:] {
		if rest, ok := bytes.CutPrefix(part, []byte("begin{")); ok {
			name, _, _ := bytes.Cut(rest, []byte("}"))
			open = append(open, string(name))
		} else if rest, ok := bytes.CutPrefix(part, []byte("end{")); ok {
			name, _, _ := bytes.Cut(rest, []byte("}"))
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Fatalf("tex: %s ends inside of %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("tex: %v do not end", open)
	}
	for _, word := range []string{"NaN", "Inf"} {
		if bytes.Contains(file, []byte(word)) {
			t.Errorf("tex: %s", word)
		}
	}
}

// checkCSV: a line for each point of the figure's data.
func checkCSV(t *testing.T, f Figure, file []byte) {
	points := 0
	for _, p := range f.Panels {
		for _, s := range p.Series {
			points += len(s.Points)
		}
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if points == 0 || len(rows) != 1+points {
		t.Errorf("csv: %d rows, want one and the %d points", len(rows), points)
	}
}

func checkPNG(t *testing.T, f Figure, file []byte) {
	decoded, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(decoded.Bounds())
	imagedraw.Draw(img, img.Bounds(), decoded, image.Point{}, imagedraw.Src)
	pixels := func(l vg.Length) int { return int(math.Round(float64(l / vg.Inch * 300))) }
	size := img.Bounds().Size()
	if d := size.Sub(image.Pt(pixels(f.Width), pixels(f.Height))); max(d.X, -d.X, d.Y, -d.Y) > 1 {
		t.Errorf("png: got %v pixels, want %d x %d: %v x %v at 300 dpi", size, pixels(f.Width), pixels(f.Height), f.Width, f.Height)
	}
	if share := float64(ink(img, img.Bounds())) / float64(size.X*size.Y); share < 0.005 {
		t.Error("png: blank")
	}
	b := img.Bounds()
	if ink(img, b) != ink(img, b.Inset(2)) {
		t.Error("png: something is cut off at the border")
	}
}

// ink counts the pixels in r that are not white.
func ink(img *image.RGBA, r image.Rectangle) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[img.PixOffset(r.Min.X, y) : img.PixOffset(r.Max.X-1, y)+4]
		for i := 0; i+2 < len(row); i += 4 {
			if min(row[i], row[i+1], row[i+2]) < 0xf0 {
				n++
			}
		}
	}
	return n
}

func checkSVG(t *testing.T, f Figure, file []byte) {
	if words := svgTexts(t, file); len(words) == 0 {
		t.Error("svg: no text")
	}
}

// svgTexts returns the texts in a file, which must be XML.
func svgTexts(t *testing.T, file []byte) (texts []string) {
	d := xml.NewDecoder(bytes.NewReader(file))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatalf("svg: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "text" {
			var s string
			if err := d.DecodeElement(&s, &e); err != nil {
				t.Fatalf("svg: %v", err)
			}
			texts = append(texts, s)
		}
	}
}

func checkPDF(t *testing.T, f Figure, file []byte) {
	if !bytes.HasPrefix(file, []byte("%PDF-")) || !bytes.Contains(file, []byte("/FontFile2")) {
		t.Error("pdf: no embedded font")
	}
	if want := fmt.Sprintf("/MediaBox [0 0 %.2f %.2f]", f.Width.Points(), f.Height.Points()); !bytes.Contains(file, []byte(want)) {
		t.Errorf("pdf: no %s", want)
	}
	points := 0
	for _, p := range f.Panels {
		for _, s := range p.Series {
			points += len(s.Points)
		}
	}
	if len(file) > 60<<10+150*max(0, points-100) { // bars with patterns
		t.Errorf("pdf: %d bytes", len(file))
	}
	if !bytes.Equal(file, drawn(t, f, "pdf")) {
		t.Error("pdf: drawn twice it differs")
	}
}

// pdfStreams returns the contents of a file's streams.
func pdfStreams(file []byte) (all []byte) {
	for {
		_, rest, ok := bytes.Cut(file, []byte("stream\n"))
		if !ok {
			return all
		}
		if r, err := zlib.NewReader(bytes.NewReader(rest)); err == nil {
			b, _ := io.ReadAll(r)
			all = append(all, b...)
		}
		file = rest
	}
}

// drawing is what a figure draws: texts and rectangles where they stand.
type drawing struct {
	texts  []placed
	filled []vg.Rectangle
}

// placed is a text in coordinates turned by angle.
type placed struct {
	vg.Rectangle
	text  string
	angle float64
}

func record(f Figure) drawing {
	var r recorder.Canvas
	w, h := f.layout()
	f.draw(draw.NewCanvas(&r, w, h))
	var d drawing
	angles := []float64{0}
	for _, a := range r.Actions {
		last := len(angles) - 1
		switch a := a.(type) {
		case *recorder.Push:
			angles = append(angles, angles[last])
		case *recorder.Pop:
			angles = angles[:last]
		case *recorder.Rotate:
			angles[last] += a.Angle
		case *recorder.Fill:
			d.filled = append(d.filled, bounds(a.Path))
		case *recorder.FillString:
			// Of its height, what letters and digits take.
			style := textStyle(a.Size)
			if a.Font.Variant == "Serif" {
				style = Style{Serif: true}.text(a.Size)
			}
			d.texts = append(d.texts, placed{vg.Rectangle{
				Min: vg.Point{X: a.Point.X, Y: a.Point.Y - a.Size*0.15},
				Max: vg.Point{X: a.Point.X + style.Width(a.String), Y: a.Point.Y + a.Size*0.72},
			}, a.String, angles[last]})
		}
	}
	return d
}

func bounds(p vg.Path) vg.Rectangle {
	r := vg.Rectangle{Min: p[0].Pos, Max: p[0].Pos}
	for _, c := range p {
		if c.Type == vg.MoveComp || c.Type == vg.LineComp {
			r.Min.X, r.Min.Y = min(r.Min.X, c.Pos.X), min(r.Min.Y, c.Pos.Y)
			r.Max.X, r.Max.Y = max(r.Max.X, c.Pos.X), max(r.Max.Y, c.Pos.Y)
		}
	}
	return r
}

// titles are those that a figure must have room for.
var titles = []string{"", "A title", strings.Repeat("A long title about everything ", 6), strings.Repeat("unbroken", 40)}

func TestTexts(t *testing.T) {
	for _, tt := range cases {
		for _, title := range titles {
			checkTexts(t, tt.name, title, one(t, tt.results, title))
		}
	}
}

// corners returns the corners of a text on the figure.
func (p placed) corners() [4]vg.Point {
	sin, cos := math.Sincos(p.angle)
	turn := func(x, y vg.Length) vg.Point {
		return vg.Point{X: x*vg.Length(cos) - y*vg.Length(sin), Y: x*vg.Length(sin) + y*vg.Length(cos)}
	}
	return [4]vg.Point{turn(p.Min.X, p.Min.Y), turn(p.Max.X, p.Min.Y), turn(p.Max.X, p.Max.Y), turn(p.Min.X, p.Max.Y)}
}

// overlapTurned reports whether two texts overlap: whether neither has a side
// that is between them.
func overlapTurned(a, b placed) bool {
	p, q := a.corners(), b.corners()
	for _, angle := range []float64{a.angle, a.angle + math.Pi/2, b.angle, b.angle + math.Pi/2} {
		sin, cos := math.Sincos(angle)
		extent := func(corners [4]vg.Point) (low, high float64) {
			low, high = math.Inf(1), math.Inf(-1)
			for _, c := range corners {
				v := float64(c.X)*cos + float64(c.Y)*sin
				low, high = min(low, v), max(high, v)
			}
			return low, high
		}
		pl, ph := extent(p)
		ql, qh := extent(q)
		if ph <= ql+1e-6 || qh <= pl+1e-6 {
			return false
		}
	}
	return true
}

// checkTexts looks for texts that overlap, or that leave the figure.
func checkTexts(t *testing.T, name, title string, f Figure) {
	t.Helper()
	texts := record(f).texts
	width, height := f.layout()
	for i, a := range texts {
		sin, cos := math.Sincos(a.angle)
		for _, p := range []vg.Point{a.Min, a.Max, {X: a.Min.X, Y: a.Max.Y}, {X: a.Max.X, Y: a.Min.Y}} {
			x, y := p.X*vg.Length(cos)-p.Y*vg.Length(sin), p.X*vg.Length(sin)+p.Y*vg.Length(cos)
			if x < 0 || y < 0 || x > width || y > height {
				t.Errorf("%s: %q leaves the figure, at %v, %v", name, a.text, x, y)
				break
			}
		}
		for _, b := range texts[:i] {
			if overlapTurned(a, b) {
				t.Errorf("%s: %q and %q overlap", name, a.text, b.text)
			}
		}
	}
	for _, word := range strings.Fields(title) {
		if len(word) < 20 && !slices.ContainsFunc(texts, func(p placed) bool { return strings.Contains(p.text, word) }) {
			t.Errorf("%s: the title's %q is missing", name, word)
		}
	}
}

// TestBars looks for bars that overlap, cannot be made out, or are enormous.
func TestBars(t *testing.T) {
	for _, tt := range cases {
		if !strings.HasPrefix(tt.name, "time-") {
			continue
		}
		all := record(one(t, tt.results, "")).filled
		panels, _, styles := runTimePanels(acm, tt.results)
		want := 0
		for _, p := range panels {
			for _, g := range p.groups {
				want += len(g)
			}
		}
		if got := len(all) - len(styles); len(styles) <= 8 && got != want {
			t.Errorf("%s: %d bars, want %d", tt.name, got, want)
		}
		for i, r := range all {
			if w := r.Size().X; w < 3 || w > 18.01 {
				t.Errorf("%s: a bar %v wide, want 3 to 18 points", tt.name, w)
			}
			for _, other := range all[:i] {
				if overlap(r, other) {
					t.Errorf("%s: bars overlap at %v and %v", tt.name, other, r)
				}
			}
		}
	}
}

// TestLegendShare: of the largest figures the legend takes a small part.
func TestLegendShare(t *testing.T) {
	for _, versions := range [][]version{threeEngines, fourEngines} {
		_, _, styles := runTimePanels(acm, timed(four, versions, measured))
		h := newHeader(acm, "", twoColumns, barLegends(acm, styles, twoColumns-2*margin)...)
		if f := one(t, timed(four, versions, measured), ""); f.Width != twoColumns || h.height() > f.Height/10 {
			t.Errorf("%d versions: the legend takes %v of %v x %v", len(versions), h.height(), f.Width, f.Height)
		}
	}
}

// TestTextsOfAllKinds: names are anybody's.
func TestTextsOfAllKinds(t *testing.T) {
	const name = `a<b&c>"d" (größe\)`
	f := one(t, swept([]string{name}, sizesOf(mib, 3), rising), name)
	words := strings.Join(svgTexts(t, drawn(t, f, "svg")), "\n")
	if strings.Count(words, name) != 2 {
		t.Errorf("svg: title and legend are not in %q", words)
	}
	// Letters in PDF are numbers of two bytes, and strings have their own escapes.
	for _, name := range []string{name, "Ωμέγα", "Заголовок", "λ ≤ 0.5 – č"} {
		f := one(t, swept([]string{name}, sizesOf(mib, 3), rising), name)
		if n := strings.Count(pdfText(drawn(t, f, "pdf")), name); n != 2 {
			t.Errorf("pdf: title and legend %q are there %d times, want 2", name, n)
		}
	}
	f = one(t, swept([]string{"日本"}, sizesOf(mib, 3), rising), "")
	for _, format := range []string{"pdf", "png"} {
		if err := f.Draw(io.Discard, format); err == nil || !strings.Contains(err.Error(), `the font has no letter '日' of "日本"`) {
			t.Errorf("%s: got %v for letters that the font lacks", format, err)
		}
	}
	if words := svgTexts(t, drawn(t, f, "svg")); !slices.Contains(words, "日本") {
		t.Errorf("svg: got %q", words)
	}
}

// pdfText returns the strings that a file shows, a line each.
func pdfText(file []byte) string {
	var lines []string
	stream := pdfStreams(file)
	for {
		_, rest, ok := bytes.Cut(stream, []byte("("))
		if !ok {
			return strings.Join(lines, "\n")
		}
		var units []uint16
		var b []byte
		i := 0
		for ; i < len(rest) && rest[i] != ')'; i++ {
			if rest[i] == '\\' {
				i++
				if rest[i] == 'r' {
					b = append(b, '\r')
					continue
				}
			}
			b = append(b, rest[i])
		}
		for j := 0; j+1 < len(b); j += 2 {
			units = append(units, uint16(b[j])<<8|uint16(b[j+1]))
		}
		lines = append(lines, string(utf16.Decode(units)))
		stream = rest[i:]
	}
}

func TestDrawUnknownFormat(t *testing.T) {
	f := one(t, cases[0].results, "")
	if err := f.Draw(io.Discard, "gif"); err == nil || !strings.Contains(err.Error(), `"gif": known are png, svg, pdf`) {
		t.Errorf("got %v", err)
	}
}

func TestDrawFails(t *testing.T) {
	f := one(t, cases[0].results, "")
	for _, format := range Formats {
		if err := f.Draw(failing{}, format); err == nil {
			t.Errorf("%s: no error from a writer that fails", format)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestFigureNames draws several traces: their figures have names of their own.
func TestFigureNames(t *testing.T) {
	of := func(trace, sum, clock string) []results.Result {
		all := slices.Concat(swept(four[:1], sizesOf(mib, 2), rising), timed(four[:1], defaults, measured))
		for i := range all {
			all[i].Cell.Trace, all[i].TraceDigest, all[i].Clock = trace, sum, clock
		}
		return all
	}
	tests := []struct {
		name    string
		results []results.Result
		want    string
	}{
		{"one trace", of("a.log", "1", "first"), "hit-ratio runtime"},
		{"two", slices.Concat(of("a.log", "1", "first"), of("b c/d.log", "2", "first")), "hit-ratio-a-log hit-ratio-b_c_d-log runtime-a-log runtime-b_c_d-log"},
		{"two of one name", slices.Concat(of("a", "1", "first"), of("a", "2", "first")), "hit-ratio-a hit-ratio-a-2 runtime-a runtime-a-2"},
		{"one with two clocks", slices.Concat(of("a", "1", "first"), of("a", "1", "max")), "hit-ratio-a hit-ratio-a-2 runtime-a runtime-a-2"},
		{"a name like a number", slices.Concat(of("a", "1", ""), of("a", "2", ""), of("a-2", "3", ""), of("a", "4", "")), "hit-ratio-a hit-ratio-a-2 hit-ratio-a-2-2 hit-ratio-a-3 runtime-a runtime-a-2 runtime-a-2-2 runtime-a-3"},
		{"names that differ in odd letters", slices.Concat(of("a/b", "1", ""), of("a:b", "2", "")), "hit-ratio-a_b hit-ratio-a_b-2 runtime-a_b runtime-a_b-2"},
		{"interleaved", slices.Concat(of("a", "1", "")[:1], of("b", "2", "")[:1], of("a", "1", "")[1:]), "hit-ratio-a hit-ratio-b runtime-a"},
		{"times only", timed(four, defaults, measured), "runtime"},
		{"ratios only", swept(four, sizesOf(mib, 2), rising), "hit-ratio"},
	}
	for _, tt := range tests {
		figs, err := all(tt.results, "Title")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range figs {
			got = append(got, f.Name)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, s, tt.want)
		}
		// With several traces the title tells which.
		titled := slices.ContainsFunc(record(figs[0]).texts, func(p placed) bool { return strings.TrimSpace(p.text) == "Title: "+tt.results[0].Cell.Trace })
		if several := strings.HasPrefix(figs[0].Name, "hit-ratio-"); titled != several {
			t.Errorf("%s: the trace's name in the title: %v, want %v", tt.name, titled, several)
		}
	}
}

func TestFiguresOfNothing(t *testing.T) {
	prefix := swept(four, sizesOf(mib, 2), rising)
	for i := range prefix {
		prefix[i].Whole = false
	}
	empty := timed(four, defaults, measured)
	for i := range empty {
		empty[i].Requests = 0
	}
	noSize := swept(four, []int64{mib, 0}, rising)
	tests := []struct {
		name    string
		results []results.Result
		want    string
	}{
		{"no results", nil, "nothing to draw"},
		{"prefixes that were not timed", prefix, "nothing to draw"},
		{"no requests", empty, "nothing to draw"},
		{"no capacity", noSize, "result 2 (fifo, native): capacity of 0 bytes: want a positive number"},
		{"more hits than requests", swept(four, sizesOf(mib, 2), constant(101)), "result 1 (fifo, native): 1010000 hits of 1000000 gets"},
		{"time runs backwards", timed(four, defaults[1:], constant(-1)), "result 1 (fifo, cranelift/pair/srs): replay took -100µs"},
	}
	for _, tt := range tests {
		if figs, err := all(tt.results, ""); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %d figures and %v, want … %s …", tt.name, len(figs), err, tt.want)
		}
	}
}

// FuzzFigures draws results that nobody would measure. Whatever the numbers,
// there is an error or a figure.
func FuzzFigures(f *testing.F) {
	f.Add(int64(mib), int64(2*mib), 10, int64(3), int64(100), int64(90), int64(110))
	f.Add(int64(1), int64(math.MaxInt64), 1, int64(1), int64(math.MaxInt64), int64(0), int64(math.MaxInt64))
	f.Add(int64(5), int64(6), 1<<40, int64(-7), int64(-1), int64(-2), int64(0))
	f.Add(int64(0), int64(-1), -3, int64(1<<50), int64(1), int64(2), int64(3))
	f.Add(int64(3), int64(5), 207, int64(3), int64(0), int64(7), int64(10)) // a median below the least
	f.Add(int64(1), int64(1), 10, int64(3), int64(100), int64(90), int64(110))
	f.Fuzz(func(t *testing.T, size, size2 int64, requests int, hits, median, low, high int64) {
		rs := slices.Concat(swept(four[:2], []int64{size, size2}, rising), timed(four[:2], defaults, measured))
		for i := range rs {
			r := &rs[i]
			r.Requests, r.Gets, r.Hits = requests, int64(requests), int64(requests/2)
			if i%2 == 1 {
				r.Hits = hits
				if r.Timed {
					r.Replay, r.ReplayMin, r.ReplayMax = ns(median), ns(low), ns(high)
				}
			}
		}
		figs, err := all(rs, "")
		if (err == nil) != (len(figs) > 0) {
			t.Fatalf("got %d figures and %v", len(figs), err)
		}
		for _, f := range figs {
			var r recorder.Canvas
			f.draw(draw.NewCanvas(&r, f.Width, f.Height))
			if len(r.Actions) > 100_000 {
				t.Errorf("%s: %d strokes", f.Name, len(r.Actions))
			}
		}
	})
}

func TestPolicyTitle(t *testing.T) {
	for name, want := range map[string]string{"s3fifo:small=0.2": "S3-FIFO (small=0.2)", "lru+adaptsize": "LRU + AdaptSize", "SIEVE C++": "SIEVE C++", "dir/mine.wasm": "mine"} {
		if got := PolicyTitle(name); got != want {
			t.Errorf("the title of %s is %q, want %q", name, got, want)
		}
	}
}
