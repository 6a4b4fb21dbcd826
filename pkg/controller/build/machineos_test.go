package build

import (
	"slices"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// machineOSHarness has a pool that the MachineOSConfig of its name opts in, and no ConfigMap.
func machineOSHarness(t *testing.T, objects ...runtime.Object) *harness {
	t.Helper()
	objects = slices.Concat(goodInputs(configA, configB)[1:], []runtime.Object{buildtest.Pool(worker).Wants(configA).Object(), buildtest.OperatorImages()}, objects)
	h := newHarness(t, objects...)
	h.machineOS = true
	h.restart()
	return h
}

// everyConfig has an image built for each config, also where a MachineOSConfig opts in.
func everyConfig() *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: constants.ConfigMapName},
		Data:       map[string]string{constants.BuildForKey: constants.BuildForEveryConfig},
	}
}

// image is the pullspec of the image that the build on record makes.
func (h *harness) image(build string) string {
	return buildtest.Repository + "@" + buildtest.DigestOf(build)
}

// succeed lets the build on record succeed with a digest of its own.
func (h *harness) succeed() string {
	h.t.Helper()
	name := h.runs()
	h.api.CompleteBuild(name, buildtest.DigestOf(name))
	h.settle(worker)
	return name
}

// runs has the newest build of the pool run for a minute, and returns its name.
func (h *harness) runs() string {
	h.t.Helper()
	build := h.newestBuild(worker)
	h.api.EditBuild(build, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning })
	h.settle(worker)
	h.clock.Step(time.Minute)
	return build
}

// machineOSBuild is the one that the MachineOSConfig names.
func (h *harness) machineOSBuild() *mcfgv1.MachineOSBuild {
	h.t.Helper()
	name := h.api.MachineOSConfig(worker).Annotations[constants.CurrentBuildAnnotation]
	require.NotEmpty(h.t, name, "the MachineOSConfig names none")
	for _, build := range h.api.MachineOSBuilds() {
		if build.Name == name {
			return build
		}
	}
	require.FailNow(h.t, "the MachineOSBuild does not exist", name)
	return nil
}

// requireProgress checks that of five conditions this one is True, and returns its message.
func (h *harness) requireProgress(build *mcfgv1.MachineOSBuild, progress mcfgv1.BuildProgress, reason string) string {
	h.t.Helper()
	require.Len(h.t, build.Status.Conditions, 5)
	for _, c := range build.Status.Conditions {
		require.NotEmpty(h.t, c.Reason)
		require.Equal(h.t, c.Type == string(progress), c.Status == "True", "%s: %s", c.Type, c.Message)
	}
	c := meta.FindStatusCondition(build.Status.Conditions, string(progress))
	require.Equal(h.t, reason, c.Reason, c.Message)
	return c.Message
}

// requireConfig checks which condition of the MachineOSConfig is True, and returns its message.
func (h *harness) requireConfig(name, condition, reason string) string {
	h.t.Helper()
	config := h.api.MachineOSConfig(name)
	require.Len(h.t, config.Status.Conditions, 3)
	for _, c := range config.Status.Conditions {
		require.Equal(h.t, c.Type == condition, c.Status == "True", "%s: %s %s", c.Type, c.Reason, c.Message)
		require.Equal(h.t, reason, c.Reason, c.Message)
	}
	require.Equal(h.t, config.Generation, config.Status.ObservedGeneration)
	return config.Status.Conditions[0].Message
}

// requireDegraded checks the one condition of the pool that is reported.
func (h *harness) requireDegraded(status corev1.ConditionStatus, reason string) string {
	h.t.Helper()
	conditions := h.api.Pool(worker).Status.Conditions
	require.Len(h.t, conditions, 1)
	require.Equal(h.t, mcfgv1.MachineConfigPoolImageBuildDegraded, conditions[0].Type)
	require.Equal(h.t, status, conditions[0].Status)
	require.Equal(h.t, reason, conditions[0].Reason)
	return conditions[0].Message
}

// TestMachineOSHappyCycle: from a MachineOSConfig to the image on it.
func TestMachineOSHappyCycle(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	name := h.newestBuild(worker)
	build := h.machineOSBuild()
	h.requireProgress(build, mcfgv1.MachineOSBuildPrepared, ledger.ReasonBuildCreated)
	require.Equal(t, map[string]string{
		constants.OwnedLabel: constants.OwnedLabelValue, constants.TargetPoolLabel: worker, constants.RenderedConfigLabel: configA,
		constants.MachineOSConfigLabel: worker, constants.PreBuiltImageLabel: "true",
	}, build.Labels)
	require.Equal(t, buildtest.PushSecret, build.Annotations[constants.PushSecretAnnotation])
	require.Equal(t, buildtest.Repository+":"+build.Name, string(build.Spec.RenderedImagePushSpec))
	require.Equal(t, buildtest.Repository+":"+build.Name, h.api.Builds()[0].Spec.Output.To.Name, "the image's tag is the MachineOSBuild's name")
	require.Equal(t, name, build.Status.Builder.Job.Name)
	require.Nil(t, build.Status.BuildStart)
	h.requireConfig(worker, ledger.ConfigProgressing, ledger.ConfigBuilding)
	h.requireDegraded(corev1.ConditionFalse, ledger.DegradedBuilding)

	h.api.EditBuild(name, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning })
	h.settle(worker)
	h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuilding, ledger.ReasonBuildRunning)
	h.pass(time.Minute, worker)
	h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuilding, ledger.ReasonBuildRunning)

	h.api.CompleteBuild(name, buildtest.DigestOf(name))
	h.settle(worker)
	build = h.machineOSBuild()
	h.requireProgress(build, mcfgv1.MachineOSBuildSucceeded, ledger.ReasonImagePublished)
	require.Equal(t, h.image(name), string(build.Status.DigestedImagePushSpec))
	require.True(t, build.Status.BuildStart.Before(build.Status.BuildEnd))
	config := h.api.MachineOSConfig(worker)
	require.Equal(t, h.image(name), string(config.Status.CurrentImagePullSpec))
	require.Equal(t, build.Name, config.Status.MachineOSBuild.Name)
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
	h.requireDegraded(corev1.ConditionFalse, ledger.DegradedBuildSuccess)
	require.Equal(t, h.image(name), h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation], "the record stays on the pool")
	require.Empty(t, h.api.Builds(), "the build is gone")
	require.Empty(t, h.api.InputSecrets())

	h.restart()
	h.api.ResetCalls()
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Empty(t, h.api.Calls(), "at rest nothing is asked and nothing written")
}

// TestMachineOSHolds: what keeps the image from being built is told on the MachineOSConfig,
// with a reason of its own, and names the object and the field.
func TestMachineOSHolds(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		objects []runtime.Object
		edit    func(*mcfgv1.MachineOSConfig)
		hold    string
		says    string
	}{
		"several": {reason: "which one counts is not known", objects: []runtime.Object{buildtest.MachineOSConfig("other", func(c *mcfgv1.MachineOSConfig) { c.Spec.MachineConfigPool.Name = worker })},
			hold: ledger.ReasonSeveralMachineOSConfigs, says: "MachineOSConfigs other, worker refer to MachineConfigPool worker (spec.machineConfigPool.name), and only one may; delete the others"},
		"push spec": {reason: "the digest could not be written", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = "registry.example.com/a/b/c:latest" },
			hold: ledger.ReasonPushSpecInvalid, says: "MachineOSConfig worker, spec.renderedImagePushSpec: "},
		"builder": {reason: "a later API may have more of them", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.ImageBuilder.ImageBuilderType = "Pod" },
			hold: ledger.ReasonBuilderTypeUnknown, says: "MachineOSConfig worker, spec.imageBuilder.imageBuilderType: "},
		"no such Secret": {reason: "people make it later", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSecret.Name = "none" },
			hold: ledger.ReasonSecretMissing, says: "Secret none, which MachineOSConfig worker, spec.renderedImagePushSecret.name, names, does not exist"},
		"credentials for elsewhere": {reason: "the push would be refused", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = "elsewhere.example.com/a/b:latest" },
			hold: ledger.ReasonSecretInvalid, says: "which MachineOSConfig worker, spec.renderedImagePushSpec, pushes to"},
		"content": {reason: "no builder could build it", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{Content: "RUN true\nINSTALL tree\n"}}
		}, hold: ledger.ReasonCustomContentInvalid, says: "MachineOSConfig worker, spec.containerFile[NoArch].content: line 2: "},
	} {
		t.Run(name, func(t *testing.T) {
			var edits []func(*mcfgv1.MachineOSConfig)
			if test.edit != nil {
				edits = append(edits, test.edit)
			}
			h := machineOSHarness(t, append(test.objects, buildtest.MachineOSConfig(worker, edits...))...)
			h.settle(worker)
			require.Empty(t, h.api.Builds(), test.reason)
			require.Contains(t, h.requireConfig(worker, ledger.ConfigDegraded, test.hold), test.says, test.reason)
			require.Contains(t, h.events[len(h.events)-1], test.hold, "an event on the pool tells it, too")
			for _, other := range test.objects {
				h.requireConfig(other.(*mcfgv1.MachineOSConfig).Name, ledger.ConfigDegraded, test.hold)
				h.api.Remove("machineosconfigs", "", other.(*mcfgv1.MachineOSConfig).Name)
			}
			// It is over as soon as it is mended.
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Spec = buildtest.MachineOSConfig(worker).Spec })
			h.settle(worker)
			h.pass(time.Minute, worker)
			h.succeed()
			h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
			require.Len(t, h.api.MachineOSBuilds(), 1)
		})
	}
}

// TestMachineOSPoolMissing: a MachineOSConfig of no pool says so, and goes on when there is one.
func TestMachineOSPoolMissing(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig("infra"))
	_, err := h.sync("infra")
	require.NoError(t, err)
	require.Contains(t, h.requireConfig("infra", ledger.ConfigDegraded, ledger.ReasonPoolMissing),
		"MachineConfigPool infra, which MachineOSConfig infra, spec.machineConfigPool.name, refers to, does not exist")
	h.api.ResetCalls()
	_, err = h.sync("infra")
	require.NoError(t, err)
	require.Empty(t, h.api.Calls(), "it is said once")
	h.api.Put(buildtest.Pool("infra").Wants(configA).Object())
	h.settle("infra")
	h.requireConfig("infra", ledger.ConfigProgressing, ledger.ConfigBuilding)
	require.Len(t, h.api.MachineOSBuilds(), 1)

	h.api.Remove("machineconfigpools", "", "infra")
	_, err = h.sync("infra")
	require.NoError(t, err)
	h.requireConfig("infra", ledger.ConfigDegraded, ledger.ReasonPoolMissing)
	require.Empty(t, h.api.MachineOSBuilds(), "what was being built went with the pool, and would be waited for without end")
}

// TestMachineOSPaused: pausing stops the roll-out, which is others', and no build.
func TestMachineOSPaused(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Spec.Paused = true })
	h.settle(worker)
	h.succeed()
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
}

// TestMachineOSOff: without the informers a MachineOSConfig is as if it were not there.
func TestMachineOSOff(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.machineOS = false
	h.restart()
	h.settle(worker)
	require.Empty(t, h.api.Builds())
	require.Empty(t, h.api.Pool(worker).Annotations)
}

// TestMachineOSOtherBuilder: while the operator's own builder may be at work nothing is
// written, and an event on the pool says so, once.
func TestMachineOSOtherBuilder(t *testing.T) {
	h := machineOSHarness(t, everyConfig(), buildtest.MachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
		c.Annotations = map[string]string{constants.RebuildAnnotation: ""}
	}))
	h.otherBuilder = "somebody else builds"
	h.settle(worker)
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Empty(t, h.api.Builds())
	require.Empty(t, h.api.MachineOSBuilds())
	require.Empty(t, h.api.MachineOSConfig(worker).Status.Conditions)
	require.Empty(t, h.api.Pool(worker).Annotations)
	require.Equal(t, []string{"Warning OtherBuilder somebody else builds"}, h.events)
	h.otherBuilder = ""
	h.settle(worker)
	h.succeed()
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)

	// Lost in mid-build, what there is stays as it is.
	h.want(configB)
	h.pass(time.Minute, worker)
	h.otherBuilder = "lost"
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(7))
	before := h.api.MachineOSConfig(worker)
	h.settle(worker)
	require.Equal(t, before, h.api.MachineOSConfig(worker))
	require.Equal(t, h.record(worker).Config, configB)
	h.otherBuilder = ""
	h.settle(worker)
	require.Equal(t, buildtest.Repository+"@"+buildtest.Digest(7), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec), "and is gone on with")
}

// TestMachineOSConfigChanges: a config that is rendered while there is an image, and back.
func TestMachineOSConfigChanges(t *testing.T) {
	h := machineOSHarness(t, everyConfig(), buildtest.MachineOSConfig(worker))
	h.settle(worker)
	first := h.succeed()
	firstBuild := h.machineOSBuild()
	h.want(configB)
	// As the node controller does when it finds the annotation to be of another config.
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { delete(c.Annotations, constants.CurrentBuildAnnotation) })
	h.pass(time.Minute, worker)
	require.NotEqual(t, firstBuild.Name, h.machineOSBuild().Name)
	require.Equal(t, h.image(first), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec), "the image before stays meanwhile")
	second := h.succeed()
	require.Equal(t, h.image(second), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
	require.Len(t, h.api.MachineOSBuilds(), 2, "one for each config")

	h.want(configA)
	h.pass(time.Minute, worker)
	require.Empty(t, h.api.Builds(), "the image is known")
	require.Equal(t, firstBuild, h.machineOSBuild(), "what was said last is not touched")
	require.Equal(t, h.image(first), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
}

// TestMachineOSSpecChanges: after an edit the MachineOSBuild before stays until the image of
// the new one is on the MachineOSConfig; going back finds the name that there was.
func TestMachineOSSpecChanges(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	first := h.succeed()
	before := h.machineOSBuild()
	content := func(text string) {
		h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Spec.Containerfile = nil })
		if text != "" {
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
				c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: text}}
			})
		}
		h.settle(worker)
		h.pass(time.Minute, worker)
	}
	content("LABEL a=b\n")
	require.Len(t, h.api.MachineOSBuilds(), 2)
	require.Equal(t, h.image(first), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
	content("LABEL a=c\n")
	require.Len(t, h.api.MachineOSBuilds(), 2, "one that has no image goes when the next one comes")
	for _, name := range h.activeBuilds() {
		if name != h.newestBuild(worker) {
			h.stopped(name)
		}
	}
	third := h.succeed()
	require.Len(t, h.api.MachineOSBuilds(), 1)
	require.Equal(t, h.image(third), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
	content("")
	require.Equal(t, before.Name, h.machineOSBuild().Name, "the name is a function of the spec")
	require.Equal(t, h.image(first), string(h.machineOSBuild().Status.DigestedImagePushSpec))
	require.Empty(t, h.activeBuilds(), "the image is known")
}
