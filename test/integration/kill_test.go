package integration

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	kills = flag.Int("kills", 50, "how often the controller is killed, and how many configs it has to get built meanwhile")
	seed  = flag.Uint64("seed", 0, "seed of random choices; 0 chooses one")
)

// newRandom prints its seed, with which a run's choices can be made again.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Logf("to choose the same again: -seed %d", chosen)
	return rand.New(rand.NewPCG(chosen, 0))
}

// longestLife bounds the life of a controller that is to be killed, in pieces of
// requests. About a third of them go into connecting and filling the caches.
const longestLife = 60

// TestH22KilledBetweenDeleteAndCreate: kill -9 at random points of many builds,
// with a new process started at once. The proxy kills when the controller is
// about to send something, and then loses that or still delivers it, so that
// kills fall between two requests as well as between a request and its answer. A
// pool that has a valid image is never without one, nothing is built twice at a
// time, and in the end every pool has the image of its own config.
func TestH22KilledBetweenDeleteAndCreate(t *testing.T) {
	useSettings(t)
	random := newRandom(t)
	buildsTakeTime(t, random, 100*time.Millisecond)
	through := startProxy(t)
	f := startFleet(t, "killed-", 5)
	killed := 0
	f.more = func() bool { return f.given < *kills || killed < *kills }

	began := time.Now()
	for {
		if time.Since(began) > 5*patience {
			require.Fail(t, "the builds do not come to an end", "%d kills, %d configs\n%s", killed, f.given, f.witness.summary())
		}
		p := launch(t, gateOn, "--kubeconfig", through.kubeconfig)
		dead, delivered := make(chan struct{}), random.IntN(2) == 0
		through.after(1+random.IntN(longestLife), func() bool {
			close(dead)
			// An error would only say that it has ended.
			_ = p.cmd.Process.Kill()
			return delivered
		})
		if f.servedBy(p, dead) {
			through.after(0, nil)
			break
		}
		p.stopped = true
		<-p.exited
		killed++
	}
	t.Logf("%d kills during %d configs of %d pools in %s", killed, f.given, len(f.pools), time.Since(began).Round(time.Second))
	f.witness.verdict()
}
