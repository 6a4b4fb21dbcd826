package plan

import (
	"testing"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestTurn: what becomes of builds of other inputs.
func TestTurn(t *testing.T) {
	requireDecisions(t, map[string]computeCase{
		// Superseding, adopting, going back.
		"superseded": {
			reason:   "a build of what is not wanted any more is stopped, and the newest starts",
			snapshot: with(ready(), record(Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1}), observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs)),
			state:    StatePending, why: ReasonBuildCreated,
			effects: []string{"LoadConfig rendered-worker-1", "WriteRecord 1", "StopBuild build-0", "StartBuild"},
		},
		"superseded, stopping": {
			reason:   "asking once is enough",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs, stopping)),
			state:    StateBuilding, why: ReasonBuildRunning,
		},
		"superseded, stopped": {
			reason:   "a build that came to nothing is removed",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), observed("build-0", imagebuilder.PhaseStopped, ofOtherInputs)),
			state:    StateBuilding, why: ReasonBuildRunning, effects: []string{"DeleteBuild build-0"},
		},
		"leftover inputs": {
			reason:   "inputs of an attempt that is not the newest have no use",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), observed("build-0", imagebuilder.PhaseAbsent, ofOtherInputs)),
			state:    StateBuilding, why: ReasonBuildRunning, effects: []string{"DeleteInputs build-0"},
		},
		"two builds of the same": {
			reason:   "only the one on record counts",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), observed("build-2", imagebuilder.PhasePending)),
			state:    StateBuilding, why: ReasonBuildRunning, effects: []string{"StopBuild build-2"},
		},
		"record lost, build running": {
			reason:   "the build is adopted instead of being started twice",
			snapshot: with(ready(), observed("build-1", imagebuilder.PhaseRunning)),
			state:    StateBuilding, why: ReasonBuildRunning, effects: []string{"ConfirmPresent build-1", "WriteRecord 1"},
		},
		"record lost, build complete": {
			reason:   "the image is there",
			snapshot: with(ready(), observed("build-1", imagebuilder.PhaseSucceeded, withoutInputs)),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"ConfirmPresent build-1", "Publish " + image},
		},
		"record lost, one complete, one running": {
			reason:   "an image that is there beats one that may come",
			snapshot: with(ready(), observed("build-2", imagebuilder.PhaseRunning), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"ConfirmPresent build-1", "Publish " + image},
		},
		"back to a known image": {
			reason: "what was built before is published again at once",
			snapshot: with(ready(), record(Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1, Image: otherImage,
				History: []PastImage{{Fingerprint: wantedFingerprint(), Config: wantedConfig, Build: "build-1", Image: image}}})),
			state: StateSucceeded, why: ReasonImagePublished, effects: []string{"Publish " + image},
		},
	})
}
