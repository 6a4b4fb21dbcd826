package plan

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

// TestTold: what is read back from the conditions is the state that they were written for.
func TestTold(t *testing.T) {
	for _, test := range []struct {
		reason    string
		state     State
		condition string
	}{
		{reason: "a hold", state: StateHeld, condition: ReasonSecretMissing},
		{reason: "a hold of an execution", state: StateHeld, condition: ReasonQueued},
		{reason: "a build that waits", state: StatePending, condition: ReasonBuildCreated},
		{reason: "a build that waits for long", state: StatePending, condition: ReasonBuildStuck},
		{reason: "a failed attempt", state: StateRetrying, condition: ReasonRetryScheduled},
		{reason: "a running build", state: StateBuilding, condition: ReasonBuildRunning},
		{reason: "a result", state: StateSucceeded, condition: ReasonImagePublished},
		{reason: "a failure, beside which ImageBuildDegraded is True", state: StateFailed, condition: ReasonAttemptsExhausted},
		{reason: "somebody's will", state: StateInterrupted, condition: ReasonBuildCancelled},
	} {
		conditions, _ := Plan{State: test.state, Reason: test.condition, Message: "m"}.Conditions(foreign(), now)
		slices.Reverse(conditions)
		state, reason := Told(conditions)
		require.Equal(t, test.state, state, test.reason)
		require.Equal(t, test.condition, reason, test.reason)
	}
	for _, conditions := range [][]mcfgv1.MachineConfigPoolCondition{
		nil,
		foreign(),
		{{Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionTrue, Reason: "X"}},
	} {
		state, reason := Told(conditions)
		require.Empty(t, state, "nothing was told of a build")
		require.Empty(t, reason)
	}
}

// TestEveryStateIsTold: a state that has a condition is among those that are told.
func TestEveryStateIsTold(t *testing.T) {
	require.Len(t, ToldStates, len(conditionOf))
	for _, state := range ToldStates {
		require.Contains(t, conditionOf, state)
	}
}

// TestReasonsAreComplete: the lists, which bound what metrics have as labels, follow the
// constants.
func TestReasonsAreComplete(t *testing.T) {
	told, failures := declaredReasons(t)
	require.ElementsMatch(t, told, ToldReasons)
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
