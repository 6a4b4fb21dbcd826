package openshift

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	buildfake "github.com/openshift/client-go/build/clientset/versioned/fake"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	kubefake "k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/metadata/metadatainformer"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

const soon = 30 * time.Second

// watching is a Builder with running informers.
type watching struct {
	*Builder
	client  *buildfake.Clientset
	kube    *kubefake.Clientset
	secrets cache.SharedIndexInformer
	synced  func() bool
	start   func()

	mu    sync.Mutex
	pools []string
}

func (w *watching) notified(pool string) func() bool {
	return func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, p := range w.pools {
			if p == pool {
				return true
			}
		}
		return false
	}
}

func (w *watching) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pools = nil
}

func newWatching(t *testing.T, objects ...runtime.Object) *watching {
	scheme := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	secrets := metadatainformer.NewSharedInformerFactory(metadatafake.NewSimpleMetadataClient(scheme), 0)
	w := &watching{
		client: buildfake.NewSimpleClientset(objects...), kube: kubefake.NewClientset(),
		secrets: secrets.ForResource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Informer(),
	}
	builds := buildinformers.NewSharedInformerFactory(w.client, 0)
	var err error
	w.Builder, err = New("ns", w.client, w.kube, builds.Build().V1().Builds().Informer(), w.secrets)
	require.NoError(t, err)
	w.synced = w.Notify(func(pool string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.pools = append(w.pools, pool)
	})
	ctx, cancel := context.WithCancel(context.Background())
	w.start = func() {
		builds.Start(ctx.Done())
		secrets.Start(ctx.Done())
	}
	t.Cleanup(func() {
		cancel()
		builds.Shutdown()
		secrets.Shutdown()
	})
	return w
}

func TestNotifyNamesThePool(t *testing.T) {
	build := buildFor(testRequest())
	w := newWatching(t, build)
	require.False(t, w.synced())
	w.start()
	require.Eventually(t, w.synced, soon, time.Millisecond)
	require.Eventually(t, w.notified("worker"), soon, time.Millisecond, "a build that is there already")

	w.forget()
	build = build.DeepCopy()
	build.Status.Phase, build.ResourceVersion = buildv1.BuildPhaseRunning, "2"
	_, err := w.client.BuildV1().Builds("ns").Update(context.Background(), build, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.Eventually(t, w.notified("worker"), soon, time.Millisecond, "a build that changed")

	w.forget()
	require.NoError(t, w.client.BuildV1().Builds("ns").Delete(context.Background(), build.Name, metav1.DeleteOptions{}))
	require.Eventually(t, w.notified("worker"), soon, time.Millisecond, "a build that was deleted")
}

// TestH36AbsentAPIDoesNotBlock: an informer for an API that is not installed
// blocked start-up. Here it is reported, and recovers by itself.
func TestH36AbsentAPIDoesNotBlock(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		err    error
		want   string
	}{
		"not installed": {
			reason: "the Build capability is off",
			err:    apierrors.NewGenericServerResponse(404, "list", schema.GroupResource{Resource: "builds"}, "", "404 page not found", 0, true),
			want:   "is not installed",
		},
		"forbidden": {
			reason: "the role is not bound",
			err:    apierrors.NewForbidden(schema.GroupResource{Resource: "builds"}, "", nil),
			want:   "does not answer",
		},
		"rolling out": {
			reason: "the API is aggregated, and its server restarts now and then",
			err:    apierrors.NewServiceUnavailable("down"),
			want:   "does not answer",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatching(t, buildFor(testRequest()))
			var absent atomic.Bool
			absent.Store(true)
			w.client.PrependReactor("list", "builds", func(k8stesting.Action) (bool, runtime.Object, error) {
				return absent.Load(), nil, test.err
			})
			w.client.PrependWatchReactor("builds", func(k8stesting.Action) (bool, watch.Interface, error) {
				return absent.Load(), nil, test.err
			})
			w.start()
			require.Eventually(t, w.synced, soon, time.Millisecond, "%s: start-up goes on", test.reason)
			_, err := w.Observe("worker")
			var unavailable *imagebuilder.UnavailableError
			require.ErrorAs(t, err, &unavailable)
			require.Contains(t, unavailable.Message, test.want)
			require.Contains(t, unavailable.Message, "build.openshift.io/v1")

			w.forget()
			absent.Store(false)
			require.Eventually(t, w.notified(imagebuilder.AllPools), soon, time.Millisecond, "every pool is looked at again")
			observations, err := w.Observe("worker")
			require.NoError(t, err)
			require.Len(t, observations, 1)
		})
	}
}

func TestInputsOfOthersAreNotDeleted(t *testing.T) {
	w := newWatching(t)
	meta := mark.Metadata("ns", testRequest())
	delete(meta.Labels, constants.OwnedLabel)
	require.NoError(t, w.secrets.GetIndexer().Add(&metav1.PartialObjectMetadata{ObjectMeta: meta}))
	require.NoError(t, w.DeleteInputs(context.Background(), meta.Name))
	require.Empty(t, w.kube.Actions(), "a Secret that is not ours is never deleted")
}
