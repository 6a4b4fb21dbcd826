package ledger

import (
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func conditionsOf(types ...mcfgv1.MachineConfigPoolConditionType) []mcfgv1.MachineConfigPoolCondition {
	var conditions []mcfgv1.MachineConfigPoolCondition
	for _, t := range types {
		conditions = append(conditions, mcfgv1.MachineConfigPoolCondition{Type: t, Status: corev1.ConditionFalse})
	}
	return conditions
}

func TestConditionOperations(t *testing.T) {
	const foreign, building, success = mcfgv1.MachineConfigPoolUpdated, mcfgv1.MachineConfigPoolBuilding, mcfgv1.MachineConfigPoolBuildSuccess
	changed := conditionsOf(foreign, building, success)
	changed[1].Status = corev1.ConditionTrue
	for name, test := range map[string]struct {
		reason           string
		existing, wanted []mcfgv1.MachineConfigPoolCondition
		want             []string
	}{
		"one changed": {
			reason: "what is as it should be is not sent", existing: conditionsOf(foreign, building, success), wanted: changed,
			want: []string{"replace /metadata/resourceVersion", "replace /status/conditions/1"},
		},
		"one missing": {
			reason: "what is new goes behind the rest", existing: conditionsOf(foreign, building), wanted: conditionsOf(foreign, building, success),
			want: []string{"replace /metadata/resourceVersion", "add /status/conditions/-"},
		},
		"none yet":  {reason: "there is no list to add to", wanted: changed},
		"one twice": {reason: "removing takes the whole list", existing: conditionsOf(foreign, building, building), wanted: conditionsOf(foreign, building)},
		"twice, and one missing": {
			reason: "so does moving one up", existing: conditionsOf(foreign, building, building), wanted: conditionsOf(foreign, building, success),
		},
	} {
		t.Run(name, func(t *testing.T) {
			pool := &mcfgv1.MachineConfigPool{}
			pool.Status.Conditions = test.existing
			var got []string
			for _, operation := range conditionOperations(pool, test.wanted) {
				got = append(got, operation.Op+" "+operation.Path)
			}
			require.Equal(t, test.want, got, test.reason)
		})
	}
}
