package buildrunner

import (
	"os"
	"path/filepath"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

func withVolumes(volumes ...buildv1.BuildVolume) func(*buildv1.Build) {
	return func(build *buildv1.Build) { build.Spec.Strategy.DockerStrategy.Volumes = volumes }
}

func secretVolume(name, path string) buildv1.BuildVolume {
	return buildv1.BuildVolume{
		Name: name, Mounts: []buildv1.BuildVolumeMount{{DestinationPath: path}},
		Source: buildv1.BuildVolumeSource{Type: buildv1.BuildVolumeSourceTypeSecret, Secret: &corev1.SecretVolumeSource{SecretName: name}},
	}
}

func configMapVolume(name, path string) buildv1.BuildVolume {
	source := &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}
	return buildv1.BuildVolume{
		Name: name, Mounts: []buildv1.BuildVolumeMount{{DestinationPath: path}},
		Source: buildv1.BuildVolumeSource{Type: buildv1.BuildVolumeSourceTypeConfigMap, ConfigMap: source},
	}
}

func TestVolumes(t *testing.T) {
	f := start(t, Options{}, secret("s", map[string]string{"b": "2", "a": "1"}))
	f.create(newBuild("b", withVolumes(secretVolume("s", "/etc/s"), configMapVolume("c", "/etc/c"))))
	build := f.wait("b", is(buildv1.BuildPhaseNew, buildv1.StatusReasonGenericBuildFailed))
	assert.Contains(t, build.Status.Message, `configmap "c"`)
	f.create(configMap("c", map[string]string{"k": "v"}))
	f.wait("b", is(buildv1.BuildPhaseComplete, ""))

	job := f.executor.Jobs()[0]
	require.Empty(t, job.Sources, "a volume is no part of the context")
	dir := t.TempDir()
	args, err := writeVolumes(dir, job.Volumes)
	require.NoError(t, err)
	assert.Equal(t, []string{"--volume", dir + "/0:/etc/s:ro", "--volume", dir + "/1:/etc/c:ro"}, args)
	for name, want := range map[string]string{"0/a": "1", "0/b": "2", "1/k": "v"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(content), name)
	}
}

func TestVolumesThatGetNoPod(t *testing.T) {
	items := secretVolume("s", "/etc/s")
	items.Source.Secret.Items = []corev1.KeyToPath{{Key: "k", Path: "p"}}
	optional := configMapVolume("s", "/etc/s")
	optional.Source.ConfigMap.Optional = ptr.To(true)
	csi := secretVolume("s", "/etc/s")
	csi.Source = buildv1.BuildVolumeSource{Type: buildv1.BuildVolumeSourceTypeCSI, CSI: &corev1.CSIVolumeSource{}}
	for _, tc := range []struct {
		reason  string
		volumes []buildv1.BuildVolume
		message string
	}{
		{"two things cannot be in one place", []buildv1.BuildVolume{secretVolume("s", "/etc/s"), secretVolume("t", "/etc/s/")}, "two volumes go to /etc/s"},
		{"a choice of keys is not imitated", []buildv1.BuildVolume{items}, "with items"},
		{"what may be missing is not imitated", []buildv1.BuildVolume{optional}, "with optional"},
		{"drivers are not imitated", []buildv1.BuildVolume{csi}, "neither a Secret nor a ConfigMap"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f := start(t, Options{}, secret("s", nil), secret("t", nil))
			f.create(newBuild("b", withVolumes(tc.volumes...)))
			build := f.wait("b", is(buildv1.BuildPhaseNew, buildv1.StatusReasonCannotCreateBuildPodSpec))
			assert.Contains(t, build.Status.Message, tc.message)
		})
	}
}
