package buildrunner

import (
	"os"
	"path/filepath"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Data: data}
}

func TestSourcesInContext(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		objects []runtime.Object
		build   *buildv1.Build
		want    map[string]string
	}{
		{
			reason:  "a ConfigMap key at the root replaces the inline Dockerfile, and beats a Secret",
			objects: []runtime.Object{secret("s", map[string]string{"Dockerfile": "FROM s"}), configMap("c", map[string]string{"Dockerfile": "FROM c"})},
			build:   newBuild("b", withConfigMap("c", ""), withSecret("s", "")),
			want:    map[string]string{"Dockerfile": "FROM c"},
		},
		{
			reason:  "a later ConfigMap beats an earlier one",
			objects: []runtime.Object{configMap("c1", map[string]string{"k": "1"}), configMap("c2", map[string]string{"k": "2"})},
			build:   newBuild("b", withConfigMap("c1", "x"), withConfigMap("c2", "x")),
			want:    map[string]string{"x/k": "2"},
		},
		{
			reason:  "a ConfigMap of a Secret's name shows the Secret's content",
			objects: []runtime.Object{secret("n", map[string]string{"k": "secret"}), configMap("n", map[string]string{"other": "lost"})},
			build:   newBuild("b", withSecret("n", "s"), withConfigMap("n", "c")),
			want:    map[string]string{"s/k": "secret", "c/k": "secret"},
		},
		{
			reason:  "names that differ by dot and dash share a volume",
			objects: []runtime.Object{secret("a.b", map[string]string{"k": "dot"}), secret("a-b", map[string]string{"k": "dash"})},
			build:   newBuild("b", withSecret("a.b", "1"), withSecret("a-b", "2")),
			want:    map[string]string{"1/k": "dot", "2/k": "dot"},
		},
		{
			reason: "binary data works",
			objects: []runtime.Object{&corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: namespace}, BinaryData: map[string][]byte{"k": {0, 1}},
			}},
			build: newBuild("b", withConfigMap("c", "deep/dir")),
			want:  map[string]string{"deep/dir/k": "\x00\x01"},
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f := start(t, Options{}, tc.objects...)
			f.create(tc.build)
			f.wait("b", is(buildv1.BuildPhaseComplete, ""))
			require.Len(t, f.executor.Jobs(), 1)
			dir := t.TempDir()
			require.NoError(t, writeContext(dir, f.executor.Jobs()[0]))
			for path, content := range tc.want {
				written, err := os.ReadFile(filepath.Join(dir, path))
				require.NoError(t, err)
				assert.Equal(t, content, string(written), path)
				info, err := os.Stat(filepath.Join(dir, path))
				require.NoError(t, err)
				assert.Equal(t, os.FileMode(0o600), info.Mode())
			}
			assert.NoFileExists(t, filepath.Join(dir, "c/other"))
		})
	}
}

func TestJobCarriesStrategyAndCredentials(t *testing.T) {
	nodeAuth := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(nodeAuth, []byte(`{"auths":{"base.io":{"auth":"bm9kZTpw"},"r.io":{"auth":"bm9kZTpw"}}}`), 0o600))
	f := start(t, Options{NodeAuthFile: nodeAuth}, secret("push", map[string]string{".dockercfg": `{"r.io":{"auth":"cHVzaDpw"}}`}))
	f.create(newBuild("b", withPushSecret("push"), withDockerfile("ARG V=1\nFROM base.io/os:$V\n"), func(b *buildv1.Build) {
		b.Spec.Strategy.DockerStrategy.BuildArgs = []corev1.EnvVar{{Name: "V", Value: "2"}}
		b.Spec.Strategy.DockerStrategy.ImageOptimizationPolicy = ptr.To(buildv1.ImageOptimizationSkipLayers)
	}))
	f.wait("b", is(buildv1.BuildPhaseComplete, ""))

	job := f.executor.Jobs()[0]
	assert.Equal(t, []string{"base.io/os:2"}, job.Images)
	assert.Equal(t, []string{"V=2"}, job.BuildArgs)
	assert.Equal(t, "r.io/org/img:tag", job.Output)
	assert.True(t, job.SingleLayer)
	assert.JSONEq(t, `{"auths":{"r.io/org/img":{"auth":"cHVzaDpw"}}}`, string(job.PushAuth))
	assert.Contains(t, string(job.PullAuth), `"base.io/os":{"auth":"bm9kZTpw"}`)
}
