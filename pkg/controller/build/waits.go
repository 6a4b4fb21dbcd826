package build

import (
	"sync"
	"time"
)

// waits remembers since when the controller waits for a pool's inputs to stop
// changing. After a restart a wait begins anew; it is bounded either way.
type waits struct {
	mu    sync.Mutex
	since map[string]time.Time
}

func newWaits() *waits { return &waits{since: map[string]time.Time{}} }

// of is since when the pool waits; zero when it does not.
func (w *waits) of(pool string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.since[pool]
}

// note takes down whether the pool waits.
func (w *waits) note(pool string, waiting bool, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !waiting {
		delete(w.since, pool)
	} else if _, ok := w.since[pool]; !ok {
		w.since[pool] = now
	}
}
