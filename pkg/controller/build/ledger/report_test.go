package ledger

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var allStates = append([]State{StateNotOptedIn, StateDeleting, StateUnsettled, StateQuiet}, FoundStates...)

func report(r Report, existing []mcfgv1.MachineConfigPoolCondition, now time.Time) ([]mcfgv1.MachineConfigPoolCondition, bool) {
	return r.Conditions(existing, now)
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
			conditions, _ := report(Report{State: from, Reason: "From", Message: "from"}, foreign(), now)
			conditions, _ = report(Report{State: to, Reason: "To", Message: "to"}, conditions, now)

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
		p := Report{State: state, Reason: "R", Message: "m"}
		first, changed := report(p, foreign(), now)
		_, reports := conditionOf[state]
		require.Equal(t, reports, changed, state)
		again, changed := report(p, first, now.Add(time.Hour))
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
	building, _ := report(Report{State: StateBuilding, Reason: "R", Message: "1"}, nil, now)
	reworded, changed := report(Report{State: StateBuilding, Reason: "R", Message: "2"}, building, now.Add(time.Minute))
	require.True(t, changed, "another message is a change")
	require.Equal(t, now, find(reworded, mcfgv1.MachineConfigPoolBuilding).LastTransitionTime.Time, "but no transition")

	done, _ := report(Report{State: StatePublished, Reason: "R", Message: "3"}, reworded, now.Add(time.Hour))
	require.Equal(t, now.Add(time.Hour), find(done, mcfgv1.MachineConfigPoolBuilding).LastTransitionTime.Time)
	require.Equal(t, now.Add(time.Hour), find(done, mcfgv1.MachineConfigPoolBuildSuccess).LastTransitionTime.Time)
	require.Equal(t, now, find(done, mcfgv1.MachineConfigPoolBuildFailed).LastTransitionTime.Time, "it was False all along")
}

func TestDuplicateConditionIsMended(t *testing.T) {
	twice := []mcfgv1.MachineConfigPoolCondition{
		{Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionTrue},
		{Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionFalse},
	}
	conditions, changed := report(Report{State: StatePublished, Reason: "R", Message: "m"}, twice, now)
	require.True(t, changed)
	require.Len(t, conditions, 6)
}

// TestH26DegradedFollowsTheActiveBuild: the flag of the previous build's failure
// stayed while the next one ran.
func TestH26DegradedFollowsTheActiveBuild(t *testing.T) {
	for _, state := range allStates {
		failed, _ := report(Report{State: StateFailed, Reason: "R", Message: "m"}, nil, now)
		conditions, changed := report(Report{State: state, Reason: "R", Message: "m"}, failed, now)
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

// TestAnnounces: a state is told by an event once, however it is reworded.
func TestAnnounces(t *testing.T) {
	attempt := func(reason, before, message string) Report {
		return Report{State: stateOf(mcfgv1.MachineConfigPoolBuildFailed, reason), Reason: reason, Before: before, Message: message, Event: EventWarning}
	}
	hold := func(message string) Report {
		return Report{State: StateHeld, Reason: ReasonSecretMissing, Message: message, Event: EventWarning}
	}
	queued := func(message string) Report {
		return Report{State: StateQueued, Reason: ReasonQueued, Message: message, Event: EventNormal}
	}
	failedBefore := mark(ReasonBuildFailed, now)
	for name, test := range map[string]struct {
		reason string
		told   *Report
		report Report
		want   bool
	}{
		"first":             {reason: "a first state is news", report: hold("a"), want: true},
		"the same":          {reason: "the same again is not", told: new(hold("a")), report: hold("a")},
		"another object":    {reason: "another secret is news", told: new(hold("a")), report: hold("b"), want: true},
		"nothing to report": {reason: "a state that reports nothing announces nothing", told: new(hold("a")), report: Report{State: StateUnsettled, Event: EventNormal}},
		"without an event":  {reason: "that a build runs is no event", report: Report{State: StateBuilding, Reason: ReasonBuildRunning, Message: "m"}},
		"reworded":          {reason: "that the log came later makes no second failure", told: new(attempt(ReasonBuildFailed, "", "m")), report: attempt(ReasonBuildFailed, "", "m, log")},
		"another attempt":   {reason: "another build's failure does", told: new(attempt(ReasonBuildFailed, "", "m")), report: attempt(ReasonBuildFailed, failedBefore, "m"), want: true},
		"another reason":    {reason: "that no attempt is left is another end", told: new(attempt(ReasonBuildFailed, "", "m")), report: attempt(ReasonAttemptsExhausted, "", "m"), want: true},
		"others ahead":      {reason: "a queue that moves is no news", told: new(queued("3 ahead")), report: queued("2 ahead")},
		"queued at last":    {reason: "that a pool has to wait is", told: new(hold("a")), report: queued("2 ahead"), want: true},
		"another image at once": {reason: "an image that was known is published without a build", want: true,
			told: &Report{State: StatePublished, Reason: ReasonImagePublished, Message: "1"}, report: Report{State: StatePublished, Reason: ReasonImagePublished, Message: "2", Event: EventNormal}},
	} {
		t.Run(name, func(t *testing.T) {
			var conditions []mcfgv1.MachineConfigPoolCondition
			if test.told != nil {
				conditions, _ = test.told.Conditions(foreign(), now)
			}
			told := ReadConditions(conditions)
			require.Equal(t, test.want, test.report.Announces(&told), test.reason)
		})
	}
}

// TestMarks: of which attempt a condition is, is told by fields, also where only the
// message would differ.
func TestMarks(t *testing.T) {
	first := Record{Build: "build-1"}
	pending := func(r *Record) Report {
		return Report{State: StatePending, Reason: ReasonBuildCreated, Before: r.Before, Message: r.Build}
	}
	conditions, _ := report(pending(&first), foreign(), now)
	told := ReadConditions(conditions)
	require.True(t, told.ReportsBuildOf(&first))

	// Its successor is claimed within the second, and reported within it, too.
	second := Record{Build: "build-2", Before: told.Mark()}
	require.False(t, told.ReportsBuildOf(&second), "the conditions are still those of the first one")
	conditions, changed := report(pending(&second), conditions, now)
	require.True(t, changed)
	told = ReadConditions(conditions)
	require.True(t, told.ReportsBuildOf(&second))
	require.Equal(t, now.Add(time.Second), told.Since, "nothing else could tell the two apart")
	_, changed = report(pending(&second), conditions, now.Add(time.Minute))
	require.False(t, changed, "saying it again changes nothing")

	// A stuck build shares the time of its condition with what it was before.
	stuck := Report{State: StateStuck, Reason: ReasonBuildStuck, Before: second.Before, Message: "stuck"}
	conditions, _ = report(stuck, conditions, now.Add(time.Hour))
	told = ReadConditions(conditions)
	require.Equal(t, now.Add(time.Second), told.Since)
	third := Record{Build: "build-3", Before: told.Mark()}
	require.False(t, told.ReportsOn(&third))
	conditions, _ = report(pending(&third), conditions, now.Add(time.Hour))
	told = ReadConditions(conditions)
	require.True(t, told.ReportsOn(&third))
	require.Equal(t, now.Add(time.Second), told.Since, "the reason tells them apart")
	conditions, _ = report(Report{State: StateStuck, Reason: ReasonBuildStuck, Before: third.Before, Message: "stuck"}, conditions, now.Add(2*time.Hour))
	told = ReadConditions(conditions)
	require.True(t, told.ReportsOn(&third))
	require.Equal(t, now.Add(2*time.Hour), told.Since)

	held, _ := report(Report{State: StateHeld, Reason: ReasonSecretMissing, Message: "m"}, conditions, now)
	told = ReadConditions(held)
	require.Empty(t, told.Mark(), "a hold is of no attempt")
	require.False(t, told.ReportsOn(&third))
}
