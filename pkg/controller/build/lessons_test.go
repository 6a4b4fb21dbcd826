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
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
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

// TestH40BadInputs: whatever is missing or malformed, the pool says which object
// and key, nothing spins, and mending it starts the build.
func TestH40BadInputs(t *testing.T) {
	edit := func(changes map[string]string) *corev1.ConfigMap {
		configMap := buildtest.SettingsConfigMap()
		for key, value := range changes {
			configMap.Data[key] = value
		}
		return configMap
	}
	broken := buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry)
	broken.Data[corev1.DockerConfigJsonKey] = []byte(buildtest.Canary)
	noImage, empty, badImage := buildtest.RenderedConfig("rendered-worker-1"), buildtest.RenderedConfig("rendered-worker-1"), buildtest.RenderedConfig("rendered-worker-1")
	noImage.Spec.OSImageURL = ""
	empty.Spec.Config.Raw = nil
	badImage.Spec.OSImageURL = "short:name"

	for name, test := range map[string]struct {
		reason string
		breaks func(h *harness)
		why    string
		// names are texts that the message has to contain.
		names []string
	}{
		"ConfigMap missing": {
			reason: "a first-time user has not created it", why: plan.ReasonConfigMapMissing, names: []string{"ConfigMap machine-os-builder-config", "finalImagePullspec"},
			breaks: func(h *harness) { h.api.Remove("configmaps", ctrlcommon.MCONamespace, constants.ConfigMapName) },
		},
		"key empty": {
			reason: "a key was forgotten", why: plan.ReasonConfigMapInvalid, names: []string{"machine-os-builder-config", "finalImagePushSecretName"},
			breaks: func(h *harness) { h.api.Put(edit(map[string]string{constants.FinalImagePushSecretKey: ""})) },
		},
		"bad pullspec": {
			reason: "a typing error", why: plan.ReasonConfigMapInvalid, names: []string{"machine-os-builder-config", "finalImagePullspec", `"https://x"`},
			breaks: func(h *harness) { h.api.Put(edit(map[string]string{constants.FinalImagePullspecKey: "https://x"})) },
		},
		"pull secret missing": {
			reason: "it was deleted", why: plan.ReasonSecretMissing, names: []string{"Secret pull-secret", "baseImagePullSecretName"},
			breaks: func(h *harness) { h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PullSecret) },
		},
		"push secret malformed": {
			reason: "it was made by hand", why: plan.ReasonSecretInvalid, names: []string{"Secret push-secret", ".dockerconfigjson"},
			breaks: func(h *harness) { h.api.Put(broken) },
		},
		"push secret for another registry": {
			reason: "the wrong one was copied", why: plan.ReasonSecretInvalid, names: []string{"Secret push-secret", buildtest.Repository},
			breaks: func(h *harness) { h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, "quay.io")) },
		},
		"rendered config missing": {
			reason: "it was deleted, or comes later", why: plan.ReasonRenderedConfigMissing, names: []string{"MachineConfig rendered-worker-1"},
			breaks: func(h *harness) { h.api.Remove("machineconfigs", "", "rendered-worker-1") },
		},
		"rendered config empty": {
			reason: "it has no content", why: plan.ReasonRenderedConfigInvalid, names: []string{"MachineConfig rendered-worker-1", "spec.config"},
			breaks: func(h *harness) { h.api.Put(empty) },
		},
		"base image malformed": {
			reason: "a short name", why: plan.ReasonBaseImageInvalid, names: []string{"MachineConfig rendered-worker-1", "spec.osImageURL", "short:name"},
			breaks: func(h *harness) { h.api.Put(badImage) },
		},
		"ControllerConfig missing": {
			reason: "the config names no image", why: plan.ReasonControllerConfigMissing, names: []string{"ControllerConfig machine-config-controller"},
			breaks: func(h *harness) {
				h.api.Put(noImage)
				h.api.Remove("controllerconfigs", "", ctrlcommon.ControllerConfigName)
			},
		},
		"ControllerConfig without image": {
			reason: "neither names an image", why: plan.ReasonBaseImageUnknown, names: []string{"spec.osImageURL", "spec.baseOSContainerImage"},
			breaks: func(h *harness) {
				h.api.Put(noImage)
				h.api.Put(buildtest.ControllerConfig(""))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			test.breaks(h)
			h.settle(worker)
			h.pass(2*time.Second, worker)
			message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, test.why)
			for _, text := range test.names {
				require.Contains(t, message, text, test.reason)
			}
			require.NotContains(t, message, buildtest.Canary, "content of secrets is in no message")
			require.Len(t, h.events, 1, "one event: %v", h.events)
			require.Contains(t, h.events[0], "Warning "+test.why)
			require.Empty(t, h.api.Builds())

			h.api.ResetCalls()
			for range 10 {
				p, err := h.sync(worker)
				require.NoError(t, err)
				require.Zero(t, p.RequeueAfter, "a held pool waits for an event")
			}
			require.Empty(t, h.api.Calls(), "and costs nothing while it waits")

			for _, object := range goodInputs("rendered-worker-1") {
				h.api.Put(object)
			}
			h.settle(worker)
			require.Len(t, h.api.Builds(), 1, "mending it starts the build")
		})
	}
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
