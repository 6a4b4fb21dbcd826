package status

import (
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// State is one word for where a pool stands.
type State string

// States of a pool. Up to StateInterrupted each stands for a build condition that is
// True, and for its reason.
const (
	// StatePublished means: the image of the wanted config is on the pool.
	StatePublished State = "Published"
	// StateBuilding means: the Build is running.
	StateBuilding State = "Building"
	// StatePending means: the Build is created and has not begun to run.
	StatePending State = "Pending"
	// StateStuck means: the Build has not begun to run for minutes.
	StateStuck State = "Stuck"
	// StateQueued means: other Builds have to end first.
	StateQueued State = "Queued"
	// StateSettling means: the build starts when its inputs stop changing.
	StateSettling State = "Settling"
	// StateRetrying means: an attempt failed, and the next one has its time.
	StateRetrying State = "Retrying"
	// StateHeld means: a build is due and cannot start; the reason says why.
	StateHeld State = "Held"
	// StateFailed means: the build failed for good.
	StateFailed State = "Failed"
	// StateInterrupted means: someone cancelled the build.
	StateInterrupted State = "Interrupted"

	// StateNotReported means: the controller has not said anything yet, or not of what
	// the pool wants now.
	StateNotReported State = "NotReported"
	// StateContradictory means: the pool's conditions exclude each other.
	StateContradictory State = "Contradictory"
	// StateNotOptedIn means: the pool is none of the controller's.
	StateNotOptedIn State = "NotOptedIn"
	// StateDeleting means: the pool is being deleted.
	StateDeleting State = "Deleting"
	// StateDeleted means: the pool was there a moment ago. Only who watches sees it.
	StateDeleted State = "Deleted"
)

// pendingStates are what BuildPending stands for, by its reason; every other reason is
// one of a hold.
var pendingStates = map[string]State{
	plan.ReasonBuildCreated:   StatePending,
	plan.ReasonBuildStuck:     StateStuck,
	plan.ReasonRetryScheduled: StateRetrying,
	plan.ReasonQueued:         StateQueued,
	plan.ReasonInputsChanging: StateSettling,
}

// stateOf reads a build condition that is True.
func stateOf(c *mcfgv1.MachineConfigPoolCondition) State {
	switch c.Type {
	case mcfgv1.MachineConfigPoolBuilding:
		return StateBuilding
	case mcfgv1.MachineConfigPoolBuildSuccess:
		return StatePublished
	case mcfgv1.MachineConfigPoolBuildFailed:
		return StateFailed
	case mcfgv1.MachineConfigPoolBuildInterrupted:
		return StateInterrupted
	}
	if state, ok := pendingStates[c.Reason]; ok {
		return state
	}
	return StateHeld
}

// trueConditions are the build conditions of the pool that are True; of a sound pool
// that is one.
func trueConditions(pool *mcfgv1.MachineConfigPool) []*mcfgv1.MachineConfigPoolCondition {
	var found []*mcfgv1.MachineConfigPoolCondition
	for i := range pool.Status.Conditions {
		c := &pool.Status.Conditions[i]
		if plan.IsOurs(c.Type) && c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded && c.Status == corev1.ConditionTrue {
			found = append(found, c)
		}
	}
	return found
}

// isOfAttempt tells whether the state is that of the attempt on record.
func (s State) isOfAttempt() bool {
	switch s {
	case StatePending, StateStuck, StateBuilding, StateRetrying, StateFailed, StateInterrupted:
		return true
	}
	return false
}
