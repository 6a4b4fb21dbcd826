package build

import (
	"fmt"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// render lets the render controller make a config, now, and ask the pool for it.
func (h *harness) render(config string) {
	rendered := buildtest.RenderedConfig(config)
	rendered.CreationTimestamp = metav1.NewTime(h.clock.Now())
	h.api.Put(rendered)
	h.want(config)
}

// TestL11TenConfigsInTenSeconds: each of many changes was built, or the wrong one.
func TestL11TenConfigsInTenSeconds(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-0")
	h.want("")
	for i := 1; i <= 10; i++ {
		h.render(fmt.Sprintf("rendered-worker-%d", i))
		h.settle(worker)
		require.Empty(t, h.api.Builds(), "the inputs still change")
		h.clock.Step(time.Second)
	}
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonInputsChanging)
	p := h.settle(worker)
	require.Equal(t, 4*time.Second, p.RequeueAfter, "it knows when to look again")
	h.pass(p.RequeueAfter, worker)
	require.Len(t, h.api.Builds(), 1)
	require.Equal(t, "rendered-worker-10", h.record(worker).Config, "one build, of the newest config")
}

// TestL11ConfigsWithoutEnd: inputs that never come to rest are built at the ceiling.
func TestL11ConfigsWithoutEnd(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-0")
	for i := 1; i <= 31; i++ {
		require.Empty(t, h.api.Builds(), "after %d s", i-1)
		h.render(fmt.Sprintf("rendered-worker-%d", i))
		h.settle(worker)
		h.clock.Step(time.Second)
	}
	require.Len(t, h.api.Builds(), 1, "after half a minute; the pool says %v", h.api.Pool(worker).Status.Conditions)
}

// TestChangedSettingsSettle: an administrator who tries pullspecs is waited for.
func TestChangedSettingsSettle(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.complete(worker)
	for _, repository := range []string{"a", "b", "c"} {
		h.editSettings(map[string]string{constants.FinalImagePullspecKey: buildtest.Registry + "/" + repository})
		h.settle(worker)
		h.clock.Step(time.Second)
	}
	require.Len(t, h.api.Builds(), 1)
	h.pass(4*time.Second, worker)
	require.Len(t, h.api.Builds(), 2)
	require.Equal(t, buildtest.Registry+"/c:"+h.newestBuild(worker), h.build(h.newestBuild(worker)).Spec.Output.To.Name)
}

// TestRetentionOverCycles: builds do not pile up, and what is removed costs one
// call each.
func TestRetentionOverCycles(t *testing.T) {
	h := layeredHarness(t, configA, configB, "rendered-worker-c")
	h.settle(worker)
	h.complete(worker)
	first := h.newestBuild(worker)
	h.want(configB)
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.deliver()
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.NotEmpty(t, h.build(first).Name, "nothing is removed before the result is recorded and seen")
	h.api.ResetCalls()
	_, err = h.sync(worker)
	require.NoError(t, err)
	require.Equal(t, []string{"delete secrets", "delete builds"}, callNames(h.api.Calls()), "the new build's inputs, and the old build")
	require.Len(t, h.api.Builds(), 1)

	h.want(configA)
	h.settle(worker)
	h.requirePublished(worker, configA, buildtest.Digest(1))
	require.Len(t, h.api.Builds(), 1, "the image of a build that was removed is published without another one")
}

func callNames(calls []buildtest.Call) []string {
	var names []string
	for _, c := range calls {
		names = append(names, c.String())
	}
	return names
}

// build returns a stored Build.
func (h *harness) build(name string) *buildv1.Build {
	h.t.Helper()
	for _, b := range h.api.Builds() {
		if b.Name == name {
			return b
		}
	}
	require.FailNow(h.t, "there is no Build "+name)
	return nil
}

// TestUnknownKeysAreAnnounced: a misspelt key was ignored without a word.
func TestUnknownKeysAreAnnounced(t *testing.T) {
	h := layeredHarness(t, configA)
	h.editSettings(map[string]string{"maxConcurentBuilds": "2"})
	h.settle(worker)
	h.complete(worker)
	require.Len(t, h.events, 3)
	require.Contains(t, h.events[0], "Warning UnknownKey ConfigMap machine-os-builder-config has keys that mean nothing and are ignored: maxConcurentBuilds; the known ones are baseImagePullSecretName, ")
	require.Len(t, h.api.Builds(), 1, "it holds up nothing")

	h.pass(time.Hour, worker)
	require.Len(t, h.events, 3, "it is said once")
	h.editSettings(map[string]string{"maxConcurentBuilds": "3"})
	h.settle(worker)
	require.Len(t, h.events, 4, "and again when it is written again")
}

// TestRefusedCredentialsAreNotTriedAgain: the registry would refuse them again, and
// may lock the account.
func TestRefusedCredentialsAreNotTriedAgain(t *testing.T) {
	h := layeredHarness(t, configA)
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.FailBuild(first, buildv1.BuildPhaseFailed, buildv1.StatusReasonPushImageToRegistryFailed, "Failed to push the image to the registry.")
	h.api.EditBuild(first, func(b *buildv1.Build) {
		b.Status.LogSnippet = "error: build error: Failed to push image: writing manifest: unauthorized: authentication required"
	})
	h.pass(24*time.Hour, worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
	require.Contains(t, message, "unauthorized: authentication required")
	require.Len(t, h.api.Builds(), 1)

	secret := buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry)
	h.api.Put(secret)
	h.settle(worker)
	require.Len(t, h.api.Builds(), 2, "the mended secret is tried at once")
}

// TestEditedSettingsTryAgain: whoever edits the ConfigMap after a failure expects
// another try, also if the image stays the same.
func TestEditedSettingsTryAgain(t *testing.T) {
	h := layeredHarness(t, configA)
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonOutOfMemoryKilled, "The build pod was killed due to an out of memory condition.")
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
	h.editSettings(map[string]string{constants.CompletionDeadlineKey: "7200"})
	h.settle(worker)
	require.Len(t, h.api.Builds(), 2)
	require.EqualValues(t, 7200, *h.build(h.newestBuild(worker)).Spec.CompletionDeadlineSeconds)
}

// TestLimitsAreTheAdministrators: attempts and deadlines follow the ConfigMap, and
// a running build keeps the deadline that it was created with.
func TestLimitsAreTheAdministrators(t *testing.T) {
	h := layeredHarness(t, configA)
	limits := map[string]string{constants.MaxAttemptsKey: "2", constants.PendingDeadlineKey: "60", constants.CompletionDeadlineKey: "600"}
	h.editSettings(limits)
	h.settle(worker)
	h.pass(61*time.Second, worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled)
	require.Contains(t, message, "Attempt 1 of 2")
	require.Contains(t, message, "did not begin to run within 1m0s")

	h.pass(time.Minute, worker)
	second := h.newestBuild(worker)
	h.api.RunBuild(second, buildv1.BuildPhaseRunning)
	h.editSettings(map[string]string{constants.MaxAttemptsKey: "2", constants.PendingDeadlineKey: "60", constants.CompletionDeadlineKey: "60"})
	h.pass(10*time.Minute, worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)
	h.editSettings(limits)
	h.pass(6*time.Minute+time.Second, worker)
	message = h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonAttemptsExhausted)
	require.Contains(t, message, "All 2 attempts at "+configA+" failed")
	require.Contains(t, message, "although its deadline is 10m0s")
}

// TestFlapWhileSettling: a config that is wanted again before another one was
// built finds its build still running.
func TestFlapWhileSettling(t *testing.T) {
	h := layeredHarness(t, configA)
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.RunBuild(first, buildv1.BuildPhaseRunning)
	h.render(configB)
	h.settle(worker)
	h.clock.Step(time.Second)
	h.want(configA)
	h.settle(worker)
	require.Len(t, h.api.Builds(), 1)
	require.False(t, h.build(first).Status.Cancelled)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)
	require.True(t, strings.Contains(message, first))
}
