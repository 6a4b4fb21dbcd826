package plan

import mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

// State is where a pool stands, from our point of view.
type State string

const (
	// StateNotLayered means: the pool did not opt in, or is being deleted.
	StateNotLayered State = "NotLayered"
	// StateUnsettled means: a claim was made moments ago and the caches do not show
	// its build yet. The pool's conditions stay as they are.
	StateUnsettled State = "Unsettled"
	// StateSettling means: the wanted inputs changed moments ago, and may change again.
	// The pool's conditions stay as they are.
	StateSettling State = "Settling"
	// StateHeld means: a build is due and cannot start; the message names what to mend.
	StateHeld State = "Held"
	// StatePending means: the build is created and has not begun to run.
	StatePending State = "Pending"
	// StateRetrying means: an attempt failed; the next one has its time.
	StateRetrying State = "Retrying"
	// StateBuilding means: the build is running.
	StateBuilding State = "Building"
	// StateSucceeded means: the image of the wanted inputs is published.
	StateSucceeded State = "Succeeded"
	// StateFailed means: the build failed for good; a changed input leads on.
	StateFailed State = "Failed"
	// StateInterrupted means: someone cancelled the build; a changed input leads on.
	StateInterrupted State = "Interrupted"
)

// conditionOf maps a state to the one build condition that is True in it.
// States that are absent report nothing.
var conditionOf = map[State]mcfgv1.MachineConfigPoolConditionType{
	StateHeld:        mcfgv1.MachineConfigPoolBuildPending,
	StatePending:     mcfgv1.MachineConfigPoolBuildPending,
	StateRetrying:    mcfgv1.MachineConfigPoolBuildPending,
	StateBuilding:    mcfgv1.MachineConfigPoolBuilding,
	StateSucceeded:   mcfgv1.MachineConfigPoolBuildSuccess,
	StateFailed:      mcfgv1.MachineConfigPoolBuildFailed,
	StateInterrupted: mcfgv1.MachineConfigPoolBuildInterrupted,
}
