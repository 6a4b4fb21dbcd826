package main

import (
	"errors"
	"strings"
	"sync"
	"time"

	buildv1 "github.com/openshift/api/build/v1"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// buildPrefix begins the names of builds; that of the pool follows.
const buildPrefix = "machine-os-"

// outcome is how a build goes.
type outcome struct {
	pending, running time.Duration
	err              error
	log              string
}

// played plays builds: those of each pool go as was planned, in that order, and later ones like the last.
type played struct {
	mu      sync.Mutex
	planned map[string][]outcome
}

func newPlayed() *played { return &played{planned: map[string][]outcome{}} }

// plan says how the next builds of a pool go.
func (p *played) plan(pool string, next ...outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.planned[pool] = next
}

// next is how a build goes, which bears the name of its pool.
func (p *played) next(build string) outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pool, planned := range p.planned {
		if !strings.HasPrefix(build, buildPrefix+pool+"-") || len(planned) == 0 {
			continue
		}
		if len(planned) > 1 {
			p.planned[pool] = planned[1:]
		}
		return planned[0]
	}
	return outcome{running: time.Second}
}

func (p *played) decide(job buildrunner.Job) buildrunner.Script {
	o := p.next(job.Name)
	begin, end := make(chan struct{}), make(chan struct{})
	time.AfterFunc(o.pending, func() { close(begin) })
	time.AfterFunc(o.pending+o.running, func() { close(end) })
	return buildrunner.Script{HoldPending: begin, HoldRunning: end, Err: o.err, Log: o.log}
}

// inSeconds is a build that makes an image after so long.
func inSeconds(running float64) outcome {
	return outcome{pending: 700 * time.Millisecond, running: time.Duration(running * float64(time.Second))}
}

// notPushed is a build of which the registry did not take the image, which passes.
func notPushed(running float64) outcome {
	o := inSeconds(running)
	o.err = buildrunner.NewFailure(buildv1.StatusReasonPushImageToRegistryFailed, errors.New("the registry does not answer"))
	o.log = "Pushing image " + repository + " ...\nerror: 503 Service Unavailable\n"
	return o
}

// broken is a build in which a step fails, and will fail again.
func broken(running float64) outcome {
	o := inSeconds(running)
	o.err = buildrunner.NewFailure(buildv1.StatusReasonDockerBuildFailed, errors.New("a step failed"))
	o.log = "STEP 9/12: RUN rpm-ostree install chrony-agent\nerror: Packages not found: chrony-agent\n"
	return o
}
