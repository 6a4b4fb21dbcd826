package inputs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// maxCustomImages bounds the images that custom content pulls.
const maxCustomImages = 100

// customCheck goes through the instructions of custom text, and finds out what has to be
// written in another way for a builder to read it as it is meant.
type customCheck struct {
	file *containerfile.File
	// stages are all stages of the text; the names of the later ones matter, too.
	stages []customStage
	// stage is the index of the present one, -1 before the first.
	stage  int
	values customValues
	edits  map[int][]containerfile.Edit
	images map[string]bool
	// heredoc tells that there is one.
	heredoc bool
}

// customStage is a stage of custom text.
type customStage struct {
	name string
	// line and from are the line and the index of its FROM.
	line, from int
	// base is what it is made from, as it is written out.
	base string
	// builds tells whether it builds on our result.
	builds bool
	// written is its name for the builder: another one if it has none and is referred to by
	// its number, or if it has that of its image.
	written string
	user    string
	// env is its environment, once it is over.
	env map[string]string
}

func newCustomCheck(file *containerfile.File) *customCheck {
	c := &customCheck{file: file, stage: -1, values: newCustomValues(), edits: map[int][]containerfile.Edit{}, images: map[string]bool{}}
	for _, stage := range file.Stages() {
		c.stages = append(c.stages, customStage{name: stage.Name, line: file.Instructions[stage.From].Line, from: stage.From})
	}
	return c
}

// run returns the line and the reason of the first thing that is wrong; no reason for none.
func (c *customCheck) run() (int, string) {
	for n := range c.file.Instructions {
		instruction := &c.file.Instructions[n]
		if reason := c.instruction(n, instruction); reason != "" {
			return instruction.Line, reason
		}
	}
	if reason := c.end(); reason != "" {
		return c.stages[c.stage].line, reason
	}
	c.nameStages()
	return 0, ""
}

// instruction checks one, and whatever it refers to.
func (c *customCheck) instruction(n int, i *containerfile.Instruction) string {
	c.heredoc = c.heredoc || len(i.Heredocs) > 0
	name := strings.ToUpper(i.Name)
	switch {
	case len(i.Args) == 0:
		return name + " needs an argument"
	case i.Name != "from" && i.Name != "arg" && c.stage < 0:
		return name + " comes before the first FROM; begin with FROM " + stageResult + " AS final"
	}
	if reason := cmp.Or(checkFlags(i), checkForms(i), c.heredocs(n, i)); reason != "" {
		return reason
	}
	switch i.Name {
	case "from":
		return c.from(n, i)
	case "arg":
		return c.values.arg(i.Args, c.stage < 0)
	case "env":
		c.values.setEnv(i.Args)
	case "copy":
		return c.copyOf(n, i)
	case "add":
		return c.add(i)
	case "run":
		return c.runOf(n, i)
	case "onbuild":
		return checkTrigger(i.Trigger)
	case "user":
		c.stages[c.stage].user = strings.Join(i.Args, " ")
	}
	return ""
}

// knownFlags are those that all builders know.
var knownFlags = map[string][]string{
	"from": {"platform"}, "copy": {"from", "chown", "chmod"}, "add": {"chown", "chmod", "checksum"}, "run": {"mount", "network"},
	"healthcheck": {"interval", "timeout", "start-period", "retries"},
}

func checkFlags(i *containerfile.Instruction) string {
	known := knownFlags[i.Name]
	for _, flag := range i.Flags {
		name := strings.ToUpper(i.Name)
		switch {
		case slices.Contains(known, flag.Name) && flag.Value != "":
		case slices.Contains(known, flag.Name):
			return fmt.Sprintf("the flag --%s of %s needs a value behind an equals sign, as in --%s=value", flag.Name, name, flag.Name)
		case i.Name == "add" && strings.EqualFold(flag.Name, "from"):
			return "ADD takes nothing from a stage or an image; use COPY --from"
		case len(known) == 0:
			return name + " takes no flags"
		default:
			return fmt.Sprintf("%s has a flag that not all builders know; they know --%s", name, strings.Join(known, ", --"))
		}
	}
	return ""
}

// checkTrigger checks what ONBUILD puts off to a build that has other stages, or files.
func checkTrigger(i *containerfile.Instruction) string {
	for _, flag := range i.Flags {
		if flag.Name == "from" || flag.Name == "mount" {
			return "ONBUILD puts off what refers to a stage or an image, which another build would not have; do without ONBUILD"
		}
	}
	switch i.Name {
	case "copy", "add":
		return "ONBUILD " + strings.ToUpper(i.Name) + " copies files of another build; do without ONBUILD"
	case "onbuild", "from", "maintainer":
		return "ONBUILD cannot put off " + strings.ToUpper(i.Name)
	}
	if len(i.Args) == 0 {
		return "ONBUILD " + strings.ToUpper(i.Name) + " needs an argument"
	}
	return cmp.Or(checkFlags(i), checkForms(i))
}

// end checks the last stage, which becomes the image.
func (c *customCheck) end() string {
	last := c.stages[c.stage]
	user, _, _ := strings.Cut(last.user, ":")
	switch {
	case !last.builds:
		return "the last stage has to build on what the MachineConfigs made: FROM " + stageResult + " AS final"
	case user != "" && user != "root" && user != "0":
		return "the last stage ends as user " + quote(last.user) + "; end it with USER root"
	}
	return ""
}

// head is what comes before everything else: the variables that a FROM can use.
func (c *customCheck) head() string {
	var text strings.Builder
	for _, i := range c.file.Instructions[:c.stages[0].from] {
		text.WriteString(i.Text + "\n")
	}
	return text.String()
}

// body is all the rest.
func (c *customCheck) body() string {
	return c.file.Write(c.edits, func(index int) bool { return index < c.stages[0].from })
}
