package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// Plan is a decision: what to do about a pool and what to say of it once that
// is done.
type Plan struct {
	State State
	// Reason and Message explain the state on the pool.
	Reason  string
	Message string
	// Effects are carried out in order.
	Effects []Effect
	// Event is the type of the event that announces the state when it is new;
	// empty for a state that is announced by its condition alone.
	Event string
	// Subject is the part of the message that makes the state another one when
	// it changes. The rest may be reworded without being announced again.
	Subject string
	// RequeueAfter is how long from Snapshot.Now to look again though nothing
	// changed; zero to wait for a change.
	RequeueAfter time.Duration
}

// Compute decides what to do about one pool. It is a pure function: equal
// snapshots give equal plans.
func Compute(s Snapshot) Plan {
	if !s.Pool.Layered || s.Pool.Deleting {
		return retire(&s)
	}
	if h := firstHold(identityChecks, &s); h != nil {
		return withoutIdentity(&s, h)
	}
	identity := s.identity()
	d := decision{Snapshot: &s, identity: identity, fingerprint: identity.Fingerprint(), record: s.Pool.Record}
	return d.compute()
}

// retire removes what we made for a pool that is not ours to serve (any more).
// The objects of a pool that vanishes altogether are garbage collected.
func retire(s *Snapshot) Plan {
	p := Plan{State: StateNotLayered}
	for _, b := range s.Builds {
		if b.Phase == imagebuilder.PhaseAbsent {
			p.Effects = append(p.Effects, DeleteInputs{Name: b.Name})
		} else {
			p.Effects = append(p.Effects, DeleteBuild{Name: b.Name, UID: b.UID})
		}
	}
	if s.Pool.HasTraces && !s.Pool.Deleting {
		p.Effects = append(p.Effects, RemoveTraces{})
	}
	return p
}

// withoutIdentity serves a pool for which it is not known what to build. A
// build of the wanted config that was already under way is judged by the
// inputs it was started with.
func withoutIdentity(s *Snapshot, h *Hold) Plan {
	record := s.Pool.Record
	if record != nil && record.Config == s.Pool.WantedConfig && !record.succeeded() && !record.failed() {
		if b := find(s.Builds, record.Build); b != nil && b.Phase != imagebuilder.PhaseAbsent {
			d := decision{Snapshot: s, fingerprint: record.Fingerprint, record: record}
			return d.follow(b)
		}
	}
	p := Held(*h)
	if record != nil {
		// Its build may be on its way into the cache.
		p.Effects = tidy(s, record.Build)
	} else {
		p.Effects = tidy(s)
	}
	return p
}

// decision is the computation for a pool whose wanted inputs are known.
type decision struct {
	*Snapshot
	identity    inputs.Identity
	fingerprint string
	// record is the newest attempt; it may be of other inputs.
	record *Record
}

func (d *decision) compute() Plan {
	if d.rebuild() != "" {
		return d.start(1)
	}
	if d.record == nil || d.record.Fingerprint != d.fingerprint {
		return d.turnTo()
	}
	if d.record.succeeded() {
		return d.published()
	}
	b := find(d.Builds, d.record.Build)
	switch {
	case b != nil && d.record.failed() && (b.Phase.IsActive() || b.Phase == imagebuilder.PhaseStopped):
		// It was given up, and is being stopped.
		return d.afterFailure(d.record, true)
	case b != nil && b.Phase != imagebuilder.PhaseAbsent:
		return d.follow(b)
	case d.record.failed():
		return d.afterFailure(d.record, true)
	case d.BuilderProblem != "":
		return Held(*hold(ReasonBuilderUnavailable, "%s", d.BuilderProblem))
	}
	return d.unseen()
}

// rebuild is the request for a rebuild that was not acted on yet; empty for none.
func (d *decision) rebuild() string {
	if d.Pool.RebuildRequested == d.Pool.RebuildObserved {
		return ""
	}
	return d.Pool.RebuildRequested
}

// turnTo serves inputs that the newest attempt was not for: their image may be
// known, their build may exist, or it has to be started.
func (d *decision) turnTo() Plan {
	if past := d.record.pastImage(d.fingerprint); past != nil {
		return d.publish(Record{
			Build: past.Build, Fingerprint: past.Fingerprint, Config: past.Config, Attempt: 1, ClaimedAt: d.Now,
			Image: past.Image, History: d.record.historyFor(d.fingerprint),
		})
	}
	if b := adoptable(d.Builds, d.fingerprint); b != nil {
		record := Record{
			Build: b.Name, Fingerprint: b.Fingerprint, Config: b.RenderedConfig, Attempt: b.Attempt, ClaimedAt: b.Created,
			Secrets: d.secretVersions(), History: d.record.historyFor(d.fingerprint),
		}
		if b.Phase == imagebuilder.PhaseSucceeded {
			record.Image = b.Image
			return d.publish(record)
		}
		d.record = &record
		p := d.follow(b)
		p.Effects = append([]Effect{WriteRecord{Record: record}}, p.Effects...)
		return p
	}
	return d.start(1)
}

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
			record.Image, record.Failure = b.Image, nil
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
	age := d.age(b)
	if age >= PendingDeadline {
		return d.giveUp(b, FailurePendingTooLong, fmt.Sprintf("it did not begin to run within %s", PendingDeadline))
	}
	p := pending(d.record)
	p.RequeueAfter = stuckAfter - age
	if age >= stuckAfter {
		p = Plan{
			State: StatePending, Reason: ReasonBuildStuck, Event: corev1.EventTypeWarning, Subject: b.Name,
			Message: fmt.Sprintf("Build %s of %s has not begun to run within %s%s; it is given up at %s.", b.Name, d.record.Config, stuckAfter,
				describe(&Failure{Reason: cmp.Or(b.Reason, "NoReasonGiven"), Message: b.Message}), clockTime(d.Now.Add(PendingDeadline-age))),
			RequeueAfter: PendingDeadline - age,
		}
	}
	p.Effects = tidy(d.Snapshot, d.record.Build)
	return p
}

// waitToEnd watches a build that runs. The backend bounds its time; should it
// fail to, we do.
func (d *decision) waitToEnd(b *imagebuilder.Observation) Plan {
	const bound = PendingDeadline + BuildDeadline + overdueGrace
	age := d.age(b)
	if age >= bound {
		return d.giveUp(b, FailureRunningTooLong, fmt.Sprintf("it did not end within %s, although its deadline is %s", bound, BuildDeadline))
	}
	return Plan{
		State: StateBuilding, Reason: ReasonBuildRunning,
		Message:      fmt.Sprintf("Build %s of %s is running%s.", d.record.Build, d.record.Config, ordinal(d.record)),
		Effects:      tidy(d.Snapshot, d.record.Build),
		RequeueAfter: bound - age,
	}
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

// unseen serves a claimed attempt whose build is not in the cache.
func (d *decision) unseen() Plan {
	if age := d.Now.Sub(d.record.ClaimedAt); age >= 0 && age < claimGrace {
		return Plan{State: StateUnsettled, RequeueAfter: claimGrace - age}
	}
	if d.Pool.ReportedBuild {
		record := *d.record
		record.Failure = &Failure{Reason: FailureBuildDeleted, Message: "the build was deleted before it ended", Transient: true, At: d.Now}
		p := d.afterFailure(&record, false)
		p.Effects = []Effect{ConfirmAbsent{Name: record.Build}, WriteRecord{Record: record}}
		return p
	}
	others := tidy(d.Snapshot, d.record.Build)
	if h := firstHold(startChecks, d.Snapshot); h != nil {
		p := Held(*h)
		p.Effects = others
		return p
	}
	p := pending(d.record)
	p.Effects = slices.Concat(d.preparations(), others, []Effect{StartBuild{Request: d.request(d.record)}})
	return p
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
	if recorded && record.Secrets != d.secretVersions() {
		return d.start(1)
	}
	f := record.Failure
	why := describe(f)
	switch {
	case f.Interrupted:
		return d.ended(StateInterrupted, ReasonBuildCancelled,
			fmt.Sprintf("Build %s of %s was cancelled%s; the next change of the pool's config, of %s or of its secrets builds again, and so does the annotation %s.", record.Build, record.Config, why, inputs.ConfigMapObject, constants.RebuildRequestedAnnotation))
	case !f.Transient:
		return d.ended(StateFailed, ReasonBuildFailed,
			fmt.Sprintf("Build %s of %s failed%s; mend the cause: a change of the pool's config, of %s or of its secrets builds again, and so does the annotation %s.", record.Build, record.Config, why, inputs.ConfigMapObject, constants.RebuildRequestedAnnotation))
	case record.Attempt >= MaxAttempts:
		return d.ended(StateFailed, ReasonAttemptsExhausted,
			fmt.Sprintf("All %d attempts at %s failed, the last one, build %s%s; a change of the pool's config, of %s or of its secrets builds again, and so does the annotation %s.", MaxAttempts, record.Config, record.Build, why, inputs.ConfigMapObject, constants.RebuildRequestedAnnotation))
	}

	at := retryAt(record)
	if recorded && !at.After(d.Now) {
		return d.start(record.Attempt + 1)
	}
	p := Plan{
		State: StateRetrying, Reason: ReasonRetryScheduled, Event: corev1.EventTypeWarning, Subject: record.Build,
		Message:      fmt.Sprintf("Attempt %d of %d at %s, build %s, failed%s; next at %s.", record.Attempt, MaxAttempts, record.Config, record.Build, why, clockTime(at)),
		RequeueAfter: max(at.Sub(d.Now), time.Millisecond),
	}
	if recorded {
		p.Effects = tidy(d.Snapshot, record.Build)
	}
	return p
}

func (d *decision) ended(state State, reason, message string) Plan {
	return Plan{
		State: state, Reason: reason, Message: message, Event: corev1.EventTypeWarning, Subject: d.record.Build,
		Effects: tidy(d.Snapshot, d.record.Build),
	}
}

// start claims an attempt and creates its build, unless something holds it.
func (d *decision) start(attempt int) Plan {
	if h := firstHold(startChecks, d.Snapshot); h != nil {
		p := Held(*h)
		p.Effects = tidy(d.Snapshot)
		return p
	}
	// The time sets attempts apart even if no record is left of the last one, and
	// the last one's name sets those apart that fall on the same instant.
	nonce := d.Now.UTC().Format(time.RFC3339Nano)
	if d.record != nil {
		nonce += " " + d.record.Build
	}
	record := Record{
		Build:       inputs.BuildName(d.Pool.Name, string(d.Pool.UID), d.fingerprint, nonce, attempt),
		Fingerprint: d.fingerprint,
		Config:      d.Pool.WantedConfig,
		Attempt:     attempt,
		ClaimedAt:   d.Now,
		Secrets:     d.secretVersions(),
		History:     d.record.historyFor(d.fingerprint),
	}
	p := pending(&record)
	p.Effects = slices.Concat(d.preparations(), tidy(d.Snapshot),
		[]Effect{WriteRecord{Record: record, Rebuild: d.rebuild()}, StartBuild{Request: d.request(&record)}})
	return p
}

// preparations read what a build needs and no cache holds. They come before
// the claim, so that what they find wrong costs no attempt.
func (d *decision) preparations() []Effect {
	var effects []Effect
	if !d.PushSecret.Inspected {
		effects = append(effects, InspectSecret{Name: d.Settings.Values.FinalImagePushSecret})
	}
	if name := d.Settings.Values.BaseImagePullSecret; name != "" && name != d.Settings.Values.FinalImagePushSecret && !d.PullSecret.Inspected {
		effects = append(effects, InspectSecret{Name: name})
	}
	return append(effects, LoadConfig{Name: d.Pool.WantedConfig})
}

func (d *decision) request(record *Record) imagebuilder.Request {
	return imagebuilder.Request{
		Name:           record.Build,
		Pool:           d.Pool.Name,
		PoolUID:        d.Pool.UID,
		Fingerprint:    record.Fingerprint,
		RenderedConfig: record.Config,
		BaseImage:      d.identity.BaseImage,
		Attempt:        record.Attempt,
		Containerfile:  inputs.Containerfile(d.identity.BaseImage),
		PullSecret:     d.Settings.Values.BaseImagePullSecret,
		PushSecret:     d.Settings.Values.FinalImagePushSecret,
		Output:         d.identity.Repository + ":" + record.Build,
		Labels: map[string]string{
			constants.ImagePoolLabel:           d.Pool.Name,
			constants.ImageRenderedConfigLabel: record.Config,
			constants.ImageBaseLabel:           d.identity.BaseImage,
		},
		Deadline: BuildDeadline,
	}
}

// publish puts an image on the pool. Nothing is cleaned up in the same plan:
// that waits for a snapshot in which the record is seen.
func (d *decision) publish(record Record) Plan {
	p := succeeded(&record)
	p.Effects = []Effect{Publish{Record: record}}
	return p
}

// published serves a pool whose wanted image is on record. Annotations that
// someone changed are put right.
func (d *decision) published() Plan {
	if d.Pool.Image != d.record.Image || d.Pool.ImageConfig != d.record.Config {
		return d.publish(*d.record)
	}
	p := succeeded(d.record)
	p.Effects = tidy(d.Snapshot, d.record.Build)
	return p
}

// Held is the plan of a pool whose build is due and cannot start.
func Held(h Hold) Plan {
	return Plan{State: StateHeld, Reason: h.Reason, Message: h.Message, Event: corev1.EventTypeWarning, Subject: h.Message}
}

func pending(r *Record) Plan {
	return Plan{
		State: StatePending, Reason: ReasonBuildCreated, Event: corev1.EventTypeNormal, Subject: r.Build,
		Message: fmt.Sprintf("Build %s of %s is created and waits to run%s.", r.Build, r.Config, ordinal(r)),
	}
}

func succeeded(r *Record) Plan {
	return Plan{
		State: StateSucceeded, Reason: ReasonImagePublished, Event: corev1.EventTypeNormal, Subject: r.Image,
		Message: fmt.Sprintf("Image %s of %s is published; build %s made it.", r.Image, r.Config, r.Build),
	}
}

// clockTime is how messages give an instant of today.
func clockTime(at time.Time) string { return at.UTC().Format(time.TimeOnly) + " UTC" }

// ordinal mentions the attempt when it is not the first.
func ordinal(r *Record) string {
	if r.Attempt <= 1 {
		return ""
	}
	return " (attempt " + strconv.Itoa(r.Attempt) + " of " + strconv.Itoa(MaxAttempts) + ")"
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
