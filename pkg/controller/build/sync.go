package build

import (
	"context"
	"errors"
	"time"

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
	x := &execution{executor: ctrl.executor}
	for round := 1; ; round++ {
		pool, err := ctrl.mcpLister.Get(name)
		if apierrors.IsNotFound(err) {
			// What belonged to the pool is garbage collected with it.
			ctrl.forget(name)
			ctrl.announcer.ofShared()
			return plan.Plan{Report: ledger.Report{State: ledger.StateNotOptedIn}}, ctrl.tellOrphans(ctx, name)
		}
		if err != nil {
			return plan.Plan{}, err
		}
		if ctrl.memory.isWritePending(pool, ctrl.config.Clock.Now()) {
			// The event of that write is on its way, and wakes us.
			return plan.Plan{Report: ledger.Report{State: ledger.StateUnsettled}, RequeueAfter: writeGrace}, nil
		}
		resting, ok, found := ctrl.isAtRest(pool)
		if ok {
			return resting, nil
		}
		p, err := ctrl.round(ctx, x, pool)
		if err == nil {
			ctrl.noteRest(name, p, found)
		}
		if !errors.Is(err, errPlanAnew) || round >= maxRounds {
			return p, err
		}
	}
}

// round is one look at the pool, and what comes of it.
func (ctrl *Controller) round(ctx context.Context, x *execution, pool *mcfgv1.MachineConfigPool) (plan.Plan, error) {
	snapshot, err := ctrl.observer.observe(pool)
	if err != nil {
		return plan.Plan{}, err
	}
	ctrl.metrics.count(&snapshot, ctrl.builder)
	ctrl.announcer.ofPool(pool)
	ctrl.announcer.ofShared()
	second := ctrl.secondLedger(x, &snapshot)

	p := plan.Compute(snapshot)
	ctrl.memory.noteAhead(pool.Name, p.Ahead, snapshot.Now)
	ctrl.reporter.announceStrangers(pool, p.Strangers)
	klog.FromContext(ctx).V(4).Info("Planned", "state", p.State, "reason", p.Reason, "effects", len(p.Effects), "requeueAfter", p.RequeueAfter)

	if second != nil {
		second.records, x.tell = p.Records(), second.prepare
		x.begin = func(ctx context.Context) error { return second.begin(ctx, p) }
	}
	accepted, err := ctrl.acceptRequest(ctx, pool.Name)
	switch {
	case err != nil:
		x.pool, x.left = pool, p.Effects
		p, err = x.failed(p, err)
	case accepted:
		return plan.Plan{Report: ledger.Report{State: ledger.StateUnsettled}, RequeueAfter: writeGrace}, nil
	default:
		p, err = x.carryOut(ctx, pool, p)
	}
	if err == nil {
		ctrl.memory.noteWaiting(pool.Name, p.Waiting, snapshot.Now)
		ctrl.memory.noteLacking(pool.Name, p.Lacking, snapshot.Now)
		ctrl.memory.noteHalfWritten(pool.Name, p.HalfWritten, snapshot.Now)
	}
	ctrl.releaseSlot(pool.Name, p, err)
	if err != nil && sortError(err).hold == nil {
		if p.RequeueAfter = ctrl.memory.patience(pool.Name, err, snapshot.Now); p.RequeueAfter > 0 {
			return p, err
		}
		p = plan.Refused(p, *refusal(err), x.left)
	}

	wait, reportErr := ctrl.reportAll(ctx, x, second, p)
	if reportErr != nil {
		if p.RequeueAfter = ctrl.memory.patience(pool.Name, reportErr, snapshot.Now); p.RequeueAfter == 0 || isRefusal(reportErr) {
			ctrl.reporter.announceRefusal(pool, refusal(reportErr))
		}
	}
	if p.State != ledger.StateQueued || reportErr != nil {
		// Waiting for a slot, a pool does not try what has failed.
		ctrl.memory.noteOutcome(pool.Name, errors.Join(err, reportErr))
	}
	p.RequeueAfter = shorter(p.RequeueAfter, wait)
	return p, errors.Join(err, reportErr)
}

// reportAll tells what came of a plan, on the pool and, where MachineOSConfigs opt it in, on
// those and their MachineOSBuilds. An image that was put on record just now is not on the
// MachineOSConfig yet: what made it is removed before.
func (ctrl *Controller) reportAll(ctx context.Context, x *execution, second *secondLedger, p plan.Plan) (time.Duration, error) {
	if second == nil {
		return ctrl.reporter.report(ctx, x.pool, p)
	}
	if err := second.prepare(ctx, p); err != nil {
		return 0, err
	}
	wait, err := ctrl.reporter.report(ctx, x.pool, second.mark(p))
	if err == nil && (!second.records || p.State != ledger.StatePublished) {
		err = second.conclude(ctx, p)
	}
	return shorter(wait, second.wait), err
}

// acceptRequest makes of a person's request for a rebuild one that the plan is made with. The
// event of that wakes us.
func (ctrl *Controller) acceptRequest(ctx context.Context, pool string) (accepted bool, err error) {
	if ctrl.machineOS == nil || ctrl.machineOS.Problem() != "" {
		return false, nil
	}
	configs := ctrl.machineOS.Configs(pool)
	if len(configs) != 1 {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ctrl.config.CallTimeout)
	defer cancel()
	accepted, err = ctrl.machineOS.AcceptRequest(ctx, configs[0])
	return accepted, ofMachineOS(err)
}

// confirmOptOut ends the execution when a MachineOSConfig refers to the pool after all.
func (x *execution) confirmOptOut(ctx context.Context) error {
	if x.observer.machineOS == nil {
		return nil
	}
	live, err := x.observer.machineOS.Live(ctx, x.pool.Name)
	if err == nil && len(live) > 0 {
		return errStale
	}
	return err
}

// releaseSlot takes a pool out of the queue for a slot once it does not wait there any
// more. Those behind it move up.
func (ctrl *Controller) releaseSlot(name string, p plan.Plan, err error) {
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
	ctrl.memory.forget(name)
	ctrl.observer.knowledge.custom.forget(name)
	ctrl.metrics.forget(name)
	ctrl.releaseSlot(name, plan.Plan{Report: ledger.Report{State: ledger.StateNotOptedIn}}, nil)
}

// isAtRest tells whether nothing changed that the pool depends on since it was found at
// rest, and what was planned then. The evidence is for noteRest.
func (ctrl *Controller) isAtRest(pool *mcfgv1.MachineConfigPool) (plan.Plan, bool, evidence) {
	noted, news := ctrl.memory.restOf(pool.Name)
	found := ctrl.evidenceOf(pool, news)
	if noted == nil || noted.evidence != found {
		return plan.Plan{}, false, found
	}
	return noted.plan, true, found
}

// noteRest remembers whether a sync found the pool at rest: that it has what it wants,
// without an effect or an instant to look again. Other states depend on more than the
// evidence.
func (ctrl *Controller) noteRest(pool string, p plan.Plan, found evidence) {
	has := p.State == ledger.StatePublished || p.State == ledger.StateNotOptedIn || p.State == ledger.StateDeleting
	if has && len(p.Effects) == 0 && p.RequeueAfter == 0 {
		ctrl.memory.noteRest(pool, &resting{evidence: found, plan: p})
		return
	}
	ctrl.memory.noteRest(pool, nil)
}
