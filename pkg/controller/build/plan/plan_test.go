package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// outline renders effects briefly: the kind, and the build it concerns.
func outline(effects []Effect) []string {
	var lines []string
	for _, effect := range effects {
		line := strings.TrimPrefix(fmt.Sprintf("%T", effect), "plan.")
		switch e := effect.(type) {
		case InspectSecret:
			line += " " + e.Name
		case LoadConfig:
			line += " " + e.Name
		case ConfirmBuild:
			line = "ConfirmAbsent " + e.Name
			if e.Exists {
				line = "ConfirmPresent " + e.Name
			}
		case StopBuild:
			line += " " + e.Name
		case DeleteBuild:
			line += " " + e.Name
		case DeleteInputs:
			line += " " + e.Name
		case Publish:
			line += " " + e.Record.Image
		case WriteRecord:
			line += fmt.Sprintf(" %d", e.Record.Attempt)
			if e.Record.Failure != nil {
				line += " " + e.Record.Failure.Reason
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// starting are the effects of a start when everything was inspected before.
func starting(attempt int) []string {
	return []string{"LoadConfig " + wantedConfig, fmt.Sprintf("WriteRecord %d", attempt), "StartBuild"}
}

func TestCompute(t *testing.T) {
	old := Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1, Image: otherImage, ClaimedAt: now.Add(-time.Hour)}
	lost := Failure{Reason: "BuildPodEvicted", Message: "the node was short of memory", Transient: true}
	broken := Failure{Reason: "DockerBuildFailed", Message: "the build failed", Log: "make: ***\nexit 1\n"}

	for name, test := range map[string]struct {
		reason   string
		snapshot Snapshot
		state    State
		why      string
		effects  []string
		// message is a text that occurs in the message.
		message string
		requeue time.Duration
	}{
		// Pools that are not ours to serve.
		"not opted in": {
			reason:   "a pool that never opted in is none of our business",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Layered = false }),
			state:    StateNotLayered,
		},
		"opted out": {
			reason: "what we made for the pool goes, whatever it is; opting out is a level, not an edge",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Layered = false }, record(claimed(time.Hour)),
				observed("build-1", imagebuilder.PhaseRunning), observed("build-0", imagebuilder.PhaseSucceeded), observed("build-2", imagebuilder.PhaseAbsent)),
			state:   StateNotLayered,
			effects: []string{"DeleteBuild build-1", "DeleteBuild build-0", "DeleteInputs build-2", "RemoveTraces"},
		},
		"being deleted": {
			reason:   "the garbage collector is not waited for, and the pool is not written to any more",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Deleting = true }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    StateNotLayered,
			effects:  []string{"DeleteBuild build-1"},
		},

		// Starting.
		"first build": {
			reason:   "everything is there: the claim comes before the build",
			snapshot: ready(),
			state:    StatePending, why: ReasonBuildCreated, effects: starting(1), message: "rendered-worker-1 is created",
		},
		"unknown secrets": {
			reason:   "secrets are read before a build is spent on them",
			snapshot: with(ready(), func(s *Snapshot) { s.PushSecret.Inspected, s.PullSecret.Inspected = false, false }),
			state:    StatePending, why: ReasonBuildCreated, effects: append([]string{"InspectSecret push", "InspectSecret pull"}, starting(1)...),
		},
		"one secret for both": {
			reason: "a secret is read once",
			snapshot: with(ready(), func(s *Snapshot) {
				s.PushSecret.Inspected, s.PullSecret.Inspected = false, false
				s.Settings.Values.BaseImagePullSecret = "push"
			}),
			state: StatePending, why: ReasonBuildCreated, effects: append([]string{"InspectSecret push"}, starting(1)...),
		},
		"new config": {
			reason:   "the published image of the old config stays until there is a new one",
			snapshot: with(ready(), record(old)),
			state:    StatePending, why: ReasonBuildCreated, effects: starting(1),
		},
		"base image of the ControllerConfig": {
			reason: "a rendered config without an OS image falls back",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Config.OSImageURL = ""
				s.ControllerConfig = ControllerConfig{Exists: true, BaseOSContainerImage: base}
			}),
			state: StatePending, why: ReasonBuildCreated, effects: starting(1),
		},

		// Following a build.
		"claim is fresh": {
			reason:   "the build is likely on its way into the cache",
			snapshot: with(ready(), record(claimed(time.Second))),
			state:    StateUnsettled, requeue: time.Second,
		},
		"claim of the future": {
			reason:   "clocks differ between hosts; a claim from the future must not wedge the pool",
			snapshot: with(ready(), record(claimed(-time.Hour))),
			state:    StatePending, why: ReasonBuildCreated, effects: []string{"LoadConfig rendered-worker-1", "StartBuild"},
		},
		"crash after the claim": {
			reason:   "the same attempt is started (again): creating is repeatable",
			snapshot: with(ready(), record(claimed(time.Hour))),
			state:    StatePending, why: ReasonBuildCreated, effects: []string{"LoadConfig rendered-worker-1", "StartBuild"},
		},
		"crash after the inputs": {
			reason:   "the inputs alone are no build",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseAbsent)),
			state:    StatePending, why: ReasonBuildCreated, effects: []string{"LoadConfig rendered-worker-1", "StartBuild"},
		},
		"pending": {
			reason:   "a build that waits is left alone, whatever the backend says of it meanwhile",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, transient)),
			state:    StatePending, why: ReasonBuildCreated,
		},
		"running": {
			reason:   "a build that runs is left alone",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    StateBuilding, why: ReasonBuildRunning, message: "Build build-1 of rendered-worker-1 is running",
		},
		"pending with a reason, just created": {
			reason:   "the backend's caches may lag behind the inputs",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, transient, func(b *imagebuilder.Observation) { b.Created = now.Add(-time.Second) })),
			state:    StatePending, why: ReasonBuildCreated, requeue: 9 * time.Second, message: "is created and waits to run",
		},
		"pending with a reason": {
			reason:   "a missing secret is told of long before the build counts as stuck",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, transient, func(b *imagebuilder.Observation) { b.Created = now.Add(-10 * time.Second) })),
			state:    StatePending, why: ReasonBuildCreated, requeue: 110 * time.Second,
			message: "Build build-1 of rendered-worker-1 waits to run (BuildPodEvicted: the node was short of memory).",
		},
		"pending for long": {
			reason:   "it is reported with the backend's own words, and when it will be given up",
			snapshot: with(ready(), record(claimed(10*time.Minute)), observed("build-1", imagebuilder.PhasePending, transient, func(b *imagebuilder.Observation) { b.Created = now.Add(-10 * time.Minute) })),
			state:    StatePending, why: ReasonBuildStuck, requeue: 20 * time.Minute,
			message: "has not begun to run within 2m0s (BuildPodEvicted: the node was short of memory); it is given up at 12:20:00 UTC",
		},
		"pending too long": {
			reason:   "a pod that cannot be scheduled would wait for ever; the outcome is recorded first",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, func(b *imagebuilder.Observation) { b.Created = now.Add(-30 * time.Minute) })),
			state:    StateRetrying, why: ReasonRetryScheduled, effects: []string{"WriteRecord 1 PendingTooLong"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"given up": {
			reason:   "now it is stopped",
			snapshot: with(ready(), record(failure(claimed(time.Hour), Failure{Reason: FailurePendingTooLong, Transient: true})), observed("build-1", imagebuilder.PhasePending)),
			state:    StateRetrying, why: ReasonRetryScheduled, effects: []string{"StopBuild build-1"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"given up and stopped": {
			reason:   "that we stopped it is no one's wish to interrupt",
			snapshot: with(ready(), record(failure(claimed(time.Hour), Failure{Reason: FailurePendingTooLong, Transient: true})), observed("build-1", imagebuilder.PhaseStopped, withoutInputs)),
			state:    StateRetrying, why: ReasonRetryScheduled, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"given up, but complete": {
			reason:   "an image is an image",
			snapshot: with(ready(), record(failure(claimed(time.Hour), Failure{Reason: FailurePendingTooLong, Transient: true})), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"running too long": {
			reason:   "the backend's deadline failed",
			snapshot: with(ready(), record(claimed(3*time.Hour)), observed("build-1", imagebuilder.PhaseRunning, func(b *imagebuilder.Observation) { b.Created = now.Add(-2 * time.Hour) })),
			state:    StateRetrying, why: ReasonRetryScheduled, effects: []string{"WriteRecord 1 RunningTooLong"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"created in the future": {
			reason:   "the API server's clock runs ahead; the wait is bounded all the same",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, func(b *imagebuilder.Observation) { b.Created = now.Add(time.Hour) })),
			state:    StatePending, why: ReasonBuildCreated, requeue: 2 * time.Minute,
		},
		"rebuild of a published image": {
			reason:   "a new token is a new build",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }),
			state:    StatePending, why: ReasonBuildCreated, effects: starting(1),
		},
		"rebuild was observed": {
			reason:   "a token is acted on once",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.RebuildRequested, s.Pool.RebuildObserved = "1", "1" }),
			state:    StateSucceeded, why: ReasonImagePublished,
		},
		"rebuild of a failure": {
			reason:   "the way out of a failure whose cause lies elsewhere",
			snapshot: with(ready(), record(failure(claimed(time.Hour), broken)), func(s *Snapshot) { s.Pool.RebuildRequested, s.Pool.RebuildObserved = "2", "1" }),
			state:    StatePending, why: ReasonBuildCreated, effects: starting(1),
		},
		"rebuild while running": {
			reason:   "whoever asks wants a build that begins now",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }),
			state:    StatePending, why: ReasonBuildCreated, effects: []string{"LoadConfig " + wantedConfig, "WriteRecord 1", "StopBuild build-1", "StartBuild"},
		},
		"rebuild while a build is out of sight": {
			reason:   "it may be running; a second one beside it would be one too many",
			snapshot: with(ready(), record(claimed(time.Second)), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }),
			state:    StateUnsettled, requeue: time.Second,
		},
		"rebuild when just complete": {
			reason:   "the image is published before the next build begins: that one may fail",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"rebuild while paused": {
			reason:   "the request waits, and is not lost",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.RebuildRequested, s.Pool.Paused = "1", true }),
			state:    StateHeld, why: ReasonPoolPaused,
		},
		"running, secret gone": {
			reason:   "secrets matter for starting only",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), func(s *Snapshot) { s.PushSecret = Secret{} }),
			state:    StateBuilding, why: ReasonBuildRunning,
		},
		"complete": {
			reason:   "the image is published, and nothing is removed before that was seen",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"Publish " + image}, message: image,
		},
		"published": {
			reason:   "now the inputs can go; the build stays for inspection",
			snapshot: with(ready(), record(success(claimed(time.Hour))), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"DeleteInputs build-1"},
		},
		"published, build pruned": {
			reason:   "the result does not depend on the build's existence",
			snapshot: with(ready(), record(success(claimed(time.Hour)))),
			state:    StateSucceeded, why: ReasonImagePublished,
		},
		"published, build deleted before its inputs": {
			reason:   "the inputs can go, with or without the build",
			snapshot: with(ready(), record(success(claimed(time.Hour))), observed("build-1", imagebuilder.PhaseAbsent)),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"DeleteInputs build-1"},
		},
		"annotation changed by hand": {
			reason:   "the record is right",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.Image = "something else" }),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"published, secret gone": {
			reason:   "nothing is to be pushed",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.PushSecret = Secret{} }),
			state:    StateSucceeded, why: ReasonImagePublished,
		},
		"published, builder gone": {
			reason:   "nothing is to be built",
			snapshot: with(ready(), record(success(claimed(time.Hour))), func(s *Snapshot) { s.BuilderProblem = "not installed" }),
			state:    StateSucceeded, why: ReasonImagePublished,
		},

		// Failures.
		"complete without a digest": {
			reason:   "without the digest there is nothing to publish; another attempt gets one",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded, withoutImage)),
			state:    StateRetrying, why: ReasonRetryScheduled, effects: []string{"WriteRecord 1 ImageDigestMissing"},
			message: "Attempt 1 of 4 at rendered-worker-1, build build-1, failed (ImageDigestMissing: ", requeue: retryDelay(wantedFingerprint(), 1),
		},
		"failed for a passing reason": {
			reason:   "it says which attempt failed, why, and when the next one is due",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, transient)),
			state:    StateRetrying, why: ReasonRetryScheduled, effects: []string{"WriteRecord 1 BuildPodEvicted"},
			message: "failed (BuildPodEvicted: the node was short of memory); next at 12:00:1", requeue: retryDelay(wantedFingerprint(), 1),
		},
		"failure is on record": {
			reason:   "the inputs can go; the next attempt gets its own",
			snapshot: with(ready(), record(failure(claimed(time.Hour), lost)), observed("build-1", imagebuilder.PhaseFailed, transient)),
			state:    StateRetrying, why: ReasonRetryScheduled, effects: []string{"DeleteInputs build-1"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
		"retry is due": {
			reason: "the next attempt has a record and a name of its own",
			snapshot: with(ready(), record(failure(claimed(time.Hour), Failure{Reason: lost.Reason, Message: lost.Message, Transient: true, At: now.Add(-time.Minute)})),
				observed("build-1", imagebuilder.PhaseFailed, transient, withoutInputs)),
			state: StatePending, why: ReasonBuildCreated, effects: starting(2), message: "(attempt 2 of 4)",
		},
		"last attempt failed": {
			reason:   "attempts are bounded",
			snapshot: with(ready(), record(failure(with4(claimed(time.Hour)), lost)), observed("build-1", imagebuilder.PhaseFailed, transient, withoutInputs)),
			state:    StateFailed, why: ReasonAttemptsExhausted, message: "All 4 attempts at rendered-worker-1 failed",
		},
		"failed for good": {
			reason:   "the same again would fail again",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, permanent)),
			state:    StateFailed, why: ReasonBuildFailed, effects: []string{"WriteRecord 1 DockerBuildFailed"},
			message: "failed (DockerBuildFailed: the build failed), its log ends: make: *** | exit 1; mend the cause",
		},
		"failed for good, build pruned": {
			reason:   "the reason stays, and pruning is no wish to build again",
			snapshot: with(ready(), record(failure(claimed(time.Hour), broken)), reported),
			state:    StateFailed, why: ReasonBuildFailed, message: "DockerBuildFailed",
		},
		"failed, reason came late": {
			reason: "the backend may find out later that it was the memory",
			snapshot: with(ready(), record(failure(claimed(time.Hour), lost)),
				observed("build-1", imagebuilder.PhaseFailed, permanent)),
			state: StateFailed, why: ReasonBuildFailed, effects: []string{"WriteRecord 1 DockerBuildFailed"},
		},
		"failed, secret changed": {
			reason:   "whoever mends a secret expects another try",
			snapshot: with(ready(), record(failure(claimed(time.Hour), broken)), func(s *Snapshot) { s.PushSecret.ResourceVersion = "12" }),
			state:    StatePending, why: ReasonBuildCreated, effects: starting(1),
		},
		"failed, builder gone": {
			reason:   "the failure is what matters",
			snapshot: with(ready(), record(failure(claimed(time.Hour), broken)), func(s *Snapshot) { s.BuilderProblem = "not installed" }),
			state:    StateFailed, why: ReasonBuildFailed,
		},
		"cancelled by someone": {
			reason:   "a person's will is not retried away",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseStopped)),
			state:    StateInterrupted, why: ReasonBuildCancelled, effects: []string{"WriteRecord 1 "}, message: "was cancelled",
		},
		"deleted by someone": {
			reason:   "the cache alone is no proof that the build is gone, so the backend is asked",
			snapshot: with(ready(), record(claimed(time.Hour)), reported),
			state:    StateRetrying, why: ReasonRetryScheduled, effects: []string{"ConfirmAbsent build-1", "WriteRecord 1 BuildDeleted"},
			requeue: retryDelay(wantedFingerprint(), 1),
		},

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

		// Holds that keep a known build from starting.
		"paused": {
			reason:   "whoever pauses a pool wants nothing new",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Paused = true }),
			state:    StateHeld, why: ReasonPoolPaused, message: "is paused",
		},
		"paused while running": {
			reason:   "what runs is let finish",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Paused = true }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    StateBuilding, why: ReasonBuildRunning,
		},
		"render-degraded": {
			reason:   "the wanted config may be stale",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.RenderDegraded = true }),
			state:    StateHeld, why: ReasonRenderDegraded,
		},
		"builder gone": {
			reason:   "the condition says what is missing",
			snapshot: with(ready(), func(s *Snapshot) { s.BuilderProblem = "the API is not installed" }),
			state:    StateHeld, why: ReasonBuilderUnavailable, message: "the API is not installed",
		},
		"builder gone, build claimed": {
			reason:   "that no build is seen means nothing then",
			snapshot: with(ready(), func(s *Snapshot) { s.BuilderProblem = "the API is not installed" }, record(claimed(time.Hour)), reported),
			state:    StateHeld, why: ReasonBuilderUnavailable,
		},
		"push secret missing": {
			reason:   "it names the secret, and who names it",
			snapshot: with(ready(), func(s *Snapshot) { s.PushSecret = Secret{} }),
			state:    StateHeld, why: ReasonSecretMissing,
			message: "Secret push, which ConfigMap machine-os-builder-config, key finalImagePushSecretName, names, does not exist",
		},
		"pull secret missing": {
			reason:   "it names the secret, and who names it",
			snapshot: with(ready(), func(s *Snapshot) { s.PullSecret = Secret{} }),
			state:    StateHeld, why: ReasonSecretMissing, message: "Secret pull, which ConfigMap machine-os-builder-config, key baseImagePullSecretName",
		},
		"push secret invalid": {
			reason: "no build is spent on it",
			snapshot: with(ready(), func(s *Snapshot) {
				s.PushSecret.Problem = &inputs.Problem{Object: "Secret push", Key: "k", Text: "is bad"}
			}),
			state: StateHeld, why: ReasonSecretInvalid, message: "Secret push, key k: is bad",
		},
		"push secret for another registry": {
			reason:   "the push would fail after the whole build",
			snapshot: with(ready(), func(s *Snapshot) { s.PushSecret.Registries = []string{"quay.io"} }),
			state:    StateHeld, why: ReasonSecretInvalid, message: "Secret push has no entry for registry.example.com/org/os",
		},
		"pull secret for another registry": {
			reason:   "the node's own credentials may do",
			snapshot: with(ready(), func(s *Snapshot) { s.PullSecret.Registries = []string{"quay.io"} }),
			state:    StatePending, why: ReasonBuildCreated, effects: starting(1),
		},
		"config cannot be built from": {
			reason:   "it was found out once and is not tried again",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.Problem = &inputs.Problem{Object: "MachineConfig x", Text: "is too large"} }),
			state:    StateHeld, why: ReasonRenderedConfigInvalid, message: "is too large",
		},
		"claimed, then held": {
			reason:   "an attempt whose build was never created waits like any other",
			snapshot: with(ready(), record(claimed(time.Hour)), func(s *Snapshot) { s.PushSecret = Secret{} }),
			state:    StateHeld, why: ReasonSecretMissing,
		},
		"held, old build runs": {
			reason:   "what is not wanted is stopped whatever holds the new build",
			snapshot: with(ready(), func(s *Snapshot) { s.PushSecret = Secret{} }, observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs)),
			state:    StateHeld, why: ReasonSecretMissing, effects: []string{"StopBuild build-0"},
		},

		"credentials refused": {
			reason: "the administrator wants no credentials in images",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Settings.Values.RejectCredentials = true
				s.Config.Refusal = &inputs.Problem{Object: "MachineConfig x", Key: "spec.config", Text: "holds a private key"}
			}),
			state: StateHeld, why: ReasonCredentialsInConfig, message: "holds a private key",
		},
		"credentials warned of": {
			reason: "without the setting it is a warning",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Config.Refusal = &inputs.Problem{Object: "MachineConfig x"}
				s.Config.Warning = "MachineConfig x holds a private key"
			}),
			state: StatePending, why: ReasonBuildCreated, effects: starting(1), message: "waits to run. Warning: MachineConfig x holds a private key.",
		},
		"repositories without the one of the packages": {
			reason: "volumes are read-only, so the build cannot add it",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Config.Extensions, s.Config.ExtensionsImage, s.Entitled.Repositories = []string{"usbguard"}, base, true
			}),
			state: StateHeld, why: ReasonRepositoriesInvalid, message: "coreos-extensions.repo",
		},

		// Holds because it is not known what to build.
		"unknown extension": {
			reason:   "the list of valid ones is in the message",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.Extensions = []string{"usbgard"} }),
			state:    StateHeld, why: ReasonRenderedConfigInvalid, message: "key spec.extensions: there is no extension \"usbgard\"; valid ones are ipsec, kerberos, ",
		},
		"packages without an image": {
			reason:   "it says which key is empty",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.KernelType = "realtime" }),
			state:    StateHeld, why: ReasonExtensionsImageInvalid, message: "spec.baseOSExtensionsContainerImage: is empty",
		},
		"bad trust bundle": {
			reason: "a certificate that is not there is missed when it is too late",
			snapshot: with(ready(), func(s *Snapshot) {
				s.ControllerConfig.TrustProblem = &inputs.Problem{Object: "ControllerConfig c", Key: "k", Text: "is bad"}
			}),
			state: StateHeld, why: ReasonTrustBundleInvalid, message: "ControllerConfig c, key k: is bad",
		},
		"bad custom content": {
			reason: "it names pool and line",
			snapshot: with(ready(), func(s *Snapshot) {
				_, s.Custom.Problem = inputs.ParseCustom("worker", "FROM configs AS final\nRAN x\n")
			}),
			state: StateHeld, why: ReasonCustomContentInvalid, message: "key worker: line 2: there is no instruction",
		},
		"nothing rendered": {
			reason:   "a new pool",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.WantedConfig, s.Config = "", RenderedConfig{} }),
			state:    StateHeld, why: ReasonNoRenderedConfig, message: "spec.configuration.name is empty",
		},
		"config not there yet": {
			reason:   "the pool's event may overtake that of the config, which is nothing to report",
			snapshot: with(ready(), func(s *Snapshot) { s.Config = RenderedConfig{} }),
			state:    StateSettling, requeue: claimGrace,
		},
		"config missing": {
			reason:   "after moments it is no matter of order any more",
			snapshot: with(ready(), func(s *Snapshot) { s.Config = RenderedConfig{} }, waitingFor(claimGrace)),
			state:    StateHeld, why: ReasonRenderedConfigMissing, message: "MachineConfig rendered-worker-1",
		},
		"ConfigMap missing": {
			reason:   "it names the object and its keys",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }),
			state:    StateHeld, why: ReasonConfigMapMissing,
			message: "ConfigMap machine-os-builder-config does not exist; create it with the keys baseImagePullSecretName, finalImagePushSecretName and finalImagePullspec",
		},
		"ConfigMap invalid": {
			reason: "all problems at once",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Settings = Settings{Exists: true, Problems: []inputs.Problem{{Object: "o", Key: "a", Text: "is bad"}, {Object: "o", Key: "b", Text: "is worse"}}}
			}),
			state: StateHeld, why: ReasonConfigMapInvalid, message: "o, key a: is bad; o, key b: is worse",
		},
		"no base image, no ControllerConfig": {
			reason:   "it says where a base image could come from",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.OSImageURL = "" }),
			state:    StateHeld, why: ReasonControllerConfigMissing, message: "ControllerConfig machine-config-controller, which would, does not exist",
		},
		"no base image": {
			reason: "it says where a base image could come from",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Config.OSImageURL = ""
				s.ControllerConfig.Exists = true
			}),
			state: StateHeld, why: ReasonBaseImageUnknown, message: "key spec.baseOSContainerImage",
		},
		"base image invalid": {
			reason:   "it names the key",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.OSImageURL = "os:latest" }),
			state:    StateHeld, why: ReasonBaseImageInvalid, message: `MachineConfig rendered-worker-1, key spec.osImageURL: the base image "os:latest" does not begin`,
		},
		"ConfigMap deleted mid-build": {
			reason:   "a running build is judged by the inputs it was started with",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    StateBuilding, why: ReasonBuildRunning,
		},
		"ConfigMap deleted, build complete": {
			reason:   "and its image is of the wanted config",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    StateSucceeded, why: ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"ConfigMap deleted, build just created": {
			reason:   "the cache may show the inputs before the build, which needs them",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Second)), observed("build-1", imagebuilder.PhaseAbsent)),
			state:    StateHeld, why: ReasonConfigMapMissing, requeue: time.Second,
		},
		"ConfigMap deleted, build failed": {
			reason:   "the outcome is recorded before the hold is shown",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, permanent)),
			state:    StateFailed, why: ReasonBuildFailed, effects: []string{"WriteRecord 1 DockerBuildFailed"},
		},
		"ConfigMap deleted, superseded build ended": {
			reason: "its inputs go, and nothing else is known to do",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} },
				record(Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1}), observed("build-0", imagebuilder.PhaseSucceeded, ofOtherInputs)),
			state: StateHeld, why: ReasonConfigMapMissing, effects: []string{"DeleteInputs build-0"},
		},
		"ConfigMap deleted, build was not created": {
			reason:   "its inputs hold credentials, and nobody knows for how long they are of no use",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseAbsent)),
			state:    StateHeld, why: ReasonConfigMapMissing, effects: []string{"ConfirmAbsent build-1", "DeleteInputs build-1"},
		},
		"ConfigMap deleted, old build runs": {
			reason:   "it is not wanted with any settings",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs)),
			state:    StateHeld, why: ReasonConfigMapMissing, effects: []string{"StopBuild build-0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := Compute(test.snapshot)
			require.Equal(t, test.state, p.State, "%s; message: %s", test.reason, p.Message)
			require.Equal(t, test.why, p.Reason, test.reason)
			require.Equal(t, test.effects, outline(p.Effects), test.reason)
			require.Contains(t, p.Message, test.message, test.reason)
			if test.requeue == 0 && (p.State == StatePending || p.State == StateBuilding) {
				// Of a build that goes its way only the watch over it is left to check.
				require.Less(t, p.RequeueAfter, 2*time.Hour, test.reason)
				return
			}
			require.Equal(t, test.requeue, p.RequeueAfter, test.reason)
		})
	}
}

func with4(r Record) Record {
	r.Attempt = inputs.DefaultLimits().MaxAttempts
	return r
}

// TestStartRequest checks what a backend is asked for.
func TestStartRequest(t *testing.T) {
	snapshot := ready()
	p := Compute(ready())
	claim := p.Effects[1].(WriteRecord).Record
	request := p.Effects[2].(StartBuild).Request

	require.Equal(t, claim.Build, request.Name, "the claimed build is the one that is started")
	require.Equal(t, "worker", request.Pool)
	require.EqualValues(t, "pool-uid", request.PoolUID)
	require.Equal(t, wantedFingerprint(), request.Fingerprint)
	require.Equal(t, wantedConfig, request.RenderedConfig)
	require.Equal(t, base, request.BaseImage)
	require.Equal(t, 1, request.Attempt)
	want, err := snapshot.identity().Recipe(wantedFingerprint()).Containerfile()
	require.NoError(t, err)
	require.Equal(t, want, request.Containerfile)
	require.Equal(t, "pull", request.PullSecret)
	require.Equal(t, "push", request.PushSecret)
	require.Equal(t, "registry.example.com/org/os:"+request.Name, request.Output, "every attempt has a tag of its own")
	require.Equal(t, time.Hour, request.Deadline)
	require.Nil(t, request.Context, "content is not part of a plan")
}

// TestH18FreshNamePerAttempt: a Build whose predecessor of the same name still
// terminates fails.
func TestH18FreshNamePerAttempt(t *testing.T) {
	names := map[string]bool{}
	for attempt := range 3 {
		s := ready()
		s.Now = now.Add(time.Duration(attempt) * time.Nanosecond)
		p := Compute(s)
		names[p.Effects[1].(WriteRecord).Record.Build] = true
	}
	require.Len(t, names, 3, "the same inputs, started anew, get a new name")

	rebuild := with(ready(), func(s *Snapshot) { s.Pool.RebuildRequested = "1" })
	first := Compute(rebuild).Effects[1].(WriteRecord).Record
	second := Compute(with(rebuild, record(success(first)))).Effects[1].(WriteRecord).Record
	require.NotEqual(t, first.Build, second.Build, "also at the same instant")
}

// TestHistoryGrowsAndIsBounded: images of earlier configs are kept, but not for ever.
func TestHistoryGrowsAndIsBounded(t *testing.T) {
	var r *Record
	for i := range 10 {
		fingerprint := fmt.Sprintf("fp-%d", i)
		r = &Record{Build: "b", Fingerprint: fingerprint, Config: "c", Image: fmt.Sprintf("image-%d", i), History: r.historyFor(fingerprint)}
	}
	require.Len(t, r.History, historyLimit)
	require.Equal(t, "fp-8", r.History[0].Fingerprint, "newest first")

	back := r.historyFor("fp-8")
	require.Equal(t, "fp-9", back[0].Fingerprint, "the image that is replaced is remembered")
	for _, past := range back {
		require.NotEqual(t, "fp-8", past.Fingerprint, "what becomes the record is not its own past")
	}
}
