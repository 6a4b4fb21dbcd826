package caches

import (
	"strings"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

const (
	// recentAge is how long after its creation the content of a config is likely to be
	// asked for: pools turn to a config as soon as it is rendered, and its build waits
	// until its inputs have been quiet for a while.
	recentAge = time.Minute
	// recentBytes bounds what is kept of all configs together. A rendered config has a
	// tenth to a quarter of a megabyte.
	recentBytes = 16 << 20
	// renderedPrefix begins the names of the MachineConfigs that the render controller makes.
	renderedPrefix = "rendered-"
)

// RecentContent keeps what the informers drop, the content of rendered MachineConfigs,
// of those that were created moments ago. They are about to be built, and the API server
// need not be asked for what it has just sent. It is bounded, holds nothing for long, and
// whoever finds nothing in it asks the API.
type RecentContent struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	entries map[recentKey]recentEntry
	bytes   int
}

// recentKey is one version of one object.
type recentKey struct {
	uid     types.UID
	version string
}

type recentEntry struct {
	content []byte
	created time.Time
}

// NewRecentContent returns an empty one.
func NewRecentContent(clock clock.PassiveClock) *RecentContent {
	return &RecentContent{clock: clock, entries: map[recentKey]recentEntry{}}
}

// keep is given every MachineConfig that an informer receives, with its content.
func (r *RecentContent) keep(config *mcfgv1.MachineConfig) {
	content, now := config.Spec.Config.Raw, r.clock.Now()
	if !strings.HasPrefix(config.Name, renderedPrefix) || len(content) == 0 || isPast(config.CreationTimestamp.Time, now) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range r.entries {
		if isPast(r.entries[key].created, now) {
			r.remove(key)
		}
	}
	key := recentKey{config.UID, config.ResourceVersion}
	r.remove(key)
	// Of a flood, those that came first are asked for first.
	if r.bytes+len(content) <= recentBytes {
		r.entries[key] = recentEntry{content: content, created: config.CreationTimestamp.Time}
		r.bytes += len(content)
	}
}

func isPast(created, now time.Time) bool { return now.Sub(created).Abs() > recentAge }

// Take returns the content of this very version of a config, nil if it is not at hand,
// and forgets it: a config is built once, as a rule.
func (r *RecentContent) Take(config *mcfgv1.MachineConfig) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.remove(recentKey{config.UID, config.ResourceVersion})
}

func (r *RecentContent) remove(key recentKey) []byte {
	entry := r.entries[key]
	r.bytes -= len(entry.content)
	delete(r.entries, key)
	return entry.content
}
