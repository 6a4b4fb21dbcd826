package build

import (
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestMachineOSRebuild: the annotation is acted on once, whatever its value, also if it was
// set while no controller ran.
func TestMachineOSRebuild(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	first := h.succeed()
	before := h.machineOSBuild()
	ask := func() {
		h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })
	}
	ask()
	h.restart()
	h.settle(worker)
	require.NotContains(t, h.api.MachineOSConfig(worker).Annotations, constants.RebuildAnnotation)
	after := h.machineOSBuild()
	require.Equal(t, before.Name, after.Name, "the same name again")
	require.NotEqual(t, before.UID, after.UID)
	h.requireProgress(after, mcfgv1.MachineOSBuildPrepared, ledger.ReasonBuildCreated)
	require.Equal(t, h.image(first), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec), "the image before stays meanwhile")
	second := h.succeed()
	require.NotEqual(t, first, second)
	require.Equal(t, h.image(second), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
	h.restart()
	h.settle(worker)
	require.Empty(t, h.api.Builds(), "once")
	ask()
	h.settle(worker)
	require.Len(t, h.api.Builds(), 1, "the same value once more is another request")

	// In mid-build it begins anew.
	running := h.newestBuild(worker)
	ask()
	h.settle(worker)
	require.NotEqual(t, running, h.newestBuild(worker))
}

// TestMachineOSFailure: retries are the controller's own, so the last word comes when they are
// used up; a change leads on.
func TestMachineOSFailure(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	fail := func(reason buildv1.StatusReason) {
		name := h.newestBuild(worker)
		h.api.EditBuild(name, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning })
		h.settle(worker)
		h.api.FailBuild(name, buildv1.BuildPhaseFailed, reason, "it went wrong")
		h.settle(worker)
	}
	fail(buildv1.StatusReasonFetchSourceFailed)
	fail(buildv1.StatusReason("PullBuilderImageFailed"))
	uid := h.machineOSBuild().UID
	for range 4 {
		if ledger.IsEnd(ledger.ProgressOf(&h.machineOSBuild().Status)) {
			break
		}
		require.Equal(t, mcfgv1.MachineOSBuilding, ledger.ProgressOf(&h.machineOSBuild().Status), "between attempts it is building")
		h.pass(20*time.Minute, worker)
		fail(buildv1.StatusReason("PullBuilderImageFailed"))
	}
	require.Equal(t, uid, h.machineOSBuild().UID, "one object for all attempts")
	message := h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildFailed, h.machineOSBuild().Status.Conditions[2].Reason)
	require.Contains(t, message, "it went wrong")
	require.Contains(t, message, "last line of the log")
	require.Contains(t, message, "and so does the annotation machineconfiguration.openshift.io/rebuild on MachineOSConfig worker")
	require.Contains(t, h.requireDegraded(corev1.ConditionTrue, ledger.DegradedBuildFailed), "Failed to build OS image for pool worker (MachineOSBuild: "+h.machineOSBuild().Name+"): ")
	require.Len(t, h.api.Builds(), 1, "it is kept until the next build")

	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "1" })
	h.settle(worker)
	h.requireDegraded(corev1.ConditionFalse, ledger.DegradedBuilding)
	h.succeed()
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
	require.Empty(t, h.api.Builds())
}

// TestMachineOSInterrupted: whoever cancels or deletes a build wants it to end.
func TestMachineOSInterrupted(t *testing.T) {
	for name, end := range map[string]func(h *harness, build string){
		"cancelled": func(h *harness, build string) { h.stopped(build) },
		"deleted":   func(h *harness, build string) { h.api.Remove("builds", buildtest.SettingsConfigMap().Namespace, build) },
	} {
		t.Run(name, func(t *testing.T) {
			h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
			h.settle(worker)
			build := h.runs()
			end(h, build)
			h.settle(worker)
			h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildInterrupted, ledger.ReasonBuildCancelled)
			h.pass(time.Hour, worker)
			require.Empty(t, h.activeBuilds(), "nothing starts by itself")
			require.Empty(t, h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec)
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })
			h.settle(worker)
			h.succeed()
			h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
		})
	}
}

// TestMachineOSInterruptedIsRemembered: whoever writes the pool from a manifest of theirs does not
// have the build again that somebody ended on purpose. A request, or a change, does.
func TestMachineOSInterruptedIsRemembered(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		again  func(claim, retrying string) map[string]string
	}{
		"stripped": {reason: "the manifest has no annotations", again: func(string, string) map[string]string { return nil }},
		"spoiled":  {reason: "the manifest has what is no record", again: func(string, string) map[string]string { return map[string]string{constants.BuildRecordAnnotation: "{"} }},
		"brought back": {reason: "the manifest was made while it was being built", again: func(claim, _ string) map[string]string {
			return map[string]string{constants.BuildRecordAnnotation: claim}
		}},
		"brought back from before": {reason: "the manifest was made between two attempts", again: func(_, retrying string) map[string]string {
			return map[string]string{constants.BuildRecordAnnotation: retrying}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
			h.settle(worker)
			h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, "PullBuilderImageFailed", "try again")
			h.settle(worker)
			retrying := h.record(worker).String()
			h.pass(time.Hour, worker)
			build := h.newestBuild(worker)
			h.api.EditBuild(build, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning })
			h.settle(worker)
			claim := h.record(worker).String()
			h.clock.Step(time.Minute)
			h.api.Remove("builds", buildtest.SettingsConfigMap().Namespace, build)
			h.settle(worker)
			told, record := h.machineOSBuild(), h.record(worker)
			h.requireProgress(told, mcfgv1.MachineOSBuildInterrupted, ledger.ReasonBuildCancelled)
			status := h.api.MachineOSConfig(worker).Status
			for range 2 {
				h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations = test.again(claim, retrying) })
				h.restart()
				h.pass(time.Hour, worker)
				require.Empty(t, h.activeBuilds(), test.reason)
				require.Equal(t, told, h.machineOSBuild(), "its last word stays")
				require.Equal(t, record, h.record(worker), "the pool has its record again")
				require.Equal(t, status, h.api.MachineOSConfig(worker).Status)
			}
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations = test.again(claim, retrying) })
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })
			h.settle(worker)
			h.succeed()
			h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
		})
	}
}

// TestMachineOSInterruptionIsRefused: while the end of a build that somebody deleted may not be put
// on record, the build is not made again.
func TestMachineOSInterruptionIsRefused(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	build := h.runs()
	h.api.Remove("builds", buildtest.SettingsConfigMap().Namespace, build)
	refused := true
	h.api.Fault = func(call buildtest.Call) error {
		if refused && call.Resource == "machineconfigpools" && call.Verb == "patch" {
			return apierrors.NewForbidden(mcfgv1.Resource("machineconfigpools"), worker, nil)
		}
		return nil
	}
	for range 3 {
		_, err := h.sync(worker)
		require.Error(t, err)
		require.Empty(t, h.api.Builds())
		h.clock.Step(time.Minute)
	}
	refused = false
	h.settle(worker)
	h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildInterrupted, ledger.ReasonBuildCancelled)
	require.Empty(t, h.api.Builds())
}

// TestMachineOSOptOut: with the MachineOSConfig everything goes that was made for it, in every
// phase, and the next one of its name begins anew.
func TestMachineOSOptOut(t *testing.T) {
	for name, reach := range map[string]func(h *harness){
		"pending": func(*harness) {},
		"running": func(h *harness) {
			h.api.EditBuild(h.newestBuild(worker), func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning })
			h.settle(worker)
		},
		"published": func(h *harness) { h.succeed() },
		"cancelled": func(h *harness) { h.stopped(h.newestBuild(worker)); h.settle(worker) },
	} {
		t.Run(name, func(t *testing.T) {
			h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
			h.settle(worker)
			reach(h)
			build := h.newestBuild(worker)
			h.api.Remove("machineosconfigs", "", worker)
			h.settle(worker)
			require.Empty(t, h.api.MachineOSBuilds())
			require.Empty(t, h.api.Builds())
			require.Empty(t, h.api.InputSecrets())
			require.Empty(t, h.api.Pool(worker).Annotations)
			require.Empty(t, h.api.Pool(worker).Status.Conditions)

			again := buildtest.MachineOSConfig(worker)
			again.UID = "another"
			h.api.Put(again)
			h.settle(worker)
			h.pass(time.Minute, worker)
			require.NotEqual(t, build, h.newestBuild(worker), "no image of the one before counts")
			h.succeed()
			h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
		})
	}
}

// TestMachineOSBuildDeleted: a MachineOSBuild that somebody deletes comes again, and says what
// the one before did.
func TestMachineOSBuildDeleted(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	first := h.machineOSBuild()
	h.api.Remove("machineosbuilds", "", first.Name)
	h.pass(h.settle(worker).RequeueAfter, worker)
	h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildPrepared, ledger.ReasonBuildCreated)
	require.Len(t, h.api.Builds(), 1, "the build goes on")
	build := h.succeed()
	h.api.Remove("machineosbuilds", "", first.Name)
	h.settle(worker)
	h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildSucceeded, ledger.ReasonImagePublished)
	require.Equal(t, h.image(build), string(h.machineOSBuild().Status.DigestedImagePushSpec))
	require.Empty(t, h.api.Builds(), "the image is known")
}
