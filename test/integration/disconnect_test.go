package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

// TestWatchesAreCut: all connections end again and again in mid-build, as behind a
// load balancer that is being replaced. Nothing is built twice or forgotten.
func TestWatchesAreCut(t *testing.T) {
	useSettings(t)
	through := startProxy(t)
	release := hold(t, "cut")
	defer release()
	w := startWitness(t, "cut")
	startBuildController(t, "--kubeconfig", through.kubeconfig)
	createPool(t, "cut", createConfig(t))
	w.await("the build runs", func() bool { return w.says("cut", "BuildRunning") })

	for range 5 {
		before := through.connections()
		through.cut()
		// A pool that needs a build shows that the controller is back.
		next := createConfig(t)
		wantConfig(t, "cut", next)
		w.await("the next build runs", func() bool { return w.says("cut", "BuildRunning", next) })
		require.Greater(t, through.connections(), before, "the controller never had to connect again: this proves nothing")
	}
	through.cut()
	release()
	w.verdict()
}

// TestL13DeletedWhileDisconnected: what is deleted while the watches are down comes
// to the controller as a tombstone. A Build, a ConfigMap and a pool that is there
// again under its name are missed then. The API server restarts meanwhile, which
// makes it forget what happened: a watch cannot go on where it was cut.
func TestL13DeletedWhileDisconnected(t *testing.T) {
	useSettings(t)
	freshRunner(t)
	through := startProxy(t)
	release := hold(t, "tombstone-build")
	defer release()
	w := startWitness(t, "tombstone-")
	p := startBuildController(t, "--kubeconfig", through.kubeconfig)
	config := createConfig(t)
	for _, pool := range []string{"tombstone-build", "tombstone-settings", "tombstone-pool"} {
		createPool(t, pool, config)
	}
	w.await("one build runs, the others are done", func() bool {
		return w.says("tombstone-build", "BuildRunning") && w.served("tombstone-settings") && w.served("tombstone-pool")
	})
	before := getPool(t, "tombstone-pool")

	through.disconnect()
	ctx := t.Context()
	builds := shared.builds.BuildV1().Builds(devcluster.Namespace)
	pools := shared.mcfg.MachineconfigurationV1().MachineConfigPools()
	configMaps := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace)
	deleted := ourBuilds(t, "tombstone-build")[0]
	require.NoError(t, builds.Delete(ctx, deleted.Name, metav1.DeleteOptions{}))
	require.NoError(t, pools.Delete(ctx, "tombstone-pool", metav1.DeleteOptions{}))
	awaitGone(t, func() error {
		_, err := pools.Get(ctx, "tombstone-pool", metav1.GetOptions{})
		return err
	}, "the pool")
	createPool(t, "tombstone-pool", config)
	noteRestart(t, shared.cluster.RestartAPIServer)
	// Until its cache is full, the API server asks etcd, which forgets nothing.
	require.Eventually(t, func() bool {
		changes, err := builds.Watch(ctx, metav1.ListOptions{ResourceVersion: deleted.ResourceVersion})
		if err != nil {
			return apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
		}
		defer changes.Stop()
		return (<-changes.ResultChan()).Type == watch.Error
	}, soon, 100*time.Millisecond, "the deletion of the Build is still remembered")
	through.connect()
	w.await("the loss of the Build is noticed", func() bool {
		return w.says("tombstone-build", "RetryScheduled", deleted.Name, "BuildDeleted")
	})
	w.await("the new pool of the old name is served", func() bool {
		return w.served("tombstone-pool") && w.pools["tombstone-pool"].UID != before.UID
	})

	through.disconnect()
	settings, err := configMaps.Get(ctx, "machine-os-builder-config", metav1.GetOptions{})
	require.NoError(t, err)
	require.NoError(t, configMaps.Delete(ctx, settings.Name, metav1.DeleteOptions{}))
	noteRestart(t, shared.cluster.RestartAPIServer)
	through.connect()
	w.await("the loss of the ConfigMap is noticed", func() bool { return w.says("tombstone-settings", "ConfigMapMissing") })
	settings.ResourceVersion = ""
	_, err = configMaps.Create(ctx, settings, metav1.CreateOptions{})
	require.NoError(t, err)

	succeedAtOnce()
	wantConfig(t, "tombstone-build", createConfig(t))
	w.verdict()
	require.NotContains(t, p.logText(), "panic")
}
