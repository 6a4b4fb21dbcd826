package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/openshift/machine-config-operator/test/svg"
)

// look is how a terminal shows a character.
type look struct {
	colour string
	bold   bool
}

func (l look) class() string {
	if l.bold {
		return strings.TrimSpace(svg.Bold + " " + l.colour)
	}
	return l.colour
}

// piece is text that looks the same, from a column on.
type piece struct {
	column int
	look   look
	text   string
}

type cell struct {
	character rune
	look      look
}

// screen is what a terminal has made of what was written to it so far.
type screen struct {
	width  int
	lines  [][]cell
	column int
	look   look
}

// escape begins what is not shown.
const escape = 0x1b

// screenOf reads what a program wrote. What it does not know is an error: a picture that leaves something out shows what nobody saw.
func screenOf(output []byte, width int) ([][]piece, error) {
	s := &screen{width: width, lines: [][]cell{nil}}
	for rest := output; len(rest) > 0; {
		character, size := utf8.DecodeRune(rest)
		switch {
		case character == escape:
			taken, err := s.sequence(rest)
			if err != nil {
				return nil, err
			}
			size = taken
		case character == '\n':
			// The terminal's driver has put a carriage return before it.
			s.lines = append(s.lines, nil)
		case character == '\r':
			s.column = 0
		case character < ' ' || character == utf8.RuneError:
			return nil, fmt.Errorf("could not show %q, which is no text", rest[:size])
		default:
			s.put(character)
		}
		rest = rest[size:]
	}
	return s.pieces(), nil
}

// sequence acts on an escape sequence, and returns its length.
func (s *screen) sequence(text []byte) (int, error) {
	end := strings.IndexFunc(string(text[1:]), func(r rune) bool { return r >= '@' && r != '[' })
	if end < 0 || text[1] != '[' {
		return 0, fmt.Errorf("could not read the escape sequence %q", text[:min(len(text), 8)])
	}
	whole := string(text[:end+2])
	if whole[len(whole)-1] != 'm' {
		return 0, fmt.Errorf("could not show the escape sequence %q, which does more than to colour", whole)
	}
	for code := range strings.SplitSeq(whole[2:len(whole)-1], ";") {
		if code == "" {
			code = "0"
		}
		number, err := strconv.Atoi(code)
		if err != nil {
			return 0, fmt.Errorf("could not read the escape sequence %q: %w", whole, err)
		}
		if !s.look.apply(number) {
			return 0, fmt.Errorf("could not show the escape sequence %q: pictures have no such colour", whole)
		}
	}
	return len(whole), nil
}

var colours = map[int]string{31: svg.Red, 32: svg.Green, 33: svg.Yellow, 36: svg.Cyan, 39: ""}

// apply changes the look as a code says; false for a code that is not known.
func (l *look) apply(code int) bool {
	colour, isColour := colours[code]
	switch {
	case code == 0:
		*l = look{}
	case code == 1:
		l.bold = true
	case code == 22:
		l.bold = false
	case isColour:
		l.colour = colour
	default:
		return false
	}
	return true
}

// put shows a character, on the next line where this one is full.
func (s *screen) put(character rune) {
	if s.column == s.width {
		s.lines, s.column = append(s.lines, nil), 0
	}
	line := &s.lines[len(s.lines)-1]
	for len(*line) <= s.column {
		*line = append(*line, cell{character: ' '})
	}
	(*line)[s.column] = cell{character, s.look}
	s.column++
}

// pieces are the lines, without empty ones at the end. Gaps of more than one blank part pieces, so that columns stay in their places.
func (s *screen) pieces() [][]piece {
	var lines [][]piece
	for _, line := range s.lines {
		lines = append(lines, piecesOf(line))
	}
	for len(lines) > 0 && len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func piecesOf(line []cell) (pieces []piece) {
	blanks := 0
	for i, c := range line {
		if c.character == ' ' {
			blanks++
			continue
		}
		last := len(pieces) - 1
		if last < 0 || blanks > 1 || pieces[last].look != c.look {
			pieces, last = append(pieces, piece{column: i, look: c.look}), last+1
		} else if blanks == 1 {
			pieces[last].text += " "
		}
		pieces[last].text += string(c.character)
		blanks = 0
	}
	return pieces
}
