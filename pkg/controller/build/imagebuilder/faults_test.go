package imagebuilder_test

import (
	"context"
	"errors"
	"testing"
	"time"

	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestConflictIsNoAbsence: the API answers conflict for a build of another UID,
// and for a lost race; only the former means that there is nothing to do.
func TestConflictIsNoAbsence(t *testing.T) {
	ctx := context.Background()
	api := buildtest.NewAPI(clocktesting.NewFakeClock(time.Unix(1700000000, 0)))
	builds := buildinformers.NewSharedInformerFactory(api.Build, 0).Build().V1().Builds().Informer()
	secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	b, err := openshift.New(ctrlcommon.MCONamespace, api.Build, api.Kube, builds, secrets)
	require.NoError(t, err)
	require.NoError(t, b.Start(ctx, request("b-1")))
	api.FillMetadata(secrets.GetIndexer(), "secrets")
	api.Fill(builds.GetIndexer(), "builds")
	uid := api.Builds()[0].UID

	api.Fault = func(call buildtest.Call) error {
		if call.IsRead() {
			return nil
		}
		return apierrors.NewConflict(corev1.Resource(call.Resource), call.Name, errors.New("lost a race"))
	}
	require.True(t, apierrors.IsConflict(b.Stop(ctx, "b-1", uid)))
	require.True(t, apierrors.IsConflict(b.Delete(ctx, "b-1", uid)))
	require.True(t, apierrors.IsConflict(b.DeleteInputs(ctx, "b-1")))
	require.NoError(t, b.Stop(ctx, "b-1", "another-uid"))
	api.Fault = nil
	require.NoError(t, b.Delete(ctx, "b-1", uid))
	require.Empty(t, api.Builds())
	require.Empty(t, api.InputSecrets())
}

// TestL01StartConvergesAfterAnyFault: creating the Build failed once, and the
// retry stumbled over the input that was already there.
func TestL01StartConvergesAfterAnyFault(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, resource := range []string{"secrets", "builds"} {
			clock := clocktesting.NewFakeClock(time.Unix(1700000000, 0))
			api := buildtest.NewAPI(clock)
			builds := buildinformers.NewSharedInformerFactory(api.Build, 0).Build().V1().Builds().Informer()
			secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
			b, err := openshift.New(ctrlcommon.MCONamespace, api.Build, api.Kube, builds, secrets)
			require.NoError(t, err)

			fault := func(call buildtest.Call) error {
				if call.Verb == "create" && call.Resource == resource {
					return apierrors.NewServerTimeout(corev1.Resource(resource), "create", 1)
				}
				return nil
			}
			if lost {
				api.LoseReply = fault
			} else {
				api.Fault = fault
			}
			require.Error(t, b.Start(context.Background(), request("b-1")))
			api.Fault, api.LoseReply = nil, nil
			require.NoError(t, b.Start(context.Background(), request("b-1")), "%s, committed: %v", resource, lost)
			require.Len(t, api.Builds(), 1)
			require.Equal(t, []string{"b-1", "b-1-in-1"}, api.InputSecrets())
		}
	}
}
