// Package fake is an ImageBuilder that keeps its builds in memory. A test plays
// the backend with Put, SetPhase and SetUnavailable.
package fake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// Reason is the one reason that the backend has a name for.
const Reason = "BrokenByTest"

// Builder is an in-memory ImageBuilder.
type Builder struct {
	mu          sync.Mutex
	builds      map[string]*build
	uids        int
	unavailable string
	enqueue     func(pool string)
	now         func() time.Time
}

type build struct {
	pool        string
	observation imagebuilder.Observation
	request     imagebuilder.Request
}

var _ imagebuilder.ImageBuilder = (*Builder)(nil)

// New returns a Builder without builds; now is its clock.
func New(now func() time.Time) *Builder {
	return &Builder{builds: map[string]*build{}, enqueue: func(string) {}, now: now}
}

// SetUnavailable makes the backend unavailable for the given reason, or
// available again when it is empty.
func (f *Builder) SetUnavailable(message string) {
	f.change(imagebuilder.AllPools, func() { f.unavailable = message })
}

// SetPhase lets the backend take a build to a phase; edits fill in the rest.
func (f *Builder) SetPhase(name string, phase imagebuilder.Phase, edits ...func(*imagebuilder.Observation)) {
	f.mu.Lock()
	b, ok := f.builds[name]
	f.mu.Unlock()
	if !ok {
		panic("there is no build " + name)
	}
	f.change(b.pool, func() {
		b.observation.Phase = phase
		// What succeeds was at work, whether a test says so or not.
		if phase == imagebuilder.PhaseRunning || phase == imagebuilder.PhaseSucceeded && b.observation.Started.IsZero() {
			b.observation.Started = f.now()
		}
		if phase.IsFinished() {
			b.observation.Finished = f.now()
			b.observation.Stopping = false
		}
		for _, edit := range edits {
			edit(&b.observation)
		}
	})
}

// Reasons implements imagebuilder.ImageBuilder.
func (f *Builder) Reasons() []string { return []string{Reason} }

// Request returns what the build was started with.
func (f *Builder) Request(name string) imagebuilder.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.builds[name].request
}

// change makes a change and tells of it, without the lock: whoever is told may
// call back.
func (f *Builder) change(pool string, change func()) {
	f.mu.Lock()
	change()
	enqueue := f.enqueue
	f.mu.Unlock()
	enqueue(pool)
}

// Observe implements ImageBuilder.
func (f *Builder) Observe(pool string) ([]imagebuilder.Observation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unavailable != "" {
		return nil, &imagebuilder.UnavailableError{Message: f.unavailable}
	}
	observations := []imagebuilder.Observation{}
	for _, b := range f.builds {
		if b.pool == pool {
			observations = append(observations, b.observation)
		}
	}
	slices.SortFunc(observations, func(x, y imagebuilder.Observation) int { return strings.Compare(x.Name, y.Name) })
	return observations, nil
}

// Start implements ImageBuilder.
func (f *Builder) Start(_ context.Context, r imagebuilder.Request) error {
	f.mu.Lock()
	if f.unavailable != "" {
		defer f.mu.Unlock()
		return &imagebuilder.UnavailableError{Message: f.unavailable}
	}
	if existing, ok := f.builds[r.Name]; ok && existing.observation.Phase != imagebuilder.PhaseAbsent {
		defer f.mu.Unlock()
		return existing.compare(r)
	}
	f.mu.Unlock()
	f.change(r.Pool, func() {
		f.uids++
		f.builds[r.Name] = &build{pool: r.Pool, request: r, observation: imagebuilder.Observation{
			Name: r.Name, UID: types.UID(fmt.Sprintf("uid-%d", f.uids)), PoolUID: r.PoolUID, Fingerprint: r.Fingerprint,
			RenderedConfig: r.RenderedConfig, Attempt: r.Attempt, Phase: imagebuilder.PhasePending, HasInputs: true,
			Created: f.now(), Deadline: r.Deadline, Claim: r.Claim, Output: r.Output, Containerfile: imagebuilder.ContainerfileHash(r.Containerfile),
		}}
	})
	return nil
}

// compare returns ErrForeign for a build that is not of the request.
func (b *build) compare(r imagebuilder.Request) error {
	o := &b.observation
	if b.pool == r.Pool && o.PoolUID == r.PoolUID && o.Fingerprint == r.Fingerprint && o.Attempt == r.Attempt &&
		o.Foreign == "" && o.Output == r.Output && o.Containerfile == imagebuilder.ContainerfileHash(r.Containerfile) && !o.WasBornEnded() {
		return nil
	}
	return fmt.Errorf("build %s: %w", r.Name, imagebuilder.ErrForeign)
}

// Verify implements ImageBuilder.
func (f *Builder) Verify(ctx context.Context, r imagebuilder.Request) (imagebuilder.Observation, error) {
	o, err := f.Get(ctx, r.Name)
	if err != nil || o.Phase == imagebuilder.PhaseAbsent {
		return o, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return o, f.builds[r.Name].compare(r)
}

// Get implements ImageBuilder.
func (f *Builder) Get(_ context.Context, name string) (imagebuilder.Observation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unavailable != "" {
		return imagebuilder.Observation{}, &imagebuilder.UnavailableError{Message: f.unavailable}
	}
	if b, ok := f.builds[name]; ok {
		return b.observation, nil
	}
	return imagebuilder.Observation{Name: name, Phase: imagebuilder.PhaseAbsent}, nil
}

// Shows implements ImageBuilder.
func (f *Builder) Shows(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.builds[name]
	return ok
}

// Active implements ImageBuilder.
func (f *Builder) Active() []imagebuilder.Observation {
	f.mu.Lock()
	defer f.mu.Unlock()
	active := []imagebuilder.Observation{}
	for _, b := range f.builds {
		if b.observation.Phase.IsActive() {
			active = append(active, b.observation)
		}
	}
	slices.SortFunc(active, func(x, y imagebuilder.Observation) int { return strings.Compare(x.Name, y.Name) })
	return active
}

// Stop implements ImageBuilder.
func (f *Builder) Stop(_ context.Context, name string, uid types.UID) error {
	if b, ok := f.find(name, uid); ok && b.observation.Phase.IsActive() {
		f.change(b.pool, func() { b.observation.Stopping, b.observation.Withdrawn = true, true })
	}
	return nil
}

// Delete implements ImageBuilder.
func (f *Builder) Delete(_ context.Context, name string, uid types.UID) error {
	if b, ok := f.find(name, uid); ok {
		f.change(b.pool, func() { delete(f.builds, name) })
	}
	return nil
}

// DeleteInputs implements ImageBuilder.
func (f *Builder) DeleteInputs(_ context.Context, name string) error {
	f.mu.Lock()
	b, ok := f.builds[name]
	f.mu.Unlock()
	if ok {
		f.change(b.pool, func() {
			b.observation.HasInputs = false
			if b.observation.Phase == imagebuilder.PhaseAbsent {
				delete(f.builds, name)
			}
		})
	}
	return nil
}

// Notify implements ImageBuilder.
func (f *Builder) Notify(enqueue func(pool string)) (synced func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enqueue = enqueue
	return func() bool { return true }
}

func (f *Builder) find(name string, uid types.UID) (*build, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.builds[name]
	return b, ok && b.observation.UID == uid
}
