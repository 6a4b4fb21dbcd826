package cluster

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Colour is how a terminal shows a word. The zero value is as it is.
type Colour string

// Colours, each of which every terminal has.
const (
	Red    Colour = "31"
	Green  Colour = "32"
	Yellow Colour = "33"
	Cyan   Colour = "36"
)

// Terminal is what a command writes to. The zero value is a file or a pipe, which has neither
// colours nor a width.
type Terminal struct {
	Colours bool
	// Width is that of a line now, as somebody may change it; nil if there is no limit.
	Width func() int
}

// TerminalOf looks at where a command writes to, and at what people have set for their
// terminals.
func TerminalOf(out io.Writer) Terminal {
	file, ok := out.(*os.File)
	if outlet, is := out.(*Outlet); is {
		file, ok = outlet.File, true
	}
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return Terminal{}
	}
	return Terminal{Colours: coloursWanted(os.Getenv), Width: func() int {
		width, _, err := term.GetSize(int(file.Fd()))
		if err != nil {
			return 0
		}
		return width
	}}
}

// coloursWanted follows what programs have agreed on.
func coloursWanted(env func(string) string) bool {
	return env("NO_COLOR") == "" && env("TERM") != "dumb"
}

// Paint shows a text in a colour, where there are any.
func (t Terminal) Paint(text string, colour Colour) string {
	if !t.Colours || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + string(colour) + "m" + text + "\x1b[0m"
}

// PaintLines shows the lines of a text in the colours that they have.
func (t Terminal) PaintLines(text string, colourOf func(line string) Colour) string {
	if !t.Colours {
		return text
	}
	var painted strings.Builder
	for line := range strings.Lines(text) {
		content := strings.TrimSuffix(line, "\n")
		painted.WriteString(t.Paint(content, colourOf(content)) + line[len(content):])
	}
	return painted.String()
}
