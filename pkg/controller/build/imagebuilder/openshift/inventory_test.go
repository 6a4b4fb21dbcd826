package openshift

import (
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestInventory: whoever looks at everything sees the objects of all pools, and which of
// them are not ours.
func TestInventory(t *testing.T) {
	first, second := testRequest(), testRequest()
	second.Name, second.Pool = "machine-os-infra-0123456789-1", "infra"
	ours, secrets := Objects("namespace", first)
	others, _ := Objects("namespace", second)
	ours.Status.Phase = buildv1.BuildPhaseRunning
	clone := ours.DeepCopy()
	clone.Name = "clone-1"

	made := MadeBuilds([]*buildv1.Build{ours, others, clone})
	require.Len(t, made, 3)
	require.Equal(t, "clone-1", made[0].Object, "by name")
	require.Empty(t, made[0].Pool, "a copy is somebody else's")
	require.Equal(t, "infra", made[1].Pool)
	require.Equal(t, first.Pool, made[2].Pool)
	require.Equal(t, imagebuilder.PhaseRunning, made[2].Phase)
	require.Equal(t, first.PoolUID, made[2].PoolUID)

	created := time.Unix(1700000000, 0)
	require.NotEmpty(t, secrets)
	var metas []*metav1.ObjectMeta
	for _, secret := range secrets {
		secret.CreationTimestamp = metav1.NewTime(created)
		metas = append(metas, &secret.ObjectMeta)
	}
	inputs := MadeInputs(metas)
	require.Len(t, inputs, len(secrets))
	for _, input := range inputs {
		require.Equal(t, first.Name, input.Name, "it leads to its build")
		require.Equal(t, first.Pool, input.Pool)
		require.True(t, input.Created.Equal(created))
	}
}
