package plan

import (
	"cmp"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// follow reports on the build of the newest attempt.
func (d *decision) follow(b *imagebuilder.Observation) Plan {
	switch b.Phase {
	case imagebuilder.PhasePending:
		return d.waitToRun(b)
	case imagebuilder.PhaseRunning:
		return d.waitToEnd(b)
	case imagebuilder.PhaseSucceeded:
		if b.Image != "" {
			record := *d.record
			record.Image, record.Failure, record.Took = b.Image, nil, d.record.tookWith(b)
			return d.publish(record)
		}
		return d.fail(b, Failure{
			Reason: FailureNoDigest, Transient: true,
			Message: "the build completed, but the digest of the image it pushed is not known",
		})
	case imagebuilder.PhaseStopped:
		return d.fail(b, Failure{Reason: b.Reason, Message: b.Message, Interrupted: true})
	default:
		return d.fail(b, Failure{Reason: b.Reason, Message: b.Message, Log: b.Log, Transient: b.Transient})
	}
}

// waitToRun watches a build that has not begun. Nothing else would ever end the
// wait of a build whose pod cannot be scheduled.
func (d *decision) waitToRun(b *imagebuilder.Observation) Plan {
	age, deadline := d.age(b), d.limits().PendingDeadline
	if age >= deadline {
		return d.giveUp(b, FailurePendingTooLong, fmt.Sprintf("it did not begin to run within %s", deadline))
	}
	p := d.pending(d.record)
	p.RequeueAfter = min(stuckAfter, deadline) - age
	switch {
	case b.Reason == "":
	case age < reasonAfter:
		p.RequeueAfter = min(p.RequeueAfter, reasonAfter-age)
	default:
		p.Message = fmt.Sprintf("Build %s of %s waits to run%s%s.", b.Name, d.record.Config, d.ordinal(d.record), describe(&Failure{Reason: b.Reason, Message: b.Message})) + warning(d.record)
	}
	if age >= stuckAfter {
		p = Plan{
			State: StatePending, Reason: ReasonBuildStuck, Event: corev1.EventTypeWarning, Subject: b.Name,
			Message: fmt.Sprintf("Build %s of %s has not begun to run within %s%s; it is given up at %s.", b.Name, d.record.Config, stuckAfter,
				describe(&Failure{Reason: cmp.Or(b.Reason, "NoReasonGiven"), Message: b.Message}), clockTime(d.Now.Add(deadline-age))),
			RequeueAfter: deadline - age,
		}
	}
	p.Effects = d.tidy(d.record.Build)
	return p
}

// waitToEnd watches a build that runs. The backend bounds its time, by the
// deadline that the build was created with; should it fail to, we do.
func (d *decision) waitToEnd(b *imagebuilder.Observation) Plan {
	deadline := cmp.Or(b.Deadline, d.limits().CompletionDeadline)
	bound := d.limits().PendingDeadline + deadline + overdueGrace
	age := d.age(b)
	if age >= bound {
		return d.giveUp(b, FailureRunningTooLong, fmt.Sprintf("it did not end within %s, although its deadline is %s", bound, deadline))
	}
	elapsed := d.elapsed(b)
	return Plan{
		State: StateBuilding, Reason: ReasonBuildRunning,
		Message: fmt.Sprintf("Build %s of %s is running%s%s.", d.record.Build, d.record.Config, d.ordinal(d.record),
			howFar(elapsed, d.record.Usually())) + warning(d.record),
		Effects:      d.tidy(d.record.Build),
		RequeueAfter: min(bound-age, elapsed.Truncate(progressStep)+progressStep-elapsed),
	}
}

// elapsed is for how long the build has been running. One of which the backend does not
// say when it began counts from its creation.
func (d *decision) elapsed(b *imagebuilder.Observation) time.Duration {
	if b.Started.IsZero() {
		return d.age(b)
	}
	return max(d.Now.Sub(b.Started), 0)
}

// age is how long ago the build was created, by the API server's clock. One that
// runs ahead of ours makes no age.
func (d *decision) age(b *imagebuilder.Observation) time.Duration {
	if b.Created.IsZero() {
		return max(d.Now.Sub(d.record.ClaimedAt), 0)
	}
	return max(d.Now.Sub(b.Created), 0)
}

// giveUp records the failure of a build that is still active; once that is seen,
// the build is stopped.
func (d *decision) giveUp(b *imagebuilder.Observation, reason, message string) Plan {
	text := message
	if b.Reason != "" {
		text += describe(&Failure{Reason: b.Reason, Message: b.Message})
	}
	return d.fail(b, Failure{Reason: reason, Message: text, Transient: true})
}

// fail puts a failure on record, and goes on once it is there.
func (d *decision) fail(b *imagebuilder.Observation, f Failure) Plan {
	f.Message, f.Log = clip(f.Message), clip(f.Log)
	if d.record.Failure.sameAs(&f) {
		return d.afterFailure(d.record, true)
	}
	f.At = b.Finished
	if f.At.IsZero() {
		f.At = d.Now
	}
	record := *d.record
	record.Failure = &f
	p := d.afterFailure(&record, false)
	p.Effects = []Effect{WriteRecord{Record: record}}
	return p
}

// afterFailure decides between another attempt and the end. A failure that the
// pool does not show yet leads to no new attempt: it is to be recorded first.
func (d *decision) afterFailure(record *Record, recorded bool) Plan {
	if recorded && record.Versions != d.versions() {
		return d.start(1)
	}
	f := record.Failure
	if recorded && f.Reason == FailureSuperseded {
		return d.start(record.Attempt)
	}
	why, attempts := describe(f), d.limits().MaxAttempts
	switch {
	case f.Interrupted:
		return d.ended(StateInterrupted, ReasonBuildCancelled,
			fmt.Sprintf("Build %s of %s was cancelled%s; %s.", record.Build, record.Config, why, wayOut))
	case !f.Transient:
		return d.ended(StateFailed, ReasonBuildFailed,
			fmt.Sprintf("Build %s of %s failed%s%s%s.", record.Build, record.Config, why, mendTheCause, wayOut))
	case record.Attempt >= attempts:
		return d.ended(StateFailed, ReasonAttemptsExhausted,
			fmt.Sprintf("All %d attempts at %s failed, the last one, build %s%s; %s.", record.Attempt, record.Config, record.Build, why, wayOut))
	}

	at := retryAt(record)
	if recorded && !at.After(d.Now) {
		return d.start(record.Attempt + 1)
	}
	p := Plan{
		State: StateRetrying, Reason: ReasonRetryScheduled, Event: corev1.EventTypeWarning, Subject: record.Build,
		Message:      fmt.Sprintf("Attempt %d of %d at %s, build %s, failed%s; next at %s.", record.Attempt, attempts, record.Config, record.Build, why, clockTime(at)),
		RequeueAfter: max(at.Sub(d.Now), time.Millisecond),
	}
	if recorded {
		p.Effects = d.tidy(record.Build)
	}
	return p
}

func (d *decision) ended(state State, reason, message string) Plan {
	return Plan{
		State: state, Reason: reason, Message: message, Event: corev1.EventTypeWarning, Subject: d.record.Build,
		Effects: d.tidy(d.record.Build),
	}
}
