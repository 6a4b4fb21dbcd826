package plan

import (
	"testing"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// TestHolds: what keeps a known build from starting.
func TestHolds(t *testing.T) {
	requireDecisions(t, map[string]computeCase{
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
	})
}

// TestHoldsWithoutIdentity: what keeps from knowing what to build.
func TestHoldsWithoutIdentity(t *testing.T) {
	requireDecisions(t, map[string]computeCase{
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
	})
}
