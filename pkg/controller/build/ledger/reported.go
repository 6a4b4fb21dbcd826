package ledger

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
)

// Reported is what a pool's conditions tell, whichever process wrote them.
type Reported struct {
	// State is StateNotReported if they tell of none, and StateContradictory if of
	// several.
	State State
	// Reason and Message are those of the build condition that is True, the first one
	// if there are several.
	Reason  string
	Message string
	// Since is when that condition became True, in whole seconds.
	Since time.Time
	// Refusal is what the cluster refuses; empty for nothing.
	Refusal string
	// Build names the attempt that a MachineOSBuild is of. Conditions of pools do not name it.
	Build string
}

// ReadConditions reads back what a Report wrote.
func ReadConditions(conditions []mcfgv1.MachineConfigPoolCondition) Reported {
	told := Reported{State: StateNotReported}
	for i := range conditions {
		switch c := &conditions[i]; {
		case !IsOurs(c.Type):
		case tellsRefusal(c):
			told.Refusal = c.Message
		case c.Status != corev1.ConditionTrue || c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded:
		case told.State != StateNotReported:
			told.State = StateContradictory
			return told
		default:
			told.State, told.Reason, told.Message, told.Since = stateOf(c.Type, c.Reason), c.Reason, c.Message, c.LastTransitionTime.Time
		}
	}
	return told
}

// tellsRefusal tells of a condition that it is where a refusal is told, whatever the state.
func tellsRefusal(c *mcfgv1.MachineConfigPoolCondition) bool {
	at := corev1.ConditionTrue
	if c.Type == mcfgv1.MachineConfigPoolBuildInterrupted {
		at = corev1.ConditionFalse
	} else if c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded {
		return false
	}
	return c.Status == at && c.Reason == ReasonRequestRefused
}

// Mark tells apart what conditions told of attempts: it is empty if they told of none.
// No two attempts of a pool have had the same mark, see Report.Conditions.
func (t *Reported) Mark() string {
	if !t.State.IsOfAttempt() {
		return ""
	}
	return mark(t.Reason, t.Since)
}

func mark(reason string, since time.Time) string {
	return reason + " " + strconv.FormatInt(since.Unix(), 10)
}

// ReportsOn tells whether the conditions are of the attempt on record, and not of an
// earlier one.
func (t *Reported) ReportsOn(r *Record) bool {
	if t.Build != "" {
		return r != nil && t.State.IsOfAttempt() && t.Build == r.Build
	}
	return r != nil && t.State.IsOfAttempt() && t.Mark() != r.Before
}

// ReportsBuildOf tells whether the conditions say that the build on record was created.
func (t *Reported) ReportsBuildOf(r *Record) bool {
	return (t.State.IsPending() || t.State == StateBuilding) && t.ReportsOn(r)
}

// QueuedSince is since when the pool waits for its turn; zero if it does not.
func (t Reported) QueuedSince() time.Time {
	if t.State != StateQueued {
		return time.Time{}
	}
	return t.Since
}

// PublishedSince is since when, without a break, some image was that of the wanted inputs,
// or since when none is; published tells which. It is zero if the conditions do not tell.
func PublishedSince(pool *mcfgv1.MachineConfigPool) (since time.Time, published bool) {
	c := getMachineConfigPoolCondition(pool.Status, mcfgv1.MachineConfigPoolBuildSuccess)
	if c == nil {
		return time.Time{}, false
	}
	return c.LastTransitionTime.Time, c.Status == corev1.ConditionTrue
}

// Contradictions say in words what is wrong with a set of conditions that no Report has
// written; none if there is nothing of ours among them.
//
// Where they are shared, since the cluster serves MachineOSConfigs, ImageBuildDegraded is none
// of ours.
func Contradictions(conditions []mcfgv1.MachineConfigPoolCondition, shared bool) []string {
	types := BuildConditions()
	if !shared && degradedOfOthers(conditions) == nil {
		types = append(types, mcfgv1.MachineConfigPoolImageBuildDegraded)
	}
	counts := map[mcfgv1.MachineConfigPoolConditionType]int{}
	var isTrue []mcfgv1.MachineConfigPoolConditionType
	var problems []string
	degraded, refused := false, false
	for i := range conditions {
		c := &conditions[i]
		if !slices.Contains(types, c.Type) {
			continue
		}
		counts[c.Type]++
		switch {
		case c.Status != corev1.ConditionTrue && c.Status != corev1.ConditionFalse:
			problems = append(problems, fmt.Sprintf("%s is %q", c.Type, c.Status))
		case c.Status == corev1.ConditionFalse:
		case c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded:
			degraded, refused = true, c.Reason == ReasonRequestRefused
		default:
			isTrue = append(isTrue, c.Type)
		}
	}
	if len(counts) == 0 {
		return nil
	}
	if len(types) == len(buildConditions) {
		degraded = slices.Contains(isTrue, mcfgv1.MachineConfigPoolBuildFailed)
	}
	for _, t := range types {
		switch n := counts[t]; {
		case n == 0:
			problems = append(problems, string(t)+" is missing")
		case n > 1:
			problems = append(problems, fmt.Sprintf("%s occurs %d times", t, n))
		}
	}
	return append(problems, exclusions(isTrue, degraded, refused)...)
}

// exclusions are what is wrong with those that are True.
func exclusions(isTrue []mcfgv1.MachineConfigPoolConditionType, degraded, refused bool) []string {
	failed := slices.Contains(isTrue, mcfgv1.MachineConfigPoolBuildFailed)
	switch {
	case len(isTrue) == 0:
		return []string{"none of the build conditions is True"}
	case len(isTrue) > 1:
		return []string{fmt.Sprintf("%s are True", join(isTrue))}
	case degraded && !failed && !refused:
		return []string{"ImageBuildDegraded is True together with " + string(isTrue[0])}
	case failed && !degraded:
		return []string{"BuildFailed is True, and ImageBuildDegraded is not"}
	}
	return nil
}

func join(types []mcfgv1.MachineConfigPoolConditionType) string {
	text := string(types[0])
	for _, t := range types[1:] {
		text += " and " + string(t)
	}
	return text
}
