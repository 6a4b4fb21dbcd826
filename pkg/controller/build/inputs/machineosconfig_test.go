package inputs

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

func machineOSConfig(edit func(*MachineOSConfig)) *MachineOSConfig {
	c := &MachineOSConfig{Name: "worker", BuilderType: BuilderTypeJob, PullSecret: "pull", PushSecret: "push", PushSpec: "registry.example.com/ocp/os:latest"}
	if edit != nil {
		edit(c)
	}
	return c
}

// TestSettingsOfAMachineOSConfig: what its spec says is checked as the ConfigMap's keys are,
// and every message names the field.
func TestSettingsOfAMachineOSConfig(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		edit   func(*MachineOSConfig)
		data   map[string]string
		fails  string
	}{
		"as it should be":    {reason: "the ConfigMap may be missing"},
		"no pull Secret":     {reason: "the field is optional", edit: func(c *MachineOSConfig) { c.PullSecret = "" }},
		"limits":             {reason: "those come from the ConfigMap", data: map[string]string{constants.MaxAttemptsKey: "7"}},
		"keys that it takes": {reason: "the spec comes before the ConfigMap", data: map[string]string{constants.FinalImagePullspecKey: "nonsense", constants.FinalImagePushSecretKey: "UPPER"}},
		"internal registry": {reason: "what most have", edit: func(c *MachineOSConfig) {
			c.PushSpec = "image-registry.openshift-image-registry.svc:5000/openshift-machine-config-operator/os-image:latest"
		}},
		"no organisation": {reason: "the API takes it", edit: func(c *MachineOSConfig) { c.PushSpec = "quay.io/os:latest" }},
		"Docker's without an organisation": {reason: "it means Docker's own", edit: func(c *MachineOSConfig) { c.PushSpec = "docker.io/os:latest" },
			fails: "MachineOSConfig worker, spec.renderedImagePushSpec: "},
		"three segments": {reason: "admitted as a push spec, and refused with a digest", edit: func(c *MachineOSConfig) { c.PushSpec = "registry.example.com/a/b/c:latest" },
			fails: `MachineOSConfig worker, spec.renderedImagePushSpec: "registry.example.com/a/b/c" can be pushed to, and the image could never be written to the status`},
		"another builder": {reason: "a later version of the API may know more", edit: func(c *MachineOSConfig) { c.BuilderType = "Pod" },
			fails: `MachineOSConfig worker, spec.imageBuilder.imageBuilderType: "Pod" is no type of builder that is known; the one there is is Job`},
		"a limit": {reason: "the ConfigMap counts where it is meant", data: map[string]string{constants.MaxAttemptsKey: "x"},
			fails: `ConfigMap machine-os-builder-config, key maxAttempts: "x" is not a whole number`},
	} {
		t.Run(name, func(t *testing.T) {
			var configMap *corev1.ConfigMap
			if test.data != nil {
				configMap = &corev1.ConfigMap{Data: test.data}
			}
			settings, problems := machineOSConfig(test.edit).Settings(configMap)
			if test.fails != "" {
				require.Len(t, problems, 1, test.reason)
				require.Contains(t, problems[0].String(), test.fails, test.reason)
				require.Empty(t, settings.FinalImageRepository)
				return
			}
			require.Empty(t, problems, test.reason)
			require.Equal(t, "push", settings.FinalImagePushSecret)
			require.NotContains(t, settings.FinalImageRepository, ":latest", "a tag means nothing")
			require.Equal(t, "MachineOSConfig worker, spec.renderedImagePushSecret.name", settings.PlaceOf(constants.FinalImagePushSecretKey).String())
			require.Equal(t, "ConfigMap machine-os-builder-config, key maxAttempts", settings.PlaceOf(constants.MaxAttemptsKey).String())
			require.Positive(t, settings.Limits.CompletionDeadline/time.Second)
			if _, limited := test.data[constants.MaxAttemptsKey]; limited {
				require.Equal(t, 7, settings.Limits.MaxAttempts)
			}
		})
	}
}

func TestCustomContentOfAMachineOSConfig(t *testing.T) {
	c := machineOSConfig(func(c *MachineOSConfig) {
		c.Containerfiles = map[string]string{AnyArchitecture: "LABEL a=b\n", "ARM64": "x", "AMD64": "y"}
	})
	custom, problem := c.Custom()
	require.Nil(t, problem)
	require.True(t, custom.Any())
	require.Equal(t, "MachineOSConfig worker, spec.containerFile: has text for AMD64, ARM64, which is not built; only that for NoArch is", c.Unused().String())
	text, err := Recipe{Pool: "worker", BaseImage: testBase, Custom: custom}.Containerfile()
	require.NoError(t, err)
	require.Contains(t, text, "# Custom content, from the key spec.containerFile_NoArch_.content of MachineOSConfig worker.")

	same, _ := ParseCustom("worker", "LABEL a=b\n")
	require.NotEqual(t, same.hash, custom.hash, "the Containerfile says where its text is from, so that it is another one")

	c.Containerfiles[AnyArchitecture] = "RUN true\nCOPY a /a\n"
	_, problem = c.Custom()
	require.Contains(t, problem.String(), "MachineOSConfig worker, spec.containerFile[NoArch].content: line 2: ")
	none, problem := machineOSConfig(nil).Custom()
	require.Nil(t, problem)
	require.False(t, none.Any(), "an empty list and none are the same")
	require.Nil(t, machineOSConfig(nil).Unused())
}

// TestMachineOSBuildName: it is a function of the object, its spec and the config.
func TestMachineOSBuildName(t *testing.T) {
	name := machineOSConfig(nil).MachineOSBuildName("uid", "rendered-worker-1")
	require.Equal(t, name, machineOSConfig(nil).MachineOSBuildName("uid", "rendered-worker-1"), "the same again")
	for reason, other := range map[string]string{
		"another object of that name": machineOSConfig(nil).MachineOSBuildName("uid2", "rendered-worker-1"),
		"another config":              machineOSConfig(nil).MachineOSBuildName("uid", "rendered-worker-2"),
		"a comment": machineOSConfig(func(c *MachineOSConfig) {
			c.Containerfiles = map[string]string{AnyArchitecture: "# mine"}
		}).MachineOSBuildName("uid", "rendered-worker-1"),
		"a Secret": machineOSConfig(func(c *MachineOSConfig) { c.PushSecret = "other" }).MachineOSBuildName("uid", "rendered-worker-1"),
	} {
		require.NotEqual(t, name, other, reason)
		require.Empty(t, validation.IsValidLabelValue(other))
	}
	long := machineOSConfig(func(c *MachineOSConfig) { c.Name = strings.Repeat("a.", 110) + "a" }).MachineOSBuildName("uid", "c")
	require.LessOrEqual(t, len(long), 128, "it is a tag, too")
	require.Empty(t, validation.IsDNS1123Subdomain(long))
}
