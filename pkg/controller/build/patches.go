package build

import (
	"context"
	"fmt"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// writePool sends a patch and takes down the version that it led to.
func (ctrl *Controller) writePool(ctx context.Context, name string, form types.PatchType, patch []byte, subresources ...string) (*mcfgv1.MachineConfigPool, error) {
	pool, err := ctrl.mcfgClient.MachineconfigurationV1().MachineConfigPools().Patch(ctx, name, form, patch, metav1.PatchOptions{}, subresources...)
	if err != nil {
		return nil, fmt.Errorf("could not patch MachineConfigPool %s: %w", name, err)
	}
	ctrl.writes.record(pool, ctrl.config.Clock.Now())
	return pool, nil
}

// writeConditions makes the conditions those of the pool. It sends the ones that differ:
// most do not, and belong to others anyway.
func (ctrl *Controller) writeConditions(ctx context.Context, pool *mcfgv1.MachineConfigPool, conditions []mcfgv1.MachineConfigPoolCondition) error {
	if patch := ledger.ChangeOfConditions(pool, conditions); patch != nil {
		// Of a pool that has changed, an operation may miss its place before the
		// versions are compared. The answer then does not say which of the two it was,
		// and the other form of the patch finds out.
		if _, err := ctrl.writePool(ctx, pool.Name, types.JSONPatchType, patch, "status"); !apierrors.IsInvalid(err) {
			return err
		}
	}
	_, err := ctrl.writePool(ctx, pool.Name, types.MergePatchType, ledger.ReplaceConditions(pool, conditions), "status")
	return err
}
