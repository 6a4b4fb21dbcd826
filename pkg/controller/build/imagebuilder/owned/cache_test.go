package owned

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

var ours = Mark{Backend: "Ours"}

func request() imagebuilder.Request {
	return imagebuilder.Request{Name: "b-1", Pool: "worker", PoolUID: "uid", Fingerprint: "fingerprint", RenderedConfig: "rendered-worker-1", Attempt: 2}
}

// TestL13NotifyOfTombstones: the last state of an object whose deletion was missed comes
// wrapped, and what comes wrapped may be nothing.
func TestL13NotifyOfTombstones(t *testing.T) {
	meta := ours.Metadata("ns", request())
	for name, test := range map[string]struct {
		reason string
		object any
		want   []string
	}{
		"object":          {reason: "as it was", object: &metav1.PartialObjectMetadata{ObjectMeta: meta}, want: []string{"worker"}},
		"tombstone":       {reason: "its last state tells the pool", object: cache.DeletedFinalStateUnknown{Key: "ns/b-1", Obj: &metav1.PartialObjectMetadata{ObjectMeta: meta}}, want: []string{"worker"}},
		"empty tombstone": {reason: "nothing is known", object: cache.DeletedFinalStateUnknown{}},
		"nothing":         {reason: "nothing is known"},
		"text":            {reason: "it is no object", object: "not an object"},
		"foreign":         {reason: "what is not ours concerns no pool", object: &buildv1.Build{}},
	} {
		t.Run(name, func(t *testing.T) {
			informer := &handlers{SharedIndexInformer: cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})}
			c, err := NewCache(ours, "Secrets", informer)
			require.NoError(t, err)
			var pools []string
			c.Notify(func(pool string) { pools = append(pools, pool) })
			informer.handler.OnDelete(test.object)
			require.Equal(t, test.want, pools, test.reason)
		})
	}
}

// handlers is an informer whose handler a test calls.
type handlers struct {
	cache.SharedIndexInformer
	handler cache.ResourceEventHandler
}

func (h *handlers) AddEventHandler(handler cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	h.handler = handler
	return h.SharedIndexInformer.AddEventHandler(handler)
}

// TestMark: an object is of the backend whose mark it bears, under its own name.
func TestMark(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		mark   Mark
		edit   func(*metav1.ObjectMeta)
		want   string
	}{
		"marked":           {reason: "it is ours", mark: ours, want: "worker"},
		"another's":        {reason: "another backend looks after it", mark: Mark{Backend: "Another"}},
		"another's, first": {reason: "a mark is a mark, also for the backend that has unmarked ones", mark: Mark{Backend: "Another", Unmarked: true}},
		"no mark":          {reason: "only the first backend made such", mark: ours, edit: func(m *metav1.ObjectMeta) { delete(m.Labels, constants.BackendLabel) }},
		"no mark, first":   {reason: "it was made before there were marks", mark: Mark{Backend: "Ours", Unmarked: true}, edit: func(m *metav1.ObjectMeta) { delete(m.Labels, constants.BackendLabel) }, want: "worker"},
		"copy":             {reason: "clones carry labels and annotations of the original", mark: ours, edit: func(m *metav1.ObjectMeta) { m.Name = "b-1-2" }},
		"input":            {reason: "further inputs have names of their own", mark: ours, edit: func(m *metav1.ObjectMeta) { m.Name = "b-1-in-1" }, want: "worker"},
		"label gone":       {reason: "somebody took it away from us", mark: ours, edit: func(m *metav1.ObjectMeta) { delete(m.Labels, constants.OwnedLabel) }},
		"other's":          {reason: "managed by another program", mark: ours, edit: func(m *metav1.ObjectMeta) { m.Labels[constants.OwnedLabel] = "helm" }},
		"no pool":          {reason: "an annotation is missing", mark: ours, edit: func(m *metav1.ObjectMeta) { delete(m.Annotations, constants.PoolAnnotation) }},
		"bare labels":      {reason: "anyone can set a label", mark: ours, edit: func(m *metav1.ObjectMeta) { m.Annotations = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			meta := ours.Metadata("ns", request())
			if test.edit != nil {
				test.edit(&meta)
			}
			require.Equal(t, test.want, test.mark.Pool(&meta), test.reason)
			require.Equal(t, test.want != "", test.mark.IsOf(&meta, request()), test.reason)
		})
	}
}
