package buildrunner

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	buildfake "github.com/openshift/client-go/build/clientset/versioned/fake"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"
)

const (
	namespace = "openshift-machine-config-operator"
	patience  = 20 * time.Second
	tick      = 2 * time.Millisecond
)

// fixture is a runner on fake clients with a scripted executor.
type fixture struct {
	t        *testing.T
	builds   *buildfake.Clientset
	kube     *kubefake.Clientset
	executor *Scripted
	logDir   string
	stop     func()
}

func start(t *testing.T, opts Options, objects ...runtime.Object) *fixture {
	t.Helper()
	f := &fixture{t: t, executor: NewScripted(), kube: kubefake.NewClientset(), builds: buildfake.NewSimpleClientset(), logDir: t.TempDir()}
	for _, object := range objects {
		f.create(object)
	}
	opts.Namespace, opts.Executor, opts.LogDir = namespace, f.executor, f.logDir
	if opts.RecheckInterval == 0 {
		opts.RecheckInterval = 5 * time.Millisecond
	}
	runner, err := newRunner(f.builds, f.kube, opts)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- runner.Run(ctx) }()
	stopped := false
	f.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-done)
		}
	}
	t.Cleanup(f.stop)
	return f
}

func (f *fixture) create(object runtime.Object) {
	f.t.Helper()
	var err error
	switch object := object.(type) {
	case *buildv1.Build:
		_, err = f.builds.BuildV1().Builds(namespace).Create(f.t.Context(), object, metav1.CreateOptions{})
	case *corev1.Secret:
		_, err = f.kube.CoreV1().Secrets(namespace).Create(f.t.Context(), object, metav1.CreateOptions{})
	case *corev1.ConfigMap:
		_, err = f.kube.CoreV1().ConfigMaps(namespace).Create(f.t.Context(), object, metav1.CreateOptions{})
	}
	require.NoError(f.t, err)
}

func (f *fixture) get(name string) *buildv1.Build {
	f.t.Helper()
	build, err := f.builds.BuildV1().Builds(namespace).Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(f.t, err)
	return build
}

func (f *fixture) wait(name string, condition func(build *buildv1.Build) bool) *buildv1.Build {
	f.t.Helper()
	var build *buildv1.Build
	require.Eventually(f.t, func() bool {
		build = f.get(name)
		return condition(build)
	}, patience, tick, "build never got there")
	return build
}

// is matches a phase and reason; an ended Build must also have its times.
func is(phase buildv1.BuildPhase, reason buildv1.StatusReason) func(build *buildv1.Build) bool {
	return func(build *buildv1.Build) bool {
		done := !isTerminal(phase) || build.Status.CompletionTimestamp != nil
		return build.Status.Phase == phase && build.Status.Reason == reason && done
	}
}

func (f *fixture) cancel(name string) {
	f.t.Helper()
	_, err := f.builds.BuildV1().Builds(namespace).Patch(f.t.Context(), name, types.MergePatchType,
		[]byte(`{"status":{"cancelled":true}}`), metav1.PatchOptions{})
	require.NoError(f.t, err)
}

func (f *fixture) delete(name string) {
	f.t.Helper()
	require.NoError(f.t, f.builds.BuildV1().Builds(namespace).Delete(f.t.Context(), name, metav1.DeleteOptions{}))
}

func (f *fixture) log(name string) string {
	f.t.Helper()
	content, err := os.ReadFile(filepath.Join(f.logDir, name+".log"))
	require.NoError(f.t, err)
	return string(content)
}

func newBuild(name string, modify ...func(build *buildv1.Build)) *buildv1.Build {
	build := &buildv1.Build{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, UID: types.UID("uid-of-" + name)}}
	build.Spec.Source.Dockerfile = ptr.To("FROM scratch\nCOPY a /\n")
	build.Spec.Strategy.DockerStrategy = &buildv1.DockerBuildStrategy{}
	build.Spec.Output.To = &corev1.ObjectReference{Kind: "DockerImage", Name: "r.io/org/img:tag"}
	build.Status.Phase = buildv1.BuildPhaseNew
	for _, change := range modify {
		change(build)
	}
	return build
}

func secret(name string, data map[string]string) *corev1.Secret {
	object := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Data: map[string][]byte{}}
	for key, value := range data {
		object.Data[key] = []byte(value)
	}
	return object
}

func withDockerfile(text string) func(*buildv1.Build) {
	return func(build *buildv1.Build) { build.Spec.Source.Dockerfile = &text }
}

func withSecret(name, dir string) func(*buildv1.Build) {
	return func(build *buildv1.Build) {
		build.Spec.Source.Secrets = append(build.Spec.Source.Secrets,
			buildv1.SecretBuildSource{Secret: corev1.LocalObjectReference{Name: name}, DestinationDir: dir})
	}
}

func withConfigMap(name, dir string) func(*buildv1.Build) {
	return func(build *buildv1.Build) {
		build.Spec.Source.ConfigMaps = append(build.Spec.Source.ConfigMaps,
			buildv1.ConfigMapBuildSource{ConfigMap: corev1.LocalObjectReference{Name: name}, DestinationDir: dir})
	}
}

func withPushSecret(name string) func(*buildv1.Build) {
	return func(build *buildv1.Build) { build.Spec.Output.PushSecret = &corev1.LocalObjectReference{Name: name} }
}
