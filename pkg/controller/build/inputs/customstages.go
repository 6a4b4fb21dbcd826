package inputs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// stageName is what a stage can be called; builders differ in what else they take.
var stageName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// onePlatform is what the flag --platform takes: OS/ARCH[/VARIANT], or a word for that of the
// builder.
var onePlatform = regexp.MustCompile(`^(?:local|[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)?)$`)

// from begins a stage.
func (c *customCheck) from(n int, i *containerfile.Instruction) string {
	c.stage++
	stage := &c.stages[c.stage]
	if len(i.Args) != 1 && (len(i.Args) != 3 || !strings.EqualFold(i.Args[1], "as")) {
		return "FROM takes an image, or an image AS a name"
	}
	if reason := c.stageNamed(i.Args); reason != "" {
		return reason
	}
	stage.written = stage.name
	for _, flag := range i.Flags {
		if reason := c.platform(n, flag); reason != "" {
			return reason
		}
	}
	written, reason := c.expand("FROM", i.Args[0], c.values.inFrom)
	if reason != "" {
		return reason
	}
	if stage.base, reason = c.resolve("FROM", written); reason != "" {
		return reason
	}
	if c.stage > 0 {
		c.stages[c.stage-1].env = c.values.env
	}
	var env map[string]string
	stage.builds = stage.base == stageResult
	for _, before := range c.stages[:c.stage] {
		if before.written == stage.base {
			stage.builds, env = before.builds, before.env
		}
	}
	c.values.begin(env)
	if stage.base != i.Args[0] {
		c.edit(n, fromBase(i), stage.base)
	}
	return ""
}

// stageNamed checks the name of the present stage.
func (c *customCheck) stageNamed(args []string) string {
	if len(args) == 1 {
		return ""
	}
	name := args[2]
	switch {
	case isOurs(name) || strings.EqualFold(name, stageResult) || strings.EqualFold(name, containerfile.Scratch):
		return "the stage name " + strings.ToLower(name) + " is taken; use another one"
	case !stageName.MatchString(name):
		return "FROM needs a name of letters, digits, dashes, dots and underscores behind AS, that begins with a letter"
	}
	for _, before := range c.stages[:c.stage] {
		if strings.EqualFold(before.name, name) {
			return fmt.Sprintf("the stage name %s is taken by the stage in line %d; use another one", name, before.line)
		}
	}
	return ""
}

// platform writes out the value of --platform, unless only the builder knows it.
func (c *customCheck) platform(n int, flag containerfile.Flag) string {
	value, unset, ok := containerfile.Expand(flag.Value, c.values.inFrom)
	switch {
	case ok && len(unset) == 1 && builderArgs[unset[0]]:
	case !ok || len(unset) > 0:
		return "FROM --platform has a variable that nothing sets; write its value in place of it"
	case !onePlatform.MatchString(value):
		return "FROM --platform needs one platform, such as linux/amd64"
	case value != flag.Value:
		c.edits[n] = append(c.edits[n], containerfile.Edit{Start: flag.Start, End: flag.End, Text: "--platform=" + value})
	}
	return ""
}

// expand writes out a reference.
func (c *customCheck) expand(by, written string, value func(string) (string, bool)) (string, string) {
	expanded, unset, ok := containerfile.Expand(written, value)
	switch {
	case !ok:
		return "", by + " has a name that not all builders read in the same way; use letters and digits, or variables of the forms $NAME, ${NAME} and ${NAME:-value}"
	case len(unset) > 0 && builderArgs[unset[0]]:
		return "", by + " has the variable " + unset[0] + ", whose value only the builder knows; write the name of the image in full"
	case len(unset) > 0 && by == "FROM":
		return "", by + " has the variable " + named(unset[0]) + ", which nothing sets; set it by ARG " + named(unset[0]) + "=value before the first FROM"
	case len(unset) > 0:
		return "", by + " has the variable " + named(unset[0]) + ", which nothing in this stage sets; set it by ARG " + named(unset[0]) + "=value behind its FROM"
	}
	return expanded, ""
}

// resolve is the stage or image that a name means, as it has to be written for the builder,
// which compares names exactly and counts stages of ours, too.
func (c *customCheck) resolve(by, name string) (string, string) {
	if name == "" {
		return "", by + " needs the name of a stage or an image"
	}
	if strings.Trim(name, "0123456789") == "" {
		return c.numbered(by, name)
	}
	if isOurs(name) {
		return "", fmt.Sprintf("%s refers to %s, which is a stage of the controller's own; refer to %s, to a stage of this text, or to an image", by, strings.ToLower(name), stageResult)
	}
	if name == stageResult {
		return name, ""
	}
	if strings.EqualFold(name, stageResult) {
		return "", fmt.Sprintf("%s refers to %s, and the stage is called %s: names of stages are compared exactly; write it as it is called", by, named(name), stageResult)
	}
	for index, stage := range c.stages {
		switch {
		case !strings.EqualFold(stage.name, name):
		case index == c.stage && by == "FROM":
			// An image, which builders would not pull ahead: they take its name for the stage's.
			stage := &c.stages[index]
			if stage.name == name {
				stage.written = numberedName(index)
			}
			return c.image(by, name)
		case index == c.stage:
			return "", fmt.Sprintf("%s refers to %s, which is the name of its own stage; give the stage in line %d another name", by, named(name), stage.line)
		case index > c.stage:
			return "", fmt.Sprintf("%s refers to %s, a stage that begins in line %d, below; move the stage up, or give it another name if an image is meant", by, named(name), stage.line)
		case stage.name != name:
			return "", fmt.Sprintf("%s refers to %s, and the stage in line %d is called %s: names of stages are compared exactly; write it as it is called", by, named(name), stage.line, stage.name)
		default:
			return stage.written, ""
		}
	}
	return c.image(by, name)
}

// numbered is the stage of a number. Administrators count their own.
func (c *customCheck) numbered(by, name string) (string, string) {
	number, err := strconv.Atoi(name)
	switch {
	case by == "FROM":
		return "", "FROM refers to a stage by its number; give that stage a name, as in FROM image AS name, and refer to it by that"
	case err != nil || number >= c.stage:
		return "", fmt.Sprintf("%s refers to the stage number %s, and there are %d stages in this text before the present one, counted from 0; refer to one of those, better by its name", by, name, c.stage)
	}
	stage := &c.stages[number]
	if stage.name == "" {
		stage.written = numberedName(number)
	}
	return stage.written, ""
}

// stageNumbered is what the names begin with that stages without one get.
const stageNumbered = reservedPrefix + "stage-"

func numberedName(number int) string { return stageNumbered + strconv.Itoa(number) }

// nameStages writes names that have to be others than administrators gave.
func (c *customCheck) nameStages() {
	for _, stage := range c.stages {
		if stage.written == stage.name {
			continue
		}
		end := len(c.file.Instructions[stage.from].Text)
		place := containerfile.Edit{Start: end - len(stage.name), End: end}
		if stage.name == "" {
			c.edit(stage.from, place, " AS "+stage.written)
		} else {
			c.edit(stage.from, place, stage.written)
		}
	}
}

// image is a pullspec as all parts of a builder read it: what pulls ahead takes the tag of
// one that has a digest as well, and what builds takes the digest.
func (c *customCheck) image(by, name string) (string, string) {
	if name == containerfile.Scratch {
		if by == "FROM" {
			return name, ""
		}
		return "", by + " refers to scratch, which has no files"
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", by + " needs the name of a stage or the pullspec of an image, in lower case and without anything before the registry"
	}
	name = withoutTag(name, ref)
	if c.images[name] = true; len(c.images) > maxCustomImages {
		return "", fmt.Sprintf("%s names one more image than the %d that a build can pull", by, maxCustomImages)
	}
	return name, ""
}

// withoutTag takes the tag away from a pullspec that has a digest.
func withoutTag(name string, ref reference.Named) string {
	tagged, ok := ref.(reference.Tagged)
	if _, digested := ref.(reference.Digested); !ok || !digested {
		return name
	}
	before, digest, _ := strings.Cut(name, "@")
	return strings.TrimSuffix(before, ":"+tagged.Tag()) + "@" + digest
}

// isOurs tells of stages of ours that nothing can refer to, whatever the case.
func isOurs(name string) bool {
	name = strings.ToLower(name)
	return name == stageInputs || name == stageExtensions || strings.HasPrefix(name, reservedPrefix)
}

// named is a name as messages have it.
func named(name string) string {
	if name = safe(name); len(name) > 80 {
		name = name[:80] + "…"
	}
	return name
}

// edit replaces a place of an instruction.
func (c *customCheck) edit(n int, place containerfile.Edit, text string) {
	place.Text = text
	c.edits[n] = append(c.edits[n], place)
}

// fromBase is the place of the first word behind the flags of a FROM.
func fromBase(i *containerfile.Instruction) containerfile.Edit {
	start := len(i.Name)
	if len(i.Flags) > 0 {
		start = i.Flags[len(i.Flags)-1].End
	}
	start += strings.Index(i.Text[start:], i.Args[0])
	return containerfile.Edit{Start: start, End: start + len(i.Args[0])}
}
