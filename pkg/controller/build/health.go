package build

import (
	"fmt"
	"sync"
	"time"
)

// mostCalls is more than a sync makes: two Secrets and a config to read, a claim, a build
// to create, a dozen older ones to end or remove, and a report.
const mostCalls = 20

// health tells a controller that works from one that only seems to. A worker that panics
// needs no watching: it takes the process with it, which is started again.
type health struct {
	mu sync.Mutex
	// syncs are the pools that are being synced, with since when.
	syncs map[string]time.Time
	// workers is how many are to be at work, and lost how many of them have ended.
	workers, lost int
}

func newHealth() *health { return &health{syncs: map[string]time.Time{}} }

// Healthy returns an error that says what is wrong when workers have ended that should
// not have, or when a sync does not come to an end. Neither is mended by waiting.
func (ctrl *Controller) Healthy() error {
	now := ctrl.config.Clock.Now()
	h := ctrl.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost > 0 {
		return fmt.Errorf("%d of %d workers have ended", h.lost, h.workers)
	}
	stuck, longest := "", ctrl.config.StuckAfter
	for pool, since := range h.syncs {
		if running := now.Sub(since); running > longest {
			stuck, longest = pool, running
		}
	}
	if stuck != "" {
		return fmt.Errorf("the sync of pool %s has been running for %s; one takes at most %s", stuck, longest.Round(time.Second), ctrl.config.StuckAfter)
	}
	return nil
}

// beginWork records that the controller has set to work, with so many workers.
func (ctrl *Controller) beginWork(workers int) {
	ctrl.health.expect(workers)
	ctrl.metrics.follow(ctrl)
}

// endWork records that the controller was told to stop: its workers are going to end,
// and another process may be working on the pools already.
func (ctrl *Controller) endWork() {
	ctrl.health.expect(0)
	ctrl.metrics.follow(nil)
}

// expect says how many workers are to be at work.
func (h *health) expect(workers int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.workers, h.lost = workers, 0
}

// workerEnded records that a worker has ended.
func (h *health) workerEnded() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.workers > 0 {
		h.lost++
	}
}

// began records that the sync of a pool has begun, and returns when.
func (ctrl *Controller) began(pool string) time.Time {
	now := ctrl.config.Clock.Now()
	ctrl.health.mu.Lock()
	defer ctrl.health.mu.Unlock()
	ctrl.health.syncs[pool] = now
	return now
}

// ended records that the sync of a pool that had begun then has ended.
func (ctrl *Controller) ended(pool string, began time.Time, err error) {
	ctrl.health.mu.Lock()
	delete(ctrl.health.syncs, pool)
	ctrl.health.mu.Unlock()
	ctrl.metrics.synced(ctrl.config.Clock.Since(began), err)
}
