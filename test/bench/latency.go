package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// latencies are what one pool after the other is timed for, each sample next to
// one of its yardstick.
type latencies struct {
	// toBuild is from the update of the pool to the creation of its Build, toImage
	// from the completion of that to the image on the pool.
	toBuild, toImage []time.Duration
	// create and patch are one raw request each.
	create, patch []time.Duration
	// before is from the update to the controller's first request, or from the completion
	// to its patch, and spent is how long each request until the end of the moment took.
	before map[string][]time.Duration
	spent  map[string][]time.Duration
	// cycles is what was sent for all of them together.
	cycles counts
}

// watcher picks the two moments out of what the controller sends.
type watcher struct {
	mu     sync.Mutex
	build  string
	pool   string
	builtC chan time.Time
	imageC chan time.Time
	// requests are those for the pool since expect.
	requests []exchange
}

var imageKey = []byte("machineconfiguration.openshift.io/desired-os-image")

func (w *watcher) see(e exchange) {
	if e.status >= http.StatusBadRequest {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.name == w.pool || strings.HasPrefix(e.kind, "create ") && !isEvent(e.kind) {
		w.requests = append(w.requests, exchange{kind: e.kind, sent: e.sent, done: e.done})
	}
	switch {
	case e.kind == "create builds" && w.builtC != nil:
		var build metav1.PartialObjectMetadata
		if json.Unmarshal(e.body, &build) == nil && build.OwnerReferences[0].Name == w.pool {
			w.build = build.Name
			w.builtC <- e.done
			w.builtC = nil
		}
	case e.kind == "patch machineconfigpools" && e.name == w.pool && w.imageC != nil && bytes.Contains(e.body, imageKey):
		w.imageC <- e.done
		w.imageC = nil
	}
}

// expect has the next Build and image of the pool noted.
func (w *watcher) expect(pool string) (built, image <-chan time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, i := make(chan time.Time, 1), make(chan time.Time, 1)
	w.pool, w.builtC, w.imageC, w.requests = pool, b, i, nil
	return b, i
}

// seen returns the requests of the moment from then to its end, and forgets them.
func (w *watcher) seen(from, to time.Time) (requests []exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.requests {
		if e.done.After(from) && !e.done.After(to) {
			requests = append(requests, e)
		}
	}
	return requests
}

func (w *watcher) buildName() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.build
}

// measureLatencies takes pool after pool, n times, from a new config to its image,
// with the controller at rest before each of the two moments that are timed.
func measureLatencies(ctx context.Context, f *fleet, s *subject, n int, phases bool, tell func(string, ...any)) (latencies, error) {
	var l latencies
	raw, err := newRaw(ctx, f)
	if err != nil {
		return l, err
	}
	w := &watcher{}
	stop := s.wire.listen(w.see)
	defer stop()
	// The first cycle after a start reads the Secrets, and none does after it.
	if err := new(latencies).sample(ctx, f, s, w, raw, f.names[0], phases); err != nil {
		return l, err
	}
	s.wire.reset()
	for i := range n {
		if err := l.sample(ctx, f, s, w, raw, f.names[i%len(f.names)], phases); err != nil {
			return l, err
		}
		if (i+1)%50 == 0 {
			tell("%d of %d samples", i+1, n)
		}
	}
	l.cycles = s.wire.counts()
	return l, nil
}

func (l *latencies) sample(ctx context.Context, f *fleet, s *subject, w *watcher, raw *raw, pool string, phases bool) error {
	f.world.generation++
	config, err := f.createConfig(ctx, pool, f.world.generation)
	if err != nil {
		return err
	}
	if err := s.awaitRest(ctx); err != nil {
		return err
	}

	create, err := raw.create(ctx)
	if err != nil {
		return err
	}
	built, image := w.expect(pool)
	wanted, err := f.want(ctx, pool, config)
	if err != nil {
		return err
	}
	builtAt, err := receive(ctx, built, "the Build of "+pool)
	if err != nil {
		return err
	}
	if err := s.awaitRest(ctx); err != nil {
		return err
	}
	if phases {
		if err := l.begin(ctx, f, s, w.buildName()); err != nil {
			return err
		}
	}

	patch, err := raw.patch(ctx)
	if err != nil {
		return err
	}
	completed, err := complete(ctx, f.world.admin, w.buildName())
	if err != nil {
		return err
	}
	publishedAt, err := receive(ctx, image, "the image of "+pool)
	if err != nil {
		return err
	}
	l.note("P6", wanted, w.seen(wanted, builtAt))
	l.note("P7", completed, w.seen(completed, publishedAt))
	l.toBuild, l.create = append(l.toBuild, builtAt.Sub(wanted)), append(l.create, create)
	l.toImage, l.patch = append(l.toImage, publishedAt.Sub(completed)), append(l.patch, patch)
	return s.awaitRest(ctx)
}

// note records what a moment was made of.
func (l *latencies) note(id string, from time.Time, requests []exchange) {
	if l.before == nil {
		l.before, l.spent = map[string][]time.Duration{}, map[string][]time.Duration{}
	}
	if len(requests) == 0 {
		return
	}
	l.before[id] = append(l.before[id], requests[0].sent.Sub(from))
	for _, e := range requests {
		key := id + " " + e.kind
		l.spent[key] = append(l.spent[key], e.done.Sub(e.sent))
	}
}

// anatomy says what a moment is made of, in multiples of the yardstick.
func (l *latencies) anatomy(id string, yardstick []time.Duration) string {
	unit := median(seconds(yardstick))
	parts := []string{"until the first request " + number(median(seconds(l.before[id]))/unit)}
	for _, kind := range []string{"get machineconfigs", patchPools, createSecrets, createBuilds} {
		if spent := l.spent[id+" "+kind]; len(spent) > 0 {
			parts = append(parts, kind+" "+number(median(seconds(spent))/unit))
		}
	}
	return strings.Join(parts, ", ")
}

// begin takes the Build through the phases that a real one goes through.
func (l *latencies) begin(ctx context.Context, f *fleet, s *subject, build string) error {
	for _, phase := range []string{"Pending", "Running"} {
		if _, err := setPhase(ctx, f.world.admin, build, fmt.Sprintf(`{"status":{"phase":%q}}`, phase)); err != nil {
			return err
		}
		if err := s.awaitRest(ctx); err != nil {
			return err
		}
	}
	return nil
}

func receive(ctx context.Context, from <-chan time.Time, what string) (time.Time, error) {
	select {
	case at := <-from:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	case <-time.After(time.Minute):
		return time.Time{}, fmt.Errorf("could not wait for %s: it took too long", what)
	}
}

// raw is the yardstick of latencies: single requests by a client like the
// controller's.
type raw struct {
	clients clients
	pool    string
	number  int
}

func newRaw(ctx context.Context, f *fleet) (*raw, error) {
	config, err := f.world.userConfig("bench-yardstick", newWire())
	if err != nil {
		return nil, err
	}
	r := &raw{pool: "raw"}
	if r.clients, err = newClients(config); err != nil {
		return nil, err
	}
	f.world.generation++
	r.pool = fmt.Sprintf("raw-%06d", f.world.generation)
	if err := f.createPool(ctx, r.pool, f.world.generation, false); err != nil {
		return nil, err
	}
	// The first requests open connections.
	for range 5 {
		if _, err := r.create(ctx); err != nil {
			return nil, err
		}
		if _, err := r.patch(ctx); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// create creates an object of 1 KB.
func (r *raw) create(ctx context.Context) (time.Duration, error) {
	r.number++
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%06d", r.pool, r.number)},
		Data:       map[string]string{"text": strings.Repeat("x", 900)},
	}
	start := time.Now()
	_, err := r.clients.kube.CoreV1().ConfigMaps("default").Create(ctx, object, metav1.CreateOptions{})
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("could not create the yardstick's object: %w", err)
	}
	return took, nil
}

// patch changes an annotation of a pool.
func (r *raw) patch(ctx context.Context) (time.Duration, error) {
	r.number++
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/number":"%d"}}}`, r.number)
	start := time.Now()
	_, err := r.clients.mcfg.MachineconfigurationV1().MachineConfigPools().Patch(ctx, r.pool, types.MergePatchType, patch, metav1.PatchOptions{})
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("could not patch the yardstick's pool: %w", err)
	}
	return took, nil
}
