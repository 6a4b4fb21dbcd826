package integration

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

// patience is for what has to happen in spite of faults: client-go lets up to
// half a minute pass between its attempts to watch.
const patience = 2 * time.Minute

// witness watches pools and Builds and holds every version of them, in the order
// of the watch, against what is promised. It outlives restarts of the API server.
type witness struct {
	t      *testing.T
	prefix string
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu sync.Mutex
	// changed is closed at the next change.
	changed chan struct{}
	pools   map[string]*mcfgv1.MachineConfigPool
	builds  map[types.UID]*buildv1.Build
	// active are the Builds that nobody asked to stop, by what they are for.
	active map[string]map[types.UID]string
	// made are the images of completed Builds, by digest; they stay when the Build
	// is removed.
	made map[string]madeImage
	// published are the images that were seen on pools, with the version of the first sight.
	published map[publication]uint64
	broken    []string
}

type madeImage struct {
	poolUID types.UID
	config  string
	// version is the resourceVersion at completion; 0 if that was not seen as it happened.
	version uint64
}

type publication struct {
	pool          string
	uid           types.UID
	config, image string
}

// startWitness watches the pools whose names begin with the prefix, and their Builds.
func startWitness(t *testing.T, prefix string) *witness {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &witness{
		t: t, prefix: prefix, cancel: cancel, changed: make(chan struct{}),
		pools: map[string]*mcfgv1.MachineConfigPool{}, builds: map[types.UID]*buildv1.Build{},
		active: map[string]map[types.UID]string{}, made: map[string]madeImage{}, published: map[publication]uint64{},
	}
	pools := shared.mcfg.MachineconfigurationV1().MachineConfigPools()
	builds := shared.builds.BuildV1().Builds(devcluster.Namespace)
	w.ended.Go(func() { observe(ctx, source{list: listOf(pools.List), watch: pools.Watch}, w.seePool, w.losePools) })
	w.ended.Go(func() {
		observe(ctx, source{list: listOf(builds.List), watch: builds.Watch, selector: ownedSelector}, w.seeBuild, w.loseBuilds)
	})
	t.Cleanup(func() {
		cancel()
		w.ended.Wait()
	})
	return w
}

func (w *witness) breaks(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// notify is called with the lock held.
func (w *witness) notify() {
	close(w.changed)
	w.changed = make(chan struct{})
}

var validImage = regexp.MustCompile(`^` + regexp.QuoteMeta(repository) + `@sha256:[0-9a-f]{64}$`)

func (w *witness) seePool(pool *mcfgv1.MachineConfigPool, deleted, _ bool) {
	if !strings.HasPrefix(pool.Name, w.prefix) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.notify()
	before := w.pools[pool.Name]
	delete(w.pools, pool.Name)
	if deleted {
		return
	}
	w.pools[pool.Name] = pool

	if reported, isTrue := buildConditions(pool); reported != 0 && (reported != 5 || len(isTrue) != 1) {
		w.breaks("pool %s has %d build conditions, of which True are: %v", pool.Name, reported, isTrue)
	}
	image, config := pool.Annotations[imageKey], pool.Annotations[configKey]
	_, optedIn := pool.Labels[layeredLabel]
	switch {
	case image != "" && !validImage.MatchString(image):
		w.breaks("pool %s has an image that is not a pullspec by digest: %q", pool.Name, image)
	case image != "":
		p := publication{pool: pool.Name, uid: pool.UID, config: config, image: image}
		if _, known := w.published[p]; !known {
			w.published[p] = version(w.t, pool.ResourceVersion)
		}
	case optedIn && before != nil && before.UID == pool.UID && before.Annotations[imageKey] != "":
		w.breaks("pool %s lost its image %s", pool.Name, before.Annotations[imageKey])
	}
}

// losePools is told which pools were there after the watch was down.
func (w *witness) losePools(left map[types.UID]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, pool := range w.pools {
		if !left[pool.UID] {
			delete(w.pools, name)
		}
	}
	w.notify()
}

func (w *witness) seeBuild(build *buildv1.Build, deleted, live bool) {
	if !strings.HasPrefix(build.Annotations[poolKey], w.prefix) || len(build.OwnerReferences) != 1 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.notify()
	if deleted {
		w.loseBuild(build)
		return
	}
	w.builds[build.UID] = build
	w.trackActive(build, isActive(build) && !build.Status.Cancelled)

	digest := ""
	if build.Status.Output.To != nil {
		digest = build.Status.Output.To.ImageDigest
	}
	if _, known := w.made[digest]; known || build.Status.Phase != buildv1.BuildPhaseComplete || digest == "" {
		return
	}
	made := madeImage{poolUID: build.OwnerReferences[0].UID, config: build.Annotations[renderedConfigKey]}
	if live {
		made.version = version(w.t, build.ResourceVersion)
	}
	w.made[digest] = made
}

func (w *witness) loseBuilds(left map[types.UID]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for uid, build := range w.builds {
		if !left[uid] {
			w.loseBuild(build)
		}
	}
	w.notify()
}

func (w *witness) loseBuild(build *buildv1.Build) {
	delete(w.builds, build.UID)
	w.trackActive(build, false)
}

// trackActive is the promise that the same is never built twice at a time.
func (w *witness) trackActive(build *buildv1.Build, active bool) {
	key := string(build.OwnerReferences[0].UID) + " " + build.Annotations["machineconfiguration.openshift.io/fingerprint"]
	if !active {
		delete(w.active[key], build.UID)
		return
	}
	if w.active[key] == nil {
		w.active[key] = map[types.UID]string{}
	}
	w.active[key][build.UID] = build.Name
	if len(w.active[key]) > 1 {
		w.breaks("pool %s has more than one active Build of the same fingerprint at a time: %v", build.Annotations[poolKey], w.active[key])
	}
}

func isActive(build *buildv1.Build) bool {
	switch build.Status.Phase {
	case "", buildv1.BuildPhaseNew, buildv1.BuildPhasePending, buildv1.BuildPhaseRunning:
		return true
	}
	return false
}

func version(t *testing.T, resourceVersion string) uint64 {
	number, err := strconv.ParseUint(resourceVersion, 10, 64)
	assert.NoError(t, err)
	return number
}

// isBuildCondition tells whether it is one of those of which exactly one is True.
func isBuildCondition(conditionType mcfgv1.MachineConfigPoolConditionType) bool {
	switch conditionType {
	case mcfgv1.MachineConfigPoolBuildPending, mcfgv1.MachineConfigPoolBuilding, mcfgv1.MachineConfigPoolBuildSuccess,
		mcfgv1.MachineConfigPoolBuildFailed, mcfgv1.MachineConfigPoolBuildInterrupted:
		return true
	}
	return false
}

// buildConditions counts them, and gives the reasons of those that are True.
func buildConditions(pool *mcfgv1.MachineConfigPool) (reported int, isTrue []string) {
	for i := range pool.Status.Conditions {
		c := &pool.Status.Conditions[i]
		if !isBuildCondition(c.Type) {
			continue
		}
		reported++
		if c.Status == corev1.ConditionTrue {
			isTrue = append(isTrue, c.Reason)
		}
	}
	return reported, isTrue
}

// await waits until the function, which is called under the lock, says yes.
func (w *witness) await(what string, done func() bool) {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		w.mu.Lock()
		ok, changed := done(), w.changed
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			w.mu.Lock()
			defer w.mu.Unlock()
			require.Fail(w.t, "waited in vain until "+what, "%s", w.summary())
		}
	}
}

// summary is where things stand.
func (w *witness) summary() string {
	var text strings.Builder
	for name, pool := range w.pools {
		if !w.served(name) {
			_, isTrue := buildConditions(pool)
			fmt.Fprintf(&text, "pool %s wants %s, has %s, says %v\n", name, pool.Spec.Configuration.Name, pool.Annotations[configKey], isTrue)
		}
	}
	for _, build := range w.builds {
		if isActive(build) {
			fmt.Fprintf(&text, "Build %s of %s is %s\n", build.Name, build.Annotations[renderedConfigKey], build.Status.Phase)
		}
	}
	return text.String()
}

// served tells whether the pool has, and says that it has, the image of the
// config that it wants.
func (w *witness) served(name string) bool {
	pool := w.pools[name]
	if pool == nil || pool.Annotations[configKey] != pool.Spec.Configuration.Name {
		return false
	}
	return w.says(name, "ImagePublished", pool.Spec.Configuration.Name)
}

// says tells whether the pool's one True build condition has the reason, and in
// its message all of the texts.
func (w *witness) says(name, reason string, texts ...string) bool {
	pool := w.pools[name]
	if pool == nil {
		return false
	}
	for i := range pool.Status.Conditions {
		c := &pool.Status.Conditions[i]
		if !isBuildCondition(c.Type) || c.Status != corev1.ConditionTrue {
			continue
		}
		for _, text := range texts {
			if !strings.Contains(c.Message, text) {
				return false
			}
		}
		return c.Reason == reason
	}
	return false
}

// verdict waits for every pool to be served and for everything that is of no use
// any more to be gone, and tells whether a promise was broken on the way.
func (w *witness) verdict() {
	w.t.Helper()
	w.await("every pool has the image of the config that it wants", func() bool {
		for name := range w.pools {
			if !w.served(name) {
				return false
			}
		}
		return true
	})
	w.await("no Build is active", func() bool {
		for _, build := range w.builds {
			if isActive(build) {
				return false
			}
		}
		return true
	})
	awaitNoInputs(w.t)

	w.mu.Lock()
	defer w.mu.Unlock()
	for p, first := range w.published {
		_, digest, _ := strings.Cut(p.image, "@")
		made, found := w.made[digest]
		switch {
		case !found:
			w.breaks("pool %s had %s, which no completed Build made", p.pool, p.image)
		case made.poolUID != p.uid || made.config != p.config:
			w.breaks("pool %s had %s as the image of %s, but it is of %s", p.pool, p.image, p.config, made.config)
		case made.version > first:
			w.breaks("pool %s had %s before its Build was complete", p.pool, p.image)
		}
	}
	require.Empty(w.t, w.broken, "promises were broken")
}
