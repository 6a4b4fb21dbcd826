package preview

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := &text{}
	t.line("MachineConfigPool %s: %s", r.Pool, headlines[r.Outcome])
	t.decision(r)
	t.list("Warnings", r.Warnings)
	t.list("Not checked", r.NotChecked)
	t.diff(r.Diff)
	t.image(r.Image)
	t.content(r.Content)
	t.build(r)
	t.dryRun(r.ServerDryRun)
	if r.Containerfile != "" {
		t.section("Containerfile")
		t.block(r.Containerfile)
	}
	_, err := w.Write(t.Bytes())
	return err
}

var headlines = map[Outcome]string{
	NothingToBuild: "nothing to build",
	WouldBuild:     "an image would be built",
	Blocked:        "blocked, no image can be built",
}

// text is laid out in sections of indented lines.
type text struct{ bytes.Buffer }

// line writes one line. Writing to a buffer does not fail.
func (t *text) line(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }

func (t *text) section(format string, args ...any) { t.line("\n"+format, args...) }

func (t *text) block(content string) {
	for line := range strings.Lines(content) {
		t.line("%s", strings.TrimRight("  "+line, " \n"))
	}
}

func (t *text) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	t.section("%s", title)
	for _, item := range items {
		t.line("  %s", item)
	}
}

// table aligns rows; a row whose last cells are empty ends before them.
func (t *text) table(rows [][]string) {
	w := tabwriter.NewWriter(t, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, "  "+strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = w.Flush()
}

// pairs writes names and values; those without a value are left out.
func (t *text) pairs(pairs ...string) {
	var rows [][]string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			rows = append(rows, pairs[i:i+2])
		}
	}
	t.table(rows)
}

func (t *text) decision(r *Report) {
	t.section("Decision")
	t.pairs(
		"state", r.State, "reason", r.Reason, "message", r.Message,
		"wanted config", cmp.Or(r.Config, "none"), "fingerprint", r.Fingerprint,
		"published image", cmp.Or(r.Published, "none"), "made from", r.PublishedConfig,
	)
}

func (t *text) image(i *Image) {
	if i == nil {
		return
	}
	t.section("Image")
	t.pairs(
		"base image", i.BaseImage, "kernel", cmp.Or(i.Kernel, "that of the base image"),
		"extensions", strings.Join(i.Extensions, ", "), "packages", strings.Join(i.Packages, ", "), "from", i.ExtensionsImage,
		"custom content", count(i.CustomLines, "line"), "trust bundle", count(i.Certificates, "certificate"),
		"repository", i.PushedTo, "mounted", strings.Join(i.Mounted, ", "),
	)
}

func (t *text) content(c *Content) {
	if c == nil {
		return
	}
	t.section("Files and units (%d)", len(c.Entries))
	var rows [][]string
	for _, e := range c.Entries {
		size := "-"
		if e.Bytes != nil {
			size = fmt.Sprintf("%d B", *e.Bytes)
		}
		rows = append(rows, []string{e.Kind, cmp.Or(e.Mode, "-"), e.Owner, size, e.Path, strings.Join(e.Notes, ", ")})
	}
	t.table(rows)
	t.unitStates(c.UnitStates)
	var derived []string
	for _, d := range c.Derived {
		derived = append(derived, d.What+": from "+d.From)
	}
	t.list("Made from these", derived)
	var users []string
	for _, user := range c.Users {
		users = append(users, user.Name+": "+count(user.Keys, "key"))
	}
	t.list("SSH keys of users, where the base image has the user and the home", users)
	var left []string
	for _, l := range c.LeftOut {
		left = append(left, l.What+": "+l.Why)
	}
	t.list("Left to the node", left)
	var findings []string
	for _, f := range c.Findings {
		findings = append(findings, f.Path+" ("+f.Kind+")")
	}
	t.list("Looks like a credential, and whoever may pull the image can read it", findings)
}

// unitStates are a section of their own, since they are no files.
func (t *text) unitStates(states []UnitState) {
	if len(states) == 0 {
		return
	}
	t.section("States of units that the config does not bring (%d)", len(states))
	var rows [][]string
	for _, state := range states {
		rows = append(rows, []string{state.Name, strings.Join(state.States, ", ")})
	}
	t.table(rows)
}

func (t *text) build(r *Report) {
	if r.Build == nil {
		return
	}
	title := r.kind
	if r.Outcome == Blocked {
		title += ", once nothing is in its way"
	}
	t.section("%s", title)
	request := r.request
	t.pairs(
		"example of a name", ctrlcommon.MCONamespace+"/"+request.Name, "pushes to", request.Output,
		"push secret", request.PushSecret, "pull secret", cmp.Or(request.PullSecret, "none"),
		"may run for", fmt.Sprintf("%d s", int(request.Deadline.Seconds())),
	)
	t.section("Inputs of the %s (%s)", r.kind, count(len(r.Inputs), "Secret"))
	var rows [][]string
	for _, input := range r.Inputs {
		rows = append(rows, []string{input.Secret, input.Key, fmt.Sprintf("%d B", input.Bytes)})
	}
	t.table(rows)
}

func (t *text) dryRun(d *ServerDryRun) {
	if d == nil {
		return
	}
	t.section("The API server's answers to a dry run")
	if d.Skipped != "" {
		t.line("  nothing was asked: %s", d.Skipped)
	}
	for _, answer := range d.Answers {
		verdict := "accepted"
		if !answer.Accepted {
			verdict = "REFUSED: " + answer.Message
		}
		t.line("  %s: %s", answer.Object, verdict)
	}
}

func (t *text) diff(d *Diff) {
	if d == nil {
		return
	}
	t.section("Changes against the published image, of %s", cmp.Or(d.From, "no config"))
	if d.Unknown != "" {
		t.line("  not known: %s", d.Unknown)
		return
	}
	var rows [][]string
	for _, group := range []struct {
		kind    string
		changes []Change
	}{{"", d.Content}, {"keys of user", d.Users}, {"left to the node", d.LeftOut}} {
		for _, c := range group.changes {
			rows = append(rows, []string{signs[c.Action] + " " + c.Action, cmp.Or(c.Kind, group.kind), c.What, strings.Join(c.Aspects, ", ")})
		}
	}
	t.table(rows)
	for _, c := range d.Settings {
		t.line("  %s %s  %s", signs[c.Action], c.Action, c.What)
		t.line("      from %s", cmp.Or(c.Before, "none"))
		t.line("      to   %s", cmp.Or(c.After, "none"))
	}
	if len(rows)+len(d.Settings) == 0 {
		t.line("  none in the config")
	}
	t.line("  Other inputs: %s.", d.Others)
}

var signs = map[string]string{"added": "+", "removed": "-", "changed": "~"}

// count writes a number of things; none in words.
func count(n int, what string) string {
	switch n {
	case 0:
		return "none"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
