package build

import (
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

const (
	// firstRestraint and longestRestraint bound for how long a controller refrains
	// from writing what it wrote before.
	firstRestraint   = 10 * time.Second
	longestRestraint = 10 * time.Minute
)

// reports remembers what was last reported of each pool. Two controllers whose
// caches differ would else put back what the other one wrote, without end and as
// fast as they can. A controller that writes the same once more waits the longer
// the more often it did.
type reports struct {
	mu   sync.Mutex
	last map[string]lastReport
}

type lastReport struct {
	text  string
	at    time.Time
	times int
}

func newReports() *reports { return &reports{last: map[string]lastReport{}} }

// restraint is how long to refrain from reporting the text.
func (r *reports) restraint(pool, text string, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, ok := r.last[pool]
	if !ok || last.text != text {
		return 0
	}
	wait := firstRestraint
	for i := 1; i < last.times && wait < longestRestraint; i++ {
		wait = min(2*wait, longestRestraint)
	}
	return last.at.Add(wait).Sub(now)
}

// done takes down what was reported.
func (r *reports) done(pool, text string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.last[pool]
	if last.text != text {
		last.times = 0
	}
	r.last[pool] = lastReport{text: text, at: now, times: last.times + 1}
}

// forget drops what is known of a pool.
func (r *reports) forget(pool string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.last, pool)
}

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

// rest remembers the pools that have what they want, and on which objects that was
// found. As long as the caches hold the same ones, a sync has nothing to do, and need
// not find that out again: an object in a cache is replaced, and never changed. Losing
// this memory costs time, nothing else.
type rest struct {
	mu    sync.Mutex
	pools map[string]resting
	// news counts what the builder told of each pool, and allNews what it told of all.
	news    map[string]uint64
	allNews uint64
}

type resting struct {
	evidence evidence
	plan     plan.Plan
}

// evidence is everything that the decision about a pool at rest depends on: the objects
// as the caches hold them, nil for one that does not exist, and how often the builder had
// news. It is compared by identity. The Secrets with credentials are not part of it: they
// matter for building, which a pool at rest does not need.
type evidence struct {
	pool, config, controllerConfig any
	settings, custom, repositories any
	entitlement, signingKeys       any
	poolNews, allNews              uint64
}

var (
	settingsKey     = keyInNamespace(constants.ConfigMapName)
	customKey       = keyInNamespace(inputs.CustomConfigMapName)
	repositoriesKey = keyInNamespace(inputs.RepositoriesConfigName)
	entitlementKey  = keyInNamespace(inputs.EntitlementSecretName)
	signingKeysKey  = keyInNamespace(inputs.SigningKeysSecretName)
)

func keyInNamespace(name string) string {
	return cache.NewObjectName(ctrlcommon.MCONamespace, name).String()
}

func newRest() *rest { return &rest{pools: map[string]resting{}, news: map[string]uint64{}} }

// of returns what was noted of the pool, and evidence that has only the builder's news.
func (r *rest) of(pool string) (resting, bool, evidence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	noted, ok := r.pools[pool]
	return noted, ok, evidence{poolNews: r.news[pool], allNews: r.allNews}
}

// note takes down what the pool rests on; nil for a pool that is not at rest.
func (r *rest) note(pool string, found *resting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found == nil {
		delete(r.pools, pool)
		return
	}
	r.pools[pool] = *found
}

// disturb takes down that the builder has news of the pool, or of AllPools.
func (r *rest) disturb(pool string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if pool == imagebuilder.AllPools {
		r.allNews++
		return
	}
	r.news[pool]++
}

// forget drops what is known of a pool that does not exist any more.
func (r *rest) forget(pool string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pools, pool)
	delete(r.news, pool)
}

// evidence gathers what a sync of the pool is going to see. It has to be gathered before
// the snapshot: what changes in between then makes it differ the next time.
func (ctrl *Controller) evidence(pool *mcfgv1.MachineConfigPool, e evidence) evidence {
	e.pool = pool
	e.config = cached(ctrl.mcIndexer, pool.Spec.Configuration.Name)
	e.controllerConfig = cached(ctrl.ccIndexer, ctrlcommon.ControllerConfigName)
	e.settings = cached(ctrl.cmIndexer, settingsKey)
	e.custom = cached(ctrl.cmIndexer, customKey)
	e.repositories = cached(ctrl.cmIndexer, repositoriesKey)
	e.entitlement = cached(ctrl.secretIndexer, entitlementKey)
	e.signingKeys = cached(ctrl.secretIndexer, signingKeysKey)
	return e
}

// cached looks up an object. That does not fail.
func cached(indexer cache.Indexer, key string) any {
	object, _, _ := indexer.GetByKey(key)
	return object
}

// isAtRest tells whether nothing changed that the pool depends on since it was found at
// rest, and what was planned then. The evidence is for noteRest.
func (ctrl *Controller) isAtRest(pool *mcfgv1.MachineConfigPool) (plan.Plan, bool, evidence) {
	noted, ok, news := ctrl.rest.of(pool.Name)
	found := ctrl.evidence(pool, news)
	return noted.plan, ok && found == noted.evidence, found
}

// noteRest takes down whether a sync found the pool at rest: that it has what it wants,
// without an effect or an instant to look again. Other states depend on more than the
// evidence.
func (ctrl *Controller) noteRest(pool string, p plan.Plan, found evidence) {
	has := p.State == ledger.StatePublished || p.State == ledger.StateNotOptedIn || p.State == ledger.StateDeleting
	if has && len(p.Effects) == 0 && p.RequeueAfter == 0 {
		ctrl.rest.note(pool, &resting{evidence: found, plan: p})
		return
	}
	ctrl.rest.note(pool, nil)
}
