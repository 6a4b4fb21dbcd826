package openshift

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	buildfake "github.com/openshift/client-go/build/clientset/versioned/fake"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubefake "k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestDeletedIsRememberedWhileShown: longer would be for ever.
func TestDeletedIsRememberedWhileShown(t *testing.T) {
	for name, test := range map[string]struct {
		reason     string
		eventFirst bool
		want       bool
	}{
		"the cache lags":      {reason: "it would be deleted again", want: true},
		"the event is faster": {reason: "nothing would ever end the memory", eventFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			build := &buildv1.Build{ObjectMeta: mark.Metadata("ns", imagebuilder.Request{Name: "b-1", Pool: "worker"})}
			build.UID = "uid"
			client := buildfake.NewClientset(build)
			builds := buildinformers.NewSharedInformerFactory(client, 0).Build().V1().Builds().Informer()
			secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
			b, err := New("ns", client, kubefake.NewClientset(), builds, secrets)
			require.NoError(t, err)
			require.NoError(t, builds.GetIndexer().Add(build))
			client.PrependReactor("delete", "builds", func(k8stesting.Action) (bool, runtime.Object, error) {
				if test.eventFirst {
					require.NoError(t, builds.GetIndexer().Delete(build))
				}
				return false, nil, nil
			})

			require.NoError(t, b.Delete(t.Context(), "b-1", "uid"))
			require.Equal(t, test.want, b.builds.IsDeleted("uid"), test.reason)

			client.ClearActions()
			require.NoError(t, b.Delete(t.Context(), "b-1", "uid"))
			require.Empty(t, client.Actions(), "a sync that still saw it has nothing left to delete")
		})
	}
}
