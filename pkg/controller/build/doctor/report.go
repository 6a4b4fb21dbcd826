package doctor

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Severity tells what becomes of a finding if nobody does anything.
type Severity string

const (
	// Error means: a pool gets no image, or something is left behind for good.
	Error Severity = "error"
	// Warning means: nothing is held up by it, but someone may be mistaken.
	Warning Severity = "warning"
)

// Finding is one thing that is wrong. Fields are only added.
type Finding struct {
	Severity Severity `json:"severity"`
	// Check is the name of the rule that found it; it never changes its meaning.
	Check string `json:"check"`
	// Object is the kind and name of the object that is to be mended.
	Object string `json:"object"`
	// Problem says what is wrong with it.
	Problem string `json:"problem"`
	// Repair says what to do about it, with a command where there is one.
	Repair string `json:"repair"`
}

// Is tells whether two looks found the same. The words may differ, as time passes.
func (f *Finding) Is(other *Finding) bool { return f.Check == other.Check && f.Object == other.Object }

// Report is what the doctor command writes as JSON or YAML. Fields are only added.
type Report struct {
	// Findings are sorted: errors first, then by object.
	Findings []Finding `json:"findings"`
	// NotChecked is what could not be looked at, and why.
	NotChecked []string `json:"notChecked,omitempty"`
	// Looked is what was looked at, in words.
	Looked string `json:"looked"`
}

// sorted puts errors first and brings findings about one object together.
func sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Object, b.Object))
	})
	return findings
}

// Count is how many findings are of that severity.
func (r *Report) Count(severity Severity) (n int) {
	for i := range r.Findings {
		if r.Findings[i].Severity == severity {
			n++
		}
	}
	return n
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var text bytes.Buffer
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&text, format+"\n", args...) }
	line("Looked at %s: %s.", r.Looked, r.summary())
	for _, group := range []struct {
		severity Severity
		title    string
	}{{Error, "Errors"}, {Warning, "Warnings"}} {
		if r.Count(group.severity) == 0 {
			continue
		}
		line("\n%s", group.title)
		object := ""
		for i := range r.Findings {
			f := &r.Findings[i]
			if f.Severity != group.severity {
				continue
			}
			if f.Object != object {
				line("  %s", f.Object)
				object = f.Object
			}
			line("    %s: %s", f.Check, f.Problem)
			for i, part := range strings.Split(f.Repair, "\n") {
				line("      %s%s", []string{"repair: ", "        "}[min(i, 1)], part)
			}
		}
	}
	if len(r.NotChecked) > 0 {
		line("\nNot checked")
		for _, what := range r.NotChecked {
			line("  %s", what)
		}
	}
	_, err := w.Write(text.Bytes())
	return err
}

func (r *Report) summary() string {
	if len(r.Findings) == 0 {
		return "nothing is wrong"
	}
	return count(r.Count(Error), "error") + ", " + count(r.Count(Warning), "warning")
}

// count writes a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
