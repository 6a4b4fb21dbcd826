package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// wayOut ends the message of a state that only a change leads out of.
func (s *Snapshot) wayOut() string {
	if s.MachineOS.OptsIn() {
		object := s.MachineOS.object()
		return "a change of the pool's config, of " + object + " or of its secrets builds again, and so does the annotation " + constants.RebuildAnnotation + " on " + object
	}
	return "a change of the pool's config, of its custom content, of " + inputs.ConfigMapObject + " or of its secrets builds again, and so does a new value of the annotation " +
		constants.RebuildRequestedAnnotation
}

// Held is the plan of a pool whose build is due and cannot start.
func Held(h Hold) Plan {
	return Plan{Report: ledger.Report{State: ledger.StateHeld, Reason: h.Reason, Message: h.Message, Event: ledger.EventWarning}}
}

// Refused is what becomes of a plan one of whose effects the cluster refuses, or keeps
// failing; left are those that have not come about. What is only to be ended or removed
// leaves the state as it is, and so does a question whether a build is gone.
func Refused(p Plan, h Hold, left []Effect) Plan {
	h.Message = fmt.Sprintf("%.1000s", h.Message)
	switch {
	case asked(left).State.IsReported():
		p = Plan{Report: asked(left)}
	case !p.State.IsReported() || slices.ContainsFunc(left, func(effect Effect) bool { return !removes(effect) }):
		p = Held(h)
	}
	p.Refusal = h.Message
	return p
}

// asked is what the pool tells of the build that the first effect asks for, or whose end it
// records.
func asked(effects []Effect) ledger.Report {
	if len(effects) > 0 {
		switch e := effects[0].(type) {
		case ConfirmBuild:
			return e.Told
		case WriteRecord:
			return e.Told
		}
	}
	return ledger.Report{}
}

// removes tells whether the effect is one that nothing of the plan's state depends on.
func removes(effect Effect) bool {
	switch effect.(type) {
	case ConfirmPool, ConfirmOptOut, StopBuild, DeleteBuild, DeleteInputs:
		return true
	}
	return false
}

// Queued is the plan of a pool whose build has to wait for others, those named, to end.
func Queued(config string, ahead, limit int, others []string) Plan {
	return Plan{Report: ledger.Report{
		State: ledger.StateQueued, Reason: ledger.ReasonQueued, Event: ledger.EventNormal,
		Message: fmt.Sprintf("The build of %s is queued, %s ahead; at most %d builds run at once (%s, key %s)%s.",
			config, countAhead(ahead), limit, inputs.ConfigMapObject, constants.MaxConcurrentBuildsKey, whoRuns(ahead, others)),
	}}
}

// mostNamed is how many builds the message of a queued pool names.
const mostNamed = 5

// whoRuns names the builds that have the slots, to those who may be next.
func whoRuns(ahead int, others []string) string {
	switch {
	case ahead > MostAhead || len(others) == 0:
		return ""
	case len(others) > mostNamed:
		return fmt.Sprintf("; now %s and %d more", strings.Join(others[:mostNamed], ", "), len(others)-mostNamed)
	}
	return "; now " + strings.Join(others, ", ")
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

// settling is what is said of a wait for inputs that lasts, in words that stay the same
// for all of it.
func (d *decision) settling() ledger.Report {
	return ledger.Report{
		State: ledger.StateSettling, Reason: ledger.ReasonInputsChanging,
		Message: "The inputs of the image keep changing; its build starts when they have not changed for " + d.limits().QuietPeriod.String() +
			", at the latest " + d.limits().QuietPeriodCeiling.String() + " after the first change.",
	}
}

// pending is the plan of an attempt whose build is created; why says what it waits for, if
// that is known.
func (d *decision) pending(r *ledger.Record, why string) Plan {
	waits := "is created and waits to run"
	if why != "" {
		waits = "waits to run"
	}
	return Plan{Warning: r.Warning, Report: ledger.Report{
		State: ledger.StatePending, Reason: ledger.ReasonBuildCreated, Event: ledger.EventNormal, Before: r.Before,
		Message: fmt.Sprintf("Build %s of %s %s%s%s.", r.Build, r.Config, waits, d.ordinal(r), why) + warning(r),
	}}
}

// stuck is what is said of a build that does not begin to run, and is given up then.
func (d *decision) stuck(b *imagebuilder.Observation, givenUp time.Time) ledger.Report {
	return ledger.Report{
		State: ledger.StateStuck, Reason: ledger.ReasonBuildStuck, Event: ledger.EventWarning, Before: d.record.Before,
		Message: fmt.Sprintf("Build %s of %s has not begun to run within %s%s; it is given up at %s.", b.Name, d.record.Config, StuckAfter,
			describe(&ledger.Failure{Reason: cmp.Or(b.Reason, "NoReasonGiven"), Message: b.Message}), clockTime(givenUp)),
	}
}

// running is the plan of an attempt whose build has been running for so long.
func (d *decision) running(elapsed time.Duration) Plan {
	return Plan{Warning: d.record.Warning, Report: ledger.Report{
		State: ledger.StateBuilding, Reason: ledger.ReasonBuildRunning, Before: d.record.Before,
		Message: fmt.Sprintf("Build %s of %s is running%s%s.", d.record.Build, d.record.Config, d.ordinal(d.record),
			howFar(elapsed, d.record.Usually())) + warning(d.record),
	}}
}

// deleting says of a build at work that is being deleted that it is; its state is what it
// was, since it may end before it is gone.
func (d *decision) deleting(b *imagebuilder.Observation, p Plan) Plan {
	if b.Deleting != "" {
		p.Message = fmt.Sprintf("Build %s of %s is being deleted, and %s keep it; another one is started when it is gone.", b.Name, d.record.Config, b.Deleting)
	}
	return p
}

// retrying is what is said of an attempt that failed and is followed by the next one.
func (d *decision) retrying(r *ledger.Record, at time.Time) ledger.Report {
	return ledger.Report{
		State: ledger.StateRetrying, Reason: ledger.ReasonRetryScheduled, Event: ledger.EventWarning, Before: r.Before,
		Message: fmt.Sprintf("Attempt %d of %d at %s, build %s, failed%s; next at %s.", r.Attempt, d.limits().MaxAttempts, r.Config, r.Build,
			describe(r.Failure), clockTime(at)),
	}
}

// ended is what is said of an attempt that failed and is followed by none.
func (s *Snapshot) ended(r *ledger.Record) ledger.Report {
	report := ledger.Report{State: ledger.StateFailed, Reason: ledger.ReasonBuildFailed, Event: ledger.EventWarning, Before: r.Before}
	then := "; "
	switch {
	case r.Failure.Interrupted:
		report.State, report.Reason = ledger.StateInterrupted, ledger.ReasonBuildCancelled
	case r.Failure.Transient:
		report.Reason = ledger.ReasonAttemptsExhausted
	default:
		then = "; mend the cause: "
	}
	report.Message = Outcome(r) + then + s.wayOut() + "."
	return report
}

// Outcome says how the attempt on record failed, that failed for good, without a full stop
// and without what leads on.
func Outcome(r *ledger.Record) string {
	switch why := describe(r.Failure); {
	case r.Failure.Interrupted:
		return fmt.Sprintf("Build %s of %s was cancelled%s", r.Build, r.Config, why)
	case r.Failure.Transient:
		return fmt.Sprintf("All %d attempts at %s failed, the last one, build %s%s", r.Attempt, r.Config, r.Build, why)
	default:
		return fmt.Sprintf("Build %s of %s failed%s", r.Build, r.Config, why)
	}
}

func published(r *ledger.Record) Plan {
	// What made an image of a kind may have made it of another config.
	message := fmt.Sprintf("Image %s of %s is published; build %s made it.", r.Image, r.Config, r.Build)
	switch {
	case r.Build == ledger.PreBuiltBuild:
		message = fmt.Sprintf("Image %s, which was built before, is published for %s.", r.Image, r.Config)
	case r.Kind != "":
		message = fmt.Sprintf("Image %s is published for %s; build %s made it.", r.Image, r.Config, r.Build)
	}
	return Plan{Warning: r.Warning, Report: ledger.Report{
		State: ledger.StatePublished, Reason: ledger.ReasonImagePublished, Event: ledger.EventNormal, Message: message + warning(r),
	}}
}

// warning goes behind the message of a record whose image holds what looks like a
// credential.
func warning(r *ledger.Record) string {
	if r.Warning == "" {
		return ""
	}
	return " Warning: " + r.Warning + "."
}

// OfStranger says of a build that it is not used, and why.
func OfStranger(s Stranger) string {
	return fmt.Sprintf("Build %s has the marks of one of this pool's, and is not as the BuildController makes them, so its image is not used: %s; find out who made it, and remove it.",
		s.Name, s.Why)
}

// clockTime is how messages give an instant of today.
func clockTime(at time.Time) string { return at.UTC().Format(time.TimeOnly) + " UTC" }

// ordinal mentions the attempt when it is not the first.
func (d *decision) ordinal(r *ledger.Record) string {
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
func describe(f *ledger.Failure) string {
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

// progressStep is how often the message of a running build is brought up to date.
const progressStep = time.Minute

// howFar is how far a build is that runs for elapsed, when those of its pool usually
// run for usually; zero if that is not known. The text stays the same for a whole
// progressStep, however often it is asked for.
func howFar(elapsed, usually time.Duration) string {
	text := ""
	if elapsed >= progressStep {
		text = ", building for " + ledger.InWords(elapsed.Truncate(progressStep))
	}
	if usually > 0 {
		text += ", usually " + ledger.InWords(usually)
	}
	return text
}
