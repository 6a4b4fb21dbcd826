package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// jobOf is what the builder got of a Build.
func jobOf(t *testing.T, build string) buildrunner.Job {
	t.Helper()
	for _, job := range shared.script.Jobs() {
		if job.Name == build {
			return job
		}
	}
	require.Fail(t, "nobody ran the Build", build)
	return buildrunner.Job{}
}

// createConfigMap creates one in the operator's namespace; it goes with the test.
func createConfigMap(t *testing.T, name string, data map[string]string) {
	t.Helper()
	configMaps := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
	_, err := configMaps.Create(t.Context(), object, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = configMaps.Delete(context.Background(), name, metav1.DeleteOptions{}) })
}

// TestCustomAndEntitledContent: custom content with a heredoc reaches the builder
// whole, entitled content is mounted, and neither outlives the build in the cluster.
func TestCustomAndEntitledContent(t *testing.T) {
	useSettings(t)
	createConfigMap(t, "machine-os-builder-custom-containerfile", map[string]string{
		"custom": "FROM configs AS final\nRUN <<EOF\necho one\necho two\nEOF\n",
		"other":  "RUN nobody ever builds this\n",
	})
	createConfigMap(t, "etc-yum-repos-d", map[string]string{"entitled.repo": "[entitled]\n"})
	createSecret(t, "etc-pki-entitlement")
	config := createConfig(t)
	startBuildController(t)
	createPool(t, "custom", config)
	awaitImage(t, "custom", config)

	builds := ourBuilds(t, "custom")
	require.Len(t, builds, 1)
	require.NotContains(t, *builds[0].Spec.Source.Dockerfile, "RUN", "the builder would lose a heredoc in inline text")
	require.Len(t, builds[0].Spec.Source.Secrets, 2)
	job := jobOf(t, builds[0].Name)
	text := string(job.Containerfile())
	require.Contains(t, text, "\nRUN <<EOF\necho one\necho two\nEOF\n")
	require.Contains(t, text, `machineconfiguration.openshift.io/rendered-config="`+config+`"`, "the labels are in it")
	require.Equal(t, []string{"quay.example.com/os@sha256:" + strings.Repeat("1", 64)}, job.LateImages)
	var destinations []string
	for _, volume := range job.Volumes {
		destinations = append(destinations, volume.Destination)
	}
	require.ElementsMatch(t, []string{"/etc/pki/entitlement", "/etc/yum.repos.d"}, destinations)
	awaitNoInputs(t)

	// Content that cannot be built is told, and mended, as a missing Secret is.
	patchConfigMap(t, "machine-os-builder-custom-containerfile", `{"data":{"custom":"FROM configs AS final\nRUNN true\n"}}`)
	require.Contains(t, awaitReason(t, "custom", "CustomContentInvalid"), "line 2")
	patchConfigMap(t, "machine-os-builder-custom-containerfile", `{"data":{"custom":"FROM configs AS final\nRUN true\n"}}`)
	require.Eventually(t, func() bool {
		for _, b := range ourBuilds(t, "custom") {
			if b.Name != builds[0].Name && b.Status.Phase == buildv1.BuildPhaseComplete {
				return true
			}
		}
		return false
	}, soon, 10*time.Millisecond, "the mended content is not built")
	awaitReason(t, "custom", "ImagePublished")
}

// TestUnknownKeyIsAnnounced: a key that means nothing holds up nothing, and whoever
// wrote it finds an event where they look. That of a later version adds to it.
func TestUnknownKeyIsAnnounced(t *testing.T) {
	useSettings(t)
	const settings = "machine-os-builder-config"
	patchConfigMap(t, settings, `{"data":{"finalImagePullSpec":"misspelt"}}`)
	config := createConfig(t)
	startBuildController(t)
	createPool(t, "unknown-key", config)
	awaitImage(t, "unknown-key", config)
	configMap, err := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace).Get(t.Context(), settings, metav1.GetOptions{})
	require.NoError(t, err)

	announced := func(times int) func() bool {
		return func() bool {
			events, err := shared.kube.CoreV1().Events(devcluster.Namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.uid=" + string(configMap.UID)})
			require.NoError(t, err)
			count := 0
			for i := range events.Items {
				e := &events.Items[i]
				require.Equal(t, "Warning UnknownKey", e.Type+" "+e.Reason)
				require.Contains(t, e.Message, "finalImagePullSpec")
				count += int(e.Count)
			}
			return count == times
		}
	}
	require.Eventually(t, announced(1), soon, 10*time.Millisecond, "nobody tells of the key")
	patchConfigMap(t, settings, `{"metadata":{"labels":{"version":"2"}}}`)
	patchPool(t, "unknown-key", `{"metadata":{"annotations":{"machineconfiguration.openshift.io/rebuild-requested":"1"}}}`)
	require.Eventually(t, announced(2), soon, 10*time.Millisecond, "a new version with the same key is not told of")
}

func patchConfigMap(t *testing.T, name, patch string) {
	t.Helper()
	_, err := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace).Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(t, err)
}
