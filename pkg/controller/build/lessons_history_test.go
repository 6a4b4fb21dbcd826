package build

import (
	"fmt"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestH02ManyPoolsAtOnce: pools that built at once, with the same settings and
// secrets, failed.
func TestH02ManyPoolsAtOnce(t *testing.T) {
	objects := goodInputs()
	var names []string
	for i := range 20 {
		name := fmt.Sprintf("pool-%d", i)
		names = append(names, name)
		objects = append(objects, buildtest.RenderedConfig("rendered-"+name), buildtest.Pool(name).Layered().Wants("rendered-"+name).Object())
	}
	h := newHarness(t, objects...)
	shared := h.api.All("configmaps")
	for _, name := range names {
		h.settle(name)
	}
	require.Len(t, h.api.Builds(), 20)
	for i, name := range names {
		h.api.CompleteBuild(h.newestBuild(name), buildtest.Digest(i))
	}
	for i, name := range names {
		h.settle(name)
		h.requirePublished(name, "rendered-"+name, buildtest.Digest(i))
	}
	require.Equal(t, shared, h.api.All("configmaps"), "no shared object is written")
}

// TestH05ObjectsVanish: whatever vanishes, at whatever moment, nothing panics and
// the pool's state stays honest.
func TestH05ObjectsVanish(t *testing.T) {
	vanish := map[string]func(h *harness){
		"ConfigMap":        func(h *harness) { h.api.Remove("configmaps", ctrlcommon.MCONamespace, constants.ConfigMapName) },
		"push secret":      func(h *harness) { h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PushSecret) },
		"MachineConfig":    func(h *harness) { h.api.Remove("machineconfigs", "", "rendered-worker-1") },
		"ControllerConfig": func(h *harness) { h.api.Remove("controllerconfigs", "", ctrlcommon.ControllerConfigName) },
		"pool":             func(h *harness) { h.api.Remove("machineconfigpools", "", worker) },
		"Build": func(h *harness) {
			for _, b := range h.api.Builds() {
				h.api.Remove("builds", b.Namespace, b.Name)
			}
		},
		"input secret": func(h *harness) {
			for _, name := range h.api.InputSecrets() {
				h.api.Remove("secrets", ctrlcommon.MCONamespace, name)
			}
		},
	}
	steps := []func(h *harness){
		func(*harness) {},
		func(h *harness) { h.settle(worker) },
		func(h *harness) { h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning) },
		func(h *harness) { h.settle(worker) },
		func(h *harness) { h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1)) },
		func(h *harness) { h.settle(worker) },
	}
	for what, remove := range vanish {
		for after := range steps {
			for _, unseen := range []bool{false, true} {
				h := layeredHarness(t, "rendered-worker-1")
				for _, step := range steps[:after+1] {
					step(h)
				}
				h.deliver()
				remove(h)
				require.NotPanics(t, func() {
					if unseen {
						_, _ = h.syncStale(worker)
					}
					h.settle(worker)
				}, "%s vanishes after step %d", what, after)
				if what == "pool" {
					require.Empty(t, h.api.Builds(), "the garbage collector took what the pool owned")
				}
			}
		}
	}
}

// TestH15BuildEndedWhileDown: the controller starts beside a finished Build.
func TestH15BuildEndedWhileDown(t *testing.T) {
	for phase, want := range map[buildv1.BuildPhase]mcfgv1.MachineConfigPoolConditionType{
		buildv1.BuildPhaseComplete:  mcfgv1.MachineConfigPoolBuildSuccess,
		buildv1.BuildPhaseFailed:    mcfgv1.MachineConfigPoolBuildFailed,
		buildv1.BuildPhaseError:     mcfgv1.MachineConfigPoolBuildFailed,
		buildv1.BuildPhaseCancelled: mcfgv1.MachineConfigPoolBuildInterrupted,
	} {
		t.Run(string(phase), func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			h.settle(worker)
			h.api.FailBuild(h.newestBuild(worker), phase, buildv1.StatusReasonOutOfMemoryKilled, "ended")
			if phase == buildv1.BuildPhaseComplete {
				h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
			}
			h.restart()
			p := h.settle(worker)
			h.requireCondition(worker, want, p.Reason)
			require.Len(t, h.api.Builds(), 1, "no second Build")
		})
	}
}

// TestH16ConfigChangedWhileDown: the controller starts with another config wanted
// than the recorded one.
func TestH16ConfigChangedWhileDown(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.want("rendered-worker-2")
	h.restart()
	h.settle(worker)
	require.Equal(t, "rendered-worker-2", h.record(worker).Config)
	require.Len(t, h.api.Builds(), 2)
	require.Equal(t, "rendered-worker-1", h.api.Pool(worker).Annotations[constants.DesiredOSImageConfigAnnotation], "the old image stays published until the new one is there")
}

// TestH25NoDigest: success was reported although no digest came back.
func TestH25NoDigest(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.CompleteBuild(first, "")
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonRetryScheduled)
	require.Contains(t, message, "ImageDigestMissing")
	require.NotContains(t, h.api.Pool(worker).Annotations, constants.DesiredOSImageAnnotation)

	h.pass(time.Minute, worker)
	require.NotEqual(t, first, h.newestBuild(worker))
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
}

// TestH11H13H44TransientFailuresAreRetried: one blip failed the build for good. They
// are retried here, and not for ever.
func TestH11H13H44TransientFailuresAreRetried(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	names := map[string]bool{}
	for attempt := 1; attempt <= inputs.DefaultLimits().MaxAttempts; attempt++ {
		h.settle(worker)
		names[h.newestBuild(worker)] = true
		require.Equal(t, attempt, h.record(worker).Attempt)
		h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseError, buildv1.StatusReasonBuildPodDeleted, "the pod was deleted")
		h.settle(worker)
		if attempt < inputs.DefaultLimits().MaxAttempts {
			message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonRetryScheduled)
			require.Contains(t, message, fmt.Sprintf("Attempt %d of 4", attempt))
			require.Contains(t, message, "next at ")
			h.clock.Step(2 * time.Minute)
		}
	}
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, plan.ReasonAttemptsExhausted)
	h.pass(24*time.Hour, worker)
	require.Len(t, names, inputs.DefaultLimits().MaxAttempts, "every attempt has a name of its own")
	require.Len(t, h.api.Builds(), inputs.DefaultLimits().FailedBuildsHistory, "the newest ones stay for inspection")
}

// TestH29RecreatedPool: Builds of a deleted pool of the same name are none of the
// new one's.
func TestH29RecreatedPool(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	old := h.newestBuild(worker)
	stale := h.api.Builds()[0]

	h.api.Remove("machineconfigpools", "", worker)
	recreated := buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object()
	recreated.UID = "another-uid"
	h.api.Put(recreated)
	h.api.Put(stale) // as if the garbage collector had not come to it yet
	h.settle(worker)
	require.NotEqual(t, old, h.newestBuild(worker))
	h.api.CompleteBuild(old, buildtest.Digest(1))
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
}

// TestH30FailureOutlivesTheBuild: the reason was lost with the pod.
func TestH30FailureOutlivesTheBuild(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "the build failed")
	h.settle(worker)
	before := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, plan.ReasonBuildFailed)
	h.api.Remove("builds", ctrlcommon.MCONamespace, h.newestBuild(worker))
	h.restart()
	h.settle(worker)
	require.Equal(t, before, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, plan.ReasonBuildFailed))
	require.Empty(t, h.api.Builds(), "pruning a failed Build is no wish to build again")
}

// TestH31UnrelatedUpdates: pool updates that do not concern the image cost nothing.
func TestH31UnrelatedUpdates(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.api.ResetCalls()
	events := len(h.events)
	for i := range 1000 {
		h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
			p.Labels["unrelated"] = fmt.Sprint(i)
			p.Status.ReadyMachineCount = int32(i)
		})
		_, err := h.sync(worker)
		require.NoError(t, err)
	}
	require.Empty(t, h.api.Calls(), "no read, no write")
	require.Len(t, h.events, events)
}

// TestH35RestartChangesNothing: output that differed from run to run made
// objects churn.
func TestH35RestartChangesNothing(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	for range 100 {
		h.restart()
		h.api.ResetCalls()
		_, err := h.sync(worker)
		require.NoError(t, err)
		require.Empty(t, h.api.Calls())
	}
}

// TestH36BuildAPIAbsent: starting a build meets a missing API.
func TestH36BuildAPIAbsent(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.api.Fault = func(call buildtest.Call) error {
		if call.Resource == "builds" {
			return apierrors.NewGenericServerResponse(404, call.Verb, schema.GroupResource{Resource: "builds"}, "", "404 page not found", 0, true)
		}
		return nil
	}
	_, err := h.sync(worker)
	require.Error(t, err)
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonBuilderUnavailable), "build.openshift.io/v1")
	h.api.Fault = nil
	h.pass(time.Minute, worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonBuildCreated)
}
