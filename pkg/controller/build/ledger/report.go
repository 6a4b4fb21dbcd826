package ledger

import (
	"slices"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// buildConditions are the conditions of which exactly one is True, with what
// each says while it is False.
var buildConditions = []struct {
	conditionType   mcfgv1.MachineConfigPoolConditionType
	reason, message string
}{
	{mcfgv1.MachineConfigPoolBuildPending, ReasonNotPending, "No build is waiting."},
	{mcfgv1.MachineConfigPoolBuilding, ReasonNotBuilding, "No build is running."},
	{mcfgv1.MachineConfigPoolBuildSuccess, ReasonNotPublished, "The image of the wanted config is not published."},
	{mcfgv1.MachineConfigPoolBuildFailed, ReasonNotFailed, "The newest build has not failed for good."},
	{mcfgv1.MachineConfigPoolBuildInterrupted, ReasonNotInterrupted, "The newest build was not cancelled."},
}

// BuildConditions are the types of the conditions of which exactly one is True.
func BuildConditions() []mcfgv1.MachineConfigPoolConditionType {
	types := make([]mcfgv1.MachineConfigPoolConditionType, 0, len(buildConditions))
	for i := range buildConditions {
		types = append(types, buildConditions[i].conditionType)
	}
	return types
}

// IsOurs tells whether the BuildController owns conditions of this type.
func IsOurs(t mcfgv1.MachineConfigPoolConditionType) bool {
	if t == mcfgv1.MachineConfigPoolImageBuildDegraded {
		return true
	}
	for i := range buildConditions {
		if buildConditions[i].conditionType == t {
			return true
		}
	}
	return false
}

// Types of events.
const (
	EventNormal  = corev1.EventTypeNormal
	EventWarning = corev1.EventTypeWarning
)

// Report is what there is to say of a pool.
type Report struct {
	State State
	// Reason and Message explain the state on the pool.
	Reason  string
	Message string
	// Before is Record.Before, for a state that is that of an attempt.
	Before string
	// Refusal says what the cluster refuses, whatever the state is; empty for nothing. It
	// is what ImageBuildDegraded tells beside a build that failed.
	Refusal string
	// Pool is the name of a pool that a MachineOSConfig opts in, of whose conditions only
	// ImageBuildDegraded is reported then; empty for one that its label opts in.
	Pool string
	// MachineOSBuild is the object that tells of the image of such a pool, if that is known.
	MachineOSBuild string
	// Shared tells that the cluster serves MachineOSConfigs, see degradedOfOthers.
	Shared bool
	// Event is the type of the event that announces the state when it is new;
	// empty for a state that is announced by its condition alone.
	Event string
}

// Conditions returns the pool's conditions as they are to be, and whether that differs
// from what they are. Conditions of other controllers keep their content and place. A
// time moves only when a status does, or, in whole seconds, where the condition would
// have the mark that it had of an earlier attempt.
func (r *Report) Conditions(existing []mcfgv1.MachineConfigPoolCondition, now time.Time) (conditions []mcfgv1.MachineConfigPoolCondition, changed bool) {
	if r.Pool != "" {
		return r.degraded(existing, now)
	}
	trueType, reports := conditionOf[r.State]
	if !reports {
		return existing, false
	}
	shared := r.Shared || degradedOfOthers(existing) != nil
	if shared && trueType == mcfgv1.MachineConfigPoolBuildInterrupted {
		trueType = mcfgv1.MachineConfigPoolBuildFailed
	}
	wanted := make([]mcfgv1.MachineConfigPoolCondition, 0, len(buildConditions)+1)
	for _, c := range buildConditions {
		condition := mcfgv1.MachineConfigPoolCondition{Type: c.conditionType, Status: corev1.ConditionFalse, Reason: c.reason, Message: c.message}
		switch {
		case c.conditionType == trueType:
			condition.Status, condition.Reason, condition.Message = corev1.ConditionTrue, r.Reason, r.Message
		case shared && r.Refusal != "" && c.conditionType == mcfgv1.MachineConfigPoolBuildInterrupted:
			condition.Reason, condition.Message = ReasonRequestRefused, r.Refusal
		}
		wanted = append(wanted, condition)
	}
	if degraded := r.degradedFor(existing, shared); degraded != nil {
		wanted = append(wanted, *degraded)
	}
	r.date(wanted, existing, trueType, now)
	return merge(existing, wanted)
}

// degradedFor is ImageBuildDegraded as it is to be: what others wrote stays, and where they do,
// nothing of ours is beside it.
func (r *Report) degradedFor(existing []mcfgv1.MachineConfigPoolCondition, shared bool) *mcfgv1.MachineConfigPoolCondition {
	if shared {
		return degradedOfOthers(existing)
	}
	degraded := &mcfgv1.MachineConfigPoolCondition{
		Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionFalse, Reason: ReasonNotFailed,
		Message: "No build of the wanted config has failed for good.",
	}
	switch {
	case r.State == StateFailed:
		degraded.Status, degraded.Reason, degraded.Message = corev1.ConditionTrue, r.Reason, r.Message
	case r.Refusal != "":
		degraded.Status, degraded.Reason, degraded.Message = corev1.ConditionTrue, ReasonRequestRefused, r.Refusal
	}
	return degraded
}

// AnnouncesRefusal tells whether the refusal takes an event of its own, beside that of a
// state which is new because of it.
func (r *Report) AnnouncesRefusal(told *Reported) bool {
	return r.Refusal != "" && r.Refusal != told.Refusal && r.Refusal != r.Message
}

// date sets the times of the wanted conditions.
func (r *Report) date(wanted, existing []mcfgv1.MachineConfigPoolCondition, trueType mcfgv1.MachineConfigPoolConditionType, now time.Time) {
	for i := range wanted {
		w := &wanted[i]
		w.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
		for j := range existing {
			if e := &existing[j]; e.Type == w.Type && e.Status == w.Status {
				w.LastTransitionTime = e.LastTransitionTime
				break
			}
		}
		if w.Type != trueType || !r.State.IsOfAttempt() || mark(r.Reason, w.LastTransitionTime.Time) != r.Before {
			continue
		}
		since := w.LastTransitionTime.Time
		w.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
		if w.LastTransitionTime.Time.Equal(since) {
			w.LastTransitionTime = metav1.NewTime(since.Add(time.Second))
		}
	}
}

// WithoutOurs returns the conditions that are not ours.
func WithoutOurs(existing []mcfgv1.MachineConfigPoolCondition) []mcfgv1.MachineConfigPoolCondition {
	kept := make([]mcfgv1.MachineConfigPoolCondition, 0, len(existing))
	for i := range existing {
		if !isTrace(&existing[i]) {
			kept = append(kept, existing[i])
		}
	}
	return kept
}

// merge lays the wanted conditions over the existing ones. A type that occurs
// twice is left once.
func merge(existing, wanted []mcfgv1.MachineConfigPoolCondition) (result []mcfgv1.MachineConfigPoolCondition, changed bool) {
	for i := range existing {
		if !IsOurs(existing[i].Type) {
			result = append(result, existing[i])
			continue
		}
		at := slices.IndexFunc(wanted, func(w mcfgv1.MachineConfigPoolCondition) bool { return w.Type == existing[i].Type })
		if at < 0 {
			changed = true
			continue
		}
		result = append(result, wanted[at])
		changed = changed || existing[i] != wanted[at]
		wanted = slices.Delete(wanted, at, at+1)
	}
	return append(result, wanted...), changed || len(wanted) > 0
}

// Announces tells whether the state is another one than the conditions tell of, so that
// it takes an event. A state of an attempt is new if they are of an earlier attempt; of
// one attempt the message may be reworded. Whoever is queued stays queued, however many
// are ahead. Every other state is new with its message.
func (r *Report) Announces(told *Reported) bool {
	switch {
	case r.Event == "" || !r.State.IsReported():
		return false
	case told.State != r.State || told.Reason != r.Reason:
		return true
	case r.State.IsOfAttempt():
		return told.Mark() == r.Before
	case r.State == StateQueued:
		return false
	}
	return told.Message != r.Message
}
