package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// poolWriter writes pools, and remembers the versions that this leads to.
type poolWriter struct {
	clock  clock.PassiveClock
	client mcfgclientset.Interface
	memory *memory
}

// write sends a patch and returns the pool as it is after it.
func (w *poolWriter) write(ctx context.Context, name string, form types.PatchType, patch []byte, subresources ...string) (*mcfgv1.MachineConfigPool, error) {
	pool, err := w.client.MachineconfigurationV1().MachineConfigPools().Patch(ctx, name, form, patch, metav1.PatchOptions{}, subresources...)
	if err != nil {
		return nil, fmt.Errorf("could not patch MachineConfigPool %s: %w", name, err)
	}
	w.memory.wrote(pool, w.clock.Now())
	return pool, nil
}

// reporter puts on pools, and into events, what there is to say of them.
type reporter struct {
	poolWriter
	callTimeout time.Duration
	recorder    record.EventRecorder
	// shares is Config.SharesPools.
	shares bool
}

// report puts the plan's state on the pool, as it is after the plan was
// executed, with one write, or none when it is there already. The event comes
// after the write, so a state is announced once.
// When someone else changed what was written a moment ago, it returns how long to
// leave it at that.
func (r *reporter) report(ctx context.Context, pool *mcfgv1.MachineConfigPool, p plan.Plan) (time.Duration, error) {
	now := r.clock.Now()
	p.Shared = r.shares
	told := ledger.ReadConditions(pool.Status.Conditions)
	conditions, changed := p.Conditions(pool.Status.Conditions, now)
	if p.Pool != "" && p.State.IsReported() && r.memory.isNews(pool.Name, p.Report) && p.Event != "" {
		r.recorder.Event(eventTarget(pool), p.Event, p.Reason, p.Message)
	}
	if !changed {
		return 0, nil
	}
	text := p.Reason + " " + p.Message + " " + p.Refusal
	if wait := r.memory.restraint(pool.Name, text, now); wait > 0 {
		return wait, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.callTimeout)
	defer cancel()
	if err := r.writeConditions(ctx, pool, conditions); err != nil {
		return 0, fmt.Errorf("could not report: %w", err)
	}
	r.memory.reported(pool.Name, text, now)

	klog.FromContext(ctx).Info("Reported", "state", p.State, "reason", p.Reason, "message", p.Message)
	if p.Pool == "" && p.Announces(&told) {
		r.recorder.Event(eventTarget(pool), p.Event, p.Reason, p.Message)
	}
	if p.AnnouncesRefusal(&told) {
		r.recorder.Event(eventTarget(pool), corev1.EventTypeWarning, ledger.ReasonRequestRefused, p.Refusal)
	}
	return 0, nil
}

// announceRefusal tells, once, that the pool's status itself cannot be written.
func (r *reporter) announceRefusal(pool *mcfgv1.MachineConfigPool, h *plan.Hold) {
	if r.memory.isUnreported(pool.Name, h.Message) {
		r.recorder.Event(eventTarget(pool), corev1.EventTypeWarning, h.Reason, h.Message)
	}
}

// announceStrangers tells, once of each, of builds that look like the pool's and are not
// used. They hold up nothing.
func (r *reporter) announceStrangers(pool *mcfgv1.MachineConfigPool, strangers []plan.Stranger) {
	for _, s := range strangers {
		if r.memory.announces(pool.Name, s.UID) {
			klog.Background().Info("A build is not what it seems to be", "pool", pool.Name, "build", s.Name, "why", s.Why)
			r.recorder.Event(eventTarget(pool), corev1.EventTypeWarning, ledger.ReasonNameTaken, plan.OfStranger(s))
		}
	}
}

// eventTarget is the pool with the kind that objects from caches lack and an
// event's reference needs.
func eventTarget(pool *mcfgv1.MachineConfigPool) *mcfgv1.MachineConfigPool {
	return &mcfgv1.MachineConfigPool{
		TypeMeta:   metav1.TypeMeta{APIVersion: mcfgv1.GroupVersion.String(), Kind: "MachineConfigPool"},
		ObjectMeta: metav1.ObjectMeta{Name: pool.Name, UID: pool.UID, ResourceVersion: pool.ResourceVersion},
	}
}

// writeConditions makes the conditions those of the pool. It sends the ones that differ:
// most do not, and belong to others anyway.
func (r *reporter) writeConditions(ctx context.Context, pool *mcfgv1.MachineConfigPool, conditions []mcfgv1.MachineConfigPoolCondition) error {
	if patch := ledger.ChangeOfConditions(pool, conditions); patch != nil {
		// Of a pool that has changed, an operation may miss its place before the
		// versions are compared. The answer then does not say which of the two it was,
		// and the other form of the patch finds out.
		if _, err := r.write(ctx, pool.Name, types.JSONPatchType, patch, "status"); !apierrors.IsInvalid(err) {
			return err
		}
	}
	_, err := r.write(ctx, pool.Name, types.MergePatchType, ledger.ReplaceConditions(pool, conditions), "status")
	return err
}

// isNews tells whether the state, of a pool that a MachineOSConfig opts in, takes an event,
// and takes it for announced. That of an attempt may be reworded.
func (m *memory) isNews(pool string, report ledger.Report) bool {
	text := string(report.State) + " " + report.Reason
	if report.State == ledger.StateHeld {
		text += " " + report.Message
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if r.told == text {
		return false
	}
	r.told = text
	return true
}

// secondLedger tells on MachineOSConfigs and MachineOSBuilds what is reported of a pool that
// the former opt in. Of any other pool it tells nothing.
type secondLedger struct {
	*machineos.Ledger
	x        *execution
	snapshot *plan.Snapshot
	// records tells that the plan puts a record on the pool.
	records bool
	// read is the pool as it was read last, and record what was on it.
	read   *mcfgv1.MachineConfigPool
	record *ledger.Record
	// configs are the objects that refer to the pool.
	configs []*mcfgv1.MachineOSConfig
	// wait is how long to leave something at what others wrote there; zero for nothing.
	wait time.Duration
	// unprepared tells that the MachineOSBuild does not tell the outcome yet.
	unprepared bool
}

// secondLedger is nil where pools opt in by their label alone.
func (ctrl *Controller) secondLedger(x *execution, s *plan.Snapshot) *secondLedger {
	if ctrl.machineOS == nil {
		return nil
	}
	snapshot := *s
	second := &secondLedger{Ledger: ctrl.machineOS, x: x, snapshot: &snapshot}
	if s.MachineOS.Problem == "" {
		second.configs = ctrl.machineOS.Configs(s.Pool.Name)
	}
	return second
}

// mark says of a plan that it is of a pool which MachineOSConfigs opt in.
func (l *secondLedger) mark(p plan.Plan) plan.Plan {
	if l.snapshot.MachineOS.OptsIn() {
		p.Pool, p.MachineOSBuild = l.snapshot.Pool.Name, l.snapshot.MachineOS.Build
	}
	return p
}

func (l *secondLedger) outcome(p plan.Plan) *ledger.Outcome {
	o := &ledger.Outcome{Report: l.mark(p).Report, Config: l.snapshot.Pool.WantedConfig, Now: l.snapshot.Now}
	if l.x.pool != nil && l.x.pool != l.read {
		l.read, l.record = l.x.pool, ledger.Read(l.x.pool).Record
	}
	o.Record = l.record
	if o.Record == nil {
		o.Record = p.Claim()
	}
	return o
}

// prepare tells of the outcome on the MachineOSBuild.
func (l *secondLedger) prepare(ctx context.Context, p plan.Plan) error {
	o := l.outcome(p)
	if len(l.configs) != 1 || o.MachineOSBuild == "" || !p.State.IsReported() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.x.callTimeout)
	defer cancel()
	wait, err := l.Prepare(ctx, l.configs[0], o)
	if err != nil {
		return ofMachineOS(err)
	}
	l.wait, l.unprepared = shorter(l.wait, wait), wait > 0
	if l.unprepared {
		return nil
	}
	named, wait, err := l.Name(ctx, l.configs[0], o)
	if err != nil {
		return ofMachineOS(err)
	}
	l.configs[0], l.wait = named, shorter(l.wait, wait)
	return nil
}

// begin tells on a MachineOSConfig that has told nothing so far what is planned. One that has
// may tell of what keeps the plan from coming about, and is only asked for.
func (l *secondLedger) begin(ctx context.Context, p plan.Plan) error {
	if len(l.configs) != 1 || len(l.configs[0].Status.Conditions) == 0 {
		return l.conclude(ctx, p)
	}
	live, err := l.Live(ctx, l.snapshot.Pool.Name)
	if err == nil && !slices.ContainsFunc(live, l.isAsKnown) {
		return errStale
	}
	return err
}

// isAsKnown tells whether the MachineOSConfig asks for what the plan was made for.
func (l *secondLedger) isAsKnown(live *mcfgv1.MachineOSConfig) bool {
	return live.UID == l.configs[0].UID && live.Generation == l.configs[0].Generation
}

// shorter is the shorter one of two waits, of which zero is none.
func shorter(x, y time.Duration) time.Duration {
	if x == 0 || y > 0 && y < x {
		return y
	}
	return x
}

// conclude tells of it on the MachineOSConfig. Of several, each says that it is one of them.
func (l *secondLedger) conclude(ctx context.Context, p plan.Plan) error {
	if !p.State.IsReported() || l.unprepared && p.State == ledger.StatePublished {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.x.callTimeout)
	defer cancel()
	var errs []error
	for i, config := range l.configs {
		concluded, wait, err := l.Conclude(ctx, config, l.outcome(p))
		if err == nil {
			l.configs[i] = concluded
		}
		l.wait, errs = shorter(l.wait, wait), append(errs, ofMachineOS(err))
	}
	return errors.Join(errs...)
}

// ofMachineOS tells of an object that is gone, or has come, since the caches had it, and of a
// builder that has.
func ofMachineOS(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) || errors.Is(err, machineos.ErrOtherBuilder) {
		return errors.Join(errStale, err)
	}
	return err
}

// tellOrphans says on MachineOSConfigs that the pool does not exist which they refer to. What
// was being built for it went with the pool.
func (ctrl *Controller) tellOrphans(ctx context.Context, pool string) error {
	if ctrl.machineOS == nil || ctrl.machineOS.Problem() != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ctrl.config.CallTimeout)
	defer cancel()
	var errs []error
	for _, config := range ctrl.machineOS.Configs(pool) {
		o := &ledger.Outcome{Now: ctrl.config.Clock.Now(), Report: ledger.Report{State: ledger.StateHeld, Reason: ledger.ReasonPoolMissing, Message: fmt.Sprintf(
			"MachineConfigPool %s, which %s, spec.machineConfigPool.name, refers to, does not exist; the build starts when it does", pool, inputs.MachineOSConfigObject(config.Name))}}
		_, _, err := ctrl.machineOS.Conclude(ctx, config, o)
		errs = append(errs, ofMachineOS(err), ofMachineOS(ctrl.machineOS.Abandon(ctx, config)))
	}
	return errors.Join(errs...)
}
