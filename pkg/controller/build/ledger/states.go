package ledger

import mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

// State is where a pool stands. Conditions, metrics, alerts, commands and the
// documentation have these words, and no others.
type State string

// States that a pool's conditions tell of.
const (
	// StateHeld means: a build is due and cannot start; the message names what to mend.
	StateHeld State = "Held"
	// StateQueued means: as many builds run as the settings allow.
	StateQueued State = "Queued"
	// StateSettling means: the inputs keep changing for more than one quiet period.
	StateSettling State = "Settling"
	// StatePending means: the build is created and has not begun to run.
	StatePending State = "Pending"
	// StateStuck means: the build has not begun to run for minutes.
	StateStuck State = "Stuck"
	// StateRetrying means: an attempt failed; the next one has its time.
	StateRetrying State = "Retrying"
	// StateBuilding means: the build is running.
	StateBuilding State = "Building"
	// StatePublished means: the image of the wanted inputs is published.
	StatePublished State = "Published"
	// StateFailed means: the build failed for good; a changed input leads on.
	StateFailed State = "Failed"
	// StateInterrupted means: someone cancelled the build; a changed input leads on.
	StateInterrupted State = "Interrupted"
)

// States that whoever looks at a pool finds, and no condition tells of.
const (
	// StateNotOptedIn means: the pool did not opt in.
	StateNotOptedIn State = "NotOptedIn"
	// StateDeleting means: the pool is being deleted.
	StateDeleting State = "Deleting"
	// StateDeleted means: the pool was there a moment ago. Only who watches sees it.
	StateDeleted State = "Deleted"
	// StateNotReported means: the conditions say nothing, or nothing of what the pool
	// wants now.
	StateNotReported State = "NotReported"
	// StateContradictory means: conditions exclude each other.
	StateContradictory State = "Contradictory"
)

// States of a plan that leaves the conditions as they are, for a moment.
const (
	// StateUnsettled means: a claim was made moments ago and the caches do not show
	// its build yet.
	StateUnsettled State = "Unsettled"
	// StateQuiet means: the wanted inputs changed moments ago, and may change again.
	StateQuiet State = "Quiet"
)

// conditionOf maps a state to the one build condition that is True in it.
// States that are absent report nothing.
var conditionOf = map[State]mcfgv1.MachineConfigPoolConditionType{
	StateHeld:        mcfgv1.MachineConfigPoolBuildPending,
	StateQueued:      mcfgv1.MachineConfigPoolBuildPending,
	StateSettling:    mcfgv1.MachineConfigPoolBuildPending,
	StatePending:     mcfgv1.MachineConfigPoolBuildPending,
	StateStuck:       mcfgv1.MachineConfigPoolBuildPending,
	StateRetrying:    mcfgv1.MachineConfigPoolBuildPending,
	StateBuilding:    mcfgv1.MachineConfigPoolBuilding,
	StatePublished:   mcfgv1.MachineConfigPoolBuildSuccess,
	StateFailed:      mcfgv1.MachineConfigPoolBuildFailed,
	StateInterrupted: mcfgv1.MachineConfigPoolBuildInterrupted,
}

// stateOf is the state that has the condition True. States that share it differ by
// their reasons; a reason that is not known is a hold's.
func stateOf(conditionType mcfgv1.MachineConfigPoolConditionType, reason string) State {
	switch conditionType {
	case mcfgv1.MachineConfigPoolBuilding:
		return StateBuilding
	case mcfgv1.MachineConfigPoolBuildSuccess:
		return StatePublished
	case mcfgv1.MachineConfigPoolBuildFailed:
		if reason == ReasonBuildCancelled {
			return StateInterrupted
		}
		return StateFailed
	case mcfgv1.MachineConfigPoolBuildInterrupted:
		return StateInterrupted
	}
	switch reason {
	case ReasonBuildCreated:
		return StatePending
	case ReasonBuildStuck:
		return StateStuck
	case ReasonRetryScheduled:
		return StateRetrying
	case ReasonQueued:
		return StateQueued
	case ReasonInputsChanging:
		return StateSettling
	}
	return StateHeld
}

// ReportedStates are the states that a pool's conditions can tell of.
var ReportedStates = []State{
	StateHeld, StateQueued, StateSettling, StatePending, StateStuck, StateRetrying, StateBuilding, StatePublished, StateFailed, StateInterrupted,
}

// FoundStates are all states that an opted-in pool can be found in.
var FoundStates = append([]State{StateNotReported, StateContradictory}, ReportedStates...)

// IsReported tells whether conditions tell of the state.
func (s State) IsReported() bool {
	_, reported := conditionOf[s]
	return reported
}

// IsHeld tells whether a build is due and waits to be created, for whatever reason.
func (s State) IsHeld() bool { return s == StateHeld || s == StateQueued || s == StateSettling }

// IsPending tells whether a build exists and has not begun to run.
func (s State) IsPending() bool { return s == StatePending || s == StateStuck }

// IsOfAttempt tells whether the state is that of an attempt, which is on record.
func (s State) IsOfAttempt() bool {
	switch s {
	case StatePending, StateStuck, StateRetrying, StateBuilding, StateFailed, StateInterrupted:
		return true
	}
	return false
}
