package plan

import (
	"cmp"
	"slices"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// newestOf is the build of the newest attempt, or empty.
func newestOf(r *ledger.Record) string {
	if r == nil {
		return ""
	}
	return r.Build
}

// tidy ends and removes what is of no use. The build named keep is the newest
// attempt: it is left to run, and loses its inputs once its outcome is on record;
// one that was given up is stopped. Builds of inputs that are not wanted any more
// are stopped, and removed when they have come to a stop; finished ones stay for
// inspection without their inputs.
func tidy(s *Snapshot, keep string) []Effect {
	var effects []Effect
	for _, b := range s.Builds {
		kept := keep != "" && b.Name == keep
		switch {
		case kept && !recorded(s.Pool.Record, b.Name):
			// Its outcome is still to come or to be recorded.
		case b.Phase.IsActive():
			if !b.Stopping {
				effects = append(effects, StopBuild{Name: b.Name, UID: b.UID})
			}
		case b.Phase == imagebuilder.PhaseStopped && !kept && !s.isWitness(&b):
			effects = append(effects, DeleteBuild{Name: b.Name, UID: b.UID})
		case b.HasInputs:
			effects = append(effects, DeleteInputs{Name: b.Name, Finished: b.Phase.IsFinished()})
		}
	}
	return effects
}

// whileHeld is the plan while the wanted inputs cannot be built. A build of the
// newest attempt that is superseded, that is, of other inputs, is stopped, but
// not before that is on record: should its inputs be wanted again, they are built
// again, and nobody is thought to have cancelled them. Of an attempt whose build
// was not created the inputs go, with their credentials, until the hold is over.
func whileHeld(s *Snapshot, h *Hold, record *ledger.Record, superseded bool) Plan {
	p := Held(*h)
	keep := newestOf(record)
	if record == nil {
		// It may be lost; what it was of is found out once it is known what is wanted.
		keep = s.newestName()
		if b := find(s.Builds, keep); b != nil && b.Phase.IsFinished() && b.HasInputs {
			p.Effects = append(p.Effects, DeleteInputs{Name: keep, Finished: true})
		}
	}
	if b := find(s.Builds, keep); b != nil && !recorded(record, keep) {
		switch {
		case b.Phase == imagebuilder.PhaseAbsent:
			if wait := claimGrace - s.Now.Sub(record.ClaimedAt); wait > 0 && wait <= claimGrace {
				p.RequeueAfter = wait
			} else {
				p.Effects = []Effect{ConfirmBuild{Name: keep}, DeleteInputs{Name: keep}}
			}
		case superseded && b.Phase.IsActive():
			late := *record
			late.Failure = &ledger.Failure{Reason: ledger.FailureSuperseded, Message: "other inputs are wanted", Transient: true, At: s.Now}
			p.Effects = []Effect{WriteRecord{Record: late}}
			return p
		case superseded:
			keep = ""
		}
	}
	p.Effects = append(p.Effects, tidy(s, keep)...)
	return p
}

// tidy also removes finished builds beyond the number to be kept. Which those are
// is only asked when it is known what the pool wants.
func (d *decision) tidy(keep string) []Effect {
	effects := tidy(d.Snapshot, keep)
	for _, b := range d.expired(keep) {
		effects = slices.DeleteFunc(effects, func(e Effect) bool {
			inputs, ok := e.(DeleteInputs)
			return ok && inputs.Name == b.Name
		})
		effects = append(effects, DeleteBuild{Name: b.Name, UID: b.UID, Recorded: hasImage(b) && d.Pool.Record.Holds(b.Image)})
	}
	return effects
}

// expired are the finished builds beyond those to be kept for inspection, which
// are the newest ones. The builds on record and of the newest attempt are among
// those that are kept, whatever the number.
func (d *decision) expired(keep string) []*imagebuilder.Observation {
	var succeeded, failed []*imagebuilder.Observation
	limits := d.limits()
	for i := range d.Builds {
		switch b := &d.Builds[i]; {
		case d.isDone(b):
			succeeded = append(succeeded, b)
		case b.Name == keep || b.Name == newestOf(d.Pool.Record):
			if hasImage(b) {
				limits.SuccessfulBuildsHistory--
			} else if b.Phase.IsFinished() {
				limits.FailedBuildsHistory--
			}
		case d.isWitness(b):
		case hasImage(b) && b.Fingerprint == d.fingerprint && d.Pool.ImageConfig != d.Pool.WantedConfig:
			// No image of the wanted inputs is published, and the newest attempt may fail.
		case hasImage(b):
			succeeded = append(succeeded, b)
		case b.Phase == imagebuilder.PhaseFailed, b.Phase == imagebuilder.PhaseSucceeded:
			// Without its digest an image is lost.
			failed = append(failed, b)
		}
	}
	return slices.Concat(beyond(succeeded, limits.SuccessfulBuildsHistory), beyond(failed, limits.FailedBuildsHistory))
}

// isDone tells of the newest build that its image is on record, where that is the end of it.
func (d *decision) isDone(b *imagebuilder.Observation) bool {
	return d.MachineOS.OptsIn() && d.Pool.Record.Holds(b.Image) && hasImage(b)
}

// beyond sorts the builds, newest first, and cuts off the first ones.
func beyond(builds []*imagebuilder.Observation, limit int) []*imagebuilder.Observation {
	limit = max(limit, 0)
	if len(builds) <= limit {
		return nil
	}
	slices.SortFunc(builds, func(x, y *imagebuilder.Observation) int {
		return cmp.Or(y.Created.Compare(x.Created), cmp.Compare(x.Name, y.Name))
	})
	return builds[limit:]
}

func recorded(r *ledger.Record, build string) bool {
	return r != nil && r.Build == build && (r.Succeeded() || r.Failed())
}

func find(builds []imagebuilder.Observation, name string) *imagebuilder.Observation {
	for i := range builds {
		if builds[i].Name == name {
			return &builds[i]
		}
	}
	return nil
}

// adoptable finds a build of the wanted inputs that is worth following although it
// is not on record: one that has an image before one that may get one, and of
// several the newest.
func (d *decision) adoptable() *imagebuilder.Observation {
	var best *imagebuilder.Observation
	for i := range d.Builds {
		b := &d.Builds[i]
		if b.Fingerprint != d.fingerprint || !isWorthFollowing(b) || d.unlike(b) != "" {
			continue
		}
		if best == nil || betterThan(b, best) {
			best = b
		}
	}
	return best
}

// isWorthFollowing tells whether a build has an image, or may get one. One that is
// being stopped will not, and whoever follows it would take its end for an
// administrator's will.
func isWorthFollowing(b *imagebuilder.Observation) bool {
	return hasImage(b) || b.Phase.IsActive() && !b.Stopping
}

func betterThan(b, other *imagebuilder.Observation) bool {
	if hasImage(b) != hasImage(other) {
		return hasImage(b)
	}
	return b.Created.After(other.Created)
}

func hasImage(b *imagebuilder.Observation) bool {
	return b.Phase == imagebuilder.PhaseSucceeded && b.Image != ""
}
