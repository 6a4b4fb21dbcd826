package build

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/util/workqueue"
)

// newLanedQueue is a queue with lanes, and how to add to either.
func newLanedQueue(t *testing.T) (queue workqueue.TypedInterface[string], own, all func(pools ...string)) {
	t.Helper()
	l := newLanes()
	queue = workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[string]{Queue: l})
	t.Cleanup(queue.ShutDown)
	own = func(pools ...string) {
		for _, pool := range pools {
			l.hurry(pool)
			queue.Add(pool)
		}
	}
	all = func(pools ...string) {
		for _, pool := range pools {
			queue.Add(pool)
		}
	}
	return queue, own, all
}

// served takes everything out of the queue.
func served(queue workqueue.TypedInterface[string]) []string {
	var order []string
	for queue.Len() > 0 {
		pool, _ := queue.Get()
		order = append(order, pool)
		queue.Done(pool)
	}
	return order
}

func TestLanes(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		fill   func(queue workqueue.TypedInterface[string], own, all func(pools ...string))
		want   []string
	}{
		"in order": {
			reason: "within a lane, who comes first is served first",
			fill:   func(_ workqueue.TypedInterface[string], own, all func(...string)) { all("a", "b"); own("c", "d") },
			want:   []string{"c", "d", "a", "b"},
		},
		"once": {
			reason: "a queue de-duplicates, whatever the lane",
			fill: func(_ workqueue.TypedInterface[string], own, all func(...string)) {
				own("a", "a")
				all("a", "b", "b")
			},
			want: []string{"a", "b"},
		},
		"moved": {
			reason: "news of its own lets a pool that is queued already go ahead",
			fill: func(_ workqueue.TypedInterface[string], own, all func(...string)) {
				all("a", "b", "c")
				own("b")
			},
			want: []string{"b", "a", "c"},
		},
		"moved, and queued again": {
			reason: "what is left of the first time must not stand for the second one",
			fill: func(queue workqueue.TypedInterface[string], own, all func(...string)) {
				all("a", "b")
				own("b")
				pool, _ := queue.Get()
				queue.Done(pool)
				all("c", "b")
			},
			want: []string{"a", "c", "b"},
		},
		"moved, and queued again while it is served": {
			reason: "it is queued when it is done",
			fill: func(queue workqueue.TypedInterface[string], own, all func(...string)) {
				all("a", "b")
				own("b")
				pool, _ := queue.Get()
				all("b")
				own("b")
				queue.Done(pool)
			},
			want: []string{"b", "a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			queue, own, all := newLanedQueue(t)
			test.fill(queue, own, all)
			require.Equal(t, len(test.want), queue.Len())
			require.Equal(t, test.want, served(queue), test.reason)
		})
	}
}

// TestLanesStarveNobody: news without end holds up the others a little, not for ever.
func TestLanesStarveNobody(t *testing.T) {
	queue, own, all := newLanedQueue(t)
	all("patient")
	for i := range 100 {
		own(strconv.Itoa(i))
	}
	require.Equal(t, "patient", served(queue)[longestStreak])
}

// TestLanesLoseNothing: whatever is added in whatever order is served once, and the
// length is right all the time.
func TestLanesLoseNothing(t *testing.T) {
	queue, own, all := newLanedQueue(t)
	random := rand.New(rand.NewPCG(1, 1))
	queued := map[string]bool{}
	for range 10000 {
		pool := fmt.Sprint(random.IntN(20))
		switch random.IntN(3) {
		case 0:
			own(pool)
			queued[pool] = true
		case 1:
			all(pool)
			queued[pool] = true
		default:
			if queue.Len() > 0 {
				got, _ := queue.Get()
				require.True(t, queued[got], "%s was served already", got)
				delete(queued, got)
				queue.Done(got)
			}
		}
		require.Equal(t, len(queued), queue.Len())
	}
}

// TestBackOff: a pool whose sync fails for ten minutes is tried some ten times,
// not hundreds, and pools that fail together drift apart.
func TestBackOff(t *testing.T) {
	config := DefaultConfig()
	limiter, again := newBackOff(config), newBackOff(config)
	var total, before time.Duration
	tries := 0
	for ; total < 10*time.Minute; tries++ {
		delay := limiter.When("worker")
		require.Equal(t, delay, again.When("worker"), "it is no matter of chance")
		require.LessOrEqual(t, delay, config.MaxRetryDelay*6/5)
		require.GreaterOrEqual(t, delay, min(before*2*5/6, config.MaxRetryDelay), "it doubles, but for the jitter")
		total, before = total+delay, delay
	}
	require.Less(t, tries, 20)
	require.NotEqual(t, newBackOff(config).When("worker"), newBackOff(config).When("infra"))

	limiter.Forget("worker")
	require.Less(t, limiter.When("worker"), time.Second, "success starts over")
}

// TestLanesGiveWay: while a pool with news of its own is at work, those that are looked at
// because something changed for all leave it the processors.
func TestLanesGiveWay(t *testing.T) {
	l := newLanes()
	take := func(pool string, hurry bool) {
		if hurry {
			l.hurry(pool)
		}
		l.Push(pool)
		require.Equal(t, pool, l.Pop())
	}
	isClosed := func(ahead <-chan struct{}) bool {
		select {
		case <-ahead:
			return true
		default:
			return false
		}
	}
	take("crowd", false)
	require.Nil(t, l.ahead("crowd"), "nobody is ahead of it")
	l.done("crowd")

	take("own", true)
	take("other", true)
	require.Nil(t, l.ahead("other"), "those with news of their own do not wait for each other")
	take("crowd", false)
	ahead := l.ahead("crowd")
	require.False(t, isClosed(ahead))
	l.done("own")
	require.False(t, isClosed(ahead), "there is another one")
	l.done("other")
	require.True(t, isClosed(ahead), "it goes on as soon as it can")
	l.done("crowd")
	require.Nil(t, l.ahead("crowd"))
}

// TestCourtesyEnds: a call that hangs for one pool holds up nobody.
func TestCourtesyEnds(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.queued()
	h.ctrl.lanes.hurry("hangs")
	h.ctrl.queue.Add("hangs")
	_, _ = h.ctrl.queue.Get()
	h.ctrl.queue.Add(worker)
	done := make(chan bool)
	go func() { done <- h.ctrl.ProcessNext(t.Context()) }()
	require.Eventually(t, func() bool {
		select {
		case processed := <-done:
			return processed
		default:
			h.clock.Step(courtesy)
			return false
		}
	}, time.Minute, time.Millisecond)
	require.NotEmpty(t, h.api.Builds())
}
