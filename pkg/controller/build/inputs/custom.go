package inputs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/openshift/imagebuilder/dockerfile/command"
	"github.com/openshift/imagebuilder/dockerfile/parser"
)

const (
	// CustomConfigMapName is the ConfigMap, in the operator's namespace, with
	// Containerfile text of administrators: one key per pool, named like it.
	CustomConfigMapName = "machine-os-builder-custom-containerfile"

	// MaxCustomBytes bounds the text for one pool (512 KiB). Together with ours it
	// has to fit into one Secret next to nothing else.
	MaxCustomBytes = 512 << 10
)

// Names of the build stages of ours. Custom content builds on stageResult, the
// name that administrators of on-cluster layering know.
const (
	stageInputs     = "inputs"
	stageExtensions = "extensions"
	stageResult     = "configs"
)

// Custom is checked Containerfile text that runs on top of our result. The zero
// value means none.
type Custom struct {
	text         string
	instructions int
	heredoc      bool
	hash         string
}

// Any tells whether there is custom content.
func (c Custom) Any() bool { return c.text != "" }

// Text is the checked text, with line ends of one kind.
func (c Custom) Text() string { return c.text }

// CustomObject is how messages name the ConfigMap with custom content.
const CustomObject = "ConfigMap " + CustomConfigMapName

// ParseCustom checks the text for a pool. Text without any instruction is none.
// The problem names the pool's key, the line and the reason.
func ParseCustom(pool, text string) (Custom, *Problem) {
	problem := func(line int, format string, args ...any) *Problem {
		message := fmt.Sprintf(format, args...)
		if line > 0 {
			message = fmt.Sprintf("line %d: %s", line, message)
		}
		return &Problem{Object: CustomObject, Key: pool, Text: message}
	}

	switch {
	case len(text) > MaxCustomBytes:
		return Custom{}, problem(0, "has %d bytes; at most %d can be built", len(text), MaxCustomBytes)
	case !utf8.ValidString(text):
		return Custom{}, problem(0, "is not valid UTF-8 text")
	case strings.ContainsRune(text, 0):
		return Custom{}, problem(1+strings.Count(text[:strings.IndexByte(text, 0)], "\n"), "has a NUL character")
	}
	text = strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
	if hasNoInstructions(text) {
		return Custom{}, nil
	}

	parsed, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return Custom{}, problem(lineOfError(text), "%s", describe(err))
	}
	if parsed.EscapeToken != parser.DefaultEscapeToken {
		return Custom{}, problem(1, "the directive escape has no effect here, since this text is not the beginning of the Containerfile; continue lines with a backslash")
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	// What follows the text must not become a part of its last instruction.
	closed, err := parser.Parse(strings.NewReader(text + "FROM scratch\n"))
	if err != nil || len(closed.AST.Children) != len(parsed.AST.Children)+1 {
		return Custom{}, problem(strings.Count(text, "\n"), "ends in the middle of an instruction; remove the last backslash")
	}

	check := customCheck{derived: map[string]bool{stageResult: true}}
	for _, node := range parsed.AST.Children {
		if reason := check.instruction(node); reason != "" {
			return Custom{}, problem(node.StartLine, "%s", reason)
		}
	}
	if reason := check.end(); reason != "" {
		return Custom{}, problem(check.lastFrom, "%s", reason)
	}
	return Custom{text: text, instructions: len(parsed.AST.Children), heredoc: check.heredoc, hash: hashOf(text)}, nil
}

// customCheck goes through the instructions of custom text.
type customCheck struct {
	// derived are the names of stages that build on our result.
	derived map[string]bool
	// builds tells whether the present stage does.
	builds   bool
	lastFrom int
	user     string
	heredoc  bool
}

func (c *customCheck) instruction(node *parser.Node) string {
	name := strings.ToUpper(node.Value)
	if _, ok := command.Commands[node.Value]; !ok {
		return "there is no instruction " + quote(name)
	}
	c.heredoc = c.heredoc || len(node.Heredocs) > 0
	args := arguments(node)
	switch {
	case len(args) == 0:
		return name + " needs an argument"
	case node.Value == command.From:
		return c.from(node.StartLine, args)
	case c.lastFrom == 0:
		return name + " comes before the first FROM; begin with FROM " + stageResult + " AS final"
	case node.Value == command.User:
		c.user = strings.Join(args, " ")
	}
	return ""
}

func (c *customCheck) from(line int, args []string) string {
	c.lastFrom, c.user = line, ""
	if len(args) != 1 && (len(args) != 3 || !strings.EqualFold(args[1], "as")) {
		return "FROM takes an image, or an image AS a name"
	}
	c.builds = c.derived[strings.ToLower(args[0])]
	if len(args) == 1 {
		return ""
	}
	name := strings.ToLower(args[2])
	switch name {
	case stageInputs, stageExtensions, stageResult:
		return "the stage name " + name + " is taken; use another one"
	}
	c.derived[name] = c.builds
	return ""
}

// end checks the last stage, which becomes the image.
func (c *customCheck) end() string {
	user, _, _ := strings.Cut(c.user, ":")
	switch {
	case !c.builds:
		return "the last stage has to build on what the MachineConfigs made: FROM " + stageResult + " AS final"
	case user != "" && user != "root" && user != "0":
		return "the last stage ends as user " + quote(c.user) + "; end it with USER root"
	}
	return ""
}

func arguments(node *parser.Node) []string {
	var args []string
	for next := node.Next; next != nil; next = next.Next {
		switch {
		case next.Value != "":
			args = append(args, next.Value)
		case len(next.Children) > 0:
			args = append(args, next.Children[0].Value)
		case node.Attributes["json"]:
			args = append(args, "")
		}
	}
	return args
}

func hasNoInstructions(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}
