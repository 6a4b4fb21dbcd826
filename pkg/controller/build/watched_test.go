package build

import (
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

func TestStrip(t *testing.T) {
	managed := []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	strip := func(object any) any {
		stripped, err := Strip(object)
		require.NoError(t, err)
		return stripped
	}
	config := strip(&mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "rendered", ManagedFields: managed},
		Spec:       mcfgv1.MachineConfigSpec{OSImageURL: "image", Config: runtime.RawExtension{Raw: []byte("content")}},
	}).(*mcfgv1.MachineConfig)
	require.Empty(t, config.ManagedFields)
	require.Empty(t, config.Spec.Config.Raw, "content is read when it is built")
	require.Equal(t, "image", config.Spec.OSImageURL)

	sources := []corev1.ObjectReference{{Name: "99-worker-ssh"}}
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "kept": ""}}}
	pool.Spec.Configuration.Name, pool.Spec.Configuration.Source, pool.Status.Configuration.Source = "rendered", sources, sources
	pool = strip(pool).(*mcfgv1.MachineConfigPool)
	require.Equal(t, "rendered", pool.Spec.Configuration.Name)
	require.Empty(t, pool.Spec.Configuration.Source, "what it was rendered from is the render controller's")
	require.Empty(t, pool.Status.Configuration.Source)
	require.Equal(t, map[string]string{"kept": ""}, pool.Annotations)

	settings := strip(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: constants.ConfigMapName}, Data: map[string]string{"key": "value"}}).(*corev1.ConfigMap)
	require.Equal(t, map[string]string{"key": "value"}, settings.Data)
	other := strip(&corev1.ConfigMap{Data: map[string]string{"key": "value"}, BinaryData: map[string][]byte{"large": {1}}}).(*corev1.ConfigMap)
	require.Equal(t, map[string]string{"key": ""}, other.Data, "which keys there are is all that matters")
	require.Empty(t, other.BinaryData)
	for name, want := range map[string]map[string][]byte{
		constants.ConfigMapName: {"key": {1}}, inputs.CustomConfigMapName: {"key": {1}}, inputs.RepositoriesConfigName: {"key": nil},
	} {
		kept := strip(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, BinaryData: map[string][]byte{"key": {1}}}).(*corev1.ConfigMap)
		require.Equal(t, want, kept.BinaryData, "what is binary and was meant for us is told: %s", name)
	}

	annotations := map[string]string{corev1.LastAppliedConfigAnnotation: "credential"}
	foreign := strip(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Annotations: annotations}}).(*metav1.PartialObjectMetadata)
	require.Empty(t, foreign.Annotations, "what was last applied to a Secret is its content")
	ours := strip(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Labels: map[string]string{constants.OwnedLabel: constants.OwnedLabelValue}, Annotations: map[string]string{constants.PoolAnnotation: "worker"},
	}}).(*metav1.PartialObjectMetadata)
	require.Equal(t, "worker", ours.Annotations[constants.PoolAnnotation])

	require.Equal(t, "tombstone", strip("tombstone"), "what is no object passes")
}
