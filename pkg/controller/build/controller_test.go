package build

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgfake "github.com/openshift/client-go/machineconfiguration/clientset/versioned/fake"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	kubefake "k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/metadata/metadatainformer"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/fake"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestMain turns on client-go's detector of mutated cache entries, which is read
// from the environment before any code of ours runs.
func TestMain(m *testing.M) {
	const detector = "KUBE_CACHE_MUTATION_DETECTOR"
	if _, ok := os.LookupEnv(detector); !ok {
		if err := os.Setenv(detector, "true"); err != nil {
			panic(err)
		}
		self, err := os.Executable()
		if err != nil {
			panic(err)
		}
		panic(syscall.Exec(self, os.Args, os.Environ()))
	}
	os.Exit(m.Run())
}

const soon = 10 * time.Second

// running is a controller with real informers, its own goroutines, and a fake
// builder.
type running struct {
	ctrl    *Controller
	mcfg    *mcfgfake.Clientset
	kube    *kubefake.Clientset
	secrets *metadatafake.FakeMetadataClient
	builder *fake.Builder
	clock   *clocktesting.FakeClock
	start   func()
	// stop ends the context; done is closed when Run has returned.
	stop context.CancelFunc
	done chan struct{}
}

func newRunning(t *testing.T, objects ...runtime.Object) *running {
	t.Helper()
	others := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, others) })
	var mcfgObjects, kubeObjects, metadataObjects []runtime.Object
	for _, object := range objects {
		switch o := object.(type) {
		case *corev1.Secret:
			kubeObjects = append(kubeObjects, o)
			metadataObjects = append(metadataObjects, &metav1.PartialObjectMetadata{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: o.ObjectMeta,
			})
		case *corev1.ConfigMap:
			kubeObjects = append(kubeObjects, o)
		default:
			mcfgObjects = append(mcfgObjects, o)
		}
	}
	scheme := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	r := &running{
		mcfg:  mcfgfake.NewSimpleClientset(mcfgObjects...),
		kube:  kubefake.NewClientset(kubeObjects...),
		clock: clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		done:  make(chan struct{}),
	}
	r.secrets = metadatafake.NewSimpleMetadataClient(scheme, metadataObjects...)
	r.builder = fake.New(r.clock.Now)
	mcfgFactory := mcfginformers.NewSharedInformerFactory(r.mcfg, 0)
	kubeFactory := informers.NewSharedInformerFactoryWithOptions(r.kube, 0, informers.WithNamespace(ctrlcommon.MCONamespace))
	secrets := metadatainformer.NewFilteredSharedInformerFactory(r.secrets, 0, ctrlcommon.MCONamespace, nil)
	secretInformer := secrets.ForResource(corev1.SchemeGroupVersion.WithResource("secrets")).Informer()

	config := DefaultConfig()
	config.Clock = r.clock
	v1 := mcfgFactory.Machineconfiguration().V1()
	var err error
	r.ctrl, err = New(config, v1.MachineConfigPools(), v1.MachineConfigs(), v1.ControllerConfigs(), kubeFactory.Core().V1().ConfigMaps(),
		secretInformer, r.builder, r.kube, r.mcfg, record.NewFakeRecorder(1000))
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	informerCtx, stopInformers := context.WithCancel(context.Background())
	r.stop = cancel
	r.start = func() {
		mcfgFactory.Start(informerCtx.Done())
		kubeFactory.Start(informerCtx.Done())
		secrets.Start(informerCtx.Done())
		go func() {
			defer close(r.done)
			r.ctrl.Run(ctx, 2)
		}()
	}
	t.Cleanup(func() {
		cancel()
		stopInformers()
		mcfgFactory.Shutdown()
		kubeFactory.Shutdown()
		secrets.Shutdown()
		// A work queue that was shut down ends with its next tick.
		r.clock.Step(time.Minute)
	})
	return r
}

func (r *running) pool(t *testing.T) *mcfgv1.MachineConfigPool {
	pool, err := r.mcfg.MachineconfigurationV1().MachineConfigPools().Get(context.Background(), worker, metav1.GetOptions{})
	require.NoError(t, err)
	return pool
}

func (r *running) awaitReason(t *testing.T, reason string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, c := range r.pool(t).Status.Conditions {
			if c.Reason == reason && c.Status == corev1.ConditionTrue {
				return true
			}
		}
		return false
	}, soon, time.Millisecond, "the pool does not come to say %s: %+v", reason, r.pool(t).Status.Conditions)
}

// TestRunEndToEnd: events alone drive a pool from opt-in to its image.
func TestRunEndToEnd(t *testing.T) {
	r := newRunning(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	require.False(t, r.ctrl.HasSynced(), "before the informers start")
	r.start()
	r.awaitReason(t, ledger.ReasonBuildCreated)
	require.True(t, r.ctrl.HasSynced())

	record, err := ledger.ParseRecord(r.pool(t).Annotations[constants.BuildRecordAnnotation])
	require.NoError(t, err)
	require.NotEmpty(t, r.builder.Request(record.Build).Context, "the request carries the build context")
	r.builder.SetPhase(record.Build, imagebuilder.PhaseRunning)
	r.awaitReason(t, ledger.ReasonBuildRunning)
	image := buildtest.Repository + "@" + buildtest.Digest(1)
	r.builder.SetPhase(record.Build, imagebuilder.PhaseSucceeded, func(o *imagebuilder.Observation) { o.Image = image })
	r.awaitReason(t, ledger.ReasonImagePublished)
	require.Equal(t, image, r.pool(t).Annotations[constants.DesiredOSImageAnnotation])

	r.stop()
	<-r.done
}

// TestH08ResultIsPublishedAtOnce: nothing woke whoever waited for the result, or a
// timer did, seconds later. Here time stands still, so that only the event of the
// completed build can lead to the publication.
func TestH08ResultIsPublishedAtOnce(t *testing.T) {
	r := newRunning(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	r.start()
	r.awaitReason(t, ledger.ReasonBuildCreated)
	record, err := ledger.ParseRecord(r.pool(t).Annotations[constants.BuildRecordAnnotation])
	require.NoError(t, err)
	begin := r.clock.Now()
	r.builder.SetPhase(record.Build, imagebuilder.PhaseSucceeded, func(o *imagebuilder.Observation) { o.Image = buildtest.Repository + "@" + buildtest.Digest(1) })
	r.awaitReason(t, ledger.ReasonImagePublished)
	require.Equal(t, begin, r.clock.Now())

	r.stop()
	<-r.done
}

// TestRunWithoutCaches: told to stop before the caches are full, Run returns.
func TestRunWithoutCaches(t *testing.T) {
	r := newRunning(t)
	r.stop()
	r.ctrl.Run(contextDone(), 2)
}

func contextDone() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// blockPatches makes each patch of a pool wait until it is let go or its context
// ends, and tells when one has begun.
func (r *running) blockPatches() (begun chan struct{}, letGo func()) {
	begun, gate := make(chan struct{}, 100), make(chan struct{})
	r.mcfg.PrependReactor("patch", "machineconfigpools", func(k8stesting.Action) (bool, runtime.Object, error) {
		begun <- struct{}{}
		<-gate
		return false, nil, nil
	})
	return begun, func() { close(gate) }
}

// TestShutdownFinishesTheRunningSync: SIGTERM between two calls of a sync must
// not leave it half done.
func TestShutdownFinishesTheRunningSync(t *testing.T) {
	r := newRunning(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	begun, letGo := r.blockPatches()
	r.start()
	<-begun
	r.stop()
	select {
	case <-r.done:
		require.Fail(t, "Run returned while a sync was running")
	default:
	}
	letGo()
	<-r.done
	record, err := ledger.ParseRecord(r.pool(t).Annotations[constants.BuildRecordAnnotation])
	require.NoError(t, err)
	require.NotPanics(t, func() { r.builder.Request(record.Build) }, "the claim was followed by its build")
}

// TestShutdownAbandonsAfterTheDeadline: a call that hangs does not keep the
// process from ending.
func TestShutdownAbandonsAfterTheDeadline(t *testing.T) {
	r := newRunning(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	var abandoned atomic.Bool
	begun := make(chan struct{}, 1)
	hanging := &hangingBuilder{Builder: r.builder, begun: begun, abandoned: &abandoned}
	r.ctrl.executor.builder = hanging
	r.start()
	<-begun
	r.stop()
	require.False(t, abandoned.Load(), "the sync gets its time")
	// The clock has other waiters, so when Run begins to wait cannot be told
	// from outside: let the time go by until it has.
	require.Eventually(t, func() bool {
		r.clock.Step(DefaultConfig().DrainTimeout)
		select {
		case <-r.done:
			return true
		default:
			return false
		}
	}, soon, time.Millisecond, "long before the call itself would time out")
	require.True(t, abandoned.Load())
}

// hangingBuilder starts nothing until its context ends.
type hangingBuilder struct {
	*fake.Builder
	begun     chan struct{}
	abandoned *atomic.Bool
}

func (b *hangingBuilder) Start(ctx context.Context, _ imagebuilder.Request) error {
	b.begun <- struct{}{}
	<-ctx.Done()
	b.abandoned.Store(true)
	return ctx.Err()
}
