package plan

import mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

// State is where a pool stands, from our point of view.
type State string

const (
	// StateNotLayered: the pool did not opt in, or is being deleted.
	StateNotLayered State = "NotLayered"
	// StateUnsettled: a claim was made moments ago and the caches do not show
	// its build yet. The pool's conditions stay as they are.
	StateUnsettled State = "Unsettled"
	// StateHeld: a build is due and cannot start; the message names what to mend.
	StateHeld State = "Held"
	// StatePending: the build is created and has not begun to run.
	StatePending State = "Pending"
	// StateRetrying: an attempt failed; the next one has its time.
	StateRetrying State = "Retrying"
	// StateBuilding: the build is running.
	StateBuilding State = "Building"
	// StateSucceeded: the image of the wanted inputs is published.
	StateSucceeded State = "Succeeded"
	// StateFailed: the build failed for good; a changed input leads on.
	StateFailed State = "Failed"
	// StateInterrupted: someone cancelled the build; a changed input leads on.
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
