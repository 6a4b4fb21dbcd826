package machineos

import (
	"errors"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgfake "github.com/openshift/client-go/machineconfiguration/clientset/versioned/fake"
	mcfginformersv1 "github.com/openshift/client-go/machineconfiguration/informers/externalversions/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

const soon = 30 * time.Second

// arrival is a Ledger of an API that comes kind by kind.
type arrival struct {
	*Ledger
	synced   func() bool
	builds   cache.SharedIndexInformer
	enqueued chan string
}

// newArrival has the MachineOSConfig of pool worker served, and MachineOSBuilds once the
// channel is closed.
func newArrival(t *testing.T, served <-chan struct{}) *arrival {
	t.Helper()
	config := &mcfgv1.MachineOSConfig{ObjectMeta: metav1.ObjectMeta{Name: "worker", UID: "c", ResourceVersion: "1"}}
	config.Spec.MachineConfigPool.Name = "worker"
	ofConfigs, ofBuilds := mcfgfake.NewClientset(config), mcfgfake.NewClientset()
	ofBuilds.PrependReactor("list", "machineosbuilds", func(clienttesting.Action) (bool, runtime.Object, error) {
		<-served
		return false, nil, nil
	})
	a := &arrival{builds: mcfginformersv1.NewMachineOSBuildInformer(ofBuilds, 0, cache.Indexers{}), enqueued: make(chan string, 100)}
	configs := mcfginformersv1.NewMachineOSConfigInformer(ofConfigs, 0, cache.Indexers{})
	var err error
	a.Ledger, err = New(ofConfigs, configs, a.builds, func() string { return "" })
	require.NoError(t, err)
	a.synced, err = a.Notify(func(pool string) { a.enqueued <- pool })
	require.NoError(t, err)
	go configs.RunWithContext(t.Context())
	require.Eventually(t, configs.HasSynced, soon, time.Millisecond)
	require.Equal(t, "worker", <-a.enqueued)
	return a
}

// TestTheAPIComesKindByKind: of an API that was not served at the start, nothing counts until
// both kinds are known. Whoever went by the MachineOSConfig alone would create MachineOSBuilds
// that exist, again and again.
func TestTheAPIComesKindByKind(t *testing.T) {
	notServed := apierrors.NewNotFound(mcfgv1.Resource("machineosbuilds"), "")
	served := make(chan struct{})
	a := newArrival(t, served)
	require.False(t, a.synced(), "nobody has said yet that there is nothing to wait for")
	a.watchFailed(t.Context(), nil, &a.ofBuilds, notServed)
	require.True(t, a.synced(), "pools with the label are served meanwhile")
	require.Empty(t, a.Configs("worker"))
	require.Empty(t, a.Pools())
	a.changed(a.configs.GetIndexer().List()[0])
	require.Empty(t, a.Configs("worker"), "also when it changes")
	require.Equal(t, "worker", <-a.enqueued)

	go a.builds.RunWithContext(t.Context())
	done := make(chan struct{})
	go func() { a.Run(t.Context()); close(done) }()
	require.Empty(t, a.Configs("worker"))
	close(served)
	<-done
	require.NotEmpty(t, a.enqueued, "the pool is looked at, though no object has changed")
	require.Len(t, a.Configs("worker"), 1)
	require.True(t, a.synced())

	a.watchFailed(t.Context(), nil, &a.ofBuilds, notServed)
	require.Len(t, a.Configs("worker"), 1, "one answer takes nothing away that was known: when the API goes, its objects are seen to go first")
	require.True(t, a.synced())
}

// TestWithoutPermission: what may not be listed holds up nobody whose pool is known to be
// another's, and counts as soon as it may be.
func TestWithoutPermission(t *testing.T) {
	denied := func(resource string) error {
		return apierrors.NewForbidden(mcfgv1.Resource(resource), "", errors.New("the role lacks it"))
	}
	t.Run("MachineOSBuilds", func(t *testing.T) {
		served := make(chan struct{})
		a := newArrival(t, served)
		a.watchFailed(t.Context(), cache.NewReflector(nil, nil, nil, 0), &a.ofBuilds, apierrors.NewInternalError(errors.New("out of order")))
		require.False(t, a.synced(), "trouble passes, and is waited for")
		require.Empty(t, a.Problem())
		for range 2 {
			a.watchFailed(t.Context(), cache.NewReflector(nil, nil, nil, 0), &a.ofBuilds, denied("machineosbuilds"))
		}
		require.True(t, a.synced(), "a refusal lasts")
		require.Equal(t, imagebuilder.AllPools, <-a.enqueued)
		require.Empty(t, a.enqueued, "it is news once")
		require.Len(t, a.Configs("worker"), 1, "it is known whose the pool is")
		require.Equal(t, []string{"worker"}, a.Pools())
		require.False(t, a.Unseen())
		require.Contains(t, a.Problem(), "MachineOSBuilds cannot be watched", "nothing is written")
		require.Contains(t, a.Problem(), "the role lacks it")
		require.ErrorIs(t, a.mayWrite(), ErrOtherBuilder)

		go a.builds.RunWithContext(t.Context())
		close(served)
		a.Run(t.Context())
		require.Empty(t, a.Problem())
		require.NoError(t, a.mayWrite())
		require.Len(t, a.Configs("worker"), 1)
		require.Equal(t, imagebuilder.AllPools, <-a.enqueued)
	})
	t.Run("MachineOSConfigs", func(t *testing.T) {
		configs, builds := mcfginformersv1.NewMachineOSConfigInformer(mcfgfake.NewClientset(), 0, cache.Indexers{}), mcfginformersv1.NewMachineOSBuildInformer(mcfgfake.NewClientset(), 0, cache.Indexers{})
		l, err := New(nil, configs, builds, func() string { return "somebody else builds" })
		require.NoError(t, err)
		enqueued := make(chan string, 100)
		synced, err := l.Notify(func(pool string) { enqueued <- pool })
		require.NoError(t, err)
		l.watchFailed(t.Context(), cache.NewReflector(nil, nil, nil, 0), &l.ofConfigs, denied("machineosconfigs"))
		require.True(t, synced())
		require.True(t, l.Unseen())
		require.Empty(t, l.Configs("worker"))
		require.Contains(t, l.Problem(), "MachineOSConfigs cannot be watched", "what is wrong first is told")
		go configs.RunWithContext(t.Context())
		go builds.RunWithContext(t.Context())
		l.Run(t.Context())
		require.False(t, l.Unseen())
		require.Equal(t, "somebody else builds", l.Problem())
		require.Empty(t, l.Refusal())
	})
	t.Run("taken away later", func(t *testing.T) {
		served := make(chan struct{})
		close(served)
		a := newArrival(t, served)
		go a.builds.RunWithContext(t.Context())
		a.Run(t.Context())
		a.watchFailed(t.Context(), cache.NewReflector(nil, nil, nil, 0), &a.ofConfigs, denied("machineosconfigs"))
		require.Empty(t, a.Refusal(), "what was listed is known, and each request that is refused is told by itself")
		require.Len(t, a.Configs("worker"), 1)
	})
}
