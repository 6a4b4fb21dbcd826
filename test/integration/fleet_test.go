package integration

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// fleet is a number of pools that get config after config.
type fleet struct {
	t       *testing.T
	witness *witness
	pools   []string
	// wanted is each pool's last config.
	wanted map[string]string
	// given counts the configs that were handed out; more tells whether to hand out
	// another one.
	given int
	more  func() bool
}

// startFleet creates pools that want a first config each.
func startFleet(t *testing.T, prefix string, pools int) *fleet {
	t.Helper()
	f := &fleet{t: t, witness: startWitness(t, prefix), wanted: map[string]string{}}
	for i := range pools {
		pool := fmt.Sprintf("%s%d", prefix, i)
		f.pools, f.wanted[pool] = append(f.pools, pool), createConfig(t)
		createPool(t, pool, f.wanted[pool])
		f.given++
	}
	return f
}

// advance gives every pool that has its image the next config, as long as there
// is one. The first pool does not even wait for its image, but only for its
// Build to run, so that Builds are superseded, too.
func (f *fleet) advance() (finished bool) {
	f.t.Helper()
	var ready []string
	finished = true
	f.witness.mu.Lock()
	for i, name := range f.pools {
		// What is seen may be from before the last config.
		pool := f.witness.pools[name]
		current := pool != nil && pool.Spec.Configuration.Name == f.wanted[name]
		served := current && f.witness.served(name)
		finished = finished && served
		if served || i == 0 && current && f.witness.says(name, "BuildRunning", f.wanted[name]) {
			ready = append(ready, name)
		}
	}
	f.witness.mu.Unlock()
	for _, pool := range ready {
		if !f.more() {
			break
		}
		f.wanted[pool] = createConfig(f.t)
		wantConfig(f.t, pool, f.wanted[pool])
		f.given++
		finished = false
	}
	return finished && !f.more()
}

// servedBy hands out configs until the controller is dead, or all are built.
func (f *fleet) servedBy(p *process, dead <-chan struct{}) (finished bool) {
	f.t.Helper()
	deadline := time.After(patience)
	for {
		changed := f.changes()
		if f.advance() {
			return true
		}
		select {
		case <-changed:
		case <-dead:
			return false
		case err := <-p.exited:
			select {
			case <-dead:
				return false
			default:
				p.stopped = true
				require.Fail(f.t, "the controller ended by itself", "%v", err)
			}
		case <-deadline:
			f.witness.mu.Lock()
			defer f.witness.mu.Unlock()
			require.Fail(f.t, "the builds do not come to an end", "%s", f.witness.summary())
		}
	}
}

// changes is closed when there is reason to look again.
func (f *fleet) changes() <-chan struct{} {
	f.witness.mu.Lock()
	defer f.witness.mu.Unlock()
	return f.witness.changed
}

// buildsTakeTime has every build run for a random while, up to the longest.
func buildsTakeTime(t *testing.T, random *rand.Rand, longest time.Duration) {
	var mu sync.Mutex
	shared.script.Decide(func(buildrunner.Job) buildrunner.Script {
		mu.Lock()
		defer mu.Unlock()
		pending, running := make(chan struct{}), make(chan struct{})
		time.AfterFunc(time.Duration(random.Int64N(int64(longest)/4)), func() { close(pending) })
		time.AfterFunc(time.Duration(random.Int64N(int64(longest))), func() { close(running) })
		return buildrunner.Script{HoldPending: pending, HoldRunning: running}
	})
	t.Cleanup(succeedAtOnce)
}

func succeedAtOnce() {
	shared.script.Decide(func(buildrunner.Job) buildrunner.Script { return buildrunner.Script{} })
}
