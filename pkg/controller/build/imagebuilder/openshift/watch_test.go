package openshift

import (
	"testing"
	"testing/synctest"

	buildv1 "github.com/openshift/api/build/v1"
	buildfake "github.com/openshift/client-go/build/clientset/versioned/fake"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"
)

// TestWatchWithoutTheAPI: where Builds are not served there are none, and who watches the
// builds of another backend beside them is not kept waiting. What is refused may come.
func TestWatchWithoutTheAPI(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		answer error
		synced bool
	}{
		"not served": {reason: "the Build capability is off", answer: apierrors.NewNotFound(buildv1.Resource("builds"), ""), synced: true},
		"refused":    {reason: "there may be some", answer: apierrors.NewForbidden(buildv1.Resource("builds"), "", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := buildfake.NewSimpleClientset()
				client.PrependReactor("list", "builds", func(k8stesting.Action) (bool, runtime.Object, error) { return true, nil, test.answer })
				w, err := NewInventory("ns", client, nil).Watch(func() {})
				require.NoError(t, err)
				go w.Run(t.Context())
				synctest.Wait()
				require.Equal(t, test.synced, w.HasSynced(), test.reason)
				require.Empty(t, w.Builds())
			})
		})
	}
}
