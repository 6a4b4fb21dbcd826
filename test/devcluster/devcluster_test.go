package devcluster

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// startTimeout is generous; a start takes a few seconds.
const startTimeout = 2 * time.Minute

// fixture is one cluster for all subtests of TestCluster, which keep apart by the names of their objects.
type fixture struct {
	*Cluster
	kube  kubernetes.Interface
	mcfg  mcfgclientset.Interface
	build buildclientset.Interface
}

// TestCluster starts one cluster, because a start costs more than all that is asked of it.
func TestCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	dir := t.TempDir()
	began := time.Now()
	cluster, err := Start(ctx, Options{Dir: dir, Registry: true, Audit: true, LogToFile: true})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, cluster.Stop())
		require.NoError(t, cluster.Stop(), "a second stop has nothing to do")
	})
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))

	f := &fixture{
		Cluster: cluster,
		kube:    kubernetes.NewForConfigOrDie(cluster.RESTConfig()),
		mcfg:    mcfgclientset.NewForConfigOrDie(cluster.RESTConfig()),
		build:   buildclientset.NewForConfigOrDie(cluster.RESTConfig()),
	}
	t.Run("second start on the same directory is refused", func(t *testing.T) {
		_, err := Start(ctx, Options{Dir: dir})
		require.ErrorContains(t, err, "another devcluster")
	})
	t.Run("kubeconfig", f.testKubeconfig)
	t.Run("pools", f.testPools)
	t.Run("builds", f.testBuilds)
	t.Run("garbage collection", f.testGarbageCollection)
	t.Run("namespace deletion", f.testNamespaceDeletion)
	t.Run("permissions", f.testPermissions)
	t.Run("registry", f.testRegistry)
	t.Run("restart", f.testRestart)
}

// TestStartAgain shows that a directory comes back: what a killed and restarted devcluster relies on.
func TestStartAgain(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	dir := t.TempDir()

	first, err := Start(ctx, Options{Dir: dir, Registry: true, LogToFile: true})
	require.NoError(t, err)
	_, err = mcfgclientset.NewForConfigOrDie(first.RESTConfig()).MachineconfigurationV1().MachineConfigPools().
		Create(ctx, pool("survivor"), createOptions)
	require.NoError(t, err)
	kubeconfig, err := os.ReadFile(first.KubeconfigPath())
	require.NoError(t, err)
	require.NoError(t, first.Stop())

	second, err := Start(ctx, Options{Dir: dir, Registry: true, LogToFile: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, second.Stop()) })
	require.Equal(t, first.Registry().Host(), second.Registry().Host())
	require.Equal(t, first.Registry().Password(), second.Registry().Password())

	// With the client certificate of the first start, at its address.
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	require.NoError(t, err)
	_, err = mcfgclientset.NewForConfigOrDie(config).MachineconfigurationV1().MachineConfigPools().Get(ctx, "survivor", getOptions)
	require.NoError(t, err)
}

func TestStartNeedsDirectory(t *testing.T) {
	_, err := Start(t.Context(), Options{})
	require.ErrorContains(t, err, "Options.Dir is empty")
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err := Start(ctx, Options{Dir: dir, LogToFile: true})
	require.ErrorIs(t, err, context.Canceled)

	lock, err := lockDir(dir)
	require.NoError(t, err, "a failed start must leave nothing running")
	require.NoError(t, lock.Close())
}

func (f *fixture) testKubeconfig(t *testing.T) {
	for name, kubeconfig := range map[string]string{"admin": f.KubeconfigPath(), "in directory": filepath.Join(f.Dir(), "kubeconfig")} {
		t.Run(name, func(t *testing.T) {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			require.NoError(t, err)
			_, err = kubernetes.NewForConfigOrDie(config).CoreV1().Namespaces().Get(t.Context(), Namespace, getOptions)
			require.NoError(t, err)
		})
	}
}

// testRestart comes last, since it interrupts everybody.
func (f *fixture) testRestart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	pools := f.mcfg.MachineconfigurationV1().MachineConfigPools()
	_, err := pools.Create(ctx, pool("restarted"), createOptions)
	require.NoError(t, err)
	watcher, err := pools.Watch(ctx, listOptions)
	require.NoError(t, err)
	defer watcher.Stop()

	began := time.Now()
	require.NoError(t, f.WhileAPIServerStopped(ctx, func() error {
		_, err := pools.Get(ctx, "restarted", getOptions)
		require.ErrorContains(t, err, "connection refused")
		return nil
	}))
	t.Logf("API server restarted in %s", time.Since(began).Round(time.Millisecond))
	require.NoError(t, wait.PollUntilContextCancel(ctx, pollInterval, true, func(context.Context) (bool, error) {
		select {
		case _, open := <-watcher.ResultChan():
			return !open, nil
		default:
			return false, nil
		}
	}), "the restart must end open watches")
	_, err = pools.Get(ctx, "restarted", getOptions)
	require.NoError(t, err)

	require.NoError(t, f.RestartEtcd(ctx))
	_, err = pools.Get(ctx, "restarted", getOptions)
	require.NoError(t, err, "etcd must keep its data")
	f.testGarbageCollection(t)
}
