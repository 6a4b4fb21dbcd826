package build

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// slots hands out the places of a limited number of concurrent builds, in the
// order in which pools came to wait for them. The builds that the backend shows
// are the truth; what is remembered here is who waits, and which builds are about
// to be created. A restart loses no place: a pool waits since when its condition
// says.
type slots struct {
	mu sync.Mutex
	// promised are the builds that got a place and are not in the cache yet, by pool.
	promised map[string]promise
	waiting  []waiter
}

type promise struct {
	build string
	at    time.Time
}

type waiter struct {
	pool  string
	since time.Time
}

// promiseGrace is how long a promised build may take to show up in the cache
// before its place is given to another one.
const promiseGrace = 10 * time.Second

func newSlots() *slots { return &slots{promised: map[string]promise{}} }

// take gives the pool a place for a build, or else a place in the queue.
func (s *slots) take(pool string, effect plan.TakeSlot, active []string, since, now time.Time) *queuedError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.promised[pool].build == effect.Build {
		return nil
	}
	used := len(active)
	var expiry time.Duration
	for other, p := range s.promised {
		left := promiseGrace - now.Sub(p.at)
		if left <= 0 || other == pool {
			delete(s.promised, other)
		} else if !slices.Contains(active, p.build) {
			used++
			if expiry == 0 || left < expiry {
				expiry = left
			}
		}
	}

	s.remove(pool)
	at, _ := slices.BinarySearchFunc(s.waiting, waiter{pool, since}, compareWaiters)
	if at < effect.Limit-used {
		s.promised[pool] = promise{effect.Build, now}
		return nil
	}
	s.waiting = slices.Insert(s.waiting, at, waiter{pool, since})
	return &queuedError{config: effect.Config, ahead: at, limit: effect.Limit, again: expiry}
}

func compareWaiters(x, y waiter) int {
	return cmp.Or(x.since.Compare(y.since), cmp.Compare(x.pool, y.pool))
}

// since is when the pool began to wait; zero when it does not.
func (s *slots) since(pool string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.waiting {
		if s.waiting[i].pool == pool {
			return s.waiting[i].since
		}
	}
	return time.Time{}
}

// leave takes the pool out of the queue, and tells whether it was in it.
func (s *slots) leave(pool string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(pool)
}

func (s *slots) remove(pool string) bool {
	before := len(s.waiting)
	s.waiting = slices.DeleteFunc(s.waiting, func(w waiter) bool { return w.pool == pool })
	return len(s.waiting) < before
}

// seen ends the promise to a pool, whose build is in the cache or will not be. It
// tells whether there was one.
func (s *slots) seen(pool string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, promised := s.promised[pool]
	delete(s.promised, pool)
	return promised
}

// next are the pools that it matters to when a place becomes free: those that may
// get it, and those that say how many are ahead of them.
func (s *slots) next() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	pools := make([]string, 0, plan.MostAhead+2)
	for i := range s.waiting {
		if i > plan.MostAhead+1 {
			break
		}
		pools = append(pools, s.waiting[i].pool)
	}
	return pools
}

// queuedError ends an execution for which there is no place yet.
type queuedError struct {
	config       string
	ahead, limit int
	// again is when to look again though no build ends; zero for never.
	again time.Duration
}

func (e *queuedError) Error() string {
	return fmt.Sprintf("the build of %s is queued, %d ahead", e.config, e.ahead)
}

// plan is what a queued pool reports.
func (e *queuedError) plan() plan.Plan {
	p := plan.Queued(e.config, e.ahead, e.limit)
	p.RequeueAfter = e.again
	return p
}
