package openshift

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

var update = flag.Bool("update", false, "write the golden files anew")

func testRequest() imagebuilder.Request {
	return imagebuilder.Request{
		Name: "machine-os-worker-0123456789-1", Pool: "worker", PoolUID: "pool-uid",
		Fingerprint: strings.Repeat("f", 64), RenderedConfig: "rendered-worker-1",
		BaseImage: "quay.example.com/os@sha256:" + strings.Repeat("1", 64), Attempt: 1,
		Containerfile: "FROM scratch\n",
		Context:       []imagebuilder.File{{Name: "machine-config.tar.gz.00", Data: []byte("credential")}, {Name: "machine-config.tar.gz.01", Data: []byte("credential, too")}},
		Volumes:       []imagebuilder.Volume{{Name: "etc-pki-entitlement", Path: "/etc/pki/entitlement"}, {Name: "etc-yum-repos-d", ConfigMap: true, Path: "/etc/yum.repos.d"}},
		PullSecret:    "pull", PushSecret: "push",
		Output:   "registry.example.com/org/os:machine-os-worker-0123456789-1",
		Deadline: time.Hour,
	}
}

func buildFor(r imagebuilder.Request) *buildv1.Build {
	build, _ := newObjects("ns", r)
	return build
}

func inputsFor(r imagebuilder.Request) []*corev1.Secret {
	_, secrets := newObjects("ns", r)
	return secrets
}

func TestGolden(t *testing.T) {
	heredoc := testRequest()
	heredoc.Context = heredoc.Context[:1]
	heredoc.Containerfile = "FROM scratch\nRUN <<EOF\ntrue\nEOF\n"
	for name, object := range map[string]any{
		"build.yaml":          buildFor(testRequest()),
		"inputs.yaml":         inputsFor(testRequest()),
		"build-heredoc.yaml":  buildFor(heredoc),
		"inputs-heredoc.yaml": inputsFor(heredoc),
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
	first, err := json.Marshal(buildFor(testRequest()))
	require.NoError(t, err)
	for range 100 {
		again, err := json.Marshal(buildFor(testRequest()))
		require.NoError(t, err)
		require.Equal(t, string(first), string(again))
	}
}

// TestL14PullSecretIsAttached: the base image's pull secret never reached the Build.
func TestL14PullSecretIsAttached(t *testing.T) {
	build := buildFor(testRequest())
	require.Equal(t, "pull", build.Spec.Strategy.DockerStrategy.PullSecret.Name)
	require.Equal(t, "push", build.Spec.Output.PushSecret.Name)

	without := testRequest()
	without.PullSecret = ""
	require.Nil(t, buildFor(without).Spec.Strategy.DockerStrategy.PullSecret, "a reference with an empty name is refused")
}

// TestBuildAvoidsTraps checks what the Build system would punish.
func TestBuildAvoidsTraps(t *testing.T) {
	long := testRequest()
	long.Pool = strings.Repeat("p", 253)
	long.RenderedConfig = "rendered-" + strings.Repeat("p", 200)
	build := buildFor(long)

	require.Equal(t, "DockerImage", build.Spec.Output.To.Kind, "an empty kind means ImageStreamTag")
	require.Empty(t, build.Spec.Output.To.Namespace, "a DockerImage has no namespace")
	require.Nil(t, build.Spec.Strategy.DockerStrategy.From, "the Containerfile names its base images")
	require.Empty(t, build.Spec.Source.ConfigMaps, "a ConfigMap would carry credentials, and replace the Secret's volume if named alike")
	require.Len(t, build.Spec.Source.Secrets, 2)
	require.Equal(t, build.Name, build.Spec.Source.Secrets[0].Secret.Name)
	require.Equal(t, build.Name+"-in-1", build.Spec.Source.Secrets[1].Secret.Name)
	require.Empty(t, build.Spec.Output.ImageLabels, "they are lost when the Containerfile is an input, so it has them itself")
	require.Nil(t, build.Spec.MountTrustedCA, "it makes the trust anchors read-only for the steps")
	require.Empty(t, build.Spec.Strategy.DockerStrategy.Env, "it would stay in the image")
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

// TestR06BuildsAreOfTheFormThatTheAPITakes: of settings and pools as long and odd as they
// may be. What the API validates is written down here as it is in its documentation.
func TestR06BuildsAreOfTheFormThatTheAPITakes(t *testing.T) {
	long := strings.Repeat("a", 253)
	for name, change := range map[string]func(*imagebuilder.Request){
		"usual":                 func(*imagebuilder.Request) {},
		"long pool":             func(r *imagebuilder.Request) { r.Pool = long },
		"pool with dots":        func(r *imagebuilder.Request) { r.Pool = "a.b-c.d" },
		"long config":           func(r *imagebuilder.Request) { r.RenderedConfig = long },
		"long names of Secrets": func(r *imagebuilder.Request) { r.PushSecret, r.PullSecret = long, long },
		"no pull secret":        func(r *imagebuilder.Request) { r.PullSecret = "" },
		"shortest time":         func(r *imagebuilder.Request) { r.Deadline = time.Second },
		"longest time":          func(r *imagebuilder.Request) { r.Deadline = 7 * 24 * time.Hour },
		"no volumes":            func(r *imagebuilder.Request) { r.Volumes = nil },
		"long Containerfile":    func(r *imagebuilder.Request) { r.Containerfile = "FROM scratch\n" + strings.Repeat("# <>&\n", 20000) },
		"long claim":            func(r *imagebuilder.Request) { r.Claim = strings.Repeat("c", 100000) },
	} {
		t.Run(name, func(t *testing.T) {
			r := testRequest()
			change(&r)
			r.Name = inputs.BuildName(r.Pool, string(r.PoolUID), r.Fingerprint, "nonce", 100)
			r.Output = "registry.example.com/" + strings.Repeat("a", 234) + ":" + r.Name
			requireForm(t, buildFor(r))
		})
	}
}

func requireForm(t *testing.T, build *buildv1.Build) {
	t.Helper()
	require.Empty(t, validation.IsDNS1123Subdomain(build.Name))
	require.Empty(t, metav1validation.ValidateLabels(build.Labels, nil))
	require.Empty(t, apivalidation.ValidateAnnotations(build.Annotations, nil))
	for _, owner := range build.OwnerReferences {
		require.NotEmpty(t, owner.Name)
		require.NotEmpty(t, owner.UID)
	}
	spec := build.Spec
	require.LessOrEqual(t, len(*spec.Source.Dockerfile), 60000)
	require.Positive(t, *spec.CompletionDeadlineSeconds)
	for _, secret := range spec.Source.Secrets {
		require.Empty(t, validation.IsDNS1123Subdomain(secret.Secret.Name))
		require.False(t, strings.HasPrefix(secret.DestinationDir, "/") || strings.HasPrefix(secret.DestinationDir, ".."))
	}
	require.Equal(t, "DockerImage", spec.Output.To.Kind)
	require.Empty(t, spec.Output.To.Namespace)
	// The grammar of the API, which is older than the one of settings: a host of labels, and
	// a name of at most 255 characters with it.
	require.Regexp(t, `^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+:[\w][\w.-]{0,127}$`, spec.Output.To.Name)
	name, _, _ := strings.Cut(spec.Output.To.Name, ":")
	require.LessOrEqual(t, len(name), 255)
	require.NotEmpty(t, spec.Output.PushSecret.Name)
	if spec.Strategy.DockerStrategy.PullSecret != nil {
		require.NotEmpty(t, spec.Strategy.DockerStrategy.PullSecret.Name)
	}
	for _, volume := range spec.Strategy.DockerStrategy.Volumes {
		require.Empty(t, validation.IsDNS1123Label(volume.Name))
		require.Len(t, volume.Mounts, 1)
		require.True(t, strings.HasPrefix(volume.Mounts[0].DestinationPath, "/") && !strings.Contains(volume.Mounts[0].DestinationPath, ":"))
	}
}
