package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// event is what `go test -json` writes, see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

// worthALine is after how many seconds a test is named although it passed.
const worthALine = 10

// totals is what a simulation says of itself at its end.
var totals = regexp.MustCompile(`total +(\d+ schedules, \d+ failures.*)`)

// read takes the output of a part, and writes on what a person wants to see of it.
func (p *part) read(in io.Reader, out io.Writer) {
	said := map[string]*strings.Builder{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		line := lines.Bytes()
		if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &e) != nil || e.Action == "" {
			_, _ = fmt.Fprintf(out, "%s\n", line)
			continue
		}
		p.take(&e, said, out)
	}
	// What could not be read is still in the pipe, and its writer waits.
	_, _ = io.Copy(out, in)
}

func (p *part) take(e *event, said map[string]*strings.Builder, out io.Writer) {
	test := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		if said[test] == nil {
			said[test] = &strings.Builder{}
		}
		said[test].WriteString(e.Output)
		if match := totals.FindStringSubmatch(e.Output); match != nil {
			// A part may run several, as one for each backend.
			p.note = strings.TrimPrefix(p.note+"; "+match[1], "; ")
		}
		if e.Action == "build-output" {
			_, _ = io.WriteString(out, e.Output)
		}
	case "pass", "fail", "skip":
		p.end(e, said[test], out)
		delete(said, test)
	}
}

// end counts a test that ended. Of those within others, only the outermost counts.
func (p *part) end(e *event, said *strings.Builder, out io.Writer) {
	if e.Action == "fail" && said != nil {
		_, _ = io.WriteString(out, said.String())
	}
	if e.Test == "" {
		if e.Action != "skip" {
			_, _ = fmt.Fprintf(out, "%-4s %s %.1fs\n", e.Action, e.Package, e.Elapsed)
		}
		if e.Action == "fail" && p.failed == 0 {
			// It did not compile, or ended outside of a test.
			p.failed++
		}
		return
	}
	if e.Action == "skip" {
		p.skipped = append(p.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reasonOf(said)))
	}
	if strings.Contains(e.Test, "/") {
		return
	}
	p.tests++
	if e.Action == "fail" {
		p.failed++
	} else if e.Elapsed >= worthALine {
		_, _ = fmt.Fprintf(out, "     %s %.1fs\n", e.Test, e.Elapsed)
	}
}

// reasonOf is what a test said last before it was skipped.
func reasonOf(said *strings.Builder) string {
	if said == nil {
		return ""
	}
	reason := ""
	for line := range strings.Lines(said.String()) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			reason = line
		}
	}
	return reason
}
