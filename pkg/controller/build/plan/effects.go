package plan

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// Effect is one thing to do. Effects are carried out in the order of the plan,
// and the first error ends it: a later effect may rely on the earlier ones.
// Each is repeatable.
type Effect interface{ effect() }

// InspectSecret reads a credential Secret once per version and refuses what
// no build could use.
type InspectSecret struct{ Name string }

// LoadConfig reads the full rendered MachineConfig, which the caches do not
// hold, and makes the build context of it and of the trust bundle.
type LoadConfig struct {
	Name string
	// Pool is the pool that it is for.
	Pool        string
	TrustBundle []byte
	// Custom is looked through, too: its text is in the image's history.
	Custom inputs.Custom
	// Past tells that nothing is to be built from it, so nothing is found out of it.
	Past bool
}

// ConfirmBuild asks the backend itself whether a build is gone, where the cache is no proof,
// and ends the plan if it is not.
type ConfirmBuild struct {
	Name string
	// Told is what the pool tells of the build, and goes on telling while the backend does
	// not answer; its zero value if it tells of none.
	Told ledger.Report
}

// Holds tells whether the live build is as expected.
func (e ConfirmBuild) Holds(live imagebuilder.Observation) bool {
	return live.Phase == imagebuilder.PhaseAbsent
}

// VerifyBuild asks the backend itself for a build that is to be taken over, and ends the plan
// if it is another one than the cache shows, or if it, or one of its inputs, is not as the
// controller would have made it. The request's Context is filled from LoadConfig.
type VerifyBuild struct {
	Request imagebuilder.Request
	// Cached is the build as the plan was made on it.
	Cached imagebuilder.Observation
	// Recorded tells that the build is on record, and only its inputs are in doubt.
	Recorded bool
}

// Holds tells whether the live build is the one of the plan.
func (e VerifyBuild) Holds(live imagebuilder.Observation) bool {
	return live.UID == e.Cached.UID && live.Phase == e.Cached.Phase && live.Stopping == e.Cached.Stopping && live.Image == e.Cached.Image
}

// ConfirmPool makes sure that what follows was decided on the pool's present state, and
// ends the plan if it was not. With ConfirmOptOut it is the only live read of a decision's
// input: a pool that was opted out and in again within the caches' lag must not lose its build.
type ConfirmPool struct{}

// ConfirmOptOut makes sure that no MachineOSConfig refers to the pool, of which one opted it in
// before, and ends the plan if one does. The caches may be behind, or have nothing yet.
type ConfirmOptOut struct{}

// TellBeginning tells on the MachineOSConfig, ahead of all else, that its image is being made,
// or makes sure that it is still there, as it is known: whoever knows better would undo what
// follows.
type TellBeginning struct{}

// needsPool tells whether the effect ends or removes what the pool may want by now. What
// has ended, and what is on record, no newer state of the pool brings back.
func needsPool(effect Effect) bool {
	switch e := effect.(type) {
	case StartBuild:
		return e.Again
	case StopBuild:
		return true
	case DeleteBuild:
		return !e.Recorded
	case DeleteInputs:
		return !e.Finished
	}
	return false
}

// writesRecord tells whether the effect puts a record on the pool.
func writesRecord(effect Effect) bool {
	switch effect.(type) {
	case WriteRecord, Publish:
		return true
	}
	return false
}

// Remainder is the index of the first effect that comes after all that puts an outcome on
// record; it is the number of effects where a build is still to be created. What is behind it
// is only ended or removed, and by then others may know of the outcome.
func (p *Plan) Remainder() int {
	last := 0
	for i, effect := range p.Effects {
		switch effect.(type) {
		case StartBuild:
			return len(p.Effects)
		case WriteRecord, Publish:
			last = i + 1
		}
	}
	return last
}

// MayWait tells whether the effect only removes what is of no use any more, and a build is to
// be created after it.
func MayWait(effect Effect, after []Effect) bool {
	switch effect.(type) {
	case DeleteBuild, DeleteInputs:
		return slices.ContainsFunc(after, func(e Effect) bool { _, ok := e.(StartBuild); return ok })
	}
	return false
}

// Records tells whether the plan puts a record on the pool.
func (p *Plan) Records() bool { return slices.ContainsFunc(p.Effects, writesRecord) }

// Claim is the record that the plan puts on the pool first; nil for none.
func (p *Plan) Claim() *ledger.Record {
	for _, effect := range p.Effects {
		if e, ok := effect.(WriteRecord); ok {
			return &e.Record
		}
	}
	return nil
}

// confirmed puts ConfirmPool ahead of the first effect that needs it. That is enough for
// all: whatever the plan itself writes on the pool is locked to the same state.
func confirmed(effects []Effect) []Effect {
	at := slices.IndexFunc(effects, needsPool)
	if at < 0 {
		return effects
	}
	return slices.Insert(slices.Clone(effects), at, Effect(ConfirmPool{}))
}

// FindImage asks the registry for an image: for the digest of one that a build pushed, which
// the build does not tell, or whether one is still there. The plan is made anew with the
// answer.
type FindImage struct {
	// About is the key of the answer.
	About string
	// Image is where it was pushed to, as repository:tag, or repository@digest.
	Image string
	// Once tells that an answer of any kind will do.
	Once bool
	// PushSecret has the credentials.
	PushSecret string
}

// TakeSlot takes one of the slots of a limited number of concurrent builds, and
// ends the plan if none is free. The slots are the controller's own memory.
type TakeSlot struct {
	// Build is the build that is to be created.
	Build string
	// Config is the rendered MachineConfig that it is of, for people to read.
	Config string
	// Limit is how many slots there are.
	Limit int
	// Limits are the deadlines of builds.
	Limits inputs.Limits
}

// Bound is for how long an active build can have a slot: its pool gives it up by then.
func (e TakeSlot) Bound(b *imagebuilder.Observation) time.Duration { return bound(e.Limits, b) }

// WriteRecord puts the record on the pool: the claim of an attempt before its
// build is created, or the outcome of one that failed.
type WriteRecord struct {
	Record ledger.Record
	// Rebuild is the request that a claim acts on, to be acknowledged in the same
	// write; empty for none. The record has its mark.
	Rebuild string
	// Told is what the pool tells of the build whose end is recorded, if it is only by that
	// that this is known to be one, and goes on telling while the record is refused.
	Told ledger.Report
}

// Publish puts the record's image, its config and the record on the pool in
// one write.
type Publish struct{ Record ledger.Record }

// StartBuild creates the build of the attempt that is on record. The request's
// Context is filled from LoadConfig.
type StartBuild struct {
	Request imagebuilder.Request
	// Again tells that the claim is not of this plan, but an earlier one, and that
	// the build may have existed and be gone with its pool.
	Again bool
}

// StopBuild asks a build to end.
type StopBuild struct {
	Name string
	UID  types.UID
}

// DeleteBuild removes a build and its inputs.
type DeleteBuild struct {
	Name string
	UID  types.UID
	// Recorded tells that the build made an image, and that the image is on record:
	// nothing is lost with it, whatever the state of the pool.
	Recorded bool
}

// DeleteInputs removes what was made for a build to read.
type DeleteInputs struct {
	Name string
	// Finished tells that the build has ended, which no newer state of the
	// pool can undo.
	Finished bool
}

// RemoveTraces takes our annotations and conditions off the pool.
type RemoveTraces struct{}

func (InspectSecret) effect() {}
func (LoadConfig) effect()    {}
func (ConfirmBuild) effect()  {}
func (VerifyBuild) effect()   {}
func (ConfirmPool) effect()   {}
func (ConfirmOptOut) effect() {}
func (TellBeginning) effect() {}
func (FindImage) effect()     {}
func (TakeSlot) effect()      {}
func (WriteRecord) effect()   {}
func (Publish) effect()       {}
func (StartBuild) effect()    {}
func (StopBuild) effect()     {}
func (DeleteBuild) effect()   {}
func (DeleteInputs) effect()  {}
func (RemoveTraces) effect()  {}
