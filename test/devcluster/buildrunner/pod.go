package buildrunner

import (
	"context"
	"errors"
	"sync"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

var (
	errStopped  = errors.New("build pod was deleted")
	errDeadline = errors.New("completionDeadlineSeconds passed")
)

type podStage int

const (
	podPending podStage = iota
	podRunning
	podEnded
)

// podState is what the status of a Build is made from.
type podState struct {
	stage             podStage
	missingPushSecret bool
	start             *metav1.Time
	digest            string
	// err is why the pod failed. reported is the part of it that the builder reported itself; nil if it died without a word.
	err      error
	reported *Failure
	log      string
}

// pod is the work of one Build. It only ever changes itself; notify asks for a sync that looks.
type pod struct {
	name   string
	uid    types.UID
	stop   context.CancelCauseFunc
	done   chan struct{}
	notify func()

	mu    sync.Mutex
	state podState
}

func (p *pod) snapshot() podState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func (p *pod) change(apply func(state *podState)) {
	p.mu.Lock()
	apply(&p.state)
	p.mu.Unlock()
	p.notify()
}

// podName is the name the real build pod would have; short names only, as nothing looks such a pod up here.
func podName(build string) string { return build + "-build" }

// pods are the pods of all Builds that exist, finished ones included, plus those still ending after their Build went.
type pods struct {
	clock clock.Clock

	mu      sync.Mutex
	byUID   map[types.UID]*pod
	ending  map[*pod]struct{}
	blocked map[types.UID]time.Time
	group   sync.WaitGroup
}

func newPods(clock clock.Clock) *pods {
	return &pods{clock: clock, byUID: map[types.UID]*pod{}, ending: map[*pod]struct{}{}, blocked: map[types.UID]time.Time{}}
}

func (p *pods) get(uid types.UID) *pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byUID[uid]
}

// start makes a pod and runs its work.
func (p *pods) start(ctx context.Context, build *buildv1.Build, notify func(), work func(ctx context.Context, pod *pod)) {
	ctx, stop := context.WithCancelCause(ctx)
	created := &pod{name: build.Name, uid: build.UID, stop: stop, done: make(chan struct{}), notify: notify}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byUID[build.UID] = created
	delete(p.blocked, build.UID)
	p.group.Go(func() {
		work(ctx, created)
		stop(errStopped)
		close(created.done)
		p.mu.Lock()
		delete(p.ending, created)
		p.mu.Unlock()
		// A Build of the same name may wait for this end.
		notify()
	})
}

// removeExcept stops and forgets the pods of Builds of a name that are no more.
func (p *pods) removeExcept(name string, keep types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for uid, candidate := range p.byUID {
		if candidate.name != name || uid == keep {
			continue
		}
		candidate.stop(errStopped)
		delete(p.byUID, uid)
		select {
		case <-candidate.done:
		default:
			p.ending[candidate] = struct{}{}
		}
	}
}

// blockedFor says for how long a Build has been kept from creating its pod by an earlier one of the same name; negative if it is not.
func (p *pods) blockedFor(name string, uid types.UID) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for candidate := range p.ending {
		if candidate.name != name {
			continue
		}
		since, found := p.blocked[uid]
		if !found {
			since = p.clock.Now()
			p.blocked[uid] = since
		}
		return p.clock.Since(since)
	}
	delete(p.blocked, uid)
	return -1
}

func (p *pods) wait() { p.group.Wait() }
