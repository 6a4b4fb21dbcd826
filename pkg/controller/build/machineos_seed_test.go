package build

import (
	"errors"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/registry"
)

// seed is an image that the installer had before there was a cluster.
var seed = "images.example.com/install/os@" + buildtest.Digest(500)

// seedHarness has a pool that a MachineOSConfig opts in which names an image to begin with.
func seedHarness(t *testing.T, image string, answer error) (*harness, *registryWith) {
	t.Helper()
	config := buildtest.MachineOSConfig(worker)
	config.Annotations = map[string]string{constants.PreBuiltImageAnnotation: image}
	h := machineOSHarness(t, config)
	r := &registryWith{lost: map[string]error{buildtest.Digest(500): answer}}
	h.registry = r.says()
	h.restart()
	return h, r
}

// requireSeeded checks that the image is what nodes get, and that nothing was built.
func (h *harness) requireSeeded(config string) {
	h.t.Helper()
	require.Empty(h.t, h.api.Builds())
	build := h.machineOSBuild()
	require.Equal(h.t, config, build.Spec.MachineConfig.Name)
	h.requireProgress(build, mcfgv1.MachineOSBuildSucceeded, ledger.ReasonImagePublished)
	require.Equal(h.t, seed, string(build.Status.DigestedImagePushSpec))
	require.Nil(h.t, build.Status.Builder, "nothing built it")
	object := h.api.MachineOSConfig(worker)
	require.Equal(h.t, seed, string(object.Status.CurrentImagePullSpec))
	require.NotContains(h.t, object.Annotations, constants.PreBuiltImageAnnotation, "it was acted on")
	seeded := meta.FindStatusCondition(object.Status.Conditions, ledger.ConfigSeeded)
	require.NotNil(h.t, seeded)
	require.Equal(h.t, "True", string(seeded.Status))
	require.Equal(h.t, "PreBuiltImageSeeded", seeded.Reason, "the operator goes by it")
	require.True(h.t, meta.IsStatusConditionTrue(object.Status.Conditions, ledger.ConfigReady))
	require.True(h.t, h.api.Rollout(worker).Goes)
	require.Equal(h.t, seed, h.api.Rollout(worker).Image)
}

// TestSeeding: a cluster that was installed with an image has it without a build, until
// something changes that takes one.
func TestSeeding(t *testing.T) {
	h, r := seedHarness(t, seed, nil)
	h.settle(worker)
	h.requireSeeded(configA)
	require.Len(t, r.asked, 1)
	require.Empty(t, r.asked[0].Password, "the push Secret has nothing for that registry")

	h.restart()
	h.api.ResetCalls()
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Empty(t, h.api.Calls(), "and that is all")

	h.want(configB)
	h.settle(worker)
	h.requireSeeded(configB)

	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
		c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: "LABEL a=b"}}
	})
	h.settle(worker)
	h.pass(time.Minute, worker)
	name := h.succeed()
	require.Equal(t, h.image(name), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
	require.True(t, meta.IsStatusConditionTrue(h.api.MachineOSConfig(worker).Status.Conditions, ledger.ConfigSeeded), "the operator expects its MachineConfig for good")
}

// TestSeedingWithEveryConfig: the image stands for the config that it was named for.
func TestSeedingWithEveryConfig(t *testing.T) {
	h, _ := seedHarness(t, seed, nil)
	h.api.Put(everyConfig())
	h.settle(worker)
	h.requireSeeded(configA)
	h.want(configB)
	h.settle(worker)
	require.NotEmpty(t, h.api.Builds())
}

// TestSeedingAsksTheRegistry: nodes cannot boot what is not there. What is not known is the
// word of whoever wrote the annotation.
func TestSeedingAsksTheRegistry(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		answer error
		seeded bool
	}{
		"denied":     {reason: "these are the credentials for another repository", answer: registry.ErrDenied, seeded: true},
		"unanswered": {reason: "the registry may be one for nodes alone", answer: registry.ErrUnanswered, seeded: true},
		"missing":    {reason: "nodes would degrade", answer: registry.ErrMissing},
	} {
		t.Run(name, func(t *testing.T) {
			h, r := seedHarness(t, seed, test.answer)
			h.settle(worker)
			if test.seeded {
				h.requireSeeded(configA)
				return
			}
			message := h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildFailed, ledger.ReasonMachineOSConfigInvalid)
			require.Contains(t, message, "annotation "+constants.PreBuiltImageAnnotation)
			require.Contains(t, message, "does not have it")
			require.Empty(t, h.api.Builds(), test.reason)
			delete(r.lost, buildtest.Digest(500))
			other := strings.Replace(seed, buildtest.Digest(500), buildtest.Digest(501), 1)
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.PreBuiltImageAnnotation] = other })
			h.settle(worker)
			require.Equal(t, other, string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec), "it is mended")
		})
	}
}

// TestSeedingRefuses: what the status cannot hold, or names no image for good.
func TestSeedingRefuses(t *testing.T) {
	for name, test := range map[string]struct{ reason, image, says string }{
		"a tag":          {reason: "another image may have it tomorrow", image: "images.example.com/install/os:latest", says: "by its digest"},
		"a word":         {reason: "as the label of that name has it", image: "true", says: "by its digest"},
		"nothing":        {reason: "it was to be filled in", image: "", says: "by its digest"},
		"three segments": {reason: "the API refuses it in the status", image: "images.example.com/a/b/os@" + buildtest.Digest(500), says: "could never be written to the status"},
	} {
		t.Run(name, func(t *testing.T) {
			h, r := seedHarness(t, test.image, errors.New("nobody asks"))
			h.settle(worker)
			message := h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildFailed, ledger.ReasonMachineOSConfigInvalid)
			require.Contains(t, message, "MachineOSConfig "+worker+", annotation "+constants.PreBuiltImageAnnotation, test.reason)
			require.Contains(t, message, test.says)
			require.Empty(t, h.api.Builds())
			require.Empty(t, r.asked)

			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { delete(c.Annotations, constants.PreBuiltImageAnnotation) })
			h.settle(worker)
			require.NotEmpty(t, h.activeBuilds(), "without it the image is built")
		})
	}
}

// TestSeedingIsForTheBeginning: an object that has an image is not taken back to another one.
func TestSeedingIsForTheBeginning(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	image := h.image(h.succeed())
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
		c.Annotations[constants.PreBuiltImageAnnotation] = seed
		delete(c.Annotations, constants.CurrentBuildAnnotation)
	})
	h.want(configB)
	h.settle(worker)
	require.Equal(t, image, string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
	require.Contains(t, h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished), "annotation "+constants.PreBuiltImageAnnotation+": is not acted on")
}

// TestSeedingSurvivesACrash: at each of its calls.
func TestSeedingSurvivesACrash(t *testing.T) {
	whole, _ := seedHarness(t, seed, nil)
	calls := 0
	whole.api.Before = func(buildtest.Call) { calls++ }
	whole.settle(worker)
	require.NotZero(t, calls)
	for at := 1; at <= calls; at++ {
		h, _ := seedHarness(t, seed, nil)
		w := &rolloutWitness{h: h}
		h.api.Before = func(buildtest.Call) {
			w.calls++
			for _, build := range h.api.MachineOSBuilds() {
				require.Contains(t, []mcfgv1.BuildProgress{"", mcfgv1.MachineOSBuildSucceeded}, ledger.ProgressOf(&build.Status))
			}
			if rollout := h.api.Rollout(worker); rollout.Goes {
				require.Equal(t, seed, rollout.Image)
			}
		}
		crash(h, w, at, at%2 == 0)
		h.settle(worker)
		h.requireSeeded(configA)
	}
}
