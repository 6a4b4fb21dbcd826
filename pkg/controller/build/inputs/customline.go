package inputs

import (
	"bufio"
	"errors"
	"strings"

	"github.com/openshift/imagebuilder/dockerfile/parser"
)

// describe puts the parser's words into a reason. It quotes nothing: the text may
// hold what must not be in a condition.
func describe(err error) string {
	if errors.Is(err, bufio.ErrTooLong) {
		return "is too long"
	}
	text := err.Error()
	for _, reason := range []struct{ part, words string }{
		{"unterminated heredoc", "a heredoc has no end"},
		{"two arguments", "needs a name and a value"},
		{"can't find =", "needs values of the form name=value"},
		{"JSON", "has a JSON form that is not an array of texts"},
		{"ESCAPE", "sets an escape character that does not exist"},
		{"flag", "has a flag that cannot be parsed"},
	} {
		if strings.Contains(text, reason.part) {
			return reason.words
		}
	}
	return "cannot be parsed"
}

// lineOfError finds the line of the first instruction that cannot be parsed, for
// the parser does not tell: each instruction is parsed by itself.
func lineOfError(text string) int {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); {
		if hasNoInstructions(lines[i]) {
			i++
			continue
		}
		end := endOfInstruction(lines, i)
		for {
			_, err := parser.Parse(strings.NewReader(strings.Join(lines[i:end], "\n")))
			if err == nil {
				break
			}
			terminator, unterminated := strings.CutSuffix(err.Error(), ": unterminated heredoc")
			next := end
			for unterminated && next < len(lines) && strings.TrimLeft(lines[next], "\t") != terminator {
				next++
			}
			if !unterminated || next == len(lines) {
				return i + 1
			}
			end = next + 1
		}
		i = end
	}
	return 0
}

// endOfInstruction is the index behind the last line that is joined to the one at
// start by backslashes. Comments and empty lines in between do not end it.
func endOfInstruction(lines []string, start int) int {
	continues := true
	end := start
	for ; continues && end < len(lines); end++ {
		if end > start && hasNoInstructions(lines[end]) {
			continue
		}
		continues = strings.HasSuffix(strings.TrimRight(lines[end], " \t"), `\`)
	}
	return end
}
