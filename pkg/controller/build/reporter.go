package build

import (
	"context"
	"fmt"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// reasonUnknownKey is the reason of events on the ConfigMap.
const reasonUnknownKey = "UnknownKey"

// report puts the plan's state on the pool, as it is after the plan was
// executed, with one write, or none when it is there already. The event comes
// after the write, so a state is announced once.
// When someone else changed what was written a moment ago, it returns how long to
// leave it at that.
func (ctrl *Controller) report(ctx context.Context, pool *mcfgv1.MachineConfigPool, p plan.Plan) (time.Duration, error) {
	now := ctrl.config.Clock.Now()
	told := ledger.ReadConditions(pool.Status.Conditions)
	conditions, changed := p.Conditions(pool.Status.Conditions, now)
	if !changed {
		return 0, nil
	}
	text := p.Reason + " " + p.Message
	if wait := ctrl.reports.restraint(pool.Name, text, now); wait > 0 {
		return wait, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ctrl.config.CallTimeout)
	defer cancel()
	if err := ctrl.writeConditions(ctx, pool, conditions); err != nil {
		return 0, fmt.Errorf("could not report: %w", err)
	}
	ctrl.reports.done(pool.Name, text, now)

	klog.FromContext(ctx).Info("Reported", "state", p.State, "reason", p.Reason, "message", p.Message)
	if p.Announces(&told) {
		ctrl.recorder.Event(eventTarget(pool), p.Event, p.Reason, p.Message)
	}
	return 0, nil
}

// announceUnknownKeys tells of keys of the ConfigMap that mean nothing, where
// whoever wrote them looks. They hold up nothing.
func (ctrl *Controller) announceUnknownKeys() {
	uid, unknown := ctrl.settings.announcement()
	if len(unknown) == 0 {
		return
	}
	target := &corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: ctrlcommon.MCONamespace, Name: constants.ConfigMapName, UID: uid}
	ctrl.recorder.Eventf(target, corev1.EventTypeWarning, reasonUnknownKey, "%s has keys that mean nothing and are ignored: %.500s; the known ones are %s",
		inputs.ConfigMapObject, strings.Join(unknown, ", "), strings.Join(inputs.KnownKeys(), ", "))
}

// eventTarget is the pool with the kind that objects from caches lack and an
// event's reference needs.
func eventTarget(pool *mcfgv1.MachineConfigPool) *mcfgv1.MachineConfigPool {
	return &mcfgv1.MachineConfigPool{
		TypeMeta:   metav1.TypeMeta{APIVersion: mcfgv1.GroupVersion.String(), Kind: "MachineConfigPool"},
		ObjectMeta: metav1.ObjectMeta{Name: pool.Name, UID: pool.UID, ResourceVersion: pool.ResourceVersion},
	}
}

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
