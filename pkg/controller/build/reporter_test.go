package build

import (
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

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
			err := h.ctrl.reporter.writeConditions(t.Context(), stale, wanted)
			require.True(t, apierrors.IsConflict(err), "%v", err)
			require.Equal(t, before, h.api.Pool(worker))
		})
	}
}
