package svg

import (
	"fmt"
	"strings"
)

// paint is a colour in light and in dark surroundings.
type paint struct{ light, dark string }

// Classes of what pictures are made of; those of series are s0 and f0 and so on.
const (
	// Page is the ground of a picture, Panel what stands out from it, and Bar what stands out from that.
	Page  = "page"
	Panel = "panel"
	Bar   = "bar"
	// Grid is a line that guides the eye.
	Grid = "grid"
	// Heading, Label, Faint and Large are texts, and Code is one of a terminal.
	Heading = "heading"
	Label   = "label"
	Faint   = "faint"
	Large   = "large"
	Code    = "code"
	// Red, Green, Yellow, Cyan and Bold are how a terminal shows a text.
	Red    = "red"
	Green  = "green"
	Yellow = "yellow"
	Cyan   = "cyan"
	Bold   = "bold"
)

// fills are the colours that have a name of their own.
var fills = []struct {
	class string
	paint
}{
	{Page, paint{"#ffffff", "#0d1117"}},
	{Panel, paint{"#f6f8fa", "#161b22"}},
	{Bar, paint{"#dde2e8", "#2b323b"}},
	{Heading, paint{"#1f2328", "#e6edf3"}},
	{Label, paint{"#59636e", "#9da7b1"}},
	{Faint, paint{"#7b858f", "#7d8690"}},
	{Large, paint{"#1f2328", "#e6edf3"}},
	{Code, paint{"#1f2328", "#e6edf3"}},
	{Red, paint{"#c01c28", "#ff7b72"}},
	{Green, paint{"#14742f", "#4ac26b"}},
	{Yellow, paint{"#8a5a00", "#e3b341"}},
	{Cyan, paint{"#0b6e7f", "#56d4dd"}},
}

// palette has the colours of series. Neighbours are told apart by people who do not see all colours.
var palette = []paint{
	{"#0b62c4", "#58a6ff"}, {"#c4570a", "#f0883e"}, {"#14742f", "#4ac26b"}, {"#7a3fd1", "#bc8cff"}, {"#c01c28", "#ff7b72"},
	{"#0b7d8c", "#39c5cf"}, {"#8a5a00", "#e3b341"}, {"#b52f82", "#f778ba"}, {"#59636e", "#9da7b1"}, {"#4b6a10", "#a5c261"},
}

const fixed = `text{font-family:ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif;font-size:11px}
.heading{font-size:13px;font-weight:600}
.large{font-size:40px;font-weight:600}
.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:13px;white-space:pre}
.bold{font-weight:700}
.m{text-anchor:middle}
.e{text-anchor:end}
.grid{fill:none;stroke-width:1}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.dash{stroke-dasharray:5 3}
.area{fill-opacity:.62}
`

// style has the light colours, and the dark ones for who asked for them.
func style() string {
	var light, dark strings.Builder
	rule := func(selector, property string, p paint) {
		fmt.Fprintf(&light, "%s{%s:%s}\n", selector, property, p.light)
		fmt.Fprintf(&dark, "%s{%s:%s}\n", selector, property, p.dark)
	}
	for _, f := range fills {
		rule("."+f.class, "fill", f.paint)
	}
	rule(".grid", "stroke", paint{"#d5dae0", "#30363d"})
	for i, p := range palette {
		rule(fmt.Sprintf(".s%d", i), "stroke", p)
		rule(fmt.Sprintf(".f%d", i), "fill", p)
	}
	return fixed + light.String() + "@media(prefers-color-scheme:dark){\n" + dark.String() + "}\n"
}

// stroke is the class of a series' line, and fill that of its area: when all colours are taken, lines are dashed.
func stroke(i int) string {
	class := fmt.Sprintf("line s%d", i%len(palette))
	if i/len(palette)%2 == 1 {
		class += " dash"
	}
	return class
}

func fill(i int) string { return fmt.Sprintf("f%d", i%len(palette)) }
