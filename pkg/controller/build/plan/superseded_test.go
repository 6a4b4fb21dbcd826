package plan

import (
	"testing"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestTurn: what becomes of builds of other inputs.
func TestTurn(t *testing.T) {
	requireDecisions(t, map[string]computeCase{
		// Superseding, adopting, going back.
		"superseded": {
			reason:   "a build of what is not wanted any more is stopped, and the newest starts",
			snapshot: with(ready(), record(ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1}), observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs)),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated,
			effects: []string{"LoadConfig rendered-worker-1", "WriteRecord 1", "StopBuild build-0", "StartBuild"},
		},
		"superseded, stopping": {
			reason:   "asking once is enough",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs, stopping)),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning,
		},
		"superseded, stopped": {
			reason:   "a build that came to nothing is removed",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), observed("build-0", imagebuilder.PhaseStopped, ofOtherInputs)),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning, effects: []string{"DeleteBuild build-0"},
		},
		"leftover inputs": {
			reason:   "inputs of an attempt that is not the newest have no use",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), observed("build-0", imagebuilder.PhaseAbsent, ofOtherInputs)),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning, effects: []string{"DeleteInputs build-0"},
		},
		"two builds of the same": {
			reason:   "only the one on record counts",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), observed("build-2", imagebuilder.PhasePending)),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning, effects: []string{"StopBuild build-2"},
		},
		"record lost, build running": {
			reason:   "the build is adopted instead of being started twice",
			snapshot: with(ready(), observed("build-1", imagebuilder.PhaseRunning)),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning, effects: []string{"LoadConfig rendered-worker-1", "VerifyBuild build-1", "WriteRecord 1"},
		},
		"record lost, build complete": {
			reason:   "the image is there",
			snapshot: with(ready(), observed("build-1", imagebuilder.PhaseSucceeded, withoutInputs)),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"LoadConfig rendered-worker-1", "VerifyBuild build-1", "Publish " + image},
		},
		"record lost, one complete, one running": {
			reason:   "an image that is there beats one that may come",
			snapshot: with(ready(), observed("build-2", imagebuilder.PhaseRunning), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"LoadConfig rendered-worker-1", "VerifyBuild build-1", "Publish " + image},
		},
		"back to what two builds made": {
			reason: "the newer image counts, in whichever order they are listed",
			snapshot: with(ready(), record(ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1}),
				observed("build-1", imagebuilder.PhaseSucceeded, withoutInputs, hourOld), observed("build-2", imagebuilder.PhaseSucceeded, withoutInputs, ofOtherImage)),
			state: ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"LoadConfig rendered-worker-1", "VerifyBuild build-2", "Publish " + otherImage},
		},
		"back to a known image": {
			reason: "what was built before is published again at once",
			snapshot: with(ready(), record(ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1, Image: otherImage,
				History: []ledger.PastImage{{Fingerprint: wantedFingerprint(), Build: "build-1", Image: image}}})),
			state: ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"Publish " + image},
		},
	})
}

func hourOld(b *imagebuilder.Observation)      { b.Created = now.Add(-time.Hour) }
func ofOtherImage(b *imagebuilder.Observation) { b.Image = otherImage }
