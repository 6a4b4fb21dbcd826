package inputs

import (
	"regexp"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// All builders replace variables in the text of COPY and ADD, unless its name is quoted.
// Older ones do so in that of RUN, too: what a shell was to read there, such as the variable
// of a loop, is gone. They also fail on a quote that is not one of a pair.

// variable is what a builder takes for one.
var variable = regexp.MustCompile(`(?:^|[^\\])\$[A-Za-z0-9_@*#?$!{-]`)

// heredocs writes the names of heredocs with quotes where that changes nothing else than
// that all builders leave the text as it is, and refuses what they read in different ways.
func (c *customCheck) heredocs(n int, i *containerfile.Instruction) string {
	run := i.Name == "run"
	for _, heredoc := range i.Heredocs {
		replaced := variable.MatchString(heredoc.Content)
		switch {
		case heredoc.Quoted || !strings.ContainsAny(heredoc.Content, "$'\"\\`"):
		case run && len(i.Args) == 1 && i.Args[0] == i.Text[heredoc.Start:heredoc.End]:
			// The text is a script, which the shell reads without looking at the name.
			c.quoteName(n, i, heredoc)
		case run && replaced:
			return "RUN has a heredoc with a variable in it, which older builders replace before a shell sees it; quote its name, as in <<'EOF', if the text means what it says, or make it the whole command, as in RUN <<EOF"
		case !replaced && (!run || !strings.ContainsAny(heredoc.Content, "$\\`")):
			c.quoteName(n, i, heredoc)
		case !heredoc.Alike():
			return "has a heredoc that builders cannot read, or not in the same way; quote its name, as in <<'EOF', or write quotes in it in pairs, and variables as $NAME, ${NAME} or ${NAME:-value}"
		}
	}
	return ""
}

func (c *customCheck) quoteName(n int, i *containerfile.Instruction, heredoc containerfile.Heredoc) {
	name := strings.LastIndex(i.Text[heredoc.Start:heredoc.End], heredoc.Name) + heredoc.Start
	c.edit(n, containerfile.Edit{Start: name, End: name + len(heredoc.Name)}, "'"+heredoc.Name+"'")
}
