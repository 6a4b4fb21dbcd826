package plan

import (
	"slices"
	"strings"
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

// Conditions returns the pool's conditions as they are to be after the plan,
// and whether that differs from what they are. Conditions of other controllers
// keep their content and place; a time moves only when a status does.
func (p Plan) Conditions(existing []mcfgv1.MachineConfigPoolCondition, now time.Time) (conditions []mcfgv1.MachineConfigPoolCondition, changed bool) {
	trueType, reports := conditionOf[p.State]
	if !reports {
		return existing, false
	}

	wanted := make([]mcfgv1.MachineConfigPoolCondition, 0, len(buildConditions)+1)
	for _, c := range buildConditions {
		condition := mcfgv1.MachineConfigPoolCondition{Type: c.conditionType, Status: corev1.ConditionFalse, Reason: c.reason, Message: c.message}
		if c.conditionType == trueType {
			condition.Status, condition.Reason, condition.Message = corev1.ConditionTrue, p.Reason, p.Message
		}
		wanted = append(wanted, condition)
	}
	degraded := mcfgv1.MachineConfigPoolCondition{
		Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionFalse, Reason: ReasonNotFailed,
		Message: "No build of the wanted config has failed for good.",
	}
	if p.State == StateFailed {
		degraded.Status, degraded.Reason, degraded.Message = corev1.ConditionTrue, p.Reason, p.Message
	}
	wanted = append(wanted, degraded)

	return merge(existing, wanted, now)
}

// WithoutOurs returns the conditions that are not ours.
func WithoutOurs(existing []mcfgv1.MachineConfigPoolCondition) []mcfgv1.MachineConfigPoolCondition {
	kept := make([]mcfgv1.MachineConfigPoolCondition, 0, len(existing))
	for i := range existing {
		if !IsOurs(existing[i].Type) {
			kept = append(kept, existing[i])
		}
	}
	return kept
}

// merge lays the wanted conditions over the existing ones. A type that occurs
// twice is left once.
func merge(existing, wanted []mcfgv1.MachineConfigPoolCondition, now time.Time) (result []mcfgv1.MachineConfigPoolCondition, changed bool) {
	for i := range wanted {
		wanted[i].LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
		for j := range existing {
			if e := &existing[j]; e.Type == wanted[i].Type && e.Status == wanted[i].Status {
				wanted[i].LastTransitionTime = e.LastTransitionTime
				break
			}
		}
	}

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

// Announces tells whether the plan's state is another one than the existing
// conditions tell of, by type, reason and subject.
func (p Plan) Announces(existing []mcfgv1.MachineConfigPoolCondition) bool {
	trueType, reports := conditionOf[p.State]
	if !reports {
		return false
	}
	for i := range existing {
		if c := &existing[i]; c.Type == trueType && c.Status == corev1.ConditionTrue && c.Reason == p.Reason && strings.Contains(c.Message, p.Subject) {
			return false
		}
	}
	return true
}
