package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// Plan is a decision: what to do about a pool and what to say of it once that
// is done.
type Plan struct {
	// Report is what there is to say once the effects have come about.
	ledger.Report
	// Effects are carried out in order.
	Effects []Effect
	// Warning is what the message warns of, that goes into the image; empty for nothing.
	Warning string
	// Strangers are builds that look like the pool's and are not used.
	Strangers []Stranger
	// Waiting tells that the plan is to wait for the pool's inputs to stop changing.
	Waiting bool
	// Lacking tells that a Secret is missing, or of no use, and that this lasts.
	Lacking bool
	// HalfWritten names the build whose end the plan is to wait for the rest of.
	HalfWritten string
	// Ahead are the instants in the future that the plan took for ones of another clock. It
	// is to be remembered when they were seen first.
	Ahead []time.Time
	// RequeueAfter is how long from Snapshot.Now to look again though nothing
	// changed; zero to wait for a change.
	RequeueAfter time.Duration
}

// Compute decides what to do about one pool. It is a pure function: equal
// snapshots give equal plans.
func Compute(s Snapshot) Plan {
	var ahead []time.Time
	s.ahead = &ahead
	p := s.asFailure(decide(s))
	p.Effects, p.Ahead = confirmed(p.Effects), ahead
	return p
}

func decide(s Snapshot) Plan {
	if !s.Pool.Layered || s.Pool.Deleting {
		return retire(&s)
	}
	if h := firstHold(identityChecks, &s); h != nil {
		if h.Reason == ledger.ReasonRenderedConfigMissing && (s.WaitingSince.IsZero() || s.passed(s.WaitingSince) < claimGrace) {
			return awaitConfig(&s)
		}
		return withoutIdentity(&s, h)
	}
	identity := s.identity()
	return (&decision{Snapshot: &s, identity: identity, fingerprint: identity.Fingerprint()}).compute()
}

// retire removes what we made for a pool that is not ours to serve (any more).
// The objects of a pool that vanishes altogether are garbage collected.
func retire(s *Snapshot) Plan {
	p := Plan{Report: ledger.Report{State: ledger.StateNotOptedIn}}
	if s.Pool.Deleting {
		p.State = ledger.StateDeleting
	}
	for _, b := range s.Builds {
		if b.Phase == imagebuilder.PhaseAbsent {
			p.Effects = append(p.Effects, DeleteInputs{Name: b.Name})
		} else {
			p.Effects = append(p.Effects, DeleteBuild{Name: b.Name, UID: b.UID})
		}
	}
	if s.Pool.HasTraces && !s.Pool.Deleting {
		p.Effects = append(p.Effects, RemoveTraces{})
		if s.Pool.Record.IsOfMachineOS() {
			p.Effects = append([]Effect{ConfirmOptOut{}}, p.Effects...)
		}
	}
	return p
}

// awaitConfig gives the event of a config that was rendered a moment ago, and that the
// pool's event overtook, the time to arrive.
func awaitConfig(s *Snapshot) Plan {
	wait := claimGrace
	if !s.WaitingSince.IsZero() {
		wait -= s.passed(s.WaitingSince)
	}
	return Plan{Report: ledger.Report{State: ledger.StateQuiet}, Waiting: true, RequeueAfter: wait, Effects: tidy(s, s.newestName())}
}

// withoutIdentity serves a pool for which it is not known what to build. A
// build of the wanted config that was already under way is judged by the
// inputs it was started with.
func withoutIdentity(s *Snapshot, h *Hold) Plan {
	record := s.Pool.Record
	if record.IsOpen() && record.Config == s.Pool.WantedConfig {
		// Where its image belongs is not known of a record that does not say so.
		if b := find(s.Builds, record.Build); b != nil && exists(b) && (record.Repository != "" || !hasImage(b)) {
			d := decision{Snapshot: s, fingerprint: record.Fingerprint, record: record}
			return d.follow(b)
		}
	}
	p := whileHeld(s, h, record, record != nil && record.Config != s.Pool.WantedConfig)
	p.Waiting = h.Reason == ledger.ReasonRenderedConfigMissing
	return p
}

// decision is the computation for a pool whose wanted inputs are known.
type decision struct {
	*Snapshot
	identity    inputs.Identity
	fingerprint string
	// record is the newest attempt; it may be of other inputs.
	record *ledger.Record
	// found is the build that the record was found again from, or told says that it was on a
	// MachineOSBuild; neither if the pool has it.
	found *imagebuilder.Observation
	told  bool
	// past tells that the inputs are not those that the pool wants now.
	past bool
	// containerfile is what containerfileHash found.
	containerfile string
}

func (d *decision) compute() Plan {
	d.record = d.believed(d.Pool.Record)
	d.findAgain()
	serve := d.serve
	if d.begins() {
		serve = d.publishSeed
	}
	p := serve()
	if d.found != nil {
		p = d.onRecord(p)
	}
	if (d.told || d.owesAcknowledgement()) && !slices.ContainsFunc(p.Effects, writesRecord) {
		p.Effects = append([]Effect{WriteRecord{Record: *d.record}}, p.Effects...)
	}
	p.Strangers = d.strangers()
	return p
}

func (d *decision) serve() Plan {
	if d.requestedRebuild() != "" && !d.awaitsSight() && !d.isPublishable() {
		return d.start(1)
	}
	if d.record == nil || d.record.Fingerprint != d.fingerprint {
		return d.turnTo()
	}
	if d.record.Succeeded() {
		return d.published()
	}
	b := find(d.Builds, d.record.Build)
	switch {
	case b != nil && d.record.Failed() && (b.Phase.IsActive() || b.Phase == imagebuilder.PhaseStopped):
		// It was given up, and is being stopped.
		return d.afterFailure(d.record, true)
	case b != nil && exists(b):
		return d.verified(b, d.follow(b))
	case d.record.Failed():
		return d.afterFailure(d.record, true)
	case d.BuilderProblem != "":
		return Held(*d.unavailable())
	}
	return d.unseen()
}

// verified has the inputs of the build looked at ahead of the plan, where they are younger
// than the build: somebody may have put others in the place of those that were made for it.
func (d *decision) verified(b *imagebuilder.Observation, p Plan) Plan {
	if b.LateInputs != "" && b.Foreign == "" && d.found == nil && (b.Phase.IsActive() || hasImage(b)) {
		p.Effects = append(d.verification(b), p.Effects...)
	}
	return p
}

// awaitsSight tells whether a build of the wanted inputs was claimed and neither
// it nor an outcome was seen. It may be running outside the cache's view, so
// another one must not be started beside it.
func (d *decision) awaitsSight() bool {
	if d.record == nil || d.record.Fingerprint != d.fingerprint || !d.record.IsOpen() {
		return false
	}
	b := find(d.Builds, d.record.Build)
	return b == nil || !exists(b)
}

// isPublishable tells whether an image of the wanted inputs is there that is not
// published. It is published before a rebuild begins, which may fail.
func (d *decision) isPublishable() bool {
	if d.record == nil || d.record.Fingerprint != d.fingerprint {
		b := d.adoptable()
		return d.pastImage() != nil || b != nil && hasImage(b)
	}
	b := find(d.Builds, d.record.Build)
	return !d.record.Succeeded() && b != nil && hasImage(b) && d.altered(b) == "" && ledger.IsIn(b.Image, d.repository())
}

// turnTo serves inputs that the newest attempt was not for: their image may be
// known, their build may exist, or it has to be started.
func (d *decision) turnTo() Plan {
	if past := d.pastImage(); past != nil {
		return d.publishPast(past)
	}
	if b := d.adoptable(); b != nil {
		return d.adopt(b)
	}
	if wait := d.quietFor(); wait > 0 {
		return d.settle(wait)
	}
	return d.start(1)
}

// adopt turns to a build of the wanted inputs that was claimed before others were wanted.
func (d *decision) adopt(b *imagebuilder.Observation) Plan {
	record := d.claimOf(b)
	record.Number, record.Rebuild, record.History, record.Took = d.record.NextNumber(d.Pool.Version), d.acknowledged(), d.history(), d.record.TookWith(0)
	// The cache may show a build that was removed a moment ago.
	effects := d.verification(b)
	if hasImage(b) {
		record.Image, record.Took = b.Image, d.record.TookWith(ran(b))
		p := d.publish(record)
		p.Effects = append(effects, p.Effects...)
		return p
	}
	d.record = &record
	p := d.follow(b)
	p.Effects = slices.Concat(effects, []Effect{WriteRecord{Record: record}}, p.Effects)
	return p
}

// unseen serves a claimed attempt whose build is not in the cache.
func (d *decision) unseen() Plan {
	if d.Taken.Build == d.record.Build {
		return d.renamed()
	}
	if age := d.Now.Sub(d.record.ClaimedAt); age >= 0 && age < claimGrace {
		return Plan{Report: ledger.Report{State: ledger.StateUnsettled}, RequeueAfter: claimGrace - age}
	}
	if d.Pool.Reported.ReportsBuildOf(d.record) {
		record := *d.record
		record.Failure = &ledger.Failure{Reason: ledger.FailureBuildDeleted, Message: "the build was deleted before it ended", Transient: true, At: d.Now}
		// There, whoever deletes the build wants it to end.
		record.Failure.Interrupted = d.MachineOS.OptsIn()
		p := d.afterFailure(&record, false)
		told := d.Pool.Reported
		tells := ledger.Report{State: told.State, Reason: told.Reason, Message: told.Message, Before: d.record.Before}
		p.Effects = []Effect{ConfirmBuild{Name: record.Build, Told: tells}, WriteRecord{Record: record, Told: tells}}
		return p
	}
	if h := firstHold(startChecks, d.Snapshot); h != nil {
		return whileHeld(d.Snapshot, h, d.record, false)
	}
	request, h := d.request(d.record)
	if h != nil {
		return whileHeld(d.Snapshot, h, d.record, false)
	}
	p := d.pending(d.record, "")
	// A queued pool comes by here often, so the config is read last.
	p.Effects = slices.Concat(d.inspections(), d.tidy(d.record.Build), d.slot(d.record), d.creation(request, true))
	return p
}

// start claims an attempt and creates its build, unless something holds it.
func (d *decision) start(attempt int) Plan {
	if h := firstHold(startChecks, d.Snapshot); h != nil {
		return whileHeld(d.Snapshot, h, d.record, d.record != nil && d.record.Fingerprint != d.fingerprint)
	}
	// The time sets attempts apart even if no record is left of the last one, and
	// the last one's name sets those apart that fall on the same instant.
	nonce := d.Nonce
	if nonce == "" {
		nonce = d.Now.UTC().Format(time.RFC3339Nano) + " " + newestOf(d.record)
	}
	record := ledger.Record{
		Build:       inputs.BuildName(d.Pool.Name, string(d.Pool.UID), d.fingerprint, nonce, attempt),
		Fingerprint: d.fingerprint,
		Kind:        d.kind(),
		Config:      d.Pool.WantedConfig,
		Attempt:     attempt,
		Number:      d.record.NextNumber(d.Pool.Version),
		Repository:  d.identity.Repository,
		Tag:         d.identity.Tag,
		Rebuild:     cmp.Or(ledger.RebuildMark(d.Pool.RebuildRequested), d.acknowledged()),
		ClaimedAt:   d.Now,
		Warning:     d.Snapshot.Warning(),
		Before:      d.Pool.Reported.Mark(),
		Versions:    d.versions(),
		History:     d.history(),
		Took:        d.record.TookWith(0),
	}
	p := d.pending(&record, "")
	// Older builds are stopped once the claim is on the pool: whoever finds one
	// stopped that the pool's record is of takes it for an administrator's will.
	request, h := d.request(&record)
	if h != nil {
		return whileHeld(d.Snapshot, h, d.record, d.record != nil && d.record.Fingerprint != d.fingerprint)
	}
	creation := d.creation(request, false)
	p.Effects = slices.Concat(d.inspections(), d.beginning(), d.farewell(), creation[:1], []Effect{WriteRecord{Record: record, Rebuild: d.acknowledgement()}},
		d.tidy(record.Build), d.slot(&record), creation[1:])
	return p
}

// history is what a record of the wanted inputs inherits from the one before. A
// build that made its image after its inputs were superseded counts, too, but not one that
// was only found and that there is nothing to compare with, see onRecord.
func (d *decision) history() []ledger.PastImage {
	record := d.record
	if record != nil && !record.Succeeded() {
		if b := find(d.Builds, record.Build); b != nil && hasImage(b) && (d.found == nil || d.ofPast(b) != nil) && alteredOnRecord(record, b) == "" {
			late := *record
			late.Image = b.Image
			record = &late
		}
	}
	return record.HistoryFor(d.fingerprint)
}

// beginning makes sure that there is what opts in a pool that has nothing on record.
func (d *decision) beginning() []Effect {
	if d.record == nil && d.MachineOS.OptsIn() {
		return []Effect{TellBeginning{}}
	}
	return nil
}

// farewell makes sure that the attempt before, if it was ended by us, is in the
// cache or gone. It is stopped once it is seen, and must not run on unseen beside
// another one of the same inputs.
func (d *decision) farewell() []Effect {
	r := d.record
	if !r.Failed() || r.Fingerprint != d.fingerprint {
		return nil
	}
	switch r.Failure.Reason {
	case ledger.FailurePendingTooLong, ledger.FailureRunningTooLong, ledger.FailureSuperseded:
		if b := find(d.Builds, r.Build); b == nil || !exists(b) {
			return []Effect{ConfirmBuild{Name: r.Build}}
		}
	}
	return nil
}

// slot is what it takes to create a build when their number is limited.
func (d *decision) slot(record *ledger.Record) []Effect {
	if limit := d.limits().MaxConcurrentBuilds; limit > 0 {
		return []Effect{TakeSlot{Build: record.Build, Config: record.Config, Limit: limit, Limits: d.limits()}}
	}
	return nil
}

// inspections read the credentials of a build. They come before the claim, so
// that what they find wrong costs no attempt.
func (d *decision) inspections() []Effect {
	var effects []Effect
	if !d.PushSecret.Inspected {
		effects = append(effects, InspectSecret{Name: d.Settings.Values.FinalImagePushSecret})
	}
	if name := d.Settings.Values.BaseImagePullSecret; name != "" && name != d.Settings.Values.FinalImagePushSecret && !d.PullSecret.Inspected {
		effects = append(effects, InspectSecret{Name: name})
	}
	return effects
}

// publish puts an image on the pool. Nothing is cleaned up in the same plan:
// that waits for a snapshot in which the record is seen.
func (d *decision) publish(record ledger.Record) Plan {
	p := published(&record)
	p.Effects = []Effect{Publish{Record: record}}
	return p
}

// published serves a pool whose wanted image is on record. Annotations that
// someone changed are put right.
func (d *decision) published() Plan {
	if d.Pool.Image != d.record.Image || d.Pool.ImageConfig != d.record.Config {
		return d.publish(*d.record)
	}
	p := published(d.record)
	p.Effects = d.tidy(d.record.Build)
	return p
}
