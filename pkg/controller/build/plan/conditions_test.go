package plan

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

var allStates = []State{
	StateNotLayered, StateUnsettled, StateHeld, StatePending, StateRetrying, StateBuilding, StateSucceeded, StateFailed, StateInterrupted,
}

func foreign() []mcfgv1.MachineConfigPoolCondition {
	return []mcfgv1.MachineConfigPoolCondition{
		{Type: mcfgv1.MachineConfigPoolUpdated, Status: corev1.ConditionTrue, Reason: "r", Message: "m", LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))},
		{Type: mcfgv1.MachineConfigPoolDegraded, Status: corev1.ConditionFalse},
		{Type: "SomethingNew", Status: corev1.ConditionUnknown, Message: "of another controller"},
	}
}

// TestL04H04ExactlyOneConditionIsTrue: BuildPending stayed True beside BuildSuccess
// because each was set where something happened. Here they follow from a state.
func TestL04H04ExactlyOneConditionIsTrue(t *testing.T) {
	for _, from := range allStates {
		for _, to := range allStates {
			conditions, _ := Plan{State: from, Reason: "From", Message: "from"}.Conditions(foreign(), now)
			conditions, _ = Plan{State: to, Reason: "To", Message: "to"}.Conditions(conditions, now)

			last := to
			if _, reports := conditionOf[to]; !reports {
				last = from
			}
			trueType, reports := conditionOf[last]
			count := 0
			for _, c := range conditions {
				if IsOurs(c.Type) && c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded && c.Status == corev1.ConditionTrue {
					count++
					require.Equal(t, trueType, c.Type, "%s → %s", from, to)
				}
			}
			if reports {
				require.Equal(t, 1, count, "%s → %s", from, to)
				require.Len(t, conditions, len(foreign())+6, "all conditions are present, each once")
			}
			require.Equal(t, foreign(), WithoutOurs(conditions), "conditions of others keep content and order")
		}
	}
}

func TestConditionsAreStable(t *testing.T) {
	for _, state := range allStates {
		p := Plan{State: state, Reason: "R", Message: "m"}
		first, changed := p.Conditions(foreign(), now)
		_, reports := conditionOf[state]
		require.Equal(t, reports, changed, state)
		again, changed := p.Conditions(first, now.Add(time.Hour))
		require.False(t, changed, "%s: saying the same again is no change", state)
		require.Equal(t, first, again)
	}
}

func TestConditionTimes(t *testing.T) {
	find := func(conditions []mcfgv1.MachineConfigPoolCondition, of mcfgv1.MachineConfigPoolConditionType) mcfgv1.MachineConfigPoolCondition {
		for _, c := range conditions {
			if c.Type == of {
				return c
			}
		}
		require.Fail(t, "no condition "+string(of))
		return mcfgv1.MachineConfigPoolCondition{}
	}
	building, _ := Plan{State: StateBuilding, Reason: "R", Message: "1"}.Conditions(nil, now)
	reworded, changed := Plan{State: StateBuilding, Reason: "R", Message: "2"}.Conditions(building, now.Add(time.Minute))
	require.True(t, changed, "another message is a change")
	require.Equal(t, now, find(reworded, mcfgv1.MachineConfigPoolBuilding).LastTransitionTime.Time, "but no transition")

	done, _ := Plan{State: StateSucceeded, Reason: "R", Message: "3"}.Conditions(reworded, now.Add(time.Hour))
	require.Equal(t, now.Add(time.Hour), find(done, mcfgv1.MachineConfigPoolBuilding).LastTransitionTime.Time)
	require.Equal(t, now.Add(time.Hour), find(done, mcfgv1.MachineConfigPoolBuildSuccess).LastTransitionTime.Time)
	require.Equal(t, now, find(done, mcfgv1.MachineConfigPoolBuildFailed).LastTransitionTime.Time, "it was False all along")
}

func TestDuplicateConditionIsMended(t *testing.T) {
	twice := []mcfgv1.MachineConfigPoolCondition{
		{Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionTrue},
		{Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionFalse},
	}
	conditions, changed := Plan{State: StateSucceeded, Reason: "R", Message: "m"}.Conditions(twice, now)
	require.True(t, changed)
	require.Len(t, conditions, 6)
}

// TestH26DegradedFollowsTheActiveBuild: the flag of the previous build's failure
// stayed while the next one ran.
func TestH26DegradedFollowsTheActiveBuild(t *testing.T) {
	for _, state := range allStates {
		failed, _ := Plan{State: StateFailed, Reason: "R", Message: "m"}.Conditions(nil, now)
		conditions, changed := Plan{State: state, Reason: "R", Message: "m"}.Conditions(failed, now)
		if _, reports := conditionOf[state]; !reports || state == StateFailed {
			require.False(t, changed)
			continue
		}
		for _, c := range conditions {
			if c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded {
				require.Equal(t, corev1.ConditionFalse, c.Status, "in state %s", state)
			}
		}
	}
}

func TestAnnounces(t *testing.T) {
	p := Held(Hold{Reason: ReasonSecretMissing, Message: "Secret a is missing"})
	require.True(t, p.Announces(nil), "a first state is news")
	conditions, _ := p.Conditions(nil, now)
	require.False(t, p.Announces(conditions), "the same again is not")
	require.True(t, Held(Hold{Reason: ReasonSecretMissing, Message: "Secret b is missing"}).Announces(conditions), "another secret is news")
	require.False(t, Plan{State: StateUnsettled}.Announces(conditions), "a state that reports nothing announces nothing")

	failed := Compute(with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, permanent, func(b *imagebuilder.Observation) { b.Log = "" })))
	conditions, _ = failed.Conditions(nil, now)
	withLog := Compute(with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, permanent)))
	require.NotEqual(t, failed.Message, withLog.Message)
	require.False(t, withLog.Announces(conditions), "that the log came later makes no second failure")
	other := Compute(with(ready(), record(with2(claimed(time.Hour))), observed("build-2", imagebuilder.PhaseFailed, permanent)))
	require.True(t, other.Announces(conditions), "another build's failure does")
}

func with2(r Record) Record {
	r.Build = "build-2"
	return r
}
