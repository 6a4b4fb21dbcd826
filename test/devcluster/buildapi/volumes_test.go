package buildapi

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func TestVolumes(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		change  func(*buildv1.BuildVolume)
		problem string
	}{
		{"a Secret at a path", func(*buildv1.BuildVolume) {}, ""},
		{"the name becomes that of a pod volume", func(v *buildv1.BuildVolume) { v.Name = "a.b" }, "volumes[0].name"},
		{"a volume of nothing", func(v *buildv1.BuildVolume) { v.Source.Secret = nil }, "exactly one source"},
		{"two sources", func(v *buildv1.BuildVolume) {
			v.Source.ConfigMap = &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "c"}}
		}, "exactly one source"},
		{"the type says something else", func(v *buildv1.BuildVolume) { v.Source.Type = buildv1.BuildVolumeSourceTypeConfigMap }, "must be Secret"},
		{"a Secret without a name", func(v *buildv1.BuildVolume) { v.Source.Secret.SecretName = "" }, "source.name"},
		{"mounted nowhere", func(v *buildv1.BuildVolume) { v.Mounts = nil }, "volumes[0].mounts"},
		{"steps have different working directories", func(v *buildv1.BuildVolume) { v.Mounts[0].DestinationPath = "etc" }, "absolute path"},
		{"a colon separates the parts of a mount", func(v *buildv1.BuildVolume) { v.Mounts[0].DestinationPath = "/etc:rw" }, "':'"},
		{"no path", func(v *buildv1.BuildVolume) { v.Mounts[0].DestinationPath = "" }, "mounts[0].destinationPath"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			volume := buildv1.BuildVolume{Name: "s", Mounts: []buildv1.BuildVolumeMount{{DestinationPath: "/etc/s"}}}
			volume.Source = buildv1.BuildVolumeSource{Type: buildv1.BuildVolumeSourceTypeSecret, Secret: &corev1.SecretVolumeSource{SecretName: "s"}}
			tc.change(&volume)
			b := build()
			b.Spec.Strategy.DockerStrategy.Volumes = []buildv1.BuildVolume{volume}
			setDefaults(b, nil)
			problems := validate(b)
			if tc.problem == "" {
				require.Empty(t, problems)
				return
			}
			require.ErrorContains(t, problems.ToAggregate(), tc.problem)
		})
	}
}
