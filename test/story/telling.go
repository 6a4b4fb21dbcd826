package main

import (
	"fmt"
	"io"
	"strings"
)

const indent = "      "

// telling is how the story is put down: plain lines, the same on a terminal and in the log of a CI system.
type telling struct{ out io.Writer }

// line is text at the margin. There is nobody to tell that the output is gone.
func (t telling) line(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, format+"\n", args...)
}

// note is text of the chapter.
func (t telling) note(format string, args ...any) {
	t.block(fmt.Sprintf(format, args...))
}

// command is what an administrator would type to do what happens next.
func (t telling) command(format string, args ...any) {
	t.line("")
	t.note("$ "+format, args...)
}

// hold lists claims that were checked.
func (t telling) hold(claims []claim) {
	for _, c := range claims {
		t.note("ok  %s", c.text)
	}
}

// block is text of several lines.
func (t telling) block(text string) {
	for line := range strings.Lines(text) {
		t.line("%s", strings.TrimRight(indent+line, " \n"))
	}
}
