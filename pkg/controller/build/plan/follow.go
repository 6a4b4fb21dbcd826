package plan

import (
	"cmp"
	"fmt"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// follow reports on the build of the newest attempt.
func (d *decision) follow(b *imagebuilder.Observation) Plan {
	if b.Phase.IsActive() || hasImage(b) {
		if what := d.altered(b); what != "" {
			return d.fail(b, ledger.Failure{Reason: ledger.FailureAltered, Message: "the build is not as the BuildController made it: " + what})
		}
	}
	if why := d.withdrawal(b); why != nil && !d.record.Failed() {
		// The record is older than the end that the controller itself put to the build.
		return d.fail(b, *why)
	}
	if p, waits := d.awaitRest(b); waits {
		return p
	}
	switch b.Phase {
	case imagebuilder.PhasePending:
		return d.waitToRun(b)
	case imagebuilder.PhaseRunning:
		return d.waitToEnd(b)
	case imagebuilder.PhaseSucceeded:
		if b.Image != "" {
			return d.result(b)
		}
		return d.withoutDigest(b)
	case imagebuilder.PhaseStopped:
		return d.fail(b, ledger.Failure{Reason: b.Reason, Message: b.Message, Interrupted: true})
	default:
		return d.fail(b, ledger.Failure{Reason: b.Reason, Message: b.Message, Log: b.Log, Transient: b.Transient})
	}
}

// result publishes the image of the build, if it is where the attempt was to push it.
func (d *decision) result(b *imagebuilder.Observation) Plan {
	if !ledger.IsIn(b.Image, d.repository()) {
		return d.fail(b, ledger.Failure{
			Reason: ledger.FailureAltered, Message: fmt.Sprintf("the build says that it made %.300q, which is not in the repository %s", b.Image, d.repository()),
		})
	}
	record := *d.record
	record.Image, record.Failure, record.Before, record.Took = b.Image, nil, "", d.record.TookWith(ran(b))
	return d.publish(record)
}

// withoutDigest is the end of a build that pushed an image and does not say which, as when the
// pod that knew is gone. It pushed to its tag last, so the registry knows it, too.
func (d *decision) withoutDigest(b *imagebuilder.Observation) Plan {
	found, asked := d.Found[string(b.UID)]
	switch altered := d.altered(b); {
	case found.Image != "" && altered == "":
		whole := *b
		whole.Image = found.Image
		return d.result(&whole)
	case d.AsksRegistry && !asked && altered == "":
		p := d.running(d.elapsed(b))
		p.Effects = []Effect{FindImage{About: string(b.UID), Image: outputOf(d.repository(), d.record.Tag, b.Name), PushSecret: d.Settings.Values.FinalImagePushSecret}}
		return p
	}
	why := "the build completed, but the digest of the image it pushed is not known"
	if found.Why != "" {
		why += "; the registry was asked for it: " + found.Why
	}
	return d.fail(b, ledger.Failure{Reason: ledger.FailureNoDigest, Transient: true, Message: why})
}

// waitToRun watches a build that has not begun. Nothing else would ever end the
// wait of a build whose pod cannot be scheduled.
func (d *decision) waitToRun(b *imagebuilder.Observation) Plan {
	age, deadline := d.waited(b), d.limits().PendingDeadline
	if age >= deadline {
		return d.giveUp(b, ledger.FailurePendingTooLong, fmt.Sprintf("it did not begin to run within %s", deadline))
	}
	why := ""
	again := min(StuckAfter, deadline) - age
	switch {
	case b.Reason == "":
	case age < reasonAfter:
		again = min(again, reasonAfter-age)
	default:
		why = describe(&ledger.Failure{Reason: b.Reason, Message: b.Message})
	}
	p := d.pending(d.record, why)
	p.RequeueAfter = again
	if age >= StuckAfter {
		p = Plan{Report: d.stuck(b, d.Now.Add(deadline-age)), RequeueAfter: deadline - age}
	}
	p.Effects = d.tidy(d.record.Build)
	return d.deleting(b, p)
}

// waitToEnd watches a build that runs. The backend bounds its time, by the
// deadline that the build was created with; should it fail to, we do.
func (d *decision) waitToEnd(b *imagebuilder.Observation) Plan {
	deadline, bound := cmp.Or(b.Deadline, d.limits().CompletionDeadline), bound(d.limits(), b)
	age := d.age(b)
	if age >= bound {
		return d.giveUp(b, ledger.FailureRunningTooLong, fmt.Sprintf("it did not end within %s, although its deadline is %s", bound, deadline))
	}
	elapsed := d.elapsed(b)
	p := d.running(elapsed)
	p.Effects = d.tidy(d.record.Build)
	p.RequeueAfter = min(bound-age, elapsed.Truncate(progressStep)+progressStep-elapsed)
	return d.deleting(b, p)
}

// bound is for how long a build is looked after; then it is given up.
func bound(limits inputs.Limits, b *imagebuilder.Observation) time.Duration {
	return limits.PendingDeadline + cmp.Or(b.Deadline, limits.CompletionDeadline) + overdueGrace
}

// ran is for how long a build ran that made an image; zero if the backend did not tell.
func ran(b *imagebuilder.Observation) time.Duration {
	if !hasImage(b) || b.Started.IsZero() {
		return 0
	}
	return max(b.Finished.Sub(b.Started), 0)
}

// elapsed is for how long the build has been running. One of which the backend does not
// say when it began counts from its creation.
func (d *decision) elapsed(b *imagebuilder.Observation) time.Duration {
	if b.Started.IsZero() {
		return d.age(b)
	}
	return d.passed(b.Started)
}

// age is how long ago the build was created, by the API server's clock. A build is made
// after its claim, so that one which is much older than that is dated by a clock behind ours.
func (d *decision) age(b *imagebuilder.Observation) time.Duration {
	claimed := d.passed(d.record.ClaimedAt)
	if b.Created.IsZero() {
		return claimed
	}
	if age := d.passed(b.Created); age < claimed+clockTolerance || d.record.ClaimedAt.IsZero() {
		return age
	}
	return claimed
}

// waited is for how long the build waits to run.
func (d *decision) waited(b *imagebuilder.Observation) time.Duration {
	age := d.age(b)
	if b.Waiting.IsZero() {
		return age
	}
	// Whatever clock the instant is of, the build has not waited for longer than it exists.
	return min(age, d.passed(b.Waiting))
}

// giveUp records the failure of a build that is still active; once that is seen,
// the build is stopped.
func (d *decision) giveUp(b *imagebuilder.Observation, reason, message string) Plan {
	text := message
	if b.Reason != "" {
		text += describe(&ledger.Failure{Reason: b.Reason, Message: b.Message})
	}
	return d.fail(b, ledger.Failure{Reason: reason, Message: text, Transient: true})
}

// fail puts a failure on record, and goes on once it is there.
func (d *decision) fail(b *imagebuilder.Observation, f ledger.Failure) Plan {
	f.Message, f.Log = clip(f.Message), clip(f.Log)
	if d.record.Failure.SameAs(&f) {
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

// Taken is a claimed build that there is none of, because something that is not its own has
// the name of its inputs: somebody made it, or another release of the controller did, and
// ended before it made the build.
type Taken struct {
	Build string
	// Why names the object, and says what is another about it.
	Why string
}

// renamed gives up the attempt whose name is taken. The next one has a name that nobody knows.
func (d *decision) renamed() Plan {
	record := *d.record
	record.Failure = &ledger.Failure{Reason: ledger.FailureInputsTaken, Message: d.Taken.Why, Transient: true, At: d.Now}
	p := d.afterFailure(&record, false)
	p.Effects = []Effect{WriteRecord{Record: record}}
	return p
}

// afterFailure decides between another attempt and the end. A failure that the
// pool does not show yet leads to no new attempt: it is to be recorded first.
func (d *decision) afterFailure(record *ledger.Record, recorded bool) Plan {
	if recorded && record.Versions != d.versions() {
		return d.start(1)
	}
	f := record.Failure
	if recorded && f.Reason == ledger.FailureSuperseded {
		return d.start(record.Attempt)
	}
	if f.Interrupted || !f.Transient || record.Attempt >= d.limits().MaxAttempts {
		return Plan{Report: d.ended(record), Effects: d.tidy(record.Build)}
	}

	at := retryAt(record, d.began(record.Failure.At))
	if recorded && !at.After(d.Now) {
		return d.start(record.Attempt + 1)
	}
	p := Plan{Report: d.retrying(record, at), RequeueAfter: max(at.Sub(d.Now), time.Millisecond)}
	if recorded {
		p.Effects = d.tidy(record.Build)
	}
	return p
}
