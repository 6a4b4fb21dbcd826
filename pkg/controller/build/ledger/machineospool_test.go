package ledger

import (
	"slices"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nodeController does what the node controller of clusters with MachineOSConfigs does to a
// pool to which none refers, at each of its syncs.
func nodeController(conditions []mcfgv1.MachineConfigPoolCondition) (result []mcfgv1.MachineConfigPoolCondition, changed bool) {
	ours := mcfgv1.MachineConfigPoolCondition{
		Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionFalse, Reason: "NoLayeredObjects", LastTransitionTime: metav1.NewTime(now),
	}
	isTrue := slices.ContainsFunc(conditions, func(c mcfgv1.MachineConfigPoolCondition) bool {
		return c.Type == ours.Type && c.Status == corev1.ConditionTrue
	})
	if !isTrue {
		return conditions, false
	}
	kept := slices.DeleteFunc(slices.Clone(conditions), func(c mcfgv1.MachineConfigPoolCondition) bool { return c.Type == ours.Type })
	return append(kept, ours), true
}

// TestNodeControllerIsNotFought: on today's clusters ImageBuildDegraded has two writers, and
// BuildInterrupted a reader that lets no upgrade begin. Where the cluster is not known to be one
// of these, each writes once; where it is, the node controller has nothing to take back.
func TestNodeControllerIsNotFought(t *testing.T) {
	for _, shared := range []bool{true, false} {
		notFought(t, shared)
	}
}

func notFought(t *testing.T, shared bool) {
	t.Helper()
	for _, state := range ReportedStates {
		for _, refusal := range []string{"", "no room"} {
			reason := "R"
			if state == StateInterrupted {
				reason = ReasonBuildCancelled
			}
			r := Report{State: state, Reason: reason, Message: "m", Refusal: refusal, Shared: shared}
			conditions, _ := (&Report{State: StateFailed, Reason: ReasonBuildFailed}).Conditions(foreign(), now)
			if shared {
				// A controller before this one may have known less.
				conditions, _ = r.Conditions(conditions, now)
				require.NotContains(t, typesOf(conditions), mcfgv1.MachineConfigPoolImageBuildDegraded)
			}
			conditions, changed := nodeController(conditions)
			require.NotEqual(t, shared, changed, "it comes after us, once")
			conditions, _ = r.Conditions(conditions, now.Add(time.Minute))
			conditions, changed = nodeController(conditions)
			require.False(t, changed, "%s: it has nothing to take back", state)
			again, changed := r.Conditions(conditions, now.Add(time.Hour))
			require.False(t, changed, "%s: nor have we", state)
			require.Equal(t, conditions, again)

			for _, c := range conditions {
				require.False(t, c.Type == mcfgv1.MachineConfigPoolBuildInterrupted && c.Status == corev1.ConditionTrue, "%s: upgrades are blocked", state)
			}
			require.Empty(t, Contradictions(conditions, shared), state)
			told := ReadConditions(conditions)
			require.Equal(t, stateOf(conditionOf[state], reason), told.State)
			require.Equal(t, refusal, told.Refusal, "it is told all the same")
			left := len(foreign())
			if !shared {
				left++
			}
			require.Len(t, WithoutOurs(conditions), left, "the node controller's stays when the pool opts out")
		}
	}
}

func typesOf(conditions []mcfgv1.MachineConfigPoolCondition) (types []mcfgv1.MachineConfigPoolConditionType) {
	for _, c := range conditions {
		types = append(types, c.Type)
	}
	return types
}

// TestDegradedOfOthers: what another builder says of a pool stays as well.
func TestDegradedOfOthers(t *testing.T) {
	for reason, theirs := range map[string]bool{
		"NoLayeredObjects": true, "BuildPending": true, "Building": true, "BuildSuccess": true,
		ReasonNotFailed: false, ReasonRequestRefused: false, ReasonAttemptsExhausted: false, ReasonBuildFailed: false,
	} {
		existing := []mcfgv1.MachineConfigPoolCondition{{Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionFalse, Reason: reason}}
		conditions, _ := (&Report{State: StateFailed, Reason: ReasonBuildFailed, Message: "m"}).Conditions(existing, now)
		require.Equal(t, theirs, conditions[0] == existing[0], reason)
	}
}
