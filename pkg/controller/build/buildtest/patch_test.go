package buildtest

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

// TestPatchesOfPools: what is stored of a patch is what an API server stores.
func TestPatchesOfPools(t *testing.T) {
	conditions := func(pool *mcfgv1.MachineConfigPool) (told []string) {
		for _, c := range pool.Status.Conditions {
			told = append(told, string(c.Type)+" "+c.Reason)
		}
		return told
	}
	cases := map[string]struct {
		reason      string
		kind        types.PatchType
		patch       string
		subresource []string
		refused     func(error) bool
		annotations map[string]string
		conditions  []string
	}{
		"annotations": {
			reason: "null removes, text adds and replaces, and what is not named stays",
			kind:   types.MergePatchType, patch: `{"metadata":{"resourceVersion":"1","annotations":{"old":null,"kept":"new","added":""}}}`,
			annotations: map[string]string{"kept": "new", "added": "", "other": "o"}, conditions: []string{"Updated First"},
		},
		"no text": {
			reason: "an annotation is a text",
			kind:   types.MergePatchType, patch: `{"metadata":{"annotations":{"old":1}}}`, refused: apierrors.IsBadRequest,
		},
		"another version": {
			reason: "the version that a patch is locked to is compared",
			kind:   types.MergePatchType, patch: `{"metadata":{"resourceVersion":"7","annotations":{"old":null}}}`, refused: apierrors.IsConflict,
		},
		"status elsewhere": {
			reason: "only the subresource takes a status",
			kind:   types.MergePatchType, patch: `{"metadata":{"labels":{"l":"l"}},"status":{"conditions":[]}}`,
			annotations: map[string]string{"old": "o", "kept": "k", "other": "o"}, conditions: []string{"Updated First"},
		},
		"status": {
			reason: "a list is replaced as a whole",
			kind:   types.MergePatchType, patch: `{"metadata":{"annotations":{"old":null}},"status":{"conditions":[{"type":"Updating","reason":"Second"}]}}`, subresource: []string{"status"},
			annotations: map[string]string{"old": "o", "kept": "k", "other": "o"}, conditions: []string{"Updating Second"},
		},
		"operations": {
			reason: "operations go one after the other",
			kind:   types.JSONPatchType, patch: `[{"op":"replace","path":"/metadata/resourceVersion","value":"1"},
				{"op":"add","path":"/status/conditions/-","value":{"type":"Updating","reason":"Second"}},
				{"op":"replace","path":"/status/conditions/1","value":{"type":"Updating","reason":"Third"}}]`, subresource: []string{"status"},
			annotations: map[string]string{"old": "o", "kept": "k", "other": "o"}, conditions: []string{"Updated First", "Updating Third"},
		},
		"operation, another version": {
			reason: "replacing the version is comparing it",
			kind:   types.JSONPatchType, patch: `[{"op":"replace","path":"/metadata/resourceVersion","value":"7"}]`, subresource: []string{"status"}, refused: apierrors.IsConflict,
		},
		"operation, no such place": {
			reason: "the place is looked for before versions are compared",
			kind:   types.JSONPatchType, patch: `[{"op":"replace","path":"/metadata/resourceVersion","value":"7"},{"op":"replace","path":"/status/conditions/1","value":{}}]`,
			subresource: []string{"status"}, refused: apierrors.IsInvalid,
		},
		"operation, unknown": {
			reason: "what this API does not play is not played wrongly",
			kind:   types.JSONPatchType, patch: `[{"op":"remove","path":"/status/conditions/0"}]`, subresource: []string{"status"}, refused: apierrors.IsBadRequest,
		},
		"another kind of patch": {
			reason: "what this API does not play is not played wrongly",
			kind:   types.StrategicMergePatchType, patch: `{}`, refused: apierrors.IsBadRequest,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pool := Pool(Worker).Annotation("old", "o").Annotation("kept", "k").Annotation("other", "o").
				Condition(mcfgv1.MachineConfigPoolUpdated, corev1.ConditionTrue, "First").Object()
			api := NewAPI(clocktesting.NewFakePassiveClock(time.Unix(0, 0)), pool)
			before := api.Pool(Worker)
			require.Equal(t, "1", before.ResourceVersion)

			patched, err := api.Mcfg.MachineconfigurationV1().MachineConfigPools().Patch(t.Context(), Worker, c.kind, []byte(c.patch), metav1.PatchOptions{}, c.subresource...)
			if c.refused != nil {
				require.True(t, c.refused(err), "%s: %v", c.reason, err)
				require.Equal(t, before, api.Pool(Worker), c.reason)
				return
			}
			require.NoError(t, err, c.reason)
			stored := api.Pool(Worker)
			require.Equal(t, stored, patched, c.reason)
			require.NotEqual(t, before.ResourceVersion, stored.ResourceVersion, c.reason)
			require.Equal(t, c.annotations, stored.Annotations, c.reason)
			require.Equal(t, c.conditions, conditions(stored), c.reason)
		})
	}
}
