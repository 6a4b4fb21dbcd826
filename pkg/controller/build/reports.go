package build

import (
	"sync"
	"time"
)

const (
	// firstRestraint and longestRestraint bound for how long a controller refrains
	// from writing what it wrote before.
	firstRestraint   = 10 * time.Second
	longestRestraint = 10 * time.Minute
)

// reports remembers what was last reported of each pool. Two controllers whose
// caches differ would else put back what the other one wrote, without end and as
// fast as they can. A controller that writes the same once more waits the longer
// the more often it did.
type reports struct {
	mu   sync.Mutex
	last map[string]lastReport
}

type lastReport struct {
	text  string
	at    time.Time
	times int
}

func newReports() *reports { return &reports{last: map[string]lastReport{}} }

// restraint is how long to refrain from reporting the text.
func (r *reports) restraint(pool, text string, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, ok := r.last[pool]
	if !ok || last.text != text {
		return 0
	}
	wait := firstRestraint
	for i := 1; i < last.times && wait < longestRestraint; i++ {
		wait = min(2*wait, longestRestraint)
	}
	return last.at.Add(wait).Sub(now)
}

// done takes down what was reported.
func (r *reports) done(pool, text string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.last[pool]
	if last.text != text {
		last.times = 0
	}
	r.last[pool] = lastReport{text: text, at: now, times: last.times + 1}
}

// forget drops what is known of a pool.
func (r *reports) forget(pool string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.last, pool)
}
