package buildtest

import (
	"slices"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
)

// Queue is a work queue without goroutines: what is due is decided when it is
// asked for, on the clock of the test.
type Queue struct {
	workqueue.TypedRateLimiter[string]

	clock  clock.PassiveClock
	ready  []string
	timers map[string]time.Time
}

var _ workqueue.TypedRateLimitingInterface[string] = (*Queue)(nil)

// NewQueue makes an empty Queue.
func NewQueue(clock clock.PassiveClock, limiter workqueue.TypedRateLimiter[string]) *Queue {
	return &Queue{TypedRateLimiter: limiter, clock: clock, timers: map[string]time.Time{}}
}

// Add implements TypedInterface.
func (q *Queue) Add(item string) {
	if !slices.Contains(q.ready, item) {
		q.ready = append(q.ready, item)
	}
}

// AddAfter implements TypedDelayingInterface.
func (q *Queue) AddAfter(item string, after time.Duration) {
	at := q.clock.Now().Add(after)
	if known, ok := q.timers[item]; !ok || at.Before(known) {
		q.timers[item] = at
	}
}

// AddRateLimited implements TypedRateLimitingInterface.
func (q *Queue) AddRateLimited(item string) {
	q.AddAfter(item, q.When(item))
}

// Fire moves what is due to the ready items.
func (q *Queue) Fire() {
	var due []string
	for item, at := range q.timers {
		if !at.After(q.clock.Now()) {
			due = append(due, item)
		}
	}
	slices.Sort(due)
	for _, item := range due {
		delete(q.timers, item)
		q.Add(item)
	}
}

// Next is the instant of the earliest timer.
func (q *Queue) Next() (time.Time, bool) {
	var earliest time.Time
	for _, at := range q.timers {
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
	}
	return earliest, !earliest.IsZero()
}

// Get implements TypedInterface. It does not wait: an empty queue answers as one that
// was shut down.
func (q *Queue) Get() (item string, shutdown bool) {
	if len(q.ready) == 0 {
		return "", true
	}
	item = q.ready[0]
	q.ready = q.ready[1:]
	return item, false
}

// Len implements TypedInterface.
func (q *Queue) Len() int { return len(q.ready) }

// Done implements TypedInterface.
func (q *Queue) Done(string) {}

// ShutDown implements TypedInterface.
func (q *Queue) ShutDown() {}

// ShutDownWithDrain implements TypedInterface.
func (q *Queue) ShutDownWithDrain() {}

// ShuttingDown implements TypedInterface.
func (q *Queue) ShuttingDown() bool { return false }
