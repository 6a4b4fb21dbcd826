package ledger

import (
	"encoding/json"
	"fmt"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Every write of a pool carries the version that the decision was made on, and fails
// with a conflict when the pool is not at it any more. No two objects have had the same
// version, so that also goes for one that was deleted and created again.

// ClaimPatch is a merge patch that puts a record on the pool: a claim, or the outcome of an
// attempt that failed. rebuild is the request that it acknowledges; empty for none.
func ClaimPatch(pool *mcfgv1.MachineConfigPool, record *Record, rebuild string) []byte {
	annotations := map[string]any{constants.BuildRecordAnnotation: record.String()}
	acknowledge(pool, record, annotations)
	if rebuild != "" {
		annotations[constants.RebuildObservedAnnotation] = rebuild
	}
	return mergePatch(pool, annotations, nil)
}

// acknowledge puts back what says that a request was acted on, if it was taken away.
func acknowledge(pool *mcfgv1.MachineConfigPool, record *Record, annotations map[string]any) {
	request := pool.Annotations[constants.RebuildRequestedAnnotation]
	if request != "" && record.Rebuild == RebuildMark(request) && pool.Annotations[constants.RebuildObservedAnnotation] != request {
		annotations[constants.RebuildObservedAnnotation] = request
	}
}

// PublishPatch is a merge patch that publishes the record's image, and puts the record on
// the pool.
func PublishPatch(pool *mcfgv1.MachineConfigPool, record *Record) []byte {
	annotations := map[string]any{
		constants.DesiredOSImageAnnotation:       record.Image,
		constants.DesiredOSImageConfigAnnotation: record.Config,
		constants.BuildRecordAnnotation:          record.String(),
	}
	acknowledge(pool, record, annotations)
	return mergePatch(pool, annotations, nil)
}

// RemovalPatch is a merge patch that takes our annotations off the pool; nil if there are
// none.
func RemovalPatch(pool *mcfgv1.MachineConfigPool) []byte {
	removals := map[string]any{}
	for _, annotation := range ourAnnotations {
		if _, ok := pool.Annotations[annotation]; ok {
			removals[annotation] = nil
		}
	}
	if len(removals) == 0 {
		return nil
	}
	return mergePatch(pool, removals, nil)
}

// ReplaceConditions is a merge patch of the pool's status.
func ReplaceConditions(pool *mcfgv1.MachineConfigPool, conditions []mcfgv1.MachineConfigPoolCondition) []byte {
	return mergePatch(pool, nil, map[string]any{"conditions": conditions})
}

// mergePatch is a merge patch of a pool; a nil value removes what it is of.
func mergePatch(pool *mcfgv1.MachineConfigPool, annotations, status map[string]any) []byte {
	metadata := map[string]any{"resourceVersion": pool.ResourceVersion}
	if annotations != nil {
		metadata["annotations"] = annotations
	}
	patch := map[string]any{"metadata": metadata}
	if status != nil {
		patch["status"] = status
	}
	return encode(patch)
}

func encode(patch any) []byte {
	text, err := json.Marshal(patch)
	if err != nil {
		// Texts and times of a decoded object always marshal.
		panic(err)
	}
	return text
}

// ChangeOfConditions is a JSON patch of the pool's status that sends what differs; nil
// where ReplaceConditions is needed.
func ChangeOfConditions(pool *mcfgv1.MachineConfigPool, wanted []mcfgv1.MachineConfigPoolCondition) []byte {
	operations := conditionOperations(pool, wanted)
	if operations == nil {
		return nil
	}
	return encode(operations)
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
