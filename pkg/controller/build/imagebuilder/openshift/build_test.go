package openshift

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

var update = flag.Bool("update", false, "write the golden files anew")

func testRequest() imagebuilder.Request {
	return imagebuilder.Request{
		Name: "machine-os-worker-0123456789-1", Pool: "worker", PoolUID: "pool-uid",
		Fingerprint: strings.Repeat("f", 64), RenderedConfig: "rendered-worker-1",
		BaseImage: "quay.example.com/os@sha256:" + strings.Repeat("1", 64), Attempt: 1,
		Containerfile: "FROM scratch\n",
		Context:       map[string][]byte{"ignition.json.gz": []byte("credential")},
		PullSecret:    "pull", PushSecret: "push",
		Output:   "registry.example.com/org/os:machine-os-worker-0123456789-1",
		Labels:   map[string]string{"c": "3", "a": "1", "b": "2"},
		Deadline: time.Hour,
	}
}

func TestGolden(t *testing.T) {
	for name, object := range map[string]any{
		"build.yaml":  newBuild("ns", testRequest()),
		"inputs.yaml": newInputs("ns", testRequest()),
	} {
		got, err := yaml.Marshal(object)
		require.NoError(t, err)
		golden := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(golden, got, 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "run the test with -update if the change is meant")
	}
}

// TestH35ObjectsAreByteIdentical: unordered output made objects churn.
func TestH35ObjectsAreByteIdentical(t *testing.T) {
	first, err := json.Marshal(newBuild("ns", testRequest()))
	require.NoError(t, err)
	for range 100 {
		again, err := json.Marshal(newBuild("ns", testRequest()))
		require.NoError(t, err)
		require.Equal(t, string(first), string(again))
	}
}

// TestL14PullSecretIsAttached: the base image's pull secret never reached the Build.
func TestL14PullSecretIsAttached(t *testing.T) {
	build := newBuild("ns", testRequest())
	require.Equal(t, "pull", build.Spec.Strategy.DockerStrategy.PullSecret.Name)
	require.Equal(t, "push", build.Spec.Output.PushSecret.Name)

	without := testRequest()
	without.PullSecret = ""
	require.Nil(t, newBuild("ns", without).Spec.Strategy.DockerStrategy.PullSecret, "a reference with an empty name is refused")
}

// TestBuildAvoidsTraps checks what the Build system would punish.
func TestBuildAvoidsTraps(t *testing.T) {
	long := testRequest()
	long.Pool = strings.Repeat("p", 253)
	long.RenderedConfig = "rendered-" + strings.Repeat("p", 200)
	build := newBuild("ns", long)

	require.Equal(t, "DockerImage", build.Spec.Output.To.Kind, "an empty kind means ImageStreamTag")
	require.Empty(t, build.Spec.Output.To.Namespace, "a DockerImage has no namespace")
	require.Nil(t, build.Spec.Strategy.DockerStrategy.From, "the Containerfile names its base images")
	require.Empty(t, build.Spec.Source.ConfigMaps, "a ConfigMap would carry credentials, and replace the Secret's volume if named alike")
	require.Len(t, build.Spec.Source.Secrets, 1)
	require.Equal(t, build.Name, build.Spec.Source.Secrets[0].Secret.Name)
	require.Positive(t, *build.Spec.CompletionDeadlineSeconds, "without a deadline a Build may hang for a week")
	require.Empty(t, build.Status.Phase, "a status that is sent is kept")
	require.Nil(t, build.Spec.TriggeredBy)
	for _, key := range []string{"buildconfig", "openshift.io/build-config.name"} {
		require.NotContains(t, build.Labels, key, "a Build that names a BuildConfig never starts without one")
		require.NotContains(t, build.Annotations, key)
	}
	for key, value := range build.Labels {
		require.LessOrEqual(t, len(value), 63, "label %s", key)
	}
	require.Equal(t, long.Pool, build.Annotations[constants.PoolAnnotation], "the full name is in an annotation")
	require.False(t, *build.OwnerReferences[0].BlockOwnerDeletion, "it would need a permission on the pool's finalizers")
	require.True(t, *build.OwnerReferences[0].Controller)

	text, err := json.Marshal(build)
	require.NoError(t, err)
	require.NotContains(t, string(text), "credential", "a Build is readable by many")
	require.Less(t, len(text), 64<<10, "the Build travels in an environment variable of at most 128 KiB")
}
