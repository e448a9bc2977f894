package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo terminal of so many columns.
func openTerminal(t *testing.T, columns uint16) (outside, inside *os.File) {
	t.Helper()
	outside, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	t.Cleanup(func() { outside.Close() })
	fd := int(outside.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	inside, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inside.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return outside, inside
}

// TestChartOnTerminal runs the command on a terminal: a chart as wide as it, in
// colours unless NO_COLOR is set, and none with --no-chart.
func TestChartOnTerminal(t *testing.T) {
	trace := smallTrace(t, 3000)
	for _, tt := range []struct {
		name, noColour string
		flags          []string
		chart, colour  bool
	}{
		{"plain", "", nil, true, true},
		{"NO_COLOR", "1", nil, true, false},
		{"--no-chart", "", []string{"--no-chart"}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", tt.noColour)
			t.Setenv("TERM", "xterm-256color")
			outside, inside := openTerminal(t, 64)
			shown := make(chan string)
			go func() {
				b, _ := io.ReadAll(outside) // ends with an error once inside is closed
				shown <- string(b)
			}()
			var stderr bytes.Buffer
			args := append([]string{"cachesim", "run", trace, "--policy", "lru,fifo", "--size", "10%,30%,90%", "--timing-requests", "none", "--out", t.TempDir()}, tt.flags...)
			code := run(args, inside, &stderr)
			inside.Close()
			got := <-shown
			if code != 0 {
				t.Fatalf("exit %d: %s", code, &stderr)
			}
			if strings.Contains(got, "by cache size") != tt.chart || strings.Contains(got, "\x1b[") != tt.colour {
				t.Errorf("want chart %t and colours %t in\n%s", tt.chart, tt.colour, got)
			}
			_, chart, _ := strings.Cut(got, "by cache size")
			if axis := strings.Index(chart, "└"); tt.chart {
				line, _, _ := strings.Cut(chart[max(0, axis):], "\r\n")
				if n := len([]rune(line)) + 6; axis < 0 || n > 64 || n < 56 {
					t.Errorf("the axis ends at column %d of 64: %q", n, line)
				}
			}
		})
	}
}
