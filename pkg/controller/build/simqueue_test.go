package build

import (
	"slices"
	"time"

	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
)

// simQueue is a work queue without goroutines: what is due is decided when it is
// asked for, on the simulation's clock.
type simQueue struct {
	workqueue.TypedRateLimiter[string]

	clock  *clocktesting.FakeClock
	ready  []string
	timers map[string]time.Time
}

var _ workqueue.TypedRateLimitingInterface[string] = (*simQueue)(nil)

func newSimQueue(clock *clocktesting.FakeClock, config Config) *simQueue {
	return &simQueue{TypedRateLimiter: newBackOff(config), clock: clock, timers: map[string]time.Time{}}
}

func (q *simQueue) Add(item string) {
	if !slices.Contains(q.ready, item) {
		q.ready = append(q.ready, item)
	}
}

func (q *simQueue) AddAfter(item string, after time.Duration) {
	at := q.clock.Now().Add(after)
	if known, ok := q.timers[item]; !ok || at.Before(known) {
		q.timers[item] = at
	}
}

func (q *simQueue) AddRateLimited(item string) {
	q.AddAfter(item, q.When(item))
}

// fire moves what is due to the ready items.
func (q *simQueue) fire() {
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

// next is the instant of the earliest timer.
func (q *simQueue) next() (time.Time, bool) {
	var earliest time.Time
	for _, at := range q.timers {
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
	}
	return earliest, !earliest.IsZero()
}

func (q *simQueue) Get() (string, bool) {
	item := q.ready[0]
	q.ready = q.ready[1:]
	return item, false
}

func (q *simQueue) Len() int           { return len(q.ready) }
func (q *simQueue) Done(string)        {}
func (q *simQueue) ShutDown()          {}
func (q *simQueue) ShutDownWithDrain() {}
func (q *simQueue) ShuttingDown() bool { return false }
