package plan

import (
	"testing"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestFollow: how a build is watched.
func TestFollow(t *testing.T) {
	broken := ledger.Failure{Reason: "DockerBuildFailed", Message: "the build failed", Log: "make: ***\nexit 1\n"}
	requireDecisions(t, map[string]computeCase{
		// Following a build.
		"claim is fresh": {
			reason:   "the build is likely on its way into the cache",
			snapshot: with(ready(), record(claimed(time.Second))),
			state:    ledger.StateUnsettled, requeue: time.Second,
		},
		"claim of the future": {
			reason:   "clocks differ between hosts; a claim from the future must not wedge the pool",
			snapshot: with(ready(), record(claimed(-time.Hour))),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: []string{"LoadConfig rendered-worker-1", "StartBuild"},
		},
		"crash after the claim": {
			reason:   "the same attempt is started (again): creating is repeatable",
			snapshot: with(ready(), record(claimed(time.Hour))),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: []string{"LoadConfig rendered-worker-1", "StartBuild"},
		},
		"crash after the inputs": {
			reason:   "the inputs alone are no build",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseAbsent)),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: []string{"LoadConfig rendered-worker-1", "StartBuild"},
		},
		"pending": {
			reason:   "a build that waits is left alone, whatever the backend says of it meanwhile",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, transient)),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated,
		},
		"running": {
			reason:   "a build that runs is left alone",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning, message: "Build build-1 of rendered-worker-1 is running",
		},
		"pending with a reason, just created": {
			reason:   "the backend's caches may lag behind the inputs",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, transient, func(b *imagebuilder.Observation) { b.Created = now.Add(-time.Second) })),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, requeue: 9 * time.Second, message: "is created and waits to run",
		},
		"pending with a reason": {
			reason:   "a missing secret is told of long before the build counts as stuck",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, transient, func(b *imagebuilder.Observation) { b.Created = now.Add(-10 * time.Second) })),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, requeue: 110 * time.Second,
			message: "Build build-1 of rendered-worker-1 waits to run (BuildPodEvicted: the node was short of memory).",
		},
		"pending for long": {
			reason:   "it is reported with the backend's own words, and when it will be given up",
			snapshot: with(ready(), record(claimed(10*time.Minute)), observed("build-1", imagebuilder.PhasePending, transient, func(b *imagebuilder.Observation) { b.Created = now.Add(-10 * time.Minute) })),
			state:    ledger.StateStuck, why: ledger.ReasonBuildStuck, requeue: 20 * time.Minute,
			message: "has not begun to run within 2m0s (BuildPodEvicted: the node was short of memory); it is given up at 12:20:00 UTC",
		},
		"pending too long": {
			reason:   "a pod that cannot be scheduled would wait for ever; the outcome is recorded first",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, func(b *imagebuilder.Observation) { b.Created = now.Add(-30 * time.Minute) })),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"WriteRecord 1 PendingTooLong"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"given up": {
			reason:   "now it is stopped",
			snapshot: with(ready(), record(failure(claimed(time.Hour), ledger.Failure{Reason: ledger.FailurePendingTooLong, Transient: true})), observed("build-1", imagebuilder.PhasePending)),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"StopBuild build-1"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"given up and stopped": {
			reason:   "that we stopped it is no one's wish to interrupt",
			snapshot: with(ready(), record(failure(claimed(time.Hour), ledger.Failure{Reason: ledger.FailurePendingTooLong, Transient: true})), observed("build-1", imagebuilder.PhaseStopped, withoutInputs)),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"given up, and out of sight": {
			reason:   "it may run on where the cache does not show it, so the backend is asked before the next attempt",
			snapshot: with(ready(), record(failure(claimed(time.Hour), ledger.Failure{Reason: ledger.FailurePendingTooLong, Transient: true, At: now.Add(-time.Hour)}))),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: append([]string{"ConfirmBuild build-1"}, starting(2)...),
		},
		"given up, but complete": {
			reason:   "an image is an image",
			snapshot: with(ready(), record(failure(claimed(time.Hour), ledger.Failure{Reason: ledger.FailurePendingTooLong, Transient: true})), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"running too long": {
			reason:   "the backend's deadline failed",
			snapshot: with(ready(), record(claimed(3*time.Hour)), observed("build-1", imagebuilder.PhaseRunning, func(b *imagebuilder.Observation) { b.Created = now.Add(-2 * time.Hour) })),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"WriteRecord 1 RunningTooLong"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"created in the future": {
			reason:   "the API server's clock runs ahead; the wait is bounded all the same",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, func(b *imagebuilder.Observation) { b.Created = now.Add(time.Hour) })),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, requeue: 2 * time.Minute,
		},
		"rebuild of a published image": {
			reason:   "a new token is a new build",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1),
		},
		"rebuild was observed": {
			reason:   "a token is acted on once",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.RebuildRequested, s.Pool.RebuildObserved = "1", "1" }),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished,
		},
		"rebuild of a failure": {
			reason:   "the way out of a failure whose cause lies elsewhere",
			snapshot: with(ready(), record(failure(claimed(time.Hour), broken)), func(s *Snapshot) { s.Pool.RebuildRequested, s.Pool.RebuildObserved = "2", "1" }),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1),
		},
		"rebuild while running": {
			reason:   "whoever asks wants a build that begins now",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: []string{"LoadConfig " + wantedConfig, "WriteRecord 1", "StopBuild build-1", "StartBuild"},
		},
		"rebuild while a build is out of sight": {
			reason:   "it may be running; a second one beside it would be one too many",
			snapshot: with(ready(), record(claimed(time.Second)), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }),
			state:    ledger.StateUnsettled, requeue: time.Second,
		},
		"rebuild when just complete": {
			reason:   "the image is published before the next build begins: that one may fail",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"rebuild while paused": {
			reason:   "the request waits, and is not lost",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.RebuildRequested, s.Pool.Paused = "1", true }),
			state:    ledger.StateHeld, why: ledger.ReasonPoolPaused,
		},
		"running, secret gone": {
			reason:   "secrets matter for starting only",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), func(s *Snapshot) { s.PushSecret = Secret{} }),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning,
		},
		"complete": {
			reason:   "the image is published, and nothing is removed before that was seen",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"Publish " + image}, message: image,
		},
		"published": {
			reason:   "now the inputs can go; the build stays for inspection",
			snapshot: with(ready(), record(success(claimed(time.Hour))), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"DeleteInputs build-1"},
		},
		"published, build pruned": {
			reason:   "the result does not depend on the build's existence",
			snapshot: with(ready(), record(success(claimed(time.Hour)))),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished,
		},
		"published, build deleted before its inputs": {
			reason:   "the inputs can go, with or without the build",
			snapshot: with(ready(), record(success(claimed(time.Hour))), observed("build-1", imagebuilder.PhaseAbsent)),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"DeleteInputs build-1"},
		},
		"annotation changed by hand": {
			reason:   "the record is right",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.Image = "something else" }),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"published, secret gone": {
			reason:   "nothing is to be pushed",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.PushSecret = Secret{} }),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished,
		},
		"published, builder gone": {
			reason:   "nothing is to be built",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.BuilderProblem = "not installed" }),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished,
		},
	})
}

// TestFailures: what a failure leads to.
func TestFailures(t *testing.T) {
	lost := ledger.Failure{Reason: "BuildPodEvicted", Message: "the node was short of memory", Transient: true}
	broken := ledger.Failure{Reason: "DockerBuildFailed", Message: "the build failed", Log: "make: ***\nexit 1\n"}
	requireDecisions(t, map[string]computeCase{
		// Failures.
		"complete without a digest": {
			reason:   "without the digest there is nothing to publish; another attempt gets one",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded, withoutImage)),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"WriteRecord 1 ImageDigestMissing"},
			message: "Attempt 1 of 4 at rendered-worker-1, build build-1, failed (ImageDigestMissing: ", requeue: retryDelay(wantedFingerprint(), 1),
		},
		"complete without a digest, and the registry has not been asked": {
			reason:   "the tag is this attempt's alone, so the registry knows what the build does not tell",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded, withoutImage), asking()),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning, effects: []string{"FindImage " + outputOf("registry.example.com/org/os", "", "build-1")},
		},
		"the registry has the image": {
			reason:   "it is as good as if the build had told",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded, withoutImage), asking(FoundImage{Image: image})),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"the registry has no such image": {
			reason:   "the next attempt pushes one, and the record says what was tried",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded, withoutImage), asking(FoundImage{Why: "there is none"})),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"WriteRecord 1 ImageDigestMissing"},
			message: "the digest of the image it pushed is not known; the registry was asked for it: there is none", requeue: retryDelay(wantedFingerprint(), 1),
		},
		"the registry has the image of a build that somebody altered": {
			reason:   "what it pushed is not what was asked for",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded, withoutImage, func(b *imagebuilder.Observation) { b.Foreign = "it runs as somebody else" }), asking(FoundImage{Image: image})),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"WriteRecord 1 ImageDigestMissing"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"failed for a passing reason": {
			reason:   "it says which attempt failed, why, and when the next one is due",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, transient)),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"WriteRecord 1 BuildPodEvicted"},
			message: "failed (BuildPodEvicted: the node was short of memory); next at 12:00:1", requeue: retryDelay(wantedFingerprint(), 1),
		},
		"failure is on record": {
			reason:   "the inputs can go; the next attempt gets its own",
			snapshot: with(ready(), record(failure(claimed(time.Hour), lost)), observed("build-1", imagebuilder.PhaseFailed, transient)),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"DeleteInputs build-1"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"retry is due": {
			reason: "the next attempt has a record and a name of its own",
			snapshot: with(ready(), record(failure(claimed(time.Hour), ledger.Failure{Reason: lost.Reason, Message: lost.Message, Transient: true, At: now.Add(-time.Minute)})),
				observed("build-1", imagebuilder.PhaseFailed, transient, withoutInputs)),
			state: ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(2), message: "(attempt 2 of 4)",
		},
		"last attempt failed": {
			reason:   "attempts are bounded",
			snapshot: with(ready(), record(failure(with4(claimed(time.Hour)), lost)), observed("build-1", imagebuilder.PhaseFailed, transient, withoutInputs)),
			state:    ledger.StateFailed, why: ledger.ReasonAttemptsExhausted, message: "All 4 attempts at rendered-worker-1 failed",
		},
		"failed for good": {
			reason:   "the same again would fail again",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, permanent)),
			state:    ledger.StateFailed, why: ledger.ReasonBuildFailed, effects: []string{"WriteRecord 1 DockerBuildFailed"},
			message: "failed (DockerBuildFailed: the build failed), its log ends: make: *** | exit 1; mend the cause",
		},
		"failed for good, build pruned": {
			reason:   "the reason stays, and pruning is no wish to build again",
			snapshot: with(ready(), record(failure(claimed(time.Hour), broken)), reported),
			state:    ledger.StateFailed, why: ledger.ReasonBuildFailed, message: "DockerBuildFailed",
		},
		"failed, reason came late": {
			reason: "the backend may find out later that it was the memory",
			snapshot: with(ready(), record(failure(claimed(time.Hour), lost)),
				observed("build-1", imagebuilder.PhaseFailed, permanent)),
			state: ledger.StateFailed, why: ledger.ReasonBuildFailed, effects: []string{"WriteRecord 1 DockerBuildFailed"},
		},
		"failed, secret changed": {
			reason:   "whoever mends a secret expects another try",
			snapshot: with(ready(), record(failure(claimed(time.Hour), broken)), func(s *Snapshot) { s.PushSecret.ResourceVersion = "12" }),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1),
		},
		"failed, builder gone": {
			reason:   "the failure is what matters",
			snapshot: with(ready(), record(failure(claimed(time.Hour), broken)), func(s *Snapshot) { s.BuilderProblem = "not installed" }),
			state:    ledger.StateFailed, why: ledger.ReasonBuildFailed,
		},
		"cancelled by someone": {
			reason:   "a person's will is not retried away",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseStopped)),
			state:    ledger.StateInterrupted, why: ledger.ReasonBuildCancelled, effects: []string{"WriteRecord 1 "}, message: "was cancelled",
		},
		"deleted by someone": {
			reason:   "the cache alone is no proof that the build is gone, so the backend is asked",
			snapshot: with(ready(), record(claimed(time.Hour)), reported),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"ConfirmBuild build-1", "WriteRecord 1 BuildDeleted"},
			requeue: retryDelay(wantedFingerprint(), 1),
		},
	})
}
