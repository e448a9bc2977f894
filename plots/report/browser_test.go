package report

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"cachesim/plots"
)

// findBrowser returns the name of a Chromium. CACHESIM_BROWSER is one's path,
// or required: then the tests fail without one.
func findBrowser(t *testing.T) string {
	t.Helper()
	given := os.Getenv("CACHESIM_BROWSER")
	if given != "" && given != "required" {
		return given
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if given == "required" {
		t.Fatal("there is no Chromium: apt-get install chromium")
	}
	t.Skip("there is no Chromium to show the page in: apt-get install chromium, or set CACHESIM_BROWSER to its path")
	return ""
}

// A browser shows a page and notes what must not happen.
type browser struct {
	context.Context
	mu       sync.Mutex
	faults   []string
	requests []string
}

// openBrowser shows the file of a page.
func openBrowser(t *testing.T, file string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(findBrowser(t)), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-gpu", true))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{Context: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.faults = append(b.faults, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			b.faults = append(b.faults, fmt.Sprintf("console.%s", e.Type))
		case *log.EventEntryAdded: // what the browser reports itself, as of the policy of contents
			b.faults = append(b.faults, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			b.requests = append(b.requests, e.Request.URL)
		}
	})
	b.do(t, network.Enable(), log.Enable(), runtime.Enable(), chromedp.Navigate("file://"+file))
	return b
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b, actions...); err != nil {
		t.Fatal(err)
	}
}

// evaluate returns what a script comes to, as text.
func (b *browser) evaluate(t *testing.T, script string) (s string) {
	t.Helper()
	b.do(t, chromedp.Evaluate("String("+script+")", &s))
	return s
}

func reportFile(t *testing.T, in Input) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, write(t, in), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBrowserIsSelfContained: the page logs nothing and loads nothing, whatever
// the names of its policies hold.
func TestBrowserIsSelfContained(t *testing.T) {
	b := openBrowser(t, reportFile(t, hostile()))
	b.do(t, chromedp.WaitReady("#announce"))
	if s := b.evaluate(t, "window.attacked"); s != "undefined" {
		t.Errorf("a name ran as a script: %s", s)
	}
	if n := b.evaluate(t, "document.querySelectorAll('img, iframe, object, script[src], link[rel=stylesheet], b').length"); n != "0" {
		t.Errorf("%s elements come from names or load something", n)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		t.Errorf("console: %s", f)
	}
	for _, r := range b.requests {
		if !strings.HasPrefix(r, "file://") && r != "data:," {
			t.Errorf("the page requests %s", r)
		}
	}
	if len(b.requests) == 0 {
		t.Error("the request of the page itself was not seen: the test sees none")
	}
}

// column returns the cells of column i of the first table with a caption that
// starts with caption.
func column(caption string, i int) string {
	return fmt.Sprintf(`[...[...document.querySelectorAll("table")].find(t => t.caption.textContent.startsWith(%q)).tBodies[0].rows].map(r => r.cells[%d].textContent).join(" ")`, caption, i)
}

// TestBrowserSorts by mouse and by keyboard, numbers as numbers and sizes as
// sizes.
func TestBrowserSorts(t *testing.T) {
	b := openBrowser(t, reportFile(t, usual()))
	const timesTable = `[...document.querySelectorAll("table")].find(t => t.caption.textContent.startsWith("Running time at"))`
	header := func(i int) string { return fmt.Sprintf(`%s.tHead.rows[0].cells[%d]`, timesTable, i) }
	times := column("Running time at", 4)
	if got := b.evaluate(t, times); got != "90.0 130.0 9.0* 14.0" {
		t.Fatalf("unsorted: %s", got)
	}
	b.do(t, chromedp.Evaluate(header(4)+`.id = "sort-me"`, nil), chromedp.Click("#sort-me button", chromedp.ByQuery))
	if got := b.evaluate(t, times); got != "9.0* 14.0 90.0 130.0" {
		t.Errorf("after a click: %s", got)
	}
	if got := b.evaluate(t, header(4)+`.getAttribute("aria-sort")`); got != "ascending" {
		t.Errorf("aria-sort is %s", got)
	}
	b.do(t, chromedp.Focus("#sort-me button", chromedp.ByQuery), chromedp.KeyEvent(kb.Enter))
	if got := b.evaluate(t, times); got != "130.0 90.0 14.0 9.0*" {
		t.Errorf("after Enter: %s", got)
	}
	if got := b.evaluate(t, header(4)+`.getAttribute("aria-sort")+" "+`+header(0)+`.getAttribute("aria-sort")`); got != "descending none" {
		t.Errorf("aria-sort is %s", got)
	}
	if got := b.evaluate(t, `document.getElementById("announce").textContent`); !strings.Contains(got, "sorted by ns/request, descending") {
		t.Errorf("announced: %q", got)
	}
	// Empty cells stay last in both directions.
	ratio := column("Running time at", 7)
	for range 2 {
		b.do(t, chromedp.Evaluate(header(7)+`.querySelector("button").click()`, nil))
		if got := b.evaluate(t, ratio); strings.TrimSpace(got) == "" || !strings.HasSuffix(got, "  ") {
			t.Errorf("ratios with empty cells: %q", got)
		}
	}
	// The column of sizes of a figure's data.
	b.do(t, chromedp.Evaluate(`document.getElementById("figure-1").querySelector("th[aria-sort] button").click()`, nil))
	sizes := `[...document.getElementById("figure-1").querySelector("tbody").rows].map(r => r.cells[0].textContent).join()`
	if got := b.evaluate(t, sizes); got != "1 MiB,2 MiB,10 MiB" {
		t.Errorf("sizes: %s", got)
	}
}

// TestBrowserToggles the data of a figure by mouse and by keyboard.
func TestBrowserToggles(t *testing.T) {
	b := openBrowser(t, reportFile(t, usual()))
	shown := `document.querySelector("#figure-1 details table").checkVisibility()`
	if got := b.evaluate(t, shown); got != "false" {
		t.Fatalf("the data are visible at first: %s", got)
	}
	b.do(t, chromedp.Click("#figure-1 summary", chromedp.ByQuery))
	if got := b.evaluate(t, shown); got != "true" {
		t.Errorf("after a click visible: %s", got)
	}
	b.do(t, chromedp.Focus("#figure-1 summary", chromedp.ByQuery), chromedp.KeyEvent(kb.Enter))
	if got := b.evaluate(t, shown); got != "false" {
		t.Errorf("after Enter visible: %s", got)
	}
	// Tab reaches the link that skips the contents first.
	b.do(t, chromedp.Evaluate(`document.activeElement.blur(); window.scrollTo(0, 0)`, nil), chromedp.Reload(), chromedp.KeyEvent(kb.Tab))
	if got := b.evaluate(t, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first Tab goes to %q", got)
	}
}

// TestBrowserHovers: the value nearest to the pointer is shown, by arrow keys the
// next one, and each disappears again.
func TestBrowserHovers(t *testing.T) {
	b := openBrowser(t, reportFile(t, usual()))
	const tip = `(document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent)`
	// Where the middle of the spot of a text is on the screen, for the mouse.
	b.do(t, chromedp.Evaluate(`window.at = i => { const e = document.querySelectorAll("#figure-1 .spots > *")[i]; e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return [(r.left + r.right) / 2, (r.top + r.bottom) / 2]; }`, nil))
	move := func(i int, dx float64) {
		t.Helper()
		var at []float64
		b.do(t, chromedp.Evaluate(fmt.Sprintf(`window.at(%d)`, i), &at))
		b.do(t, chromedp.MouseEvent(input.MouseMoved, at[0]+dx, at[1]))
	}
	if got := b.evaluate(t, tip); got != "" {
		t.Fatalf("at first a tip is shown: %q", got)
	}
	if got := b.evaluate(t, `document.querySelectorAll(".spots title").length`); got != "0" {
		t.Errorf("%s titles are left, which browsers show as well", got)
	}
	spots := b.evaluate(t, `document.querySelectorAll("#figure-1 .spots > *").length`)
	if spots == "0" {
		t.Fatal("figure 1 has no values")
	}
	move(0, 3)
	first := b.evaluate(t, tip)
	if want := firstSpot(t, usual()); first != want {
		t.Errorf("over the first point: %q, want %q", first, want)
	}
	if got := b.evaluate(t, `(() => { const r = document.getElementById("tip").getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight && r.width > 20; })()`); got != "true" {
		t.Error("the tip is not within the window")
	}
	move(1, 0)
	if second := b.evaluate(t, tip); second == first || second == "" {
		t.Errorf("over the second point: %q, as over the first", second)
	}
	b.do(t, chromedp.KeyEvent(kb.Escape))
	if got := b.evaluate(t, tip); got != "" {
		t.Errorf("after Escape: %q", got)
	}
	move(0, 0)
	b.do(t, chromedp.MouseEvent(input.MouseMoved, 1, 1))
	if got := b.evaluate(t, tip); got != "" {
		t.Errorf("away from the figure: %q", got)
	}
	b.do(t, chromedp.Evaluate(`document.querySelector("#figure-1 .picture").focus()`, nil), chromedp.KeyEvent(kb.ArrowRight))
	if got := b.evaluate(t, tip); got != first {
		t.Errorf("after the first arrow: %q, want %q", got, first)
	}
	b.do(t, chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowLeft))
	if got := b.evaluate(t, tip+` + "|" + document.getElementById("announce").textContent`); got != first+"|"+first {
		t.Errorf("there and back: %q, want %q shown and announced", got, first)
	}
	b.do(t, chromedp.KeyEvent(kb.Tab))
	if got := b.evaluate(t, tip); got != "" {
		t.Errorf("elsewhere: %q", got)
	}
}

// firstSpot is the text of the first value of the first figure.
func firstSpot(t *testing.T, in Input) string {
	t.Helper()
	figures, err := makeFigures(plots.Rows{Results: in.Set.Results, Traces: in.Set.Traces, Costs: in.Costs}, in.Options, nil)
	if err != nil {
		t.Fatal(err)
	}
	return figures[0].Spots()[0].Text
}

// TestBrowserFits: no width overflows, and the page is drawn, light and dark.
// Texts of the page have a contrast of 4.5 or more. CACHESIM_SCREENSHOTS is a
// folder that keeps the screenshots.
func TestBrowserFits(t *testing.T) {
	if testing.Short() {
		t.Skip("every width and scheme takes half a minute")
	}
	for name, in := range map[string]Input{"hostile": hostile(), "wide": wide()} {
		b := openBrowser(t, reportFile(t, in))
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{360, 800, 1400} {
				var shot []byte
				b.do(t, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
					chromedp.EmulateViewport(width, 900),
					chromedp.Evaluate(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil))
				if got := b.evaluate(t, `document.scrollingElement.scrollWidth <= innerWidth && innerWidth === `+fmt.Sprint(width)); got != "true" {
					t.Errorf("%s at %d pixels: the page is %s pixels wide in a window of %s: %s", name, width, b.evaluate(t, "document.scrollingElement.scrollWidth"), b.evaluate(t, "innerWidth"),
						b.evaluate(t, `[...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > innerWidth).map(e => e.tagName + "." + e.className).slice(0, 5).join()`))
				}
				if low := b.evaluate(t, lowContrast); low != "" {
					t.Errorf("%s, %s: low contrast: %s", name, scheme, low)
				}
				b.do(t, chromedp.Evaluate(`document.querySelectorAll("details").forEach(d => d.open = false)`, nil), chromedp.FullScreenshot(&shot, 100))
				dark := checkShot(t, fmt.Sprintf("%s at %d pixels, %s", name, width, scheme), shot)
				if dark != (scheme == "dark") {
					t.Errorf("%s: scheme %s, but the margin of the page is dark: %t", name, scheme, dark)
				}
				if dir := os.Getenv("CACHESIM_SCREENSHOTS"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), shot, 0o644); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
}

// lowContrast lists texts of which the contrast with the nearest background is
// below 4.5 (WCAG 2.2, success criterion 1.4.3). Figures are not texts.
const lowContrast = `(() => {
  const rgb = s => s.match(/[\d.]+/g).map(Number);
  const luminance = c => {
    const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = e => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const e of document.querySelectorAll("body *")) {
    if (e.closest("svg, script") || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const a = luminance(rgb(getComputedStyle(e).color)), b = luminance(background(e));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.add(e.tagName + " " + contrast.toFixed(2));
  }
  return [...found].join(", ");
})()`

// checkShot fails for an empty picture, and reports whether its margin is dark.
func checkShot(t *testing.T, what string, shot []byte) bool {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	colors := make(map[[3]uint32]int)
	size := m.Bounds()
	for y := size.Min.Y; y < size.Max.Y; y += 5 {
		for x := size.Min.X; x < size.Max.X; x += 3 {
			r, g, b, _ := m.At(x, y).RGBA()
			colors[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}
	most, total := 0, 0
	for _, n := range colors {
		most, total = max(most, n), total+n
	}
	if len(colors) < 50 || most > total*995/1000 {
		t.Errorf("%s: the picture is blank: %d colours, of which one has %d of %d pixels", what, len(colors), most, total)
	}
	r, g, b, _ := m.At(size.Min.X+1, size.Min.Y+1).RGBA()
	return r+g+b < 3*0x8000
}

// TestBrowserPrints: figures and tables are not cut at the edges of paper.
func TestBrowserPrints(t *testing.T) {
	b := openBrowser(t, reportFile(t, usual()))
	b.do(t, emulation.SetEmulatedMedia().WithMedia("print"), chromedp.EmulateViewport(718, 1000)) // A4 with margins of 1 cm
	if got := b.evaluate(t, `document.scrollingElement.scrollWidth <= innerWidth`); got != "true" {
		t.Errorf("the page overflows paper by %s pixels", b.evaluate(t, `document.scrollingElement.scrollWidth - innerWidth`))
	}
	if got := b.evaluate(t, `[...document.querySelectorAll("nav, .data")].filter(e => e.checkVisibility()).length`); got != "0" {
		t.Errorf("%s elements for screens alone are printed", got)
	}
	if got := b.evaluate(t, `[...document.querySelectorAll("svg")].filter(e => e.getBoundingClientRect().right > innerWidth).length`); got != "0" {
		t.Errorf("%s figures are cut", got)
	}
}
