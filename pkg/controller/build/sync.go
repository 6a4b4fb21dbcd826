package build

import (
	"context"
	"errors"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// maxRounds bounds how often a sync plans anew because of what executing the
// plan brought to light: two Secrets and a rendered config, and the last round.
const maxRounds = 4

// syncMachineConfigPool brings one pool closer to where it should be: observe,
// plan, execute, report. It returns the plan that was reported and the error that
// decides, together with it, when to look again.
func (ctrl *Controller) syncMachineConfigPool(ctx context.Context, name string) (plan.Plan, error) {
	x := execution{Controller: ctrl}
	for round := 1; ; round++ {
		pool, err := ctrl.mcpLister.Get(name)
		if apierrors.IsNotFound(err) {
			// What belonged to the pool is garbage collected with it.
			ctrl.forget(name)
			return plan.Plan{Report: ledger.Report{State: ledger.StateNotOptedIn}}, nil
		}
		if err != nil {
			return plan.Plan{}, err
		}
		if ctrl.writes.pending(pool, ctrl.config.Clock.Now()) {
			// The event of that write is on its way, and wakes us.
			return plan.Plan{Report: ledger.Report{State: ledger.StateUnsettled}, RequeueAfter: writeGrace}, nil
		}
		resting, ok, found := ctrl.isAtRest(pool)
		if ok {
			return resting, nil
		}
		p, err := x.round(ctx, pool)
		if err == nil {
			ctrl.noteRest(name, p, found)
		}
		if !errors.Is(err, errLearned) || round >= maxRounds {
			return p, err
		}
	}
}

// round is one look at the pool, and what comes of it.
func (x *execution) round(ctx context.Context, pool *mcfgv1.MachineConfigPool) (plan.Plan, error) {
	snapshot, err := x.observe(pool)
	if err != nil {
		return plan.Plan{}, err
	}
	x.metrics.saw(&snapshot, x.builder)
	x.announceUnknownKeys()

	p := plan.Compute(snapshot)
	klog.FromContext(ctx).V(4).Info("Planned", "state", p.State, "reason", p.Reason, "effects", len(p.Effects), "requeueAfter", p.RequeueAfter)

	p, err = x.carryOut(ctx, pool, p)
	if err == nil {
		x.waits.note(pool.Name, p.Waiting, snapshot.Now)
	}
	x.keepPlace(pool.Name, p, err)
	var held *heldError
	if err != nil && !errors.As(err, &held) {
		return p, err
	}

	wait, reportErr := x.report(ctx, x.pool, p)
	if wait > 0 && (p.RequeueAfter == 0 || wait < p.RequeueAfter) {
		p.RequeueAfter = wait
	}
	return p, errors.Join(err, reportErr)
}

// carryOut executes a plan. What that met with may be what there is to report in
// place of the plan.
func (x *execution) carryOut(ctx context.Context, pool *mcfgv1.MachineConfigPool, p plan.Plan) (plan.Plan, error) {
	x.pool, x.confirmed = pool, false
	err := x.execute(ctx, p.Effects)
	var held *heldError
	var queued *queuedError
	switch {
	case errors.As(err, &held):
		return plan.Held(held.hold), err
	case errors.As(err, &queued):
		return queued.plan(), nil
	}
	return p, err
}

// keepPlace takes a pool out of the queue for a place to build in once it does not
// wait there any more. Those behind it move up.
func (ctrl *Controller) keepPlace(name string, p plan.Plan, err error) {
	if p.State == ledger.StateQueued || p.State == ledger.StateUnsettled || verdictOn(p, err).quiet {
		return
	}
	changed := ctrl.slots.leave(name)
	if err != nil || !p.State.IsPending() {
		changed = ctrl.slots.seen(name) || changed
	}
	if changed {
		ctrl.enqueueWaiting()
	}
}

// forget drops what is remembered of a pool that does not exist any more.
func (ctrl *Controller) forget(name string) {
	ctrl.writes.forget(name)
	ctrl.checked.forget(name)
	ctrl.reports.forget(name)
	ctrl.rest.forget(name)
	ctrl.metrics.forget(name)
	ctrl.waits.note(name, false, ctrl.config.Clock.Now())
	ctrl.keepPlace(name, plan.Plan{Report: ledger.Report{State: ledger.StateNotOptedIn}}, nil)
}
