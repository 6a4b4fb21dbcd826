package plan

import (
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
)

// What follows is for those who look at a pool from outside of the controller, so that
// they read it as the controller does.

// BuildConditions are the types of the conditions of which exactly one is True.
func BuildConditions() []mcfgv1.MachineConfigPoolConditionType {
	types := make([]mcfgv1.MachineConfigPoolConditionType, 0, len(buildConditions))
	for i := range buildConditions {
		types = append(types, buildConditions[i].conditionType)
	}
	return types
}

// Failed tells whether the record is of an attempt that ended without an image.
func (r *Record) Failed() bool { return r.failed() }

// Succeeded tells whether the record is of an attempt that made an image.
func (r *Record) Succeeded() bool { return r.succeeded() }

// NextAttempt is the instant of the attempt after the one on record, if there is to be
// one: zero if that one has not failed.
func (r *Record) NextAttempt() time.Time {
	if !r.failed() {
		return time.Time{}
	}
	return retryAt(r)
}

// WithoutWayOut is the message of a state that only a change leads out of, without the
// explanation of that; every other message as it is.
func WithoutWayOut(message string) string {
	before, _, found := strings.Cut(message, "; "+wayOut)
	if !found {
		before, _, found = strings.Cut(message, mendTheCause+wayOut)
	}
	if !found {
		return message
	}
	return before + "."
}

// InWords gives a duration as the messages of conditions do: 45s, 7m, 1h5m.
func InWords(d time.Duration) string { return inWords(d) }

// StuckAfter is when a build that waits to run is reported as stuck.
const StuckAfter = stuckAfter
