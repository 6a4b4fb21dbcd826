package plan

import (
	"hash/fnv"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

const (
	firstDelay   = 10 * time.Second
	longestDelay = 10 * time.Minute
	// claimGrace is how long a claimed build may take to show up in the cache
	// before the controller does something about it.
	claimGrace = 2 * time.Second
	// reasonAfter is when a build that waits to run is reported with its reason. Some
	// reasons pass by themselves within moments.
	reasonAfter = 10 * time.Second
	// StuckAfter is when a build that waits to run is reported as stuck.
	StuckAfter = 2 * time.Minute
	// clockTolerance is by how much clocks of a cluster differ that are as they should be.
	clockTolerance = time.Minute
	// overdueGrace is what the backend gets on top to end an overdue build.
	overdueGrace = 5 * time.Minute
)

// retryDelay is the time between the end of the given attempt, counted from 1,
// and the next one: it doubles from attempt to attempt up to a limit, and a
// jitter of up to a fifth, derived from the fingerprint, keeps pools that failed
// together from returning together.
func retryDelay(fingerprint string, attempt int) time.Duration {
	delay := firstDelay
	for i := 1; i < attempt && delay < longestDelay; i++ {
		delay = min(2*delay, longestDelay)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(fingerprint))
	_, _ = h.Write([]byte{byte(attempt)})
	jitter := time.Duration(h.Sum32()%1000) * delay / 5 / 1000
	return delay + jitter
}

// retryAt is the instant of the attempt after the one on record, which failed then.
func retryAt(r *ledger.Record, failed time.Time) time.Time {
	return failed.Add(retryDelay(r.Fingerprint, r.Attempt))
}

// NextAttempt is the instant of the attempt after the one on record, if there is to be
// one: zero if that one has not failed.
func NextAttempt(r *ledger.Record) time.Time {
	if !r.Failed() {
		return time.Time{}
	}
	return retryAt(r, r.Failure.At)
}
