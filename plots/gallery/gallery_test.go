package main

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/cmpimg"

	"cachesim/plots"
)

var update = flag.Bool("update", false, "write the images of testdata again")

// TestImages compares a small image of every exhibit with the one that was
// looked at, with a tolerance for the rounding of other processors.
func TestImages(t *testing.T) {
	shown := make(map[string]bool)
	for _, e := range exhibits() {
		shown[e.kind] = true
		t.Run(e.file(), func(t *testing.T) {
			f, err := e.figure()
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := f.Draw(&b, "png"); err != nil {
				t.Fatal(err)
			}
			got := small(t, b.Bytes())
			name := filepath.Join("testdata", e.file()+".png")
			if *update {
				if err := os.WriteFile(name, got, 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if ok, err := cmpimg.EqualApprox("png", got, want, 0.1); err != nil || !ok {
				t.Errorf("the figure changed (%v): look at it (go run ./plots/gallery -format png -out folder), then run the test with -update", err)
			}
		})
	}
	for _, k := range plots.Kinds {
		if !shown[k.Name] {
			t.Errorf("no exhibit of %s", k.Name)
		}
	}
}

// small returns an image with a quarter of the width, in 16 greys: of the text
// not much is left, of the drawing enough.
func small(t *testing.T, file []byte) []byte {
	t.Helper()
	const by = 4
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var greys color.Palette
	for i := range 16 {
		greys = append(greys, color.Gray{uint8(i * 17)})
	}
	b := img.Bounds()
	grey := image.NewGray(b)
	draw.Draw(grey, b, img, b.Min, draw.Src)
	out := image.NewPaletted(image.Rect(0, 0, b.Dx()/by, b.Dy()/by), greys)
	for y := range b.Dy() / by {
		for x := range b.Dx() / by {
			sum := 0
			for i := range by * by {
				sum += int(grey.GrayAt(b.Min.X+x*by+i%by, b.Min.Y+y*by+i/by).Y)
			}
			out.Pix[out.PixOffset(x, y)] = uint8((sum/(by*by) + 8) / 17)
		}
	}
	var buf bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&buf, out); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestPage: docs/FIGURES.md is what this program writes, with all its figures.
func TestPage(t *testing.T) {
	docs := filepath.Join("..", "..", "docs")
	got, err := os.ReadFile(filepath.Join(docs, "FIGURES.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page("gallery") {
		t.Error("docs/FIGURES.md is not current: run go run ./plots/gallery")
	}
	for i, line := range strings.Split(string(got), "\n") {
		if len([]rune(line)) > 100 && !strings.HasPrefix(line, "|") {
			t.Errorf("docs/FIGURES.md:%d: %d columns", i+1, len(line))
		}
	}
	var want []string
	for _, e := range exhibits() {
		want = append(want, e.file()+".svg")
	}
	entries, err := os.ReadDir(filepath.Join(docs, "gallery"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		files = append(files, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(files, want) {
		t.Errorf("docs/gallery has %q, want %q", files, want)
	}
}
