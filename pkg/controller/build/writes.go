package build

import (
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// writeGrace is how long the cache may take to show a write of ours before a
// sync goes on without it. It only matters if versions ever run backwards, as
// after a restore of the cluster's database.
const writeGrace = 10 * time.Second

// writes remembers the version of each pool after our newest write, until the
// cache has it. A sync on an older version could only plan what was done
// already, and meet a conflict.
type writes struct {
	mu     sync.Mutex
	newest map[string]write
}

type write struct {
	version string
	at      time.Time
}

func newWrites() *writes { return &writes{newest: map[string]write{}} }

func (w *writes) record(pool *mcfgv1.MachineConfigPool, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest[pool.Name] = write{version: pool.ResourceVersion, at: at}
}

// pending tells whether the cached pool lacks a write of ours.
func (w *writes) pending(cached *mcfgv1.MachineConfigPool, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	newest, ok := w.newest[cached.Name]
	if !ok {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(cached.ResourceVersion, newest.version)
	if err == nil && order < 0 && now.Sub(newest.at) < writeGrace {
		return true
	}
	delete(w.newest, cached.Name)
	return false
}

// forget drops what is known of a pool that does not exist any more.
func (w *writes) forget(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.newest, name)
}
