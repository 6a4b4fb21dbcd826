package plan

import (
	"hash/fnv"
	"time"
)

const (
	// MaxAttempts bounds the attempts at the same inputs.
	MaxAttempts = 4

	firstDelay = 10 * time.Second
	// claimGrace is how long a claimed build may take to show up in the cache
	// before the controller does something about it.
	claimGrace = 2 * time.Second
	// BuildDeadline bounds the running time of a build.
	BuildDeadline = time.Hour
	// PendingDeadline bounds the time that a build may wait to run.
	PendingDeadline = 30 * time.Minute
	// stuckAfter is when a build that waits to run is reported as stuck.
	stuckAfter = 2 * time.Minute
	// overdueGrace is what the backend gets on top to end an overdue build.
	overdueGrace = 5 * time.Minute
)

// retryDelay is the time between the end of the given attempt, counted from 1,
// and the next one: it doubles from attempt to attempt, and a jitter of up to
// a fifth, derived from the fingerprint, keeps pools that failed together from
// returning together.
func retryDelay(fingerprint string, attempt int) time.Duration {
	delay := firstDelay << (attempt - 1)
	h := fnv.New32a()
	_, _ = h.Write([]byte(fingerprint))
	_, _ = h.Write([]byte{byte(attempt)})
	jitter := time.Duration(h.Sum32()%1000) * delay / 5 / 1000
	return delay + jitter
}

// retryAt is the instant of the attempt after the failed one on record.
func retryAt(r *Record) time.Time {
	return r.Failure.At.Add(retryDelay(r.Fingerprint, r.Attempt))
}
