package build

import (
	"fmt"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Lessons about what images are made from: what is missing, what changes while it is
// built, and what must not be seen by others.

// TestL03ConfigChangesWhileBuilding: the finished Build was looked up under the
// new config's name, for ever.
func TestL03ConfigChangesWhileBuilding(t *testing.T) {
	for _, phase := range []buildv1.BuildPhase{buildv1.BuildPhaseNew, buildv1.BuildPhasePending, buildv1.BuildPhaseRunning, buildv1.BuildPhaseComplete, buildv1.BuildPhaseFailed} {
		t.Run(string(phase), func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
			h.settle(worker)
			first := h.newestBuild(worker)
			h.api.RunBuild(first, phase)
			if phase == buildv1.BuildPhaseComplete {
				h.api.CompleteBuild(first, buildtest.Digest(1))
			}
			h.want("rendered-worker-2")
			h.settle(worker)
			second := h.newestBuild(worker)
			require.NotEqual(t, first, second)
			if phase != buildv1.BuildPhaseComplete && phase != buildv1.BuildPhaseFailed {
				h.api.EditBuild(first, func(b *buildv1.Build) {
					require.True(t, b.Status.Cancelled, "the Build of the old config is stopped")
					b.Status.Phase = buildv1.BuildPhaseCancelled
				})
			}
			h.settle(worker)
			h.api.CompleteBuild(second, buildtest.Digest(2))
			h.settle(worker)
			h.requirePublished(worker, "rendered-worker-2", buildtest.Digest(2))
			require.Empty(t, h.api.InputSecrets(), "no inputs are left")
		})
	}
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

// TestL08PushSecretMissing: nothing was said on the pool, and the fix was noticed
// after up to a minute.
func TestL08PushSecretMissing(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PushSecret)
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonSecretMissing)
	require.Contains(t, message, "Secret push-secret")
	require.Contains(t, message, constants.FinalImagePushSecretKey)
	require.Empty(t, h.api.Builds())
	require.Empty(t, h.api.InputSecrets())
	require.Len(t, h.events, 1, "one event for one transition")

	h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry))
	h.deliver()
	h.ctrl.handle(watchedSecrets).OnAdd(metadataOf(buildtest.PushSecret), false)
	require.Equal(t, []string{worker}, h.queued(), "the fix wakes the pool at once")
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Len(t, h.api.Builds(), 1)
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
