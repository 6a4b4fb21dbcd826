package status

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// Header are the titles of the columns.
func Header(wide bool) []string {
	header := []string{"POOL", "STATE", "WHY", "CONFIG", "IMAGE", "AGE", "ATTEMPT", "ETA"}
	if wide {
		header = append(header, "BY", "BUILD", "MESSAGE")
	}
	return header
}

// none is what an empty cell shows.
const none = "-"

// Cells are the pool's row below Header, as of now.
func (p *Pool) Cells(now time.Time, wide bool) []string {
	cells := []string{p.Name, string(p.State), p.why(), shortConfig(p.Config), p.image(), p.age(now), p.attempts(), p.eta(now)}
	if wide {
		cells[3], cells[4] = p.Config, p.Image
		if p.Image != "" && !p.ImageCurrent {
			cells[4] += " (of " + orNone(p.ImageConfig) + ")"
		}
		message := p.Message
		if p.Refusal != message && p.Refusal != "" {
			message += " But " + p.Refusal
		}
		cells = append(cells, p.by(), p.newestBuild(), strings.Join(strings.Fields(message), " "))
	}
	for i := range cells {
		cells[i] = orNone(cells[i])
	}
	return cells
}

// by is what opts the pool in.
func (p *Pool) by() string {
	switch {
	case p.MachineOSConfig != "":
		return "MachineOSConfig " + p.MachineOSConfig
	case p.OptedIn:
		return "label"
	}
	return ""
}

// newestBuild is the build of the newest attempt; where a MachineOSConfig opts the pool in, the
// MachineOSBuild that tells of it.
func (p *Pool) newestBuild() string {
	if p.MachineOSBuild == nil {
		return p.Build
	}
	return p.MachineOSBuild.Name + " " + p.MachineOSBuild.Condition
}

func orNone(text string) string {
	if text == "" {
		return none
	}
	return text
}

// Changed tells whether the row differs from an earlier one of the pool in more than
// what passes with time.
func (p *Pool) Changed(before *Pool, now, then time.Time, wide bool) bool {
	is, was := p.Cells(now, wide), before.Cells(then, wide)
	for i := range is {
		switch i {
		case ageColumn:
		case etaColumn:
			if (is[i] == isOverdue) != (was[i] == isOverdue) || (is[i] == none) != (was[i] == none) || !p.NextAttempt.Equal(before.NextAttempt) {
				return true
			}
		default:
			if is[i] != was[i] {
				return true
			}
		}
	}
	return false
}

const (
	ageColumn = 5
	etaColumn = 7
)

func (p *Pool) why() string {
	switch {
	case p.State == ledger.StateNotReported && p.Reason == "":
		return "nothing said yet"
	case p.Outdated != "":
		return p.Reason + ", but " + p.Outdated
	case p.State == ledger.StateContradictory:
		return "see doctor"
	}
	return p.Reason
}

var (
	renderedName = regexp.MustCompile(`^(.*-[0-9a-f]{8})[0-9a-f]{12,}$`)
	digestPart   = regexp.MustCompile(`@sha256:([0-9a-f]{12})[0-9a-f]{52}$`)
)

// shortConfig cuts the hash at the end of a rendered config's name to what tells
// configs of one pool apart.
func shortConfig(name string) string {
	if parts := renderedName.FindStringSubmatch(name); parts != nil {
		return parts[1] + "…"
	}
	return name
}

func (p *Pool) image() string {
	if p.Image == "" {
		return none
	}
	text := "not by digest"
	if parts := digestPart.FindStringSubmatch(p.Image); parts != nil {
		text = "sha256:" + parts[1] + "…"
	}
	if !p.ImageCurrent {
		text += " (old)"
	}
	return text
}

func (p *Pool) age(now time.Time) string {
	if p.Since == nil {
		return none
	}
	return ageInWords(now.Sub(p.Since.Time))
}

func (p *Pool) attempts() string {
	switch {
	case p.Attempt == 0:
		return none
	case p.MaxAttempts == 0:
		return strconv.Itoa(p.Attempt)
	}
	return fmt.Sprintf("%d/%d", p.Attempt, p.MaxAttempts)
}

const isOverdue = "overdue"

// eta is when to look again.
func (p *Pool) eta(now time.Time) string {
	switch {
	case p.State == ledger.StateRetrying && p.NextAttempt != nil:
		return "retry in " + ledger.InWords(max(p.NextAttempt.Sub(now), 0))
	case p.ExpectedEnd == nil:
		return none
	case now.After(p.ExpectedEnd.Time):
		return isOverdue
	}
	return "~" + ledger.InWords(p.ExpectedEnd.Sub(now))
}

// ageInWords gives an age as tables of Kubernetes do: less exact the longer it is.
func ageInWords(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = max(d, 0); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 2*day:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d/day))
}
