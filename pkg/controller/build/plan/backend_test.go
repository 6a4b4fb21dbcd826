package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// byJobs has Jobs build.
func byJobs(image string) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Settings.Values.Backend, s.Settings.Values.Workload.Image = constants.BackendJob, image
	}
}

// TestBackends: what runs the builds, and what it takes.
func TestBackends(t *testing.T) {
	requireDecisions(t, map[string]computeCase{
		"no Build API": {
			reason: "clusters without the capability have a way out",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Settings.Values.Backend, s.BuilderProblem = constants.BackendOpenShiftBuild, "the API is not installed"
			}),
			state: ledger.StateHeld, why: ledger.ReasonBuilderUnavailable,
			message: "the API is not installed; or set ConfigMap machine-os-builder-config, key imageBuilder, to Job, which needs no such API",
		},
		"no builder image": {
			reason:   "a pod without an image never starts",
			snapshot: with(ready(), byJobs(""), func(s *Snapshot) { s.NoBuilderImage = "does not exist" }),
			state:    ledger.StateHeld, why: ledger.ReasonBuilderImageUnknown,
			message: "ConfigMap machine-os-builder-config, key jobBuilderImage, names no image with buildah, and ConfigMap machine-config-operator-images, which would, does not exist",
		},
		"the other backend": {
			reason:   "the build that runs is of other inputs, and is stopped",
			snapshot: with(ready(), byJobs("registry.example.com/mco:1"), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: []string{"LoadConfig rendered-worker-1", "WriteRecord 1", "StopBuild build-1", "StartBuild"},
		},
		"driven from its node": {
			reason:   "it has waited since then, not since it was created",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhasePending, waiting(time.Minute))),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated,
		},
		"driven from its node long ago": {
			reason:   "no other node takes it",
			snapshot: with(ready(), record(claimed(2*time.Hour)), observed("build-1", imagebuilder.PhasePending, waiting(time.Hour))),
			state:    ledger.StateRetrying, why: ledger.ReasonRetryScheduled, effects: []string{"WriteRecord 1 PendingTooLong"}, requeue: retryDelay(wantedFingerprint(), 1),
		},
	})
}

func waiting(ago time.Duration) func(*imagebuilder.Observation) {
	return func(o *imagebuilder.Observation) { o.Created, o.Waiting = now.Add(-time.Hour), now.Add(-ago) }
}

// TestRequestNamesItsBackend: the set of backends starts with the one that is named, and
// how it runs is said along.
func TestRequestNamesItsBackend(t *testing.T) {
	p := Compute(with(ready(), byJobs("registry.example.com/mco:1"), func(s *Snapshot) {
		s.ControllerConfig.Surroundings.Proxy.HTTPS = "http://proxy"
		s.ControllerConfig.Surroundings.RegistryCAs = []imagebuilder.RegistryCA{{Host: "registry.example.com"}}
	}))
	for _, effect := range p.Effects {
		if start, ok := effect.(StartBuild); ok {
			require.Equal(t, constants.BackendJob, start.Request.Backend)
			require.Equal(t, "registry.example.com/mco:1", start.Request.Workload.Image)
			require.Equal(t, "http://proxy", start.Request.Proxy.HTTPS)
			require.Equal(t, []imagebuilder.RegistryCA{{Host: "registry.example.com"}}, start.Request.RegistryCAs)
			return
		}
	}
	require.Fail(t, "nothing is started")
}
