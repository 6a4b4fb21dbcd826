package plan

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// The pool's record is what counts. It may be lost, though, or be an older one: those who
// write the pool anew from a manifest of theirs take our annotations away, or bring back
// what these once were. Builds carry the claim that they were made for, and are what the
// newest attempt is found again from. Anyone may write Builds, so nothing is taken over from
// one that is not as the controller would have made it.

// Stranger is a build with the marks of one of the pool's that the controller did not make,
// or that is not as it was made.
type Stranger struct {
	Name string
	UID  types.UID
	// Why says what is another.
	Why string
}

// strangers are the builds that bear the wanted fingerprint, or say that they are in no form
// of the controller's, and are not taken for the controller's.
func (d *decision) strangers() []Stranger {
	var found []Stranger
	for i := range d.Builds {
		b := &d.Builds[i]
		if !exists(b) || b.Name == newestOf(d.Pool.Record) {
			continue
		}
		why := b.Foreign
		if b.Fingerprint == d.fingerprint {
			why = d.unlike(b)
		}
		if why != "" {
			found = append(found, Stranger{Name: b.Name, UID: b.UID, Why: why})
		}
	}
	return found
}

// unlike says what of a build of the wanted inputs is not as the controller would have made
// it; empty for nothing.
func (d *decision) unlike(b *imagebuilder.Observation) string {
	switch {
	case b.Foreign != "":
		return b.Foreign
	case b.Attempt < 1 || b.RenderedConfig != d.Pool.WantedConfig:
		return fmt.Sprintf("it says that it is attempt %d at %.100q", b.Attempt, b.RenderedConfig)
	case b.WasBornEnded():
		return "it had ended before it could have begun"
	}
	return d.differing(b)
}

// differing compares what a backend tells of a build of the wanted inputs with what it is
// asked for.
func (d *decision) differing(b *imagebuilder.Observation) string {
	switch output := outputOf(d.identity.Repository, d.identity.Tag, b.Name); {
	case b.Output != "" && b.Output != output:
		return fmt.Sprintf("it pushes to %.200q, and not to %s", b.Output, output)
	case b.Containerfile != "" && b.Containerfile != d.containerfileHash():
		return "its Containerfile is another one"
	}
	return ""
}

// containerfileHash is that of the wanted inputs' Containerfile. That it cannot be rendered
// is a mistake in the checks of its inputs, which whoever starts a build tells.
func (d *decision) containerfileHash() string {
	if d.containerfile == "" {
		text, err := d.identity.Recipe(d.fingerprint).Containerfile()
		if err != nil {
			return ""
		}
		d.containerfile = imagebuilder.ContainerfileHash(text)
	}
	return d.containerfile
}

// altered says what of the build on record is not as it was asked for; empty for nothing. Of
// a record whose inputs are not known only what it says itself is compared.
func (d *decision) altered(b *imagebuilder.Observation) string {
	if d.identity.Repository == "" || d.record.Fingerprint != d.fingerprint {
		return alteredOnRecord(d.record, b)
	}
	if b.Foreign != "" {
		return b.Foreign
	}
	return d.differing(b)
}

func alteredOnRecord(r *ledger.Record, b *imagebuilder.Observation) string {
	if b.Foreign == "" && r.Repository != "" && b.Output != "" && b.Output != outputOf(r.Repository, r.Tag, r.Build) {
		return fmt.Sprintf("it pushes to %.200q, and not to %s", b.Output, outputOf(r.Repository, r.Tag, r.Build))
	}
	return b.Foreign
}

// repository is where the image on record was to be pushed; empty if that is not known.
func (d *decision) repository() string {
	if d.record.Fingerprint == d.fingerprint && d.identity.Repository != "" {
		return d.identity.Repository
	}
	return d.record.Repository
}

// believed is the record, unless it is one that the controller cannot have written: of the
// wanted inputs, with an image that is none of them. Somebody edited it.
func (d *decision) believed(r *ledger.Record) *ledger.Record {
	if r == nil || r.Fingerprint != d.fingerprint {
		return r
	}
	if r.Config != d.Pool.WantedConfig || r.Image != "" && !d.isOfUs(r.Image) {
		return nil
	}
	return r
}

// findAgain replaces a record that is lost, or older than the newest build, by the claim of
// that build, or by that of the MachineOSBuild whose image nodes are given: there, a build
// that has made its image does not stay. Nor does one that somebody deleted, so that its end is
// told by its MachineOSBuild alone. The pool has it once the plan has been carried out.
func (d *decision) findAgain() {
	if told := d.MachineOS.Published; told != nil && d.isOfUs(told.Image) && d.isBehind(told) {
		d.record, d.told = told, true
	}
	if told := d.MachineOS.Interrupted; told != nil && told.Fingerprint == d.fingerprint && d.isBehind(told) {
		d.record, d.told = told, true
	}
	newest := d.newest()
	if newest == nil {
		return
	}
	claim := d.claimOf(newest)
	if newest.Fingerprint == d.fingerprint && !hasImage(newest) {
		// An image that is there comes before one that may come. It is published with
		// the claim that it is of, and the newest one is found again after that.
		if b := d.adoptable(); b != nil && hasImage(b) && d.Pool.Image != b.Image {
			newest, claim = b, d.claimOf(b)
		}
	}
	d.found, d.record, d.told = newest, &claim, false
}

// isBehind tells whether the record is older than the one that a MachineOSBuild tells, or is
// the claim that it was made with.
func (d *decision) isBehind(told *ledger.Record) bool {
	r := d.record
	return r == nil || told.Number > r.Number || told.Number == r.Number && r.IsOpen() && told.Fingerprint == r.Fingerprint
}

// newest is the build of the newest attempt, of whichever inputs, among those that the
// controller can have made; nil if none is newer than the record. Numbers are compared first:
// what a build is compared with has to be rendered.
func (d *decision) newest() *imagebuilder.Observation {
	var newest *imagebuilder.Observation
	var number int64
	for i := range d.Builds {
		b := &d.Builds[i]
		if !exists(b) {
			continue
		}
		claim := d.claimOf(b)
		if d.record != nil && claim.Number <= d.record.Number || !d.isCredible(b) {
			continue
		}
		if newest == nil || cmp.Or(cmp.Compare(claim.Number, number), b.Created.Compare(newest.Created)) > 0 {
			newest, number = b, claim.Number
		}
	}
	return newest
}

// isCredible tells whether the controller can have made the build. Of other inputs there is
// no request to compare it with.
func (d *decision) isCredible(b *imagebuilder.Observation) bool {
	if b.Fingerprint == d.fingerprint {
		return d.unlike(b) == ""
	}
	if b.Foreign != "" || b.Attempt < 1 || b.WasBornEnded() {
		return false
	}
	return b.Output == "" || d.identity.Repository == "" || isOutput(b, d.identity.Repository) || d.record != nil && isOutput(b, d.record.Repository)
}

// isOutput tells whether the build pushes to the repository, with a tag that it can have.
func isOutput(b *imagebuilder.Observation, repository string) bool {
	return b.Output == outputOf(repository, "", b.Name) || b.Output == outputOf(repository, tagOf(b), b.Name)
}

// tagOf is the tag of the image that the build was claimed for; empty for its name.
func tagOf(b *imagebuilder.Observation) string {
	claim, err := ledger.ParseRecord(b.Claim)
	if err != nil {
		return ""
	}
	return claim.Tag
}

// claimOf is the record that the build was claimed with, or what there is to know of it.
func (d *decision) claimOf(b *imagebuilder.Observation) ledger.Record {
	claim, err := ledger.ParseRecord(b.Claim)
	if err != nil || claim.Build != b.Name || claim.Fingerprint != b.Fingerprint || claim.Attempt != b.Attempt {
		claim = &ledger.Record{
			Build: b.Name, Fingerprint: b.Fingerprint, Attempt: b.Attempt, ClaimedAt: b.Created, Versions: d.versions(),
			History: d.record.HistoryFor(b.Fingerprint), Rebuild: d.record.RebuildOf(), Took: d.record.TookWith(0),
		}
	}
	record := claim.Claimed()
	record.Config = b.RenderedConfig
	if b.Fingerprint == d.fingerprint {
		record.Repository, record.Tag = d.identity.Repository, d.identity.Tag
	}
	if why := d.withdrawal(b); why != nil {
		record.Failure = why
	}
	return record
}

// withdrawal is why the controller had a build end that was on record; nil if it did not, or
// if the build made its image all the same. What it says is found out from its times.
func (d *decision) withdrawal(b *imagebuilder.Observation) *ledger.Failure {
	if !b.Withdrawn || hasImage(b) || !b.Stopping && b.Phase != imagebuilder.PhaseStopped {
		return nil
	}
	f := &ledger.Failure{Reason: ledger.FailureSuperseded, Message: "other inputs were wanted", Transient: true, At: b.Finished}
	if f.At.IsZero() {
		f.At = d.Now
	}
	limits := d.limits()
	switch lasted := f.At.Sub(b.Created); {
	case b.Started.IsZero() && lasted >= limits.PendingDeadline:
		f.Reason, f.Message = ledger.FailurePendingTooLong, fmt.Sprintf("it did not begin to run within %s", limits.PendingDeadline)
	case lasted >= limits.PendingDeadline+cmp.Or(b.Deadline, limits.CompletionDeadline)+overdueGrace:
		f.Reason, f.Message = ledger.FailureRunningTooLong, "it did not end"
	}
	return f
}

// onRecord puts in front of a plan that was made on what was found again what it takes to
// rely on it: that the build is what it seems to be, and that it is on record.
func (d *decision) onRecord(p Plan) Plan {
	starts := slices.ContainsFunc(p.Effects, func(effect Effect) bool { _, ok := effect.(StartBuild); return ok })
	records := slices.ContainsFunc(p.Effects, writesRecord)
	var first []Effect
	switch past := d.ofPast(d.found); {
	case past != nil && records:
		first = past.verification(d.found)
	case starts || d.found.Fingerprint != d.fingerprint:
	case records:
		first = d.verification(d.found)
	default:
		first = append(d.verification(d.found), WriteRecord{Record: *d.record})
	}
	p.Effects = append(first, p.Effects...)
	return p
}

// ofPast is a decision for the inputs, other than the wanted ones, that a build with an image
// is of; nil if the build is not of what it says, or if that is not known any more.
func (d *decision) ofPast(b *imagebuilder.Observation) *decision {
	config, known := d.Past[b.RenderedConfig]
	if !known || !hasImage(b) || b.Fingerprint == d.fingerprint {
		return nil
	}
	s := *d.Snapshot
	s.Pool.WantedConfig, s.Config = b.RenderedConfig, config
	if h := firstHold(identityChecks, &s); h != nil {
		return nil
	}
	past := &decision{Snapshot: &s, identity: s.identity(), past: true}
	past.fingerprint = past.identity.Fingerprint()
	if past.fingerprint != b.Fingerprint || past.unlike(b) != "" {
		return nil
	}
	return past
}

// verification makes sure that a build is as the controller would have made it.
func (d *decision) verification(b *imagebuilder.Observation) []Effect {
	request, h := d.request(&ledger.Record{Build: b.Name, Fingerprint: b.Fingerprint, Config: b.RenderedConfig, Attempt: b.Attempt})
	if h != nil {
		return nil
	}
	recorded := d.found == nil && !d.past && d.Pool.Record != nil && d.Pool.Record.Build == b.Name
	return []Effect{d.loading(&request), VerifyBuild{Request: request, Cached: *b, Recorded: recorded}}
}

// newestName is the build of the newest attempt, by the record or, if that is lost, by what
// there is of builds. It is for those who do not know what is wanted and only have to leave
// it alone.
func (s *Snapshot) newestName() string {
	if s.Pool.Record != nil {
		return s.Pool.Record.Build
	}
	d := decision{Snapshot: s}
	if b := d.newest(); b != nil && b.RenderedConfig == s.Pool.WantedConfig {
		return b.Name
	}
	return ""
}

// isWitness tells whether the build is the newest one that tells that the request which
// stands on the pool was acted on. Without it, a pool that lost its annotations would act on
// the request once more.
func (s *Snapshot) isWitness(b *imagebuilder.Observation) bool {
	number := s.witnessed(b)
	if number < 0 {
		return false
	}
	for i := range s.Builds {
		if other := &s.Builds[i]; other.Name != b.Name && s.witnessed(other) > number {
			return false
		}
	}
	return true
}

// witnessed is the number of the claim of a build that tells of the request on the pool; -1
// if it does not.
func (s *Snapshot) witnessed(b *imagebuilder.Observation) int64 {
	if s.Pool.RebuildRequested == "" || s.MachineOS.OptsIn() || !exists(b) || b.Foreign != "" {
		return -1
	}
	claim, err := ledger.ParseRecord(b.Claim)
	if err != nil || claim.Rebuild != ledger.RebuildMark(s.Pool.RebuildRequested) {
		return -1
	}
	return claim.Number
}

func exists(b *imagebuilder.Observation) bool { return b.Phase != imagebuilder.PhaseAbsent }
