package build

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// slots hands out a limited number of slots for concurrent builds, in the
// order in which pools came to wait for them. The builds that the backend shows
// are the truth; what is remembered here is who waits, and which builds are about
// to be created. A restart loses no turn: a pool waits since when its condition
// says.
type slots struct {
	mu sync.Mutex
	// promised are the builds that got a slot and are not in the cache yet, by pool.
	promised map[string]promise
	waiting  []waiter
	// seenSince is since when active builds are seen, by our own clock.
	seenSince map[types.UID]time.Time
	// serves tells whether a pool of that UID exists. Nil takes every one for granted.
	serves func(pool types.UID) bool
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
// before its slot is given to another one.
const promiseGrace = 10 * time.Second

func newSlots() *slots {
	return &slots{promised: map[string]promise{}, seenSince: map[types.UID]time.Time{}}
}

// take gives the pool a slot for a build, or else a turn in the queue.
func (s *slots) take(pool string, effect plan.TakeSlot, active []imagebuilder.Observation, since, now time.Time) *queuedError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.promised[pool].build == effect.Build {
		return nil
	}
	users, expiry := s.users(effect, active, now)
	used := len(users)
	for other, p := range s.promised {
		left := promiseGrace - now.Sub(p.at)
		if left <= 0 || left > promiseGrace || other == pool {
			delete(s.promised, other)
		} else if !slices.Contains(users, p.build) {
			used++
			expiry = sooner(expiry, left)
		}
	}

	s.remove(pool)
	at, _ := slices.BinarySearchFunc(s.waiting, waiter{pool, since}, compareWaiters)
	if at < effect.Limit-used {
		s.promised[pool] = promise{effect.Build, now}
		return nil
	}
	s.waiting = slices.Insert(s.waiting, at, waiter{pool, since})
	if used < effect.Limit {
		// Those ahead are about to take what is free. If they fail to, nothing tells.
		expiry = sooner(expiry, promiseGrace)
	}
	return &queuedError{config: effect.Config, ahead: at, limit: effect.Limit, again: expiry, users: users}
}

// users are the active builds that have a slot, and expiry is when the first of them loses
// it though no event tells; zero for never. They are those that the controller looks after:
// what nobody else but us gives up at its deadlines must hold nobody up for ever.
func (s *slots) users(effect plan.TakeSlot, active []imagebuilder.Observation, now time.Time) (users []string, expiry time.Duration) {
	seen := map[types.UID]time.Time{}
	for i := range active {
		b := &active[i]
		since, known := s.seenSince[b.UID]
		if !known || now.Before(since) {
			since = now
		}
		seen[b.UID] = since
		if b.Foreign != "" || s.serves != nil && !s.serves(b.PoolUID) {
			continue
		}
		if left := effect.Bound(b) - max(now.Sub(b.Created), now.Sub(since)); left > 0 {
			users, expiry = append(users, b.Name), sooner(expiry, left)
		}
	}
	s.seenSince = seen
	return users, expiry
}

// sooner is the shorter wait; zero is none.
func sooner(x, y time.Duration) time.Duration {
	if x == 0 {
		return y
	}
	return min(x, y)
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

// next are the pools that it matters to when a slot becomes free: those that may
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

// queuedError ends an execution for which there is no slot yet.
type queuedError struct {
	config       string
	ahead, limit int
	// users are the builds that have the slots.
	users []string
	// again is when to look again though no build ends; zero for never.
	again time.Duration
}

func (e *queuedError) Error() string {
	return fmt.Sprintf("the build of %s is queued, %d ahead", e.config, e.ahead)
}

// plan is what a queued pool reports.
func (e *queuedError) plan() plan.Plan {
	p := plan.Queued(e.config, e.ahead, e.limit, e.users)
	p.RequeueAfter = e.again
	return p
}
