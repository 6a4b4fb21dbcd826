package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestHolds: what keeps a known build from starting.
func TestHolds(t *testing.T) {
	requireDecisions(t, map[string]computeCase{
		// Holds that keep a known build from starting.
		"paused": {
			reason:   "whoever pauses a pool wants nothing new",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Paused = true }),
			state:    ledger.StateHeld, why: ledger.ReasonPoolPaused, message: "is paused",
		},
		"paused while running": {
			reason:   "what runs is let finish",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Paused = true }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning,
		},
		"render-degraded": {
			reason:   "the wanted config may be stale",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.RenderDegraded = true }),
			state:    ledger.StateHeld, why: ledger.ReasonRenderDegraded,
		},
		"builder gone": {
			reason:   "the condition says what is missing",
			snapshot: with(ready(), func(s *Snapshot) { s.BuilderProblem = "the API is not installed" }),
			state:    ledger.StateHeld, why: ledger.ReasonBuilderUnavailable, message: "the API is not installed",
		},
		"builder gone, build claimed": {
			reason:   "that no build is seen means nothing then",
			snapshot: with(ready(), func(s *Snapshot) { s.BuilderProblem = "the API is not installed" }, record(claimed(time.Hour)), reported),
			state:    ledger.StateHeld, why: ledger.ReasonBuilderUnavailable,
		},
		"push secret missing": {
			reason:   "it names the secret, and who names it",
			snapshot: with(ready(), func(s *Snapshot) { s.PushSecret = Secret{} }),
			state:    ledger.StateHeld, why: ledger.ReasonSecretMissing,
			message: "Secret push, which ConfigMap machine-os-builder-config, key finalImagePushSecretName, names, does not exist",
		},
		"pull secret missing": {
			reason:   "it names the secret, and who names it",
			snapshot: with(ready(), func(s *Snapshot) { s.PullSecret = Secret{} }),
			state:    ledger.StateHeld, why: ledger.ReasonSecretMissing, message: "Secret pull, which ConfigMap machine-os-builder-config, key baseImagePullSecretName",
		},
		"push secret invalid": {
			reason: "no build is spent on it",
			snapshot: with(ready(), func(s *Snapshot) {
				s.PushSecret.Problem = &inputs.Problem{Object: "Secret push", Key: "k", Text: "is bad"}
			}),
			state: ledger.StateHeld, why: ledger.ReasonSecretInvalid, message: "Secret push, key k: is bad",
		},
		"push secret for another registry": {
			reason:   "the push would fail after the whole build",
			snapshot: with(ready(), func(s *Snapshot) { s.PushSecret.Credentials = credentials(t, "push", `{"quay.io":{"auth":"dTpw"}}`) }),
			state:    ledger.StateHeld, why: ledger.ReasonSecretInvalid, message: "Secret push, key .dockerconfigjson: has no entry for registry.example.com/org/os",
		},
		"pull secret for another registry": {
			reason:   "the node's own credentials may do",
			snapshot: with(ready(), func(s *Snapshot) { s.PullSecret.Credentials = inputs.CredentialsFor("quay.io") }),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1),
		},
		"pull secret with an empty password for the base image": {
			reason: "it comes before the node's own",
			snapshot: with(ready(), func(s *Snapshot) {
				s.PullSecret.Credentials = credentials(t, "pull", `{"quay.example.com":{"auth":"dTo="}}`)
			}),
			state: ledger.StateHeld, why: ledger.ReasonSecretInvalid, message: "Secret pull, key .dockerconfigjson: the entry \"quay.example.com\"",
		},
		"bare entry": {
			reason: "a registry may ask for no login",
			snapshot: with(ready(), func(s *Snapshot) {
				s.PushSecret.Credentials = credentials(t, "push", `{"registry.example.com":{}}`)
			}),
			state: ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1), message: "Warning: Secret push, key .dockerconfigjson: the entry \"registry.example.com\"",
		},
		"config cannot be built from": {
			reason:   "it was found out once and is not tried again",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.Problem = &inputs.Problem{Object: "MachineConfig x", Text: "is too large"} }),
			state:    ledger.StateHeld, why: ledger.ReasonRenderedConfigInvalid, message: "is too large",
		},
		"claimed, then held": {
			reason:   "an attempt whose build was never created waits like any other",
			snapshot: with(ready(), record(claimed(time.Hour)), func(s *Snapshot) { s.PushSecret = Secret{} }),
			state:    ledger.StateHeld, why: ledger.ReasonSecretMissing,
		},
		"held, old build runs": {
			reason:   "what is not wanted is stopped whatever holds the new build, once it is on record why",
			snapshot: with(ready(), func(s *Snapshot) { s.PushSecret = Secret{} }, observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs)),
			state:    ledger.StateHeld, why: ledger.ReasonSecretMissing, effects: []string{"WriteRecord 1 Superseded"},
		},

		"credentials refused": {
			reason: "the administrator wants no credentials in images",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Settings.Values.RejectCredentials = true
				s.Config.Refusal = &inputs.Problem{Object: "MachineConfig x", Key: "spec.config", Text: "holds a private key"}
			}),
			state: ledger.StateHeld, why: ledger.ReasonCredentialsInConfig, message: "holds a private key",
		},
		"credentials warned of": {
			reason: "without the setting it is a warning",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Config.Refusal = &inputs.Problem{Object: "MachineConfig x"}
				s.Config.Warning = "MachineConfig x holds a private key"
			}),
			state: ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1), message: "waits to run. Warning: MachineConfig x holds a private key.",
		},
		"repositories without the one of the packages": {
			reason: "volumes are read-only, so the build cannot add it",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Config.Extensions, s.Config.ExtensionsImage, s.Entitled.Repositories = []string{"usbguard"}, base, true
			}),
			state: ledger.StateHeld, why: ledger.ReasonRepositoriesInvalid, message: "coreos-extensions.repo",
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
			state:    ledger.StateHeld, why: ledger.ReasonRenderedConfigInvalid, message: "key spec.extensions: there is no extension \"usbgard\"; valid ones are ipsec, kerberos, ",
		},
		"packages without an image": {
			reason:   "it says which key is empty",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.KernelType = "realtime" }),
			state:    ledger.StateHeld, why: ledger.ReasonExtensionsImageInvalid, message: "spec.baseOSExtensionsContainerImage: is empty",
		},
		"bad trust bundle": {
			reason: "a certificate that is not there is missed when it is too late",
			snapshot: with(ready(), func(s *Snapshot) {
				s.ControllerConfig.TrustProblem = &inputs.Problem{Object: "ControllerConfig c", Key: "k", Text: "is bad"}
			}),
			state: ledger.StateHeld, why: ledger.ReasonTrustBundleInvalid, message: "ControllerConfig c, key k: is bad",
		},
		"bad custom content": {
			reason: "it names pool and line",
			snapshot: with(ready(), func(s *Snapshot) {
				_, s.Custom.Problem = inputs.ParseCustom("worker", "FROM configs AS final\nRAN x\n")
			}),
			state: ledger.StateHeld, why: ledger.ReasonCustomContentInvalid, message: "key worker: line 2: there is no instruction",
		},
		"nothing rendered": {
			reason:   "a new pool",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.WantedConfig, s.Config = "", RenderedConfig{} }),
			state:    ledger.StateHeld, why: ledger.ReasonNoRenderedConfig, message: "spec.configuration.name is empty",
		},
		"config not there yet": {
			reason:   "the pool's event may overtake that of the config, which is nothing to report",
			snapshot: with(ready(), func(s *Snapshot) { s.Config = RenderedConfig{} }),
			state:    ledger.StateQuiet, requeue: claimGrace,
		},
		"config missing": {
			reason:   "after moments it is no matter of order any more",
			snapshot: with(ready(), func(s *Snapshot) { s.Config = RenderedConfig{} }, waitingFor(claimGrace)),
			state:    ledger.StateHeld, why: ledger.ReasonRenderedConfigMissing, message: "MachineConfig rendered-worker-1",
		},
		"ConfigMap missing": {
			reason:   "it names the object and its keys",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }),
			state:    ledger.StateHeld, why: ledger.ReasonConfigMapMissing,
			message: "ConfigMap machine-os-builder-config does not exist; create it with the keys baseImagePullSecretName, finalImagePushSecretName and finalImagePullspec",
		},
		"ConfigMap invalid": {
			reason: "all problems at once",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Settings = Settings{Exists: true, Problems: []inputs.Problem{{Object: "o", Key: "a", Text: "is bad"}, {Object: "o", Key: "b", Text: "is worse"}}}
			}),
			state: ledger.StateHeld, why: ledger.ReasonConfigMapInvalid, message: "o, key a: is bad; o, key b: is worse",
		},
		"no base image, no ControllerConfig": {
			reason:   "it says where a base image could come from",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.OSImageURL = "" }),
			state:    ledger.StateHeld, why: ledger.ReasonControllerConfigMissing, message: "ControllerConfig machine-config-controller, which would, does not exist",
		},
		"no base image": {
			reason: "it says where a base image could come from",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Config.OSImageURL = ""
				s.ControllerConfig.Exists = true
			}),
			state: ledger.StateHeld, why: ledger.ReasonBaseImageUnknown, message: "key spec.baseOSContainerImage",
		},
		"base image invalid": {
			reason:   "it names the key",
			snapshot: with(ready(), func(s *Snapshot) { s.Config.OSImageURL = "os:latest" }),
			state:    ledger.StateHeld, why: ledger.ReasonBaseImageInvalid, message: `MachineConfig rendered-worker-1, key spec.osImageURL: the base image "os:latest" does not begin`,
		},
		"ConfigMap deleted mid-build": {
			reason:   "a running build is judged by the inputs it was started with",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    ledger.StateBuilding, why: ledger.ReasonBuildRunning,
		},
		"ConfigMap deleted, build complete": {
			reason:   "and its image is of the wanted config",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseSucceeded)),
			state:    ledger.StatePublished, why: ledger.ReasonImagePublished, effects: []string{"Publish " + image},
		},
		"ConfigMap deleted, build just created": {
			reason:   "the cache may show the inputs before the build, which needs them",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Second)), observed("build-1", imagebuilder.PhaseAbsent)),
			state:    ledger.StateHeld, why: ledger.ReasonConfigMapMissing, requeue: time.Second,
		},
		"ConfigMap deleted, build failed": {
			reason:   "the outcome is recorded before the hold is shown",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, permanent)),
			state:    ledger.StateFailed, why: ledger.ReasonBuildFailed, effects: []string{"WriteRecord 1 DockerBuildFailed"},
		},
		"ConfigMap deleted, superseded build ended": {
			reason: "its inputs go, and nothing else is known to do",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} },
				record(ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1}), observed("build-0", imagebuilder.PhaseSucceeded, ofOtherInputs)),
			state: ledger.StateHeld, why: ledger.ReasonConfigMapMissing, effects: []string{"DeleteInputs build-0"},
		},
		"ConfigMap deleted, build was not created": {
			reason:   "its inputs hold credentials, and nobody knows for how long they are of no use",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseAbsent)),
			state:    ledger.StateHeld, why: ledger.ReasonConfigMapMissing, effects: []string{"ConfirmBuild build-1", "DeleteInputs build-1"},
		},
		"ConfigMap deleted, old build runs": {
			reason:   "it is not wanted with any settings",
			snapshot: with(ready(), func(s *Snapshot) { s.Settings = Settings{} }, observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs)),
			state:    ledger.StateHeld, why: ledger.ReasonConfigMapMissing, effects: []string{"StopBuild build-0"},
		},
	})
}

// credentials are those of a Secret with the given entries.
func credentials(t *testing.T, name, auths string) inputs.Credentials {
	t.Helper()
	c, problem := inputs.ReadCredentials(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":` + auths + `}`)},
	})
	require.Nil(t, problem)
	return c
}
