package containerfile

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Expand replaces variables of a word and takes quotes away, in the way that all builders
// have in common. Names are those of variables that it needs and that have no value. It is
// not ok for what only some builders know.
func Expand(word string, value func(name string) (string, bool)) (result string, names []string, ok bool) {
	e := &expander{text: word, value: value}
	result, ok = e.until(0)
	return result, e.unset, ok
}

type expander struct {
	text  string
	pos   int
	value func(string) (string, bool)
	unset []string
}

// until expands up to a character, or to the end for 0.
func (e *expander) until(stop byte) (string, bool) {
	var result strings.Builder
	for e.pos < len(e.text) {
		c := e.text[e.pos]
		if stop != 0 && c == stop {
			e.pos++
			return result.String(), true
		}
		part, ok := e.part(c)
		if !ok {
			return "", false
		}
		result.WriteString(part)
	}
	return result.String(), stop == 0
}

// part expands what begins with a character.
func (e *expander) part(c byte) (string, bool) {
	switch c {
	case '$':
		return e.dollar()
	case '\'':
		start := e.pos + 1
		end := strings.IndexByte(e.text[start:], '\'')
		e.pos = start + end + 1
		if end < 0 {
			return "", false
		}
		return e.text[start : start+end], true
	case '"':
		e.pos++
		return e.double()
	case '\\':
		e.pos += 2
		return e.text[e.pos-1 : min(e.pos, len(e.text))], e.pos <= len(e.text)
	}
	e.pos++
	return string([]byte{c}), true
}

// double expands up to the quote. A backslash stays in front of most characters there, and
// nothing that is a name has either.
func (e *expander) double() (string, bool) {
	var result strings.Builder
	for e.pos < len(e.text) && e.text[e.pos] != '\\' {
		c := e.text[e.pos]
		if c == '"' {
			e.pos++
			return result.String(), true
		}
		part := string([]byte{c})
		if e.pos++; c == '$' {
			e.pos--
			var ok bool
			if part, ok = e.dollar(); !ok {
				return "", false
			}
		}
		result.WriteString(part)
	}
	return "", false
}

// dollar expands $NAME, ${NAME}, ${NAME:-value} and ${NAME:+value}.
func (e *expander) dollar() (string, bool) {
	e.pos++
	braces := strings.HasPrefix(e.text[e.pos:], "{")
	if braces {
		e.pos++
	}
	name := e.name()
	value, set := e.value(name)
	switch {
	case name == "":
		return "", false
	case braces && strings.HasPrefix(e.text[e.pos:], "}"):
		e.pos++
	case braces:
		kind := e.text[e.pos:min(e.pos+2, len(e.text))]
		if kind != ":-" && kind != ":+" {
			return "", false
		}
		e.pos += 2
		known := len(e.unset)
		other, ok := e.until('}')
		takesOther := (value == "") == (kind == ":-")
		if !takesOther {
			e.unset = e.unset[:known]
			other = value
			if kind == ":+" {
				other = ""
			}
		}
		return other, ok
	}
	if !set {
		e.unset = append(e.unset, name)
	}
	return value, true
}

func (e *expander) name() string {
	start := e.pos
	for e.pos < len(e.text) {
		r, size := utf8.DecodeRuneInString(e.text[e.pos:])
		if r >= utf8.RuneSelf || r != '_' && !unicode.IsLetter(r) && (!unicode.IsDigit(r) || e.pos == start) {
			break
		}
		e.pos += size
	}
	return e.text[start:e.pos]
}
