package build

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// publishedHarness has an image on the MachineOSConfig, and its MachineOSBuild.
func publishedHarness(t *testing.T) (h *harness, image string) {
	t.Helper()
	h = machineOSHarness(t, buildtest.MachineOSConfig(worker), everyConfig())
	h.settle(worker)
	image = h.image(h.succeed())
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
	return h, image
}

// TestE15MachineOSPoolIsWrittenAnew: whoever writes the pool from a manifest of theirs takes
// the record away, or brings back an older one. The MachineOSBuild tells what was built, so
// nothing is built again, and no node is given another image.
func TestE15MachineOSPoolIsWrittenAnew(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		again  func(claim string) map[string]string
	}{
		"stripped": {reason: "the manifest has no annotations", again: func(string) map[string]string { return nil }},
		"spoiled":  {reason: "the manifest has what is no record", again: func(string) map[string]string { return map[string]string{constants.BuildRecordAnnotation: "{"} }},
		"brought back": {reason: "the manifest was made while the image was being built", again: func(claim string) map[string]string {
			return map[string]string{constants.BuildRecordAnnotation: claim}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h, image := publishedHarness(t)
			claim := h.record(worker).Claimed()
			for range 2 {
				h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations = test.again(claim.String()) })
				h.restart()
				h.pass(time.Hour, worker)
				require.Empty(t, h.api.Builds(), test.reason)
				require.Equal(t, image, h.record(worker).Image, test.reason)
				require.Equal(t, image, string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec), test.reason)
			}
			h.want(configB)
			h.settle(worker)
			require.Equal(t, image, h.record(worker).History[0].Image, "what was found again is remembered")
		})
	}
}

// TestE15ClaimFollowsTheInputs: what decides the image and not the name of the MachineOSBuild may
// change while it is being built. It is found again as what it is of.
func TestE15ClaimFollowsTheInputs(t *testing.T) {
	config := buildtest.RenderedConfig(configA)
	config.Spec.OSImageURL = ""
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker), everyConfig(), config)
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.Put(buildtest.ControllerConfig("quay.example.com/openshift/rhel-coreos@" + buildtest.Digest(2)))
	h.pass(time.Minute, worker)
	require.NotEqual(t, first, h.newestBuild(worker), "another base image is another image")
	require.Len(t, h.api.MachineOSBuilds(), 1)
	h.stopped(first)
	image := h.image(h.succeed())
	require.Equal(t, image, string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))

	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations = nil })
	h.settle(worker)
	require.Empty(t, h.api.Builds())
	require.Equal(t, image, h.record(worker).Image)
}

// TestMachineOSBuildOfOthersIsNotBelieved: what a MachineOSBuild says is taken over only if the
// MachineOSConfig says that its image is of it, and only with a claim and in our repository.
func TestMachineOSBuildOfOthersIsNotBelieved(t *testing.T) {
	elsewhere := "elsewhere.example.com/os@" + buildtest.Digest(7)
	for name, test := range map[string]struct {
		reason string
		spoil  func(h *harness)
	}{
		"no claim": {reason: "nobody knows what it is of", spoil: func(h *harness) {
			build := h.machineOSBuild()
			delete(build.Annotations, constants.ClaimAnnotation)
			h.api.Put(build)
		}},
		"another image": {reason: "the MachineOSConfig has another one", spoil: func(h *harness) {
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
				c.Status.CurrentImagePullSpec = mcfgv1.ImageDigestFormat(buildtest.Repository + "@" + buildtest.Digest(8))
			})
		}},
		"another repository": {reason: "our images are not pushed there", spoil: func(h *harness) {
			build := h.machineOSBuild()
			build.Status.DigestedImagePushSpec = mcfgv1.ImageDigestFormat(elsewhere)
			h.api.Put(build)
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Status.CurrentImagePullSpec = mcfgv1.ImageDigestFormat(elsewhere) })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := publishedHarness(t)
			test.spoil(h)
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations = nil })
			h.settle(worker)
			require.Len(t, h.api.Builds(), 1, test.reason)
			require.NotEqual(t, elsewhere, h.record(worker).Image, test.reason)
		})
	}
}

// TestInterruptionOfOthersIsNotBelieved: somebody edits what the MachineOSBuild of a build that was
// ended tells of it. No image of theirs is given to nodes.
func TestInterruptionOfOthersIsNotBelieved(t *testing.T) {
	for image, reason := range map[string]string{
		"elsewhere.example.com/os@" + buildtest.Digest(7): "our images are not pushed there",
		buildtest.Repository + "@" + buildtest.Digest(7):  "a build that was ended has made none",
	} {
		h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
		h.settle(worker)
		build := h.runs()
		h.api.Remove("builds", buildtest.SettingsConfigMap().Namespace, build)
		h.settle(worker)
		told := h.machineOSBuild()
		record, err := ledger.ParseRecord(told.Annotations[constants.ClaimAnnotation])
		require.NoError(t, err)
		require.True(t, record.Interrupted())
		record.Image = image
		told.Annotations[constants.ClaimAnnotation] = record.String()
		h.api.Put(told)
		h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations = nil })
		h.restart()
		h.settle(worker)
		require.NotEqual(t, image, string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec), reason)
		require.NotEqual(t, image, h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation], reason)
		require.NotContains(t, h.api.Pool(worker).Annotations[constants.BuildRecordAnnotation], image, reason)
	}
}

// TestMachineOSAnnotationIsNotForcedThrough: the node controller takes the annotation away of
// a MachineOSBuild that is not of the config which the pool wants by now. As long as the cache
// does not know that config, the annotation is not put back as fast as both can.
func TestMachineOSAnnotationIsNotForcedThrough(t *testing.T) {
	h, _ := publishedHarness(t)
	take := func() time.Duration {
		h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { delete(c.Annotations, constants.CurrentBuildAnnotation) })
		return h.settle(worker).RequeueAfter
	}
	require.Zero(t, take())
	h.machineOSBuild()
	for wait := 2 * firstRestraint; wait < 10*firstRestraint; wait *= 2 {
		left := take()
		require.InDelta(t, wait, left, float64(time.Second))
		require.NotContains(t, h.api.MachineOSConfig(worker).Annotations, constants.CurrentBuildAnnotation, "it was put there a moment ago")
		h.pass(left, worker)
		h.machineOSBuild()
	}
}

// TestMachineOSImageAwaitsItsBuild: a MachineOSBuild that is deleted again and again is left for
// a while, and until it is there, nothing on the MachineOSConfig refers to it.
func TestMachineOSImageAwaitsItsBuild(t *testing.T) {
	h, image := publishedHarness(t)
	name := h.machineOSBuild().Name
	h.api.Remove("machineosbuilds", "", name)
	h.settle(worker)
	h.machineOSBuild()

	h.api.Remove("machineosbuilds", "", name)
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
		c.Annotations, c.Status.CurrentImagePullSpec = nil, ""
	})
	left := h.settle(worker).RequeueAfter
	require.Positive(t, left)
	require.Empty(t, h.api.MachineOSBuilds(), "it was made a moment ago")
	require.Empty(t, h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec)
	require.Empty(t, h.api.MachineOSConfig(worker).Annotations)
	h.pass(left, worker)
	h.machineOSBuild()
	require.Equal(t, image, string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
}

// TestMachineOSRefusalIsTold: what the cluster refuses is on the MachineOSConfig, also while
// its image is there, for as long as it is refused.
func TestMachineOSRefusalIsTold(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	refused := true
	h.api.Fault = func(call buildtest.Call) error {
		if refused && call.String() == "delete builds" {
			return apierrors.NewRequestEntityTooLargeError("no")
		}
		return nil
	}
	name := h.newestBuild(worker)
	h.api.CompleteBuild(name, buildtest.DigestOf(name))
	for range 5 {
		_, _ = h.sync(worker)
	}
	status := h.api.MachineOSConfig(worker).Status
	require.True(t, meta.IsStatusConditionTrue(status.Conditions, ledger.ConfigReady), "the image is there")
	degraded := meta.FindStatusCondition(status.Conditions, ledger.ConfigDegraded)
	require.Equal(t, metav1.ConditionTrue, degraded.Status)
	require.Equal(t, ledger.ReasonRequestRefused, degraded.Reason)
	require.Contains(t, degraded.Message, name)
	refused = false
	h.settle(worker)
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
}

// TestMachineOSRequestIsRefused: that a request for a rebuild cannot be accepted is told, and
// it is acted on when it can.
func TestMachineOSRequestIsRefused(t *testing.T) {
	h, _ := publishedHarness(t)
	refused := true
	h.api.Fault = func(call buildtest.Call) error {
		if refused && call.String() == "patch machineosconfigs" {
			return apierrors.NewForbidden(mcfgv1.Resource("machineosconfigs"), worker, nil)
		}
		return nil
	}
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })
	for range 3 {
		_, _ = h.sync(worker)
	}
	degraded := meta.FindStatusCondition(h.api.MachineOSConfig(worker).Status.Conditions, ledger.ConfigDegraded)
	require.Equal(t, ledger.ReasonRequestRefused, degraded.Reason, degraded.Message)
	refused = false
	h.settle(worker)
	require.Len(t, h.api.Builds(), 1)
}

// TestMachineOSConfigsComeLate: caches that are behind, as after a restart, do not opt a pool
// out whose MachineOSConfig is there.
func TestMachineOSConfigsComeLate(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	running := h.newestBuild(worker)
	h.restart()
	require.NoError(t, h.caches["machineosconfigs"].Replace(nil, ""))
	_, err := h.syncStale(worker)
	require.ErrorIs(t, err, errStale)
	h.settle(worker)
	require.Equal(t, []string{running}, h.activeBuilds())
	require.Equal(t, running, h.newestBuild(worker))
}

// TestMachineOSConfigIsGone: a pool is not built for on the word of a cache that still has a
// MachineOSConfig: whoever knows better would undo it.
func TestMachineOSConfigIsGone(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.api.Remove("machineosconfigs", "", worker)
	for range 3 {
		_, err := h.syncStale(worker)
		require.ErrorIs(t, err, errStale)
	}
	require.Empty(t, h.api.Builds())
	require.Empty(t, h.api.MachineOSBuilds())
	require.Empty(t, h.api.Pool(worker).Annotations)
}
