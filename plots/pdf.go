package plots

import (
	"bytes"
	"image"
	"image/color"
	"io"
	"math"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// pdfCanvas draws PDF. (vgpdf embeds fonts whole, 200 KB each, has the letters of
// one code page, and writes the time of day.) It keeps of each font the letters
// that are used.
type pdfCanvas struct {
	doc    *fpdf.Fpdf
	w, h   vg.Length // of the page
	scale  float64
	fonts  map[string]bool
	width  []vg.Length // of lines, one for each Push
	height float64     // of the page in points
	stale  bool        // fpdf has another font in mind than the file
}

func newPDF(w, h vg.Length, scale float64, title string) *pdfCanvas {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: w.Points(), Ht: h.Points()}})
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	doc.SetCreationDate(epoch)
	doc.SetModificationDate(epoch)
	doc.SetCatalogSort(true)
	doc.SetProducer("cachesim", true)
	doc.SetTitle(title, true)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	c := &pdfCanvas{doc: doc, w: w, h: h, scale: scale, fonts: make(map[string]bool), width: []vg.Length{1}, height: h.Points()}
	vg.Initialize(c)
	doc.TransformBegin()
	doc.TransformScale(scale*100, scale*100, 0, c.height) // about the lower left corner
	return c
}

// Size implements vg.CanvasSizer.
func (c *pdfCanvas) Size() (w, h vg.Length) { return c.w, c.h }

// at turns a point into fpdf's coordinates, which start at the upper left.
func (c *pdfCanvas) at(p vg.Point) (x, y float64) { return p.X.Points(), c.height - p.Y.Points() }

// SetLineWidth implements vg.Canvas.
func (c *pdfCanvas) SetLineWidth(w vg.Length) {
	c.width[len(c.width)-1] = w
	c.doc.SetLineWidth(w.Points())
}

// SetLineDash implements vg.Canvas.
func (c *pdfCanvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	var dashes []float64
	for _, d := range pattern {
		dashes = append(dashes, d.Points())
	}
	c.doc.SetDashPattern(dashes, offset.Points())
}

// SetColor implements vg.Canvas.
func (c *pdfCanvas) SetColor(col color.Color) {
	if col == nil {
		col = color.Black
	}
	r, g, b, _ := col.RGBA()
	c.doc.SetFillColor(int(r>>8), int(g>>8), int(b>>8))
	c.doc.SetDrawColor(int(r>>8), int(g>>8), int(b>>8))
	c.doc.SetTextColor(int(r>>8), int(g>>8), int(b>>8))
}

// Rotate implements vg.Canvas.
func (c *pdfCanvas) Rotate(radians float64) {
	c.doc.TransformRotate(radians*180/math.Pi, 0, c.height)
}

// Translate implements vg.Canvas.
func (c *pdfCanvas) Translate(p vg.Point) { c.doc.TransformTranslate(p.X.Points(), -p.Y.Points()) }

// Scale implements vg.Canvas.
func (c *pdfCanvas) Scale(x, y float64) { c.doc.TransformScale(x*100, y*100, 0, c.height) }

// Push implements vg.Canvas.
func (c *pdfCanvas) Push() {
	c.width = append(c.width, c.width[len(c.width)-1])
	c.doc.TransformBegin()
}

// Pop implements vg.Canvas.
func (c *pdfCanvas) Pop() {
	c.width = c.width[:len(c.width)-1]
	c.doc.TransformEnd()
	c.stale = true
}

// Stroke implements vg.Canvas.
func (c *pdfCanvas) Stroke(p vg.Path) {
	if c.width[len(c.width)-1] > 0 {
		c.path(p, "D")
	}
}

// Fill implements vg.Canvas.
func (c *pdfCanvas) Fill(p vg.Path) { c.path(p, "F") }

func (c *pdfCanvas) path(p vg.Path, style string) {
	for _, part := range p {
		x, y := c.at(part.Pos)
		switch part.Type {
		case vg.MoveComp:
			c.doc.MoveTo(x, y)
		case vg.LineComp:
			c.doc.LineTo(x, y)
		case vg.ArcComp:
			c.arc(part)
		case vg.CurveComp:
			from := part.Control
			if len(from) == 1 {
				qx, qy := c.at(from[0])
				c.doc.CurveTo(qx, qy, x, y)
				continue
			}
			ax, ay := c.at(from[0])
			bx, by := c.at(from[1])
			c.doc.CurveBezierCubicTo(ax, ay, bx, by, x, y)
		case vg.CloseComp:
			c.doc.ClosePath()
		}
	}
	c.doc.DrawPath(style)
}

// arc draws an arc as cubic curves of up to a quarter of a circle, each off by
// less than 0.03 % of the radius.
func (c *pdfCanvas) arc(a vg.PathComp) {
	n := max(1, math.Ceil(math.Abs(a.Angle)/(math.Pi/2)-1e-9))
	step := a.Angle / n
	k := 4.0 / 3 * math.Tan(step/4)
	on := func(angle, along float64) (x, y float64) {
		sin, cos := math.Sincos(angle)
		return c.at(vg.Point{
			X: a.Pos.X + a.Radius*vg.Length(cos-along*sin),
			Y: a.Pos.Y + a.Radius*vg.Length(sin+along*cos),
		})
	}
	c.doc.LineTo(on(a.Start, 0))
	for i := range int(n) {
		from := a.Start + float64(i)*step
		ax, ay := on(from, k)
		bx, by := on(from+step, -k)
		x, y := on(from+step, 0)
		c.doc.CurveBezierCubicTo(ax, ay, bx, by, x, y)
	}
}

// FillString implements vg.Canvas.
func (c *pdfCanvas) FillString(f font.Face, p vg.Point, s string) {
	name := f.Name()
	if !c.fonts[name] {
		c.fonts[name] = true
		var b bytes.Buffer
		if _, err := f.Face.WriteSourceTo(nil, &b); err != nil {
			c.doc.SetError(err)
			return
		}
		c.doc.AddUTF8FontFromBytes(name, "", b.Bytes())
	}
	size := f.Font.Size.Points()
	if c.stale { // fpdf writes no font that it believes to be set
		c.doc.SetFont(name, "", size+1)
		c.stale = false
	}
	c.doc.SetFont(name, "", size)
	x, y := c.at(p)
	c.doc.Text(x, y, s)
}

// DrawImage implements vg.Canvas. No figure has images.
func (c *pdfCanvas) DrawImage(vg.Rectangle, image.Image) { panic("plots: an image in a figure") }

// WriteTo implements io.WriterTo.
func (c *pdfCanvas) WriteTo(w io.Writer) (int64, error) {
	c.doc.TransformEnd()
	var b bytes.Buffer
	if err := c.doc.Output(&b); err != nil {
		return 0, err
	}
	return b.WriteTo(w)
}
