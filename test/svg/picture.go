package svg

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Rect is a place in a picture, in pixels from its upper left corner.
type Rect struct{ X, Y, Width, Height float64 }

// Picture is drawn from the back to the front.
type Picture struct {
	Width, Height float64
	// Title and Description are for who cannot see it.
	Title, Description string

	body strings.Builder
}

// Anchors say which end of a text is at its place.
const (
	Start  = ""
	Middle = "m"
	End    = "e"
)

// Rect draws a rectangle of a class, with round corners of a radius.
func (p *Picture) Rect(r Rect, radius float64, class string) {
	rounded := ""
	if radius > 0 {
		rounded = ` rx="` + number(radius) + `"`
	}
	fmt.Fprintf(&p.body, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"%s/>`+"\n", class, number(r.X), number(r.Y), number(r.Width), number(r.Height), rounded)
}

// Line draws a straight line.
func (p *Picture) Line(x1, y1, x2, y2 float64, class string) {
	p.path(fmt.Sprintf("M%s %sL%s %s", number(x1), number(y1), number(x2), number(y2)), class)
}

func (p *Picture) path(d, class string) {
	fmt.Fprintf(&p.body, `<path class="%s" d="%s"/>`+"\n", class, d)
}

// Text writes a text of classes, one of which may be an anchor.
func (p *Picture) Text(x, y float64, text, class, anchor string) {
	fmt.Fprintf(&p.body, `<text%s x="%s" y="%s">%s</text>`+"\n", classes(class, anchor), number(x), number(y), html.EscapeString(text))
}

// Span is a part of a line of text, with a place of its own.
type Span struct {
	X           float64
	Class, Text string
}

// Spans writes a line of text in parts, each of which stays in its place whatever the font's width.
func (p *Picture) Spans(y float64, class string, spans []Span) {
	fmt.Fprintf(&p.body, `<text%s y="%s">`, classes(class), number(y))
	for _, s := range spans {
		fmt.Fprintf(&p.body, `<tspan%s x="%s">%s</tspan>`, classes(s.Class), number(s.X), html.EscapeString(s.Text))
	}
	p.body.WriteString("</text>\n")
}

// classes is the attribute with those that are there.
func classes(all ...string) string {
	var some []string
	for _, class := range all {
		if class != "" {
			some = append(some, class)
		}
	}
	if len(some) == 0 {
		return ""
	}
	return ` class="` + strings.Join(some, " ") + `"`
}

// String is the file.
func (p *Picture) String() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]s %[2]s" width="%[1]s" height="%[2]s" role="img">
<title>%[3]s</title>
<desc>%[4]s</desc>
<style>
%[5]s</style>
%[6]s</svg>
`, number(p.Width), number(p.Height), html.EscapeString(p.Title), html.EscapeString(p.Description), style(), p.body.String())
}

// number is a length with at most one digit after the point, which is as exact as a screen.
func number(x float64) string {
	return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64)
}
