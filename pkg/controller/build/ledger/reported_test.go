package ledger

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// TestReported: what is read back from the conditions is the state that they were written for.
func TestReported(t *testing.T) {
	for _, test := range []struct {
		reason    string
		state     State
		condition string
	}{
		{reason: "a hold", state: StateHeld, condition: ReasonSecretMissing},
		{reason: "a hold of a later version", state: StateHeld, condition: "SomethingNew"},
		{reason: "its turn comes", state: StateQueued, condition: ReasonQueued},
		{reason: "inputs change", state: StateSettling, condition: ReasonInputsChanging},
		{reason: "a build that waits", state: StatePending, condition: ReasonBuildCreated},
		{reason: "a build that waits for long", state: StateStuck, condition: ReasonBuildStuck},
		{reason: "a failed attempt", state: StateRetrying, condition: ReasonRetryScheduled},
		{reason: "a running build", state: StateBuilding, condition: ReasonBuildRunning},
		{reason: "a result", state: StatePublished, condition: ReasonImagePublished},
		{reason: "a failure, beside which ImageBuildDegraded is True", state: StateFailed, condition: ReasonAttemptsExhausted},
		{reason: "somebody's will", state: StateInterrupted, condition: ReasonBuildCancelled},
	} {
		conditions, _ := report(Report{State: test.state, Reason: test.condition, Message: "m"}, foreign(), now)
		require.Empty(t, Contradictions(conditions, false), test.reason)
		slices.Reverse(conditions)
		want := Reported{State: test.state, Reason: test.condition, Message: "m", Since: now}
		told := ReadConditions(conditions)
		require.Equal(t, want, told, test.reason)
		require.Equal(t, test.state == StateQueued, !told.QueuedSince().IsZero(), test.reason)
	}
	for _, state := range []State{StateHeld, StatePublished, StateBuilding} {
		conditions, _ := report(Report{State: state, Reason: "R", Message: "m", Refusal: "no"}, nil, now)
		require.Empty(t, Contradictions(conditions, false), "what is refused says nothing against the state")
		require.Equal(t, "no", ReadConditions(conditions).Refusal)
	}
	for _, conditions := range [][]mcfgv1.MachineConfigPoolCondition{
		nil,
		foreign(),
		{{Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionTrue, Reason: "X"}},
	} {
		require.Equal(t, Reported{State: StateNotReported}, ReadConditions(conditions), "nothing was told of a build")
	}
	both := []mcfgv1.MachineConfigPoolCondition{
		{Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionTrue, Reason: ReasonBuildRunning},
		{Type: mcfgv1.MachineConfigPoolBuildSuccess, Status: corev1.ConditionTrue, Reason: ReasonImagePublished},
	}
	told := ReadConditions(both)
	require.Equal(t, StateContradictory, told.State, "one of them lies")
	require.Empty(t, told.Mark())
}

// TestEveryStateIsReported: a state that has a condition is among those that are read back.
func TestEveryStateIsReported(t *testing.T) {
	require.Len(t, ReportedStates, len(conditionOf))
	for _, state := range ReportedStates {
		require.Contains(t, conditionOf, state)
		require.Contains(t, FoundStates, state)
	}
	require.Len(t, BuildConditions(), 5)
	for _, conditionType := range BuildConditions() {
		require.True(t, IsOurs(conditionType))
	}
}

// TestReasonsAreComplete: the lists, which bound what metrics have as labels, follow the
// constants.
func TestReasonsAreComplete(t *testing.T) {
	told, failures := declaredReasons(t)
	require.ElementsMatch(t, told, ReportedReasons)
	require.ElementsMatch(t, failures, FailureReasons)
}

// declaredReasons are the values of the constants in reasons.go, other than those of
// conditions that are False.
func declaredReasons(t *testing.T) (told, failures []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reasons.go", nil, 0)
	require.NoError(t, err)
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constant := spec.(*ast.ValueSpec)
			name := constant.Names[0].Name
			value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			switch {
			case strings.HasPrefix(name, "Failure"):
				failures = append(failures, value)
			case !strings.HasPrefix(name, "ReasonNot"):
				told = append(told, value)
			}
		}
	}
	return told, failures
}
