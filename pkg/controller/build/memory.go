package build

import (
	"errors"
	"maps"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	"github.com/openshift/machine-config-operator/pkg/controller/build/registry"
)

// memory is what is only remembered of pools. Everything else that a decision depends on
// is in the cluster. A restart, or another leader, begins without it:
//
//   - own writes that the cache lacks: a sync meets a conflict, and is repeated;
//   - since when inputs keep changing: the wait begins anew, and is bounded by its ceiling;
//   - what was reported last: a report that somebody takes back is repeated once more;
//   - on which objects a pool was found at rest: it is looked at in full;
//   - which builds were compared with what they seem to be, with what came of it, and which
//     of them were announced: they are compared, and announced, once more;
//   - since when an end of a build is not written in full: it is waited for anew, as long;
//   - when instants of clocks that run ahead were seen first: waits begin anew;
//   - what the registry said of images whose builds do not tell their digest: it is asked
//     once more;
//   - since when syncs fail for a reason that may pass: the pool says so a minute later;
//   - since when a pool that a MachineOSConfig opts in lacks a Secret: its MachineOSBuild fails
//     a minute later;
//   - the last event of a pool that a MachineOSConfig opts in: it is repeated;
//   - what was announced of what people wrote and nobody reads: it is announced once more.
//
// Beside it, these are remembered:
//
//   - what was found out about an object (known.go): it is read again;
//   - when the repository, the custom content or the trust bundle was seen to change
//     (known.go), which the quiet period counts from: what changed right before a restart
//     passes for old. One build may start too early by that, and is superseded when its
//     inputs change once more;
//   - who waits for a slot, and which builds are about to be created (slots.go): who waits
//     and since when is taken over from the pool's condition, and a promise is for ten
//     seconds;
//   - what is counted (tallies.go), as Prometheus expects.
//
// Of the words for a cache that lags behind: a write is *pending* until the cache has it
// (written), a claimed build is *unsettled* until the cache has it (plan), a build that
// got a slot is *promised* until the cache has it (slots.go), an object that was deleted
// is *gone* although the cache has it (the adapter), and what was decided on a state that
// has passed is *stale* (errors.go). The first is about pools, the next two about builds
// that begin, the fourth about builds that end, and the last ends a sync.
type memory struct {
	mu    sync.Mutex
	pools map[string]*remembered
	// allNews counts what the builder told of all pools.
	allNews uint64
	// examined are the versions of objects that pools share at which they were looked
	// through for what means nothing, and announced is what was told of them.
	examined, announced map[string]string
}

// remembered is what is remembered of one pool.
type remembered struct {
	written      write
	waitingSince time.Time
	lackingSince time.Time
	halfWritten  plan.HalfWritten
	taken        plan.Taken
	report       ledger.Restraint
	rest         *resting
	// strangers are the pool's builds, by UID, that are not what they seem to be, with
	// what is another about them, and announced those that an event told of.
	strangers map[types.UID]string
	announced map[types.UID]bool
	// ignored is what was announced of what people wrote on the pool and nobody reads.
	ignored string
	// verified are the pool's builds, by UID, whose late inputs were compared, with which
	// ones these are.
	verified map[types.UID]string
	// told is the last event of a pool that a MachineOSConfig opts in.
	told string
	// failing is since when the pool's syncs fail, zero while they do not, and unreported
	// what an event told because the pool's status cannot be written.
	failing    time.Time
	unreported string
	// firstSeen is when instants that lie in the future were seen first.
	firstSeen map[int64]time.Time
	// news counts what the builder told of the pool.
	news uint64
	// found are answers of the registry, by what they are about, and asking is about what,
	// and since when, there is none.
	found  map[string]plan.FoundImage
	asking struct {
		about string
		since time.Time
	}
}

// write is the version of the pool after our newest write, until the cache has it.
type write struct {
	version string
	at      time.Time
}

// resting is a pool that has what it wants, and on which objects that was found. As long
// as the caches hold the same ones, a sync has nothing to do, and need not find that out
// again: an object in a cache is replaced, and never changed.
type resting struct {
	evidence evidence
	plan     plan.Plan
}

// writeGrace is how long the cache may take to show a write of ours before a
// sync goes on without it. It only matters if versions ever run backwards, as
// after a restore of the cluster's database.
const writeGrace = 10 * time.Second

func newMemory() *memory {
	return &memory{pools: map[string]*remembered{}, examined: map[string]string{}, announced: map[string]string{}}
}

// of is what is remembered of the pool. The lock is held.
func (m *memory) of(pool string) *remembered {
	r, ok := m.pools[pool]
	if !ok {
		r = &remembered{}
		m.pools[pool] = r
	}
	return r
}

// forget drops what is remembered of a pool that does not exist any more.
func (m *memory) forget(pool string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pools, pool)
	// What is written for the pool in objects that pools share means nothing any more.
	clear(m.examined)
}

// wrote remembers the version that a write led to. A sync on an older version could only
// plan what was done already, and meet a conflict.
func (m *memory) wrote(pool *mcfgv1.MachineConfigPool, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(pool.Name).written = write{version: pool.ResourceVersion, at: at}
}

// isWritePending tells whether the cached pool lacks a write of ours.
func (m *memory) isWritePending(cached *mcfgv1.MachineConfigPool, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(cached.Name)
	if r.written.version == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(cached.ResourceVersion, r.written.version)
	if err == nil && order < 0 && now.Sub(r.written.at).Abs() < writeGrace {
		return true
	}
	r.written = write{}
	return false
}

// waitingSince is since when the pool's inputs are waited for to stop changing; zero when
// they are not.
func (m *memory) waitingSince(pool string) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(pool).waitingSince
}

// noteWaiting remembers whether the pool's inputs are waited for.
func (m *memory) noteWaiting(pool string, waiting bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r := m.of(pool); {
	case !waiting:
		r.waitingSince = time.Time{}
	case r.waitingSince.IsZero() || now.Before(r.waitingSince):
		r.waitingSince = now
	}
}

// halfWritten is the build of the pool whose end was not written in full, and since when.
func (m *memory) halfWritten(pool string) plan.HalfWritten {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(pool).halfWritten
}

// noteTaken remembers that others have the name of a build's inputs, and takenOf which they are.
func (m *memory) noteTaken(pool string, taken plan.Taken) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(pool).taken = taken
}

func (m *memory) takenOf(pool string) plan.Taken {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(pool).taken
}

// noteHalfWritten remembers of which build of the pool the end is not written in full; empty
// for none.
func (m *memory) noteHalfWritten(pool, build string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r := m.of(pool); {
	case build == "":
		r.halfWritten = plan.HalfWritten{}
	case r.halfWritten.Build != build:
		r.halfWritten = plan.HalfWritten{Build: build, Since: now}
	}
}

// patience is for how long the pool's syncs may go on failing until the pool is to say so.
func (m *memory) patience(pool string, err error, now time.Time) time.Duration {
	if errors.Is(err, errPlanAnew) {
		return lastingAfter
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if errors.Is(err, registry.ErrUnanswered) {
		// It ends by itself: after that time noteFound takes silence for an answer.
		return lastingAfter - now.Sub(r.asking.since)
	}
	if r.failing.IsZero() || now.Before(r.failing) {
		r.failing = now
	}
	return max(lastingAfter-now.Sub(r.failing), 0)
}

// noteOutcome forgets since when the pool's syncs fail when one does not.
func (m *memory) noteOutcome(pool string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		r := m.of(pool)
		r.failing, r.unreported = time.Time{}, ""
	}
}

// noteStranger remembers of a build of the pool's that it is not what it seems to be.
func (m *memory) noteStranger(pool string, uid types.UID, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if r.strangers == nil {
		r.strangers = map[types.UID]string{}
	}
	r.strangers[uid] = why
}

// noteFound remembers what the registry said of an image. What is not final counts once
// it has been said for a minute; until then it is to be asked again, and false is returned.
func (m *memory) noteFound(pool, about string, found plan.FoundImage, final bool, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if r.asking.about != about || now.Before(r.asking.since) {
		r.asking.about, r.asking.since = about, now
	}
	if !final && now.Sub(r.asking.since) < lastingAfter {
		return false
	}
	// Only the newest question matters.
	r.found = map[string]plan.FoundImage{about: found}
	return true
}

// foundOf is what the registry said of the pool's images. It is not changed any more.
func (m *memory) foundOf(pool string) map[string]plan.FoundImage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(pool).found
}

// noteVerified remembers of a build of the pool's that it, and its late inputs, are as the
// controller would have made them.
func (m *memory) noteVerified(pool string, uid types.UID, late string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if r.verified == nil {
		r.verified = map[types.UID]string{}
	}
	r.verified[uid] = late
}

// tellStrangers marks those of the pool's builds that are not what they seem to be, and
// forgets those that are gone.
func (m *memory) tellStrangers(pool string, builds []imagebuilder.Observation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if len(r.strangers)+len(r.announced)+len(r.verified) == 0 {
		return
	}
	present := map[types.UID]bool{}
	for i := range builds {
		present[builds[i].UID] = true
		if why, known := r.strangers[builds[i].UID]; known {
			builds[i].Foreign = why
		}
		if late, known := r.verified[builds[i].UID]; known && late == builds[i].LateInputs {
			builds[i].LateInputs = ""
		}
	}
	maps.DeleteFunc(r.verified, func(uid types.UID, _ string) bool { return !present[uid] })
	maps.DeleteFunc(r.strangers, func(uid types.UID, _ string) bool { return !present[uid] })
	maps.DeleteFunc(r.announced, func(uid types.UID, _ bool) bool { return !present[uid] })
}

// announces tells, once of each build of the pool's that is not what it seems to be, that
// it is to be announced.
func (m *memory) announces(pool string, uid types.UID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if r.announced[uid] {
		return false
	}
	if r.announced == nil {
		r.announced = map[types.UID]bool{}
	}
	r.announced[uid] = true
	return true
}

// restraint is how long to refrain from reporting the text.
func (m *memory) restraint(pool, text string, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(pool).report.Wait(text, now)
}

// reported remembers what was reported.
func (m *memory) reported(pool, text string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(pool).report.Wrote(text, now)
}

// restOf is what the pool was found at rest on, nil for nothing, and how often the
// builder had news of it and of all.
func (m *memory) restOf(pool string) (rest *resting, news [2]uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	return r.rest, [2]uint64{r.news, m.allNews}
}

// noteRest remembers what the pool rests on; nil for a pool that is not at rest.
func (m *memory) noteRest(pool string, found *resting) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(pool).rest = found
}

// disturb remembers that the builder has news of the pool, or of AllPools.
func (m *memory) disturb(pool string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pool == imagebuilder.AllPools {
		m.allNews++
		return
	}
	m.of(pool).news++
}
