package containerfile

import "strings"

// shellScan is what a shell would see in a line.
type shellScan struct {
	// heredocs are the places of << that begin one.
	heredocs []int
	// calculates are the places of << within $(( )).
	calculates map[int]bool
}

// scanShell goes through a line as a shell does, as far as it takes to tell a heredoc from
// quoted text, a comment and a shift of bits.
func scanShell(text string) shellScan {
	result := shellScan{calculates: map[int]bool{}}
	var parens parentheses
	begins := true
	for pos := 0; pos < len(text); pos++ {
		c := text[pos]
		if c == '#' && begins && !parens.calculate() {
			break
		}
		begins = strings.IndexByte(blanks+";&|(", c) >= 0
		switch {
		case c == '\\':
			pos++
		case c == '\'' || c == '"':
			pos = endOfQuote(text, pos)
		case c == '(' || c == ')':
			pos += parens.read(text[pos:])
		case strings.HasPrefix(text[pos:], "<<<"):
			pos += 2
		case strings.HasPrefix(text[pos:], "<<"):
			if parens.calculate() {
				result.calculates[pos] = true
			} else {
				result.heredocs = append(result.heredocs, pos)
			}
			pos++
		}
	}
	return result
}

// parentheses are those that are open. Each tells whether there is a calculation in it.
type parentheses []bool

func (p *parentheses) calculate() bool { return len(*p) > 0 && (*p)[len(*p)-1] }

// read reads one or two, and returns how many more than one.
func (p *parentheses) read(text string) int {
	switch {
	case strings.HasPrefix(text, "((") && !p.calculate():
		*p = append(*p, true)
		return 1
	case text[0] == '(':
		*p = append(*p, p.calculate())
		return 0
	case len(*p) == 0:
		return 0
	}
	// Two that end a calculation, unless one of them is within.
	within := len(*p) > 1 && (*p)[len(*p)-2]
	ends := p.calculate() && !within && strings.HasPrefix(text, "))")
	*p = (*p)[:len(*p)-1]
	if ends {
		return 1
	}
	return 0
}

// endOfQuote is the place of the quote that ends the one at pos.
func endOfQuote(text string, pos int) int {
	quoted := text[pos]
	for pos++; pos < len(text) && text[pos] != quoted; pos++ {
		if text[pos] == '\\' && quoted == '"' {
			pos++
		}
	}
	return pos
}
