package plan

import (
	"slices"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// tidy ends and removes what is of no use. The builds named in keep are the
// newest attempts: they are left to run, and once their outcome is on record
// lose their inputs; one that was given up is stopped. Builds of inputs that are not wanted
// any more are stopped, and removed when they have come to a stop; finished
// ones stay for inspection without their inputs.
func tidy(s *Snapshot, keep ...string) []Effect {
	var effects []Effect
	for _, b := range s.Builds {
		kept := slices.Contains(keep, b.Name)
		switch {
		case kept && !recorded(s.Pool.Record, b.Name):
			// Its outcome is still to come or to be recorded.
		case b.Phase.IsActive():
			if !b.Stopping {
				effects = append(effects, StopBuild{Name: b.Name, UID: b.UID})
			}
		case b.Phase == imagebuilder.PhaseStopped && !kept:
			effects = append(effects, DeleteBuild{Name: b.Name, UID: b.UID})
		case b.HasInputs:
			effects = append(effects, DeleteInputs{Name: b.Name, Finished: b.Phase.IsFinished()})
		}
	}
	return effects
}

func recorded(r *Record, build string) bool {
	return r != nil && r.Build == build && (r.succeeded() || r.failed())
}

func find(builds []imagebuilder.Observation, name string) *imagebuilder.Observation {
	for i := range builds {
		if builds[i].Name == name {
			return &builds[i]
		}
	}
	return nil
}

// adoptable finds a build of these inputs that is worth following although it
// is not on record: one that has an image before one that may get one, and of
// several the newest.
func adoptable(builds []imagebuilder.Observation, fingerprint string) *imagebuilder.Observation {
	var best *imagebuilder.Observation
	for i := range builds {
		b := &builds[i]
		if b.Fingerprint != fingerprint || !hasImage(b) && (!b.Phase.IsActive() || b.Stopping) {
			continue
		}
		if best == nil || betterThan(b, best) {
			best = b
		}
	}
	return best
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
