package build

import (
	"hash/fnv"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// lanes orders the work queue: a pool of which there is news of its own goes ahead of
// those that are looked at because something changed for all of them. Whoever opts a
// pool in does not wait for ten thousand others that have nothing to do. Within a lane,
// who comes first is served first. It implements workqueue.Queue.
type lanes struct {
	mu sync.Mutex
	// own are pools with news of their own, all those with news for all.
	own, all []string
	inOwn    map[string]bool
	// moved counts the entries of all that went over to own, and left is their sum.
	moved map[string]int
	left  int
	// hurried are pools that go to own when they are queued.
	hurried map[string]bool
	// streak counts how many came from own in a row.
	streak int
	// atWork are the pools that came from own and are being synced, and none is closed
	// once there is no such pool any more; it is nil while nobody waits for that.
	atWork map[string]bool
	none   chan struct{}
}

// longestStreak is how many pools go ahead of one that waits in the lane for all, so
// that it moves however much happens.
const longestStreak = 8

// courtesy is how long a pool from the lane for all lets those at work from the other one go
// ahead. It costs little where many have something to do, and leaves them the processors
// where most have not: with 1,000 pools looked at without end on two processors, a pool with
// news of its own took 2.2 times as long as at rest, and 3.3 times without this (medians).
const courtesy = 2 * time.Millisecond

var _ workqueue.Queue[string] = (*lanes)(nil)

func newLanes() *lanes {
	return &lanes{inOwn: map[string]bool{}, atWork: map[string]bool{}, moved: map[string]int{}, hurried: map[string]bool{}}
}

// hurry says that there is news of the pool itself. It comes before Add.
func (l *lanes) hurry(pool string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hurried[pool] = true
}

// Push implements workqueue.Queue.
func (l *lanes) Push(pool string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hurried[pool] {
		delete(l.hurried, pool)
		l.enter(pool)
		return
	}
	l.all = append(l.all, pool)
}

// Touch implements workqueue.Queue: the pool is queued already.
func (l *lanes) Touch(pool string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.hurried[pool] {
		return
	}
	delete(l.hurried, pool)
	if !l.inOwn[pool] {
		l.enter(pool)
		l.moved[pool]++
		l.left++
	}
}

func (l *lanes) enter(pool string) {
	l.own = append(l.own, pool)
	l.inOwn[pool] = true
}

// Len implements workqueue.Queue.
func (l *lanes) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.own) + len(l.all) - l.left
}

// Pop implements workqueue.Queue. There is at least one pool.
func (l *lanes) Pop() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.skipMoved()
	if len(l.own) > 0 && (l.streak < longestStreak || len(l.all) == 0) {
		l.streak++
		pool := pop(&l.own)
		delete(l.inOwn, pool)
		l.atWork[pool] = true
		return pool
	}
	l.streak = 0
	return pop(&l.all)
}

// ahead is closed when no pool from the own lane is at work; nil if a pool that was taken
// out of the queue need not wait for that.
func (l *lanes) ahead(pool string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.atWork) == 0 || l.atWork[pool] {
		return nil
	}
	if l.none == nil {
		l.none = make(chan struct{})
	}
	return l.none
}

// done says that the sync of a pool that was taken out of the queue has ended.
func (l *lanes) done(pool string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.atWork, pool)
	if len(l.atWork) == 0 && l.none != nil {
		close(l.none)
		l.none = nil
	}
}

// skipMoved drops what went over from the head of the lane for all.
func (l *lanes) skipMoved() {
	for len(l.all) > 0 && l.moved[l.all[0]] > 0 {
		pool := pop(&l.all)
		l.left--
		if l.moved[pool]--; l.moved[pool] == 0 {
			delete(l.moved, pool)
		}
	}
}

func pop(lane *[]string) string {
	pool := (*lane)[0]
	(*lane)[0] = ""
	*lane = (*lane)[1:]
	return pool
}

// backOff is an exponential rate limiter with a jitter of up to a fifth, so that
// pools that failed together do not come back together. The jitter depends on the
// pool and on the number of its failures, not on chance.
type backOff struct {
	workqueue.TypedRateLimiter[string]
}

func newBackOff(config Config) workqueue.TypedRateLimiter[string] {
	return backOff{workqueue.NewTypedItemExponentialFailureRateLimiter[string](config.FirstRetryDelay, config.MaxRetryDelay)}
}

// When implements TypedRateLimiter.
func (b backOff) When(pool string) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(pool))
	_, _ = h.Write([]byte{byte(b.NumRequeues(pool))})
	delay := b.TypedRateLimiter.When(pool)
	return delay + delay*time.Duration(h.Sum32()%1000)/5000
}
