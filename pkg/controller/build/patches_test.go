package build

import (
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
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
			pool := buildtest.Pool(worker).Object()
			pool.Status.Conditions = test.existing
			var got []string
			for _, operation := range conditionOperations(pool, test.wanted) {
				got = append(got, operation.Op+" "+operation.Path)
			}
			require.Equal(t, test.want, got, test.reason)
		})
	}
}

// TestStaleConditionsAreAConflict: a report on a pool as it was is refused, also where
// the conditions have moved, and leaves the pool as it is.
func TestStaleConditionsAreAConflict(t *testing.T) {
	for name, edit := range map[string]func(*mcfgv1.MachineConfigPool){
		"others changed": func(p *mcfgv1.MachineConfigPool) { p.Labels["x"] = "y" },
		"cut short":      func(p *mcfgv1.MachineConfigPool) { p.Status.Conditions = p.Status.Conditions[:1] },
		"emptied":        func(p *mcfgv1.MachineConfigPool) { p.Status.Conditions = nil },
		"made again":     func(p *mcfgv1.MachineConfigPool) { p.UID = "other" },
	} {
		t.Run(name, func(t *testing.T) {
			h := restingPool(t)
			stale := h.api.Pool(worker)
			wanted := stale.DeepCopy().Status.Conditions
			for i := range wanted {
				wanted[i].Message = "news"
			}
			h.api.EditPool(worker, edit)
			before := h.api.Pool(worker)
			err := h.ctrl.writeConditions(t.Context(), stale, wanted)
			require.True(t, apierrors.IsConflict(err), "%v", err)
			require.Equal(t, before, h.api.Pool(worker))
		})
	}
}
