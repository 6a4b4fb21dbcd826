package build

import (
	"context"
	"encoding/json"
	"fmt"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Every write of a pool carries the version that the decision was made on, and fails
// with a conflict when the pool is not at it any more. No two objects have had the same
// version, so that also goes for one that was deleted and created again.

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
	if operations := conditionOperations(pool, conditions); operations != nil {
		patch, err := json.Marshal(operations)
		if err != nil {
			return fmt.Errorf("could not make patch of MachineConfigPool %s: %w", pool.Name, err)
		}
		// Of a pool that has changed, an operation may miss its place before the
		// versions are compared. The answer then does not say which of the two it was,
		// and the other form of the patch finds out.
		if _, err = ctrl.writePool(ctx, pool.Name, types.JSONPatchType, patch, "status"); !apierrors.IsInvalid(err) {
			return err
		}
	}
	patch, err := poolPatch(pool, nil, map[string]any{"conditions": conditions})
	if err != nil {
		return err
	}
	_, err = ctrl.writePool(ctx, pool.Name, types.MergePatchType, patch, "status")
	return err
}

// operation is one of a JSON patch, see RFC 6902.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// conditionOperations turn the pool's conditions into the wanted ones, where that takes
// replacing and adding alone; nil where it does not. Setting a version is how a patch is
// locked to it.
func conditionOperations(pool *mcfgv1.MachineConfigPool, wanted []mcfgv1.MachineConfigPoolCondition) []operation {
	existing := pool.Status.Conditions
	if len(existing) == 0 || len(wanted) < len(existing) {
		return nil
	}
	operations := []operation{
		{"replace", "/metadata/resourceVersion", pool.ResourceVersion},
	}
	for i := range wanted {
		switch {
		case i >= len(existing):
			operations = append(operations, operation{"add", "/status/conditions/-", wanted[i]})
		case wanted[i].Type != existing[i].Type:
			return nil
		case wanted[i] != existing[i]:
			operations = append(operations, operation{"replace", fmt.Sprintf("/status/conditions/%d", i), wanted[i]})
		}
	}
	return operations
}

// poolPatch is a merge patch of a pool; a nil value removes what it is of.
func poolPatch(pool *mcfgv1.MachineConfigPool, metadata, status map[string]any) ([]byte, error) {
	locked := map[string]any{"resourceVersion": pool.ResourceVersion}
	for key, value := range metadata {
		locked[key] = value
	}
	patch := map[string]any{"metadata": locked}
	if status != nil {
		patch["status"] = status
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("could not make patch of MachineConfigPool %s: %w", pool.Name, err)
	}
	return text, nil
}
