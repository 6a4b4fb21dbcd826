package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// wayOut ends the message of a state that only a change leads out of.
const wayOut = "a change of the pool's config, of its custom content, of " + inputs.ConfigMapObject + " or of its secrets builds again, and so does a new value of the annotation " +
	constants.RebuildRequestedAnnotation

// mendTheCause comes ahead of wayOut where the same would fail again.
const mendTheCause = "; mend the cause: "

// Held is the plan of a pool whose build is due and cannot start.
func Held(h Hold) Plan {
	return Plan{State: StateHeld, Reason: h.Reason, Message: h.Message, Event: corev1.EventTypeWarning, Subject: h.Message}
}

// Queued is the plan of a pool whose build has to wait for others to end.
func Queued(config string, ahead, limit int) Plan {
	return Plan{
		State: StateHeld, Reason: ReasonQueued, Event: corev1.EventTypeNormal, Subject: config,
		Message: fmt.Sprintf("The build of %s is queued, %s ahead; at most %d builds run at once (%s, key %s).",
			config, countAhead(ahead), limit, inputs.ConfigMapObject, constants.MaxConcurrentBuildsKey),
	}
}

// MostAhead is the number up to which a queued pool says how many are ahead of
// it. Keeping the message exact for longer queues would cost a write of every
// waiting pool at the end of every build.
const MostAhead = 9

func countAhead(ahead int) string {
	if ahead > MostAhead {
		return "more than " + strconv.Itoa(MostAhead)
	}
	return strconv.Itoa(ahead)
}

func (d *decision) pending(r *Record) Plan {
	return Plan{
		State: StatePending, Reason: ReasonBuildCreated, Event: corev1.EventTypeNormal, Subject: r.Build,
		Message: fmt.Sprintf("Build %s of %s is created and waits to run%s.", r.Build, r.Config, d.ordinal(r)) + warning(r),
	}
}

func succeeded(r *Record) Plan {
	return Plan{
		State: StateSucceeded, Reason: ReasonImagePublished, Event: corev1.EventTypeNormal, Subject: r.Image,
		Message: fmt.Sprintf("Image %s of %s is published; build %s made it.", r.Image, r.Config, r.Build) + warning(r),
	}
}

// warning goes behind the message of a record whose image holds what looks like a
// credential.
func warning(r *Record) string {
	if r.Warning == "" {
		return ""
	}
	return " Warning: " + r.Warning + "."
}

// clockTime is how messages give an instant of today.
func clockTime(at time.Time) string { return at.UTC().Format(time.TimeOnly) + " UTC" }

// ordinal mentions the attempt when it is not the first.
func (d *decision) ordinal(r *Record) string {
	if r.Attempt <= 1 {
		return ""
	}
	return " (attempt " + strconv.Itoa(r.Attempt) + " of " + strconv.Itoa(d.limits().MaxAttempts) + ")"
}

// longestText bounds what is taken over from a backend: it goes into an
// annotation and a condition of the pool, and anyone may have written it.
const longestText = 2000

// clip cuts a text to what is kept of it: the end, where a log says what failed.
func clip(text string) string {
	if len(text) <= longestText {
		return text
	}
	return "…" + strings.ToValidUTF8(text[len(text)-longestText:], "")
}

// describe renders a failure for the middle of a sentence.
func describe(f *Failure) string {
	text := " (" + f.Reason
	if f.Message != "" {
		text += ": " + strings.TrimRight(f.Message, ".\n ")
	}
	text += ")"
	if f.Log != "" {
		// A condition's message is shown on one line by most tools.
		text += ", its log ends: " + strings.ReplaceAll(strings.TrimSpace(f.Log), "\n", " | ")
	}
	return text
}
