package containerfile

import (
	"slices"
	"strings"
)

// Edit replaces a part of the text of an instruction.
type Edit struct {
	// Start and End are places in the text of the instruction.
	Start, End int
	Text       string
}

// Write writes the file without the instructions to omit. Instructions with
// edits are written anew, in one line; all others stay as they are, with the comments
// around them.
func (f *File) Write(edits map[int][]Edit, omit func(index int) bool) string {
	var result strings.Builder
	next := 0
	copyUntil := func(line int) {
		for ; next < line && next < len(f.lines); next++ {
			if next < len(f.lines)-1 || f.lines[next] != "" {
				result.WriteString(f.lines[next] + "\n")
			}
		}
	}
	for n := range f.Instructions {
		i := &f.Instructions[n]
		switch {
		case omit(n):
			copyUntil(i.Line - 1)
			next = i.End
		case len(edits[n]) > 0:
			copyUntil(i.Line - 1)
			result.WriteString(i.edited(edits[n]) + "\n")
			next = i.Head
		}
	}
	copyUntil(len(f.lines))
	return result.String()
}

func (i *Instruction) edited(edits []Edit) string {
	edits = slices.SortedFunc(slices.Values(edits), func(a, b Edit) int { return b.Start - a.Start })
	text := i.Text
	for _, edit := range edits {
		text = text[:edit.Start] + edit.Text + text[edit.End:]
	}
	return text
}
