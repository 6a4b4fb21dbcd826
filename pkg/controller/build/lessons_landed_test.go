package build

import (
	"fmt"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Each test here is named after something that went wrong for users of earlier
// systems.

func layeredHarness(t *testing.T, configs ...string) *harness {
	return newHarness(t, append(goodInputs(configs...), buildtest.Pool(worker).Layered().Wants(configs[0]).Object())...)
}

func (h *harness) want(config string) {
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = config })
}

// TestL01CreateFailsOnce: a Build that could not be created was never tried
// again, because the retry stumbled over its own input.
func TestL01CreateFailsOnce(t *testing.T) {
	for _, resource := range []string{"secrets", "builds"} {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, committed %v", resource, committed), func(t *testing.T) {
				h := layeredHarness(t, "rendered-worker-1")
				failed := false
				fault := func(call buildtest.Call) error {
					if !failed && call.Verb == "create" && call.Resource == resource {
						failed = true
						return apierrors.NewInternalError(fmt.Errorf("etcd is unwell"))
					}
					return nil
				}
				if committed {
					h.api.LoseReply = fault
				} else {
					h.api.Fault = fault
				}
				_, err := h.sync(worker)
				require.Error(t, err)
				h.pass(time.Minute, worker)
				require.Len(t, h.api.Builds(), 1, "one Build, made once")
				require.Len(t, h.api.InputSecrets(), 1)
				h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonBuildCreated)
			})
		}
	}
}

// TestL02ConflictAtSuccess: one conflict on the pool write at success lost the
// digest for ever, because Build and inputs were deleted before.
func TestL02ConflictAtSuccess(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	conflicts := 0
	h.api.Fault = func(call buildtest.Call) error {
		if call.Verb == "patch" && conflicts < 3 {
			conflicts++
			return apierrors.NewConflict(pools, worker, fmt.Errorf("another writer was first"))
		}
		return nil
	}
	_, err := h.sync(worker)
	require.True(t, apierrors.IsConflict(err))
	require.Len(t, h.api.Builds(), 1, "nothing is deleted before the result is recorded")
	require.Len(t, h.api.InputSecrets(), 1)
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
}

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

// TestL04FastBuild: when the Running phase was never seen, BuildPending stayed
// True beside BuildSuccess, and the next config never built.
func TestL04FastBuild(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))

	h.want("rendered-worker-2")
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonBuildCreated)
}

// TestL05H27FailThenFix: after a failure a fixed config never built, and Degraded
// and RenderDegraded, which belong to others, were written.
func TestL05H27FailThenFix(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		p.Status.Conditions = buildtest.Pool(worker).
			Condition(mcfgv1.MachineConfigPoolDegraded, corev1.ConditionTrue, "NodesAreUnwell").
			Condition(mcfgv1.MachineConfigPoolRenderDegraded, corev1.ConditionFalse, "").
			Object().Status.Conditions
	})
	foreign := h.api.Pool(worker).Status.Conditions
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "the build failed")
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, plan.ReasonBuildFailed)
	require.Contains(t, message, "DockerBuildFailed: the build failed")
	require.Contains(t, message, "last line of the log")

	h.want("rendered-worker-2")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-2", buildtest.Digest(2))
	require.Equal(t, foreign, plan.WithoutOurs(h.api.Pool(worker).Status.Conditions), "conditions of others are untouched")
}

// TestL07BuildDeletedByHand: the pool stayed Building for ever.
func TestL07BuildDeletedByHand(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.RunBuild(first, buildv1.BuildPhaseRunning)
	h.settle(worker)
	h.api.Remove("builds", ctrlcommon.MCONamespace, first)
	h.clock.Step(time.Minute)
	h.settle(worker)
	h.pass(time.Minute, worker)
	require.NotEqual(t, first, h.newestBuild(worker), "the next attempt has a fresh name")
	require.Len(t, h.api.Builds(), 1)
	require.Equal(t, []string{h.newestBuild(worker)}, h.api.InputSecrets(), "the inputs of the deleted Build are gone")
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
}

// TestL07CacheLagIsNoDeletion: that the cache does not show a Build (yet) proves
// nothing.
func TestL07CacheLagIsNoDeletion(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.clock.Step(time.Minute)
	h.deliver()
	require.NoError(t, h.caches["builds"].Replace(nil, ""))
	_, err := h.syncStale(worker)
	require.ErrorIs(t, err, errStale)
	require.Len(t, h.api.Builds(), 1)
	require.Equal(t, 1, h.record(worker).Attempt)
}

// TestL08PushSecretMissing: nothing was said on the pool, and the fix was noticed
// after up to a minute.
func TestL08PushSecretMissing(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PushSecret)
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, plan.ReasonSecretMissing)
	require.Contains(t, message, "Secret push-secret")
	require.Contains(t, message, constants.FinalImagePushSecretKey)
	require.Empty(t, h.api.Builds())
	require.Empty(t, h.api.InputSecrets())
	require.Len(t, h.events, 1, "one event for one transition")

	h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry))
	h.deliver()
	h.ctrl.handle(h.ctrl.poolsOfSecret).OnAdd(metadataOf(buildtest.PushSecret), false)
	require.Equal(t, []string{worker}, h.queued(), "the fix wakes the pool at once")
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Len(t, h.api.Builds(), 1)
}

// TestL09H09OptOut: the Build kept running, the conditions stayed.
func TestL09H09OptOut(t *testing.T) {
	for _, phase := range []buildv1.BuildPhase{buildv1.BuildPhaseNew, buildv1.BuildPhaseRunning, buildv1.BuildPhaseComplete, buildv1.BuildPhaseFailed} {
		t.Run(string(phase), func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			before := h.api.Pool(worker)
			h.settle(worker)
			h.api.RunBuild(h.newestBuild(worker), phase)
			h.settle(worker)

			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { delete(p.Labels, ctrlcommon.LayeringEnabledPoolLabel) })
			h.restart()
			h.settle(worker)
			require.Empty(t, h.api.Builds())
			require.Empty(t, h.api.InputSecrets())
			after := h.api.Pool(worker)
			require.Empty(t, after.Annotations)
			require.Empty(t, after.Status.Conditions)
			require.Equal(t, before.Spec, after.Spec)
		})
	}
}

// TestOptOutAndInAgain: within the cache's lag the pool looks opted out.
func TestOptOutAndInAgain(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = "false" })
	h.deliver()
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = "" })
	_, err := h.syncStale(worker)
	require.ErrorIs(t, err, errStale, "one live look keeps the Build from being deleted")
	require.Len(t, h.api.Builds(), 1)
}

// TestL12AnyPoolName: a pool name of 22 or more characters made objects that the
// API rejects.
func TestL12AnyPoolName(t *testing.T) {
	for length := 1; length <= 253; length++ {
		name := strings.Repeat("p", length)
		h := newHarness(t, append(goodInputs("rendered-1"), buildtest.Pool(name).Layered().Wants("rendered-1").Object())...)
		h.settle(name)
		h.api.CompleteBuild(h.newestBuild(name), buildtest.Digest(1))
		h.settle(name)
		h.requirePublished(name, "rendered-1", buildtest.Digest(1))
	}
}
