package plan

import (
	"slices"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
)

// ToldStates are the states that a pool's conditions can tell of.
var ToldStates = []State{
	StateHeld, StatePending, StateRetrying, StateBuilding, StateSucceeded, StateFailed, StateInterrupted,
}

// ToldReasons are the reasons that the build condition which is True can have.
var ToldReasons = []string{
	ReasonNoRenderedConfig, ReasonRenderedConfigMissing, ReasonRenderedConfigInvalid, ReasonConfigMapMissing, ReasonConfigMapInvalid,
	ReasonControllerConfigMissing, ReasonBaseImageUnknown, ReasonBaseImageInvalid, ReasonExtensionsImageInvalid, ReasonTrustBundleInvalid,
	ReasonCustomContentInvalid, ReasonCredentialsInConfig, ReasonRepositoriesInvalid, ReasonSecretMissing, ReasonSecretInvalid,
	ReasonPoolPaused, ReasonRenderDegraded, ReasonBuilderUnavailable, ReasonBuilderRefused, ReasonInputsChanging, ReasonQueued,
	ReasonNameTaken, ReasonInternal, ReasonBuildCreated, ReasonBuildStuck, ReasonRetryScheduled, ReasonBuildRunning, ReasonImagePublished,
	ReasonBuildFailed, ReasonAttemptsExhausted, ReasonBuildCancelled,
}

// FailureReasons are the reasons of failures that the controller finds itself.
var FailureReasons = []string{
	FailureNoDigest, FailurePendingTooLong, FailureRunningTooLong, FailureSuperseded, FailureBuildDeleted,
}

// Told is the state, and the reason, that a pool's conditions tell of, whichever process
// wrote them; empty if they tell of none.
func Told(conditions []mcfgv1.MachineConfigPoolCondition) (State, string) {
	for i := range conditions {
		c := &conditions[i]
		if c.Status != corev1.ConditionTrue || c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded || !IsOurs(c.Type) {
			continue
		}
		return stateOf(c), c.Reason
	}
	return "", ""
}

// stateOf is the state that has the condition True. States that share it differ by
// their reasons.
func stateOf(c *mcfgv1.MachineConfigPoolCondition) State {
	switch {
	case c.Type != mcfgv1.MachineConfigPoolBuildPending:
		at := slices.IndexFunc(ToldStates, func(s State) bool { return conditionOf[s] == c.Type })
		return ToldStates[at]
	case c.Reason == ReasonBuildCreated, c.Reason == ReasonBuildStuck:
		return StatePending
	case c.Reason == ReasonRetryScheduled:
		return StateRetrying
	}
	return StateHeld
}
