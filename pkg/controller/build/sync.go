package build

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// maxRounds bounds how often a sync plans anew because of what executing the
// plan brought to light: two Secrets and a rendered config, and the last round.
const maxRounds = 4

// syncMachineConfigPool brings one pool closer to where it should be: observe,
// plan, execute, report. It returns the plan that was reported and the error that
// decides, together with it, when to look again.
func (ctrl *Controller) syncMachineConfigPool(ctx context.Context, name string) (plan.Plan, error) {
	for round := 1; ; round++ {
		pool, err := ctrl.mcpLister.Get(name)
		if apierrors.IsNotFound(err) {
			// What belonged to the pool is garbage collected with it.
			ctrl.writes.forget(name)
			return plan.Plan{State: plan.StateNotLayered}, nil
		}
		if err != nil {
			return plan.Plan{}, err
		}
		if ctrl.writes.pending(pool, ctrl.config.Clock.Now()) {
			// The event of that write is on its way, and wakes us.
			return plan.Plan{State: plan.StateUnsettled, RequeueAfter: writeGrace}, nil
		}

		snapshot, err := ctrl.observe(pool)
		if err != nil {
			return plan.Plan{}, err
		}
		p := plan.Compute(snapshot)
		klog.FromContext(ctx).V(4).Info("Planned", "state", p.State, "reason", p.Reason, "effects", len(p.Effects), "requeueAfter", p.RequeueAfter)

		x := execution{Controller: ctrl, pool: pool}
		err = x.execute(ctx, p.Effects)
		if errors.Is(err, errLearned) && round < maxRounds {
			continue
		}
		var held *heldError
		if errors.As(err, &held) {
			p = plan.Held(held.hold)
		} else if err != nil {
			return p, err
		}
		return p, errors.Join(err, ctrl.report(ctx, x.pool, p))
	}
}
