package job

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/metadata/metadatainformer"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestWithoutPermission: what may not be watched holds up neither the start of the
// controller nor any build, and is told.
func TestWithoutPermission(t *testing.T) {
	ready := func(job *batchv1.Job) { job.Status.Active, job.Status.Ready = 1, ptr.To[int32](1) }
	for name, test := range map[string]struct {
		reason, resource string
		err              error
		job              func(*batchv1.Job)
		want             imagebuilder.Phase
		told, says       string
	}{
		"pods, not running": {reason: "the Job says that none is ready", resource: "pods", want: pending, told: reasonPodsUnknown, says: "the pods of Jobs cannot be watched"},
		"pods, running":     {reason: "the Job counts the ones that run", resource: "pods", job: ready, want: running},
		"pods, complete": {reason: "the Job's condition is an end", resource: "pods", want: succeeded, job: func(job *batchv1.Job) {
			job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}
		}},
		"events": {reason: "that nothing is known of a reason is told in place of it", resource: "events", want: pending, told: reasonEventsUnknown, says: "the events of the namespace cannot be watched"},
	} {
		t.Run(name, func(t *testing.T) {
			job, _ := newObjects("ns", request())
			job.UID = "job-uid"
			if test.job != nil {
				test.job(job)
			}
			client := fake.NewClientset(job)
			client.PrependReactor("list", test.resource, func(action k8stesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(action.GetResource().GroupResource(), "", errors.New("the role lacks it"))
			})
			b, synced := started(t, client)
			require.Eventually(t, synced, 10*time.Second, time.Millisecond, test.reason)
			observed, err := b.Observe("worker")
			require.NoError(t, err)
			require.Len(t, observed, 1)
			require.Equal(t, test.want, observed[0].Phase, test.reason)
			require.Equal(t, test.told, observed[0].Reason)
			require.Contains(t, observed[0].Message, test.says)
			if test.says != "" {
				require.Contains(t, observed[0].Message, "the role lacks it")
			}
		})
	}
}

// TestTroubleIsNoRefusal: an API server that is out of order for a moment is waited for, so
// that nothing is read from caches that are not full.
func TestTroubleIsNoRefusal(t *testing.T) {
	client := fake.NewClientset()
	failed := make(chan struct{}, 100)
	client.PrependReactor("list", "pods", func(k8stesting.Action) (bool, runtime.Object, error) {
		failed <- struct{}{}
		return true, nil, apierrors.NewInternalError(errors.New("out of order"))
	})
	_, synced := started(t, client)
	<-failed
	<-failed
	require.False(t, synced())
}

// started is a Builder whose informers run.
func started(t *testing.T, client *fake.Clientset) (b *Builder, synced func() bool) {
	informers := NewInformers("ns", client)
	scheme := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	metadata := metadatainformer.NewSharedInformerFactory(metadatafake.NewSimpleMetadataClient(scheme), 0)
	secrets := metadata.ForResource(corev1.SchemeGroupVersion.WithResource("secrets")).Informer()
	b, err := New("ns", client, informers, secrets)
	require.NoError(t, err)
	synced = b.Notify(func(string) {})
	go informers.Run(t.Context())
	go secrets.RunWithContext(t.Context())
	return b, synced
}
