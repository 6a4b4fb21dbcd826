package build

import (
	"fmt"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// TestSecretsStayInSecrets: no credential is in a Build, an event, a condition or
// an annotation.
func TestSecretsStayInSecrets(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "the build failed")
	h.settle(worker)
	var elsewhere []runtime.Object
	for _, resource := range []string{"builds", "machineconfigpools", "configmaps"} {
		elsewhere = append(elsewhere, h.api.All(resource)...)
	}
	require.NotContains(t, fmt.Sprintf("%+v %v", elsewhere, h.events), buildtest.Canary)
}

// TestSecretsAreReadOncePerVersion: what a secret holds is remembered by its version.
func TestSecretsAreReadOncePerVersion(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2", "rendered-worker-3")
	secretReads := func() int {
		count := 0
		for _, call := range h.api.Calls() {
			if call.Verb == "get" && call.Resource == "secrets" {
				count++
			}
		}
		h.api.ResetCalls()
		return count
	}
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Equal(t, 2, secretReads(), "both are read before the first build")

	h.want("rendered-worker-2")
	_, err = h.sync(worker)
	require.NoError(t, err)
	require.Zero(t, secretReads(), "they have not changed")

	h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry))
	h.want("rendered-worker-3")
	_, err = h.sync(worker)
	require.NoError(t, err)
	require.Equal(t, 1, secretReads(), "the one that changed is read")
}

// TestH06H07RotationBuildsNothing: an hourly token rotation caused roll-outs.
func TestH06H07RotationBuildsNothing(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.api.ResetCalls()
	for range 24 {
		h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry))
		_, err := h.sync(worker)
		require.NoError(t, err)
	}
	require.Empty(t, h.api.Calls())
}

// TestH42ImageNeverGoesBack: an older attempt that finishes late does not replace
// the published image.
func TestH42ImageNeverGoesBack(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.CompleteBuild(first, "")
	h.settle(worker)
	h.pass(time.Minute, worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.api.CompleteBuild(first, buildtest.Digest(1))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
}

// TestH32RebuildIsActedOnOnce: a request for a rebuild was lost on restart.
func TestH32RebuildIsActedOnOnce(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.RebuildRequestedAnnotation] = "please" })
	h.restart()
	h.settle(worker)
	require.Len(t, h.api.Builds(), 2)
	require.Equal(t, "please", h.api.Pool(worker).Annotations[constants.RebuildObservedAnnotation])
	require.Equal(t, buildtest.Repository+"@"+buildtest.Digest(1), h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation], "the old image stays until the new one is there")
	h.restart()
	h.settle(worker)
	require.Len(t, h.api.Builds(), 2, "once")
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
}

// TestStuckBuildIsReportedAndGivenUp: a build whose pod is never scheduled stays
// Pending for ever.
func TestStuckBuildIsReportedAndGivenUp(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.EditBuild(first, func(b *buildv1.Build) {
		b.Status.Phase, b.Status.Reason, b.Status.Message = buildv1.BuildPhasePending, buildv1.StatusReasonMissingPushSecret, "no such secret"
	})
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonBuildCreated)
	h.pass(2*time.Minute, worker)
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonBuildStuck), "MissingPushSecret: no such secret")
	h.pass(28*time.Minute, worker)
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonRetryScheduled), "PendingTooLong")
	h.api.EditBuild(first, func(b *buildv1.Build) { require.True(t, b.Status.Cancelled, "it is stopped") })
	h.pass(time.Minute, worker)
	require.NotEqual(t, first, h.newestBuild(worker))
}

// TestH03ConflictOnEachPoolWrite: writes of the render and node controllers come
// between ours.
func TestH03ConflictOnEachPoolWrite(t *testing.T) {
	for nth := 1; nth <= 5; nth++ {
		h := layeredHarness(t, "rendered-worker-1")
		writes := 0
		h.api.Fault = func(call buildtest.Call) error {
			if call.Verb == "patch" && call.Resource == "machineconfigpools" {
				if writes++; writes == nth {
					return apierrors.NewConflict(pools, worker, fmt.Errorf("another writer was first"))
				}
			}
			return nil
		}
		h.settle(worker)
		h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning)
		h.settle(worker)
		h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
		h.settle(worker)
		require.GreaterOrEqual(t, writes, nth, "the conflict took place")
		require.Len(t, h.api.Builds(), 1)
		h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
	}
}

// TestH14OldRetryLeavesTheNewerBuild: the retry of an old failed build cancelled
// the newer good one.
func TestH14OldRetryLeavesTheNewerBuild(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonBuildPodEvicted, "evicted")
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonRetryScheduled)
	h.want("rendered-worker-2")
	h.settle(worker)
	newer := h.newestBuild(worker)
	h.pass(time.Minute, worker)
	require.Equal(t, newer, h.newestBuild(worker))
	h.api.EditBuild(newer, func(b *buildv1.Build) { require.False(t, b.Status.Cancelled) })
	require.Len(t, h.api.Builds(), 2, "the old config is not tried again")
}

// TestH28DanglingRecord: a record of a build that vanished froze the pool.
func TestH28DanglingRecord(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	dangling := plan.Record{Build: "machine-os-worker-gone-1", Fingerprint: "of other inputs", Config: "rendered-worker-0", Attempt: 1, ClaimedAt: h.clock.Now().Add(-time.Hour)}
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		p.Annotations = map[string]string{constants.BuildRecordAnnotation: dangling.String()}
	})
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Len(t, h.api.Builds(), 1, "one sync heals it")
	require.Equal(t, "rendered-worker-1", h.record(worker).Config)
}

// TestH46SettingsSwitchedMidBuild: the running build is judged by the inputs it was
// started with, and its image never published under the new ones.
func TestH46SettingsSwitchedMidBuild(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	old := h.newestBuild(worker)
	h.api.RunBuild(old, buildv1.BuildPhaseRunning)
	h.settle(worker)
	switched := buildtest.SettingsConfigMap()
	switched.Data[constants.FinalImagePullspecKey] = buildtest.Registry + "/ocp/elsewhere"
	h.api.Put(switched)
	h.settle(worker)
	h.pass(5*time.Second, worker)
	h.api.CompleteBuild(old, buildtest.Digest(1)) // cancelling came too late
	h.settle(worker)
	require.NotContains(t, h.api.Pool(worker).Annotations, constants.DesiredOSImageAnnotation)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	require.Equal(t, buildtest.Registry+"/ocp/elsewhere@"+buildtest.Digest(2), h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation])
}
