package openshift

import (
	"encoding/json"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestInventory: whoever looks at everything sees the objects of all pools, and which of
// them are not ours.
func TestInventory(t *testing.T) {
	first, second := testRequest(), testRequest()
	second.Name, second.Pool = "machine-os-infra-0123456789-1", "infra"
	objects := Backend{}.Objects("namespace", first)
	ours := objects.Build.(*buildv1.Build)
	others := Backend{}.Objects("namespace", second).Build.(*buildv1.Build)
	ours.Status.Phase = buildv1.BuildPhaseRunning
	clone := ours.DeepCopy()
	clone.Name = "clone-1"

	made := MadeOf([]*buildv1.Build{ours, others, clone})
	require.Len(t, made, 3)
	require.Equal(t, "clone-1", made[0].Object, "by name")
	require.Empty(t, made[0].Pool, "a copy is somebody else's")
	require.Equal(t, "infra", made[1].Pool)
	require.Equal(t, first.Pool, made[2].Pool)
	require.Equal(t, imagebuilder.PhaseRunning, made[2].Phase)
	require.Equal(t, first.PoolUID, made[2].PoolUID)

	text, err := json.Marshal(ours)
	require.NoError(t, err)
	read, err := Backend{}.Read(text)
	require.NoError(t, err)
	require.Equal(t, made[2], read, "from a file it is the same")

	created := time.Unix(1700000000, 0)
	require.NotEmpty(t, objects.Secrets)
	var metas []*metav1.ObjectMeta
	for _, secret := range objects.Secrets {
		secret.CreationTimestamp = metav1.NewTime(created)
		metas = append(metas, &secret.ObjectMeta)
	}
	foreign := objects.Secrets[0].DeepCopy()
	foreign.Name, foreign.Labels[constants.BackendLabel] = "another", "Another"
	inputs := imagebuilder.InputsOf([]imagebuilder.Backend{Backend{}}, append(metas, &foreign.ObjectMeta))
	require.Len(t, inputs, len(metas)+1)
	require.Equal(t, "another", inputs[0].Object)
	require.Empty(t, inputs[0].Pool, "no backend that there is made it")
	for _, input := range inputs[1:] {
		require.Equal(t, first.Name, input.Name, "it leads to its build")
		require.Equal(t, first.Pool, input.Pool)
		require.True(t, input.Created.Equal(created))
	}
}
