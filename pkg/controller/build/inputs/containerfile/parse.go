package containerfile

import (
	"regexp"
	"strings"
	"unicode"
)

// File is a Containerfile.
type File struct {
	Instructions []Instruction
	lines        []string
}

// Instruction is one instruction, with all that belongs to it.
type Instruction struct {
	// Name is in lower case.
	Name string
	// Line is where it begins, Head where the lines that are joined to it end, and End where
	// the last of its heredocs does. The first line is 1.
	Line, Head, End int
	// Text is the joined lines.
	Text  string
	Flags []Flag
	// Args are the words behind the flags, in the form that is the instruction's own: for
	// RUN without JSON, for example, there is one.
	Args []string
	// JSON tells that the arguments are an array.
	JSON     bool
	Heredocs []Heredoc
	// Trigger is what ONBUILD puts off.
	Trigger *Instruction
}

// Flag is a word like --name=value.
type Flag struct {
	Name string
	// Value is without quotes and backslashes. Variables are as they were written.
	Value string
	// Given tells a flag with a value, if an empty one, from one without.
	Given bool
	// Start and End are its place in the text of the instruction.
	Start, End int
}

// Error is why a text is no Containerfile, or none that all builders read in the same way.
type Error struct {
	Line   int
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return e.Reason }

// OpenEnd is the reason of an Error for a text that ends in the middle of an instruction.
const OpenEnd = "ends in the middle of an instruction; remove the last backslash"

var escapeDirective = regexp.MustCompile(`(?i)^#[ \t]*escape[ \t]*=[ \t]*(.)`)

// Parse reads a text, whose lines end in \n. Line ends of other kinds are a matter of who
// calls.
func Parse(text string) (*File, *Error) {
	file := &File{lines: strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")}
	if err := checkDirectives(file.lines); err != nil {
		return nil, err
	}
	for next := 0; next < len(file.lines); {
		joined, end, open := join(file.lines, next)
		if open {
			return nil, &Error{Line: strings.Count(text, "\n"), Reason: OpenEnd}
		}
		if joined == "" {
			next = end
			continue
		}
		instruction, reason := read(joined)
		if reason == "" {
			reason = instruction.readHeredocs(file.lines[end:])
		}
		if reason != "" {
			return nil, &Error{Line: next + 1, Reason: reason}
		}
		instruction.Line, instruction.Head = next+1, end
		instruction.End = end
		for _, heredoc := range instruction.Heredocs {
			instruction.End += heredoc.lines
		}
		next = instruction.End
		file.Instructions = append(file.Instructions, instruction)
	}
	return file, nil
}

// checkDirectives looks at the comments that the text begins with. Another escape character
// would change what every line means, and so would the same text at another place.
func checkDirectives(lines []string) *Error {
	for i, line := range lines {
		match := escapeDirective.FindStringSubmatch(strings.TrimLeftFunc(line, unicode.IsSpace))
		switch {
		case match == nil:
			return nil
		case match[1] != `\`:
			return &Error{Line: i + 1, Reason: "the directive escape has no effect here, since this text is not the beginning of the Containerfile; continue lines with a backslash"}
		case i > 0:
			return &Error{Line: i + 1, Reason: "there is more than one directive escape; remove them"}
		}
	}
	return nil
}

// join joins the line at start with those that it goes on in. The text is empty for a line
// without an instruction; open tells that the end of everything came first.
func join(lines []string, start int) (text string, end int, open bool) {
	line := strings.TrimSuffix(strings.TrimLeftFunc(lines[start], unicode.IsSpace), "\r")
	if strings.HasPrefix(line, "#") {
		return "", start + 1, false
	}
	text, open = cutContinuation(line)
	for end = start + 1; open && end < len(lines); end++ {
		if Blank(lines[end]) {
			continue
		}
		var more string
		more, open = cutContinuation(strings.TrimSuffix(lines[end], "\r"))
		text += more
	}
	return text, end, open
}

// Blank tells whether a line is empty or a comment.
func Blank(line string) bool {
	line = strings.TrimLeftFunc(line, unicode.IsSpace)
	return line == "" || line[0] == '#'
}

func cutContinuation(line string) (string, bool) {
	return strings.CutSuffix(strings.TrimRight(line, " \t"), `\`)
}

const blanks = "\t\v\f\r "

// read reads an instruction without its heredocs.
func read(text string) (Instruction, string) {
	trimmed := strings.TrimSpace(text)
	word, _, _ := strings.Cut(strings.Map(blankToSpace, trimmed), " ")
	instruction := Instruction{Name: strings.ToLower(word), Text: trimmed}
	parse, ok := forms[instruction.Name]
	if !ok {
		return instruction, "there is no instruction " + quote(word)
	}
	offset := len(word) + len(trimmed[len(word):]) - len(strings.TrimLeft(trimmed[len(word):], blanks))
	flags, rest := readFlags(trimmed, offset)
	instruction.Flags = flags
	for _, flag := range flags {
		if strings.ContainsFunc(trimmed[flag.Start:flag.End], func(r rune) bool { return r > unicode.MaxASCII }) {
			return instruction, strings.ToUpper(word) + " has a flag with a character that is not ASCII, of which builders make others; use ASCII there"
		}
	}
	return instruction, parse(&instruction, strings.TrimSpace(trimmed[rest:]))
}

func blankToSpace(r rune) rune {
	if strings.ContainsRune(blanks, r) {
		return ' '
	}
	return r
}

// readFlags reads flags from the offset on, and returns where the rest begins.
func readFlags(text string, offset int) (flags []Flag, rest int) {
	for {
		for offset < len(text) && unicode.IsSpace(rune(text[offset])) {
			offset++
		}
		if !strings.HasPrefix(text[offset:], "--") {
			return flags, offset
		}
		word, end := readFlag(text, offset)
		if word == "--" && end < len(text) {
			return flags, end
		}
		name, value, given := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if word != "--" {
			flags = append(flags, Flag{Name: name, Value: value, Given: given, Start: offset, End: end})
		}
		offset = end
	}
}

// readFlag reads one word, as builders read flags: byte by byte. A letter of several bytes is
// not one to them, and may be cut in its middle.
func readFlag(text string, offset int) (word string, end int) {
	var result []byte
	quoted := byte(0)
	for end = offset; end < len(text); end++ {
		c := text[end]
		switch {
		case quoted == 0 && unicode.IsSpace(rune(c)):
			return string(result), end
		case quoted == 0 && (c == '\'' || c == '"'):
			quoted = c
			continue
		case quoted != 0 && c == quoted:
			quoted = 0
			continue
		case c == '\\':
			if end++; end == len(text) {
				return string(result), end
			}
			c = text[end]
		}
		result = append(result, c)
	}
	return string(result), end
}
