package build

import (
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// preview is what someone with a look at all of the API's objects would be told.
func (h *harness) preview(pool string) Preview {
	h.t.Helper()
	o := Objects{
		Now: h.clock.Now(), Pool: h.api.Pool(pool),
		Pools: storedAs[*mcfgv1.MachineConfigPool](h, "machineconfigpools"), Configs: storedAs[*mcfgv1.MachineConfig](h, "machineconfigs"),
		ControllerConfigs: storedAs[*mcfgv1.ControllerConfig](h, "controllerconfigs"),
		ConfigMaps:        storedAs[*corev1.ConfigMap](h, "configmaps"), Secrets: storedAs[*corev1.Secret](h, "secrets"),
	}
	if h.machineOS {
		o.MachineOSConfigs, o.MachineOSBuilds = storedAs[*mcfgv1.MachineOSConfig](h, "machineosconfigs"), h.api.MachineOSBuilds()
	}
	o.Builds, o.Active = imagebuilder.ObservationsOf(openshift.MadeOf(h.api.Builds()), pool)
	before := len(h.api.Calls())
	p, err := NewPreview(o)
	require.NoError(h.t, err)
	require.Len(h.t, h.api.Calls(), before, "looking calls no API")
	return p
}

func storedAs[T runtime.Object](h *harness, resource string) []T {
	var objects []T
	for _, object := range h.api.Stored(resource) {
		objects = append(objects, object.(T))
	}
	return objects
}

// TestPreviewForetells: the controller comes to report what a look at the same objects
// foretold, and creates the Build that was foretold.
func TestPreviewForetells(t *testing.T) {
	const one, two = "rendered-worker-1", "rendered-worker-2"
	fail := func(h *harness, reason buildv1.StatusReason) {
		h.settle(worker)
		h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, reason, "it failed")
		h.settle(worker)
	}
	for name, test := range map[string]struct {
		reason string
		given  func(*harness)
		want   string
		starts bool
	}{
		"first build": {reason: "nothing was built yet", given: func(*harness) {}, want: ledger.ReasonBuildCreated, starts: true},
		"published":   {reason: "there is nothing to do", given: func(h *harness) { h.settle(worker); h.complete(worker) }, want: ledger.ReasonImagePublished},
		"next config": {reason: "other inputs", given: func(h *harness) { h.settle(worker); h.complete(worker); h.want(two) }, want: ledger.ReasonBuildCreated, starts: true},
		"back again": {reason: "the image is on record", given: func(h *harness) {
			h.settle(worker)
			h.complete(worker)
			h.want(two)
			h.settle(worker)
			h.complete(worker)
			h.want(one)
		}, want: ledger.ReasonImagePublished},
		"under way":         {reason: "the build exists", given: func(h *harness) { h.settle(worker); h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning) }, want: ledger.ReasonBuildRunning},
		"failed":            {reason: "only a change helps", given: func(h *harness) { fail(h, buildv1.StatusReasonDockerBuildFailed) }, want: ledger.ReasonBuildFailed},
		"will be tried":     {reason: "the next attempt has its time", given: func(h *harness) { fail(h, buildv1.StatusReasonFetchSourceFailed) }, want: ledger.ReasonRetryScheduled},
		"is tried again":    {reason: "the time has come", given: func(h *harness) { fail(h, buildv1.StatusReasonFetchSourceFailed); h.clock.Step(time.Minute) }, want: ledger.ReasonBuildCreated, starts: true},
		"paused":            {reason: "no build starts", given: func(h *harness) { h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Spec.Paused = true }) }, want: ledger.ReasonPoolPaused},
		"no push secret":    {reason: "it is named", given: func(h *harness) { h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PushSecret) }, want: ledger.ReasonSecretMissing},
		"wrong push secret": {reason: "its content is read", given: func(h *harness) { h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, "other.example.com")) }, want: ledger.ReasonSecretInvalid},
		"no settings": {reason: "it is not known what to build", given: func(h *harness) {
			h.api.Remove("configmaps", ctrlcommon.MCONamespace, buildtest.SettingsConfigMap().Name)
		}, want: ledger.ReasonConfigMapMissing},
		"unreadable config": {reason: "its content is read", given: func(h *harness) {
			config := buildtest.RenderedConfig(one)
			config.Spec.Config.Raw = []byte(`{"ignition":{"version":"2.2.0"}}`)
			h.api.Put(config)
		}, want: ledger.ReasonRenderedConfigInvalid},
		"queued": {reason: "another pool has the only place", given: func(h *harness) {
			h.editSettings(map[string]string{"maxConcurrentBuilds": "1"})
			h.api.Put(buildtest.Pool("infra").Layered().Wants(two).Object())
			h.settle("infra")
		}, want: ledger.ReasonQueued},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, one, two)
			test.given(h)
			// Inputs that are a moment old are waited for.
			h.clock.Step(time.Second)
			h.deliver()
			foretold := h.preview(worker)
			require.Equal(t, test.want, foretold.Plan.Reason, test.reason)
			require.Equal(t, test.starts, foretold.Starts, test.reason)
			before := len(h.api.Builds())

			came := h.settle(worker)
			if came.State == ledger.StateUnsettled {
				came = h.pass(3*time.Second, worker)
			}
			require.Equal(t, came.State, foretold.Plan.State)
			require.Equal(t, came.Reason, foretold.Plan.Reason)
			message := foretold.Plan.Message
			if test.starts {
				require.Len(t, h.api.Builds(), before+1)
				message = strings.ReplaceAll(message, foretold.Request.Name, h.newestBuild(worker))
				h.requireForetold(foretold)
			} else {
				require.Len(t, h.api.Builds(), before)
			}
			require.Equal(t, came.Message, message)
		})
	}
}

// requireForetold compares the newest Build, but for its name, with what was foretold.
func (h *harness) requireForetold(p Preview) {
	h.t.Helper()
	name := h.newestBuild(worker)
	request := *p.Request
	request.Output = strings.TrimSuffix(request.Output, request.Name) + name
	request.Name = name
	objects := openshift.Backend{}.Objects(ctrlcommon.MCONamespace, request)
	build, secrets := objects.Build.(*buildv1.Build), objects.Secrets
	for _, b := range h.api.Builds() {
		if b.Name == name {
			require.Equal(h.t, build.Spec, b.Spec)
			delete(b.Annotations, constants.ClaimAnnotation)
			require.Equal(h.t, build.Annotations, b.Annotations)
		}
	}
	require.Len(h.t, secrets, 1)
	for _, stored := range storedAs[*corev1.Secret](h, "secrets") {
		if stored.Name == name {
			require.Equal(h.t, secrets[0].Data, stored.Data)
			return
		}
	}
	require.Fail(h.t, "there is no such input")
}

// TestPreviewOfARequest: what a person has just asked for on a MachineOSConfig is foretold, also
// while the controller has not accepted it.
func TestPreviewOfARequest(t *testing.T) {
	h, _ := publishedHarness(t)
	require.False(t, h.preview(worker).Starts, "the image is there")
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })
	h.deliver()
	foretold := h.preview(worker)
	require.True(t, foretold.Starts)
	h.settle(worker)
	require.Len(t, h.api.Builds(), 1)
	require.Equal(t, foretold.Request.Fingerprint, h.record(worker).Fingerprint)
	require.False(t, h.preview(worker).Starts, "it was acted on")
}

// TestPreviewOfWhatIsHeld: what would be built is told even while it is not.
func TestPreviewOfWhatIsHeld(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	want := h.preview(worker).Request
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Spec.Paused = true })
	h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PushSecret)
	got := h.preview(worker)
	require.False(t, got.Starts)
	require.Equal(t, want, got.Request)
	require.NotEmpty(t, got.Request.Context)
}
