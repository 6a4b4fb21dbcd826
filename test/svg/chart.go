package svg

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Point is one value; one that is not a number leaves a gap.
type Point struct{ X, Y float64 }

// Series is a line of a chart.
type Series struct {
	Name   string
	Points []Point
}

// Tick is a mark of an axis.
type Tick struct {
	At    float64
	Label string
}

// Axis is what one direction of a chart means.
type Axis struct {
	Title    string
	Min, Max float64
	Ticks    []Tick
	// Log has equal factors at equal distances; Min is above 0 then.
	Log bool
}

// Chart is drawn from lines, or from what is between them.
type Chart struct {
	Title  string
	X, Y   Axis
	Series []Series
	// Stacked puts each series on top of those before it.
	Stacked bool
	// Marked shows where the points are, for the lines between are only to lead the eye.
	Marked bool
}

const (
	headingHeight = 30.0
	lineHeight    = 14.0
	axisWidth     = 44.0
	margin        = 10.0
	// characterWidth is about how wide a character of a label is.
	characterWidth = 6.4
	keyWidth       = 16.0
	// keyLines is how many lines of names a chart has room for.
	keyLines = 4
)

// Chart draws a chart into a frame.
func (p *Picture) Chart(frame Rect, c *Chart) {
	p.Rect(frame, 6, Panel)
	p.Text(frame.X+margin, frame.Y+17, c.Title, Heading, Start)
	keys := c.keys(frame.Width - 2*margin)
	below := lineHeight*float64(len(keys)) + lineHeight + 8
	if c.X.Title != "" {
		below += lineHeight
	}
	plot := Rect{frame.X + axisWidth, frame.Y + headingHeight, frame.Width - axisWidth - margin, frame.Height - headingHeight - below}
	if c.Y.Title != "" {
		p.Text(frame.X+margin, plot.Y+8, c.Y.Title, Faint, Start)
		plot.Y, plot.Height = plot.Y+lineHeight, plot.Height-lineHeight
	}
	p.axes(plot, c)
	lines := c.Series
	if c.Stacked {
		lines = stacked(c.Series)
	}
	for i := range lines {
		d := c.pathOf(plot, lines[i].Points)
		if d == "" {
			continue
		}
		if c.Stacked {
			p.path(d+"Z", "area "+fill(i))
			continue
		}
		p.path(d, stroke(i))
		if c.Marked {
			p.marks(plot, c, i)
		}
	}
	bottom := frame.Y + frame.Height - 6 - lineHeight*float64(len(keys)-1)
	if c.X.Title != "" {
		p.Text(plot.X+plot.Width/2, bottom-lineHeight, c.X.Title, Faint, Middle)
	}
	for i, line := range keys {
		p.keyLine(frame.X+margin, bottom+lineHeight*float64(i), line, c.Stacked)
	}
}

func (p *Picture) axes(plot Rect, c *Chart) {
	for _, tick := range c.Y.Ticks {
		y := plot.Y + plot.Height - c.Y.share(tick.At)*plot.Height
		p.Line(plot.X, y, plot.X+plot.Width, y, Grid)
		p.Text(plot.X-6, y+4, tick.Label, Label, End)
	}
	for _, tick := range c.X.Ticks {
		anchor := Middle
		if c.X.share(tick.At) > 0.98 {
			anchor = End // There is no room to the right of the plot.
		}
		p.Text(plot.X+c.X.share(tick.At)*plot.Width, plot.Y+plot.Height+lineHeight, tick.Label, Label, anchor)
	}
}

// marks are small squares.
func (p *Picture) marks(plot Rect, c *Chart, series int) {
	for _, point := range c.Series[series].Points {
		if !math.IsNaN(point.Y) {
			at := c.at(plot, point)
			p.Rect(Rect{at.X - 2.5, at.Y - 2.5, 5, 5}, 0, fill(series))
		}
	}
}

// share is where a value is between the ends of the axis, from 0 to 1.
func (a *Axis) share(value float64) float64 {
	low, high := a.Min, a.Max
	if a.Log {
		value, low, high = math.Log(value), math.Log(low), math.Log(high)
	}
	if high <= low {
		return 0
	}
	return min(max((value-low)/(high-low), 0), 1)
}

// at is where a value is drawn.
func (c *Chart) at(plot Rect, v Point) Point {
	return Point{plot.X + c.X.share(v.X)*plot.Width, plot.Y + plot.Height - c.Y.share(v.Y)*plot.Height}
}

// pathOf leads from point to point, and begins anew after a gap.
func (c *Chart) pathOf(plot Rect, points []Point) string {
	var d strings.Builder
	var line []Point
	end := func() {
		for i, point := range straightened(line) {
			fmt.Fprintf(&d, "%c%g %g", "ML"[min(i, 1)], point.X, point.Y)
		}
		if len(line) == 1 {
			d.WriteString("h1") // A point alone would not be seen.
		}
		line = nil
	}
	for _, point := range points {
		if math.IsNaN(point.Y) || math.IsInf(point.Y, 0) {
			end()
			continue
		}
		at := c.at(plot, point)
		line = append(line, Point{math.Round(at.X*2) / 2, math.Round(at.Y*2) / 2})
	}
	end()
	return d.String()
}

// straightened leaves out what is on the way from one point to the next.
func straightened(points []Point) []Point {
	var kept []Point
	for _, point := range points {
		if n := len(kept); n >= 2 {
			a, b := kept[n-2], kept[n-1]
			before, after := Point{b.X - a.X, b.Y - a.Y}, Point{point.X - b.X, point.Y - b.Y}
			if before.X*after.Y == before.Y*after.X && before.X*after.X+before.Y*after.Y >= 0 {
				kept = kept[:n-1]
			}
		}
		kept = append(kept, point)
	}
	return kept
}

// stacked are the outlines of what each series adds, from left to right above and back below. Where a series has no value it adds
// nothing.
func stacked(all []Series) []Series {
	var xs []float64
	for _, s := range all {
		for _, point := range s.Points {
			xs = append(xs, point.X)
		}
	}
	slices.Sort(xs)
	xs = slices.Compact(xs)
	below := make([]float64, len(xs))
	outlines := make([]Series, 0, len(all))
	for _, s := range all {
		outline := Series{Name: s.Name}
		above := slices.Clone(below)
		for _, point := range s.Points {
			if i, _ := slices.BinarySearch(xs, point.X); !math.IsNaN(point.Y) {
				above[i] += point.Y
			}
		}
		for i, x := range xs {
			outline.Points = append(outline.Points, Point{x, above[i]})
		}
		for i, x := range slices.Backward(xs) {
			outline.Points = append(outline.Points, Point{x, below[i]})
		}
		outlines, below = append(outlines, outline), above
	}
	return outlines
}

// Top is the highest value of the chart.
func Top(all []Series, areStacked bool) float64 {
	if areStacked {
		all = stacked(all)
	}
	top := 0.0
	for _, s := range all {
		for _, point := range s.Points {
			if !math.IsNaN(point.Y) && !math.IsInf(point.Y, 0) {
				top = max(top, point.Y)
			}
		}
	}
	return top
}

// key is the name of a series, by its number; what there is no room for has number -1.
type key struct {
	series int
	text   string
}

func (k key) width() float64 {
	return keyWidth + characterWidth*float64(utf8.RuneCountInString(k.text)) + 8
}

// keys lays the names of series out in lines.
func (c *Chart) keys(width float64) [][]key {
	lines, used := [][]key{nil}, 0.0
	for i, s := range c.Series {
		k := key{i, s.Name}
		if s.Name == "" {
			continue
		}
		if used > 0 && used+k.width() > width {
			if len(lines) == keyLines {
				last := len(lines) - 1
				more := func() key { return key{-1, fmt.Sprintf("and %d more", len(c.Series)-i)} }
				for used+more().width() > width && len(lines[last]) > 1 {
					i--
					used -= lines[last][len(lines[last])-1].width()
					lines[last] = lines[last][:len(lines[last])-1]
				}
				lines[last] = append(lines[last], more())
				return lines
			}
			lines, used = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], k)
		used += k.width()
	}
	return lines
}

func (p *Picture) keyLine(x, y float64, line []key, areas bool) {
	for _, k := range line {
		switch {
		case k.series < 0:
		case areas:
			p.Rect(Rect{x, y - 8, 11, 9}, 0, "area "+fill(k.series))
		default:
			p.Line(x, y-4, x+11, y-4, stroke(k.series))
		}
		p.Text(x+keyWidth, y, k.text, Label, Start)
		x += k.width()
	}
}

// Ticks are round values from 0 on, about so many of them, that reach beyond the top.
func Ticks(top float64, about int, label func(float64) string) []Tick {
	if top <= 0 {
		top = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(top/float64(about))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if top/(step*factor) <= float64(about) {
			step *= factor
			break
		}
	}
	var ticks []Tick
	for i := 0; ; i++ {
		ticks = append(ticks, Tick{step * float64(i), label(step * float64(i))})
		if step*float64(i) >= top*(1-1e-9) {
			return ticks
		}
	}
}

// Sorted are series in the order of their names.
func Sorted(all []Series) []Series {
	return slices.SortedFunc(slices.Values(all), func(a, b Series) int { return cmp.Compare(a.Name, b.Name) })
}

// Plain is a number for people.
func Plain(x float64) string {
	switch {
	case x != 0 && math.Abs(x) < 0.01:
		return fmt.Sprintf("%.1g", x)
	case x >= 1e6:
		return fmt.Sprintf("%g million", x/1e6)
	}
	return fmt.Sprintf("%g", math.Round(x*100)/100)
}

// Duration is a number of seconds for people.
func Duration(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 1:
		return fmt.Sprintf("%g ms", math.Round(x*1e4)/10)
	case x < 120:
		return fmt.Sprintf("%g s", math.Round(x*10)/10)
	case x < 7200:
		return fmt.Sprintf("%g min", math.Round(x/6)/10)
	}
	return fmt.Sprintf("%g h", math.Round(x/360)/10)
}
