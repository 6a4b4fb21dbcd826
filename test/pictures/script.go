package main

import (
	"context"
	"fmt"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// after is for how long everything is looked at when all has happened.
const after = 4 * time.Second

// stepTimeout is for a step that got stuck; the slowest one waits for a retry, which takes ten seconds.
const stepTimeout = time.Minute

// step is one thing that happens.
type step struct {
	title string
	do    func(*scene, context.Context) error
}

// script is what happens, in order. At its end one pool has failed and one is held, so that there is something to see.
var script = []step{
	{"worker opts in, and gets an image", (*scene).firstPool},
	{"infra, edge and gpu opt in, of whose builds two run at once", (*scene).threeMore},
	{"worker, infra and edge want a new config; a push fails, and passes later, and a step fails for good", (*scene).rollOut},
	{"edge is mended, gpu gets custom content that cannot be built", (*scene).mendEdge},
	{"gpu's custom content is mended", (*scene).mendContent},
	{"worker goes back to the config of before, whose image there is", (*scene).goBack},
	{"a rebuild of infra is requested", (*scene).rebuild},
	{"edge fails again, and gpu is held again", (*scene).lastTroubles},
}

// play has everything happen, while somebody watches.
func (s *scene) play(ctx context.Context) error {
	reported := s.inBackground(ctx, s.nodesReport)
	for i, step := range script {
		s.tell("[%d/%d] %s", i+1, len(script), step.title)
		if err := s.take(ctx, step); err != nil {
			return err
		}
		if i == 0 {
			var err error
			if s.watched, err = s.watch(ctx); err != nil {
				return err
			}
			s.cleanup(s.watched.end)
		}
	}
	select {
	case <-time.After(after):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := s.watched.end(); err != nil {
		return err
	}
	return reported()
}

func (s *scene) take(ctx context.Context, step step) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stepTimeout, fmt.Errorf("it took longer than %v", stepTimeout))
	defer cancel()
	return step.do(s, ctx)
}

// all does one after the other.
func all(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) firstPool(ctx context.Context) error {
	s.builds.plan("worker", inSeconds(4))
	return all(
		func() error { return s.optIn(ctx, "worker") },
		func() error { return s.until(ctx, "worker", ledger.StatePublished) },
	)
}

func (s *scene) threeMore(ctx context.Context) error {
	s.builds.plan("infra", inSeconds(6))
	s.builds.plan("edge", inSeconds(8))
	s.builds.plan("gpu", inSeconds(5))
	return all(
		func() error { return s.optIn(ctx, "infra") },
		func() error { return s.until(ctx, "infra", ledger.StateBuilding) },
		func() error { return s.optIn(ctx, "edge") },
		func() error { return s.until(ctx, "edge", ledger.StateBuilding) },
		func() error { return s.optIn(ctx, "gpu") },
		func() error { return s.until(ctx, "gpu", ledger.StateQueued) },
		func() error { return s.until(ctx, "infra", ledger.StatePublished) },
		func() error { return s.until(ctx, "edge", ledger.StatePublished) },
		func() error { return s.until(ctx, "gpu", ledger.StatePublished) },
	)
}

func (s *scene) rollOut(ctx context.Context) error {
	s.builds.plan("worker", inSeconds(6))
	s.builds.plan("infra", notPushed(4), inSeconds(6))
	s.builds.plan("edge", broken(5))
	return all(
		func() error { return s.wants(ctx, "worker", "second") },
		func() error { return s.until(ctx, "worker", ledger.StateBuilding) },
		func() error { return s.wants(ctx, "infra", "second") },
		func() error { return s.until(ctx, "infra", ledger.StateBuilding) },
		func() error { return s.wants(ctx, "edge", "second") },
		func() error { return s.until(ctx, "infra", ledger.StateRetrying) },
		func() error { return s.until(ctx, "worker", ledger.StatePublished) },
		func() error { return s.until(ctx, "edge", ledger.StateFailed) },
	)
}

func (s *scene) mendEdge(ctx context.Context) error {
	s.builds.plan("edge", inSeconds(6))
	return all(
		func() error { return s.wants(ctx, "edge", "third") },
		func() error { return s.setCustomContent(ctx, "gpu", "RUNS dnf install -y driver") },
		func() error { return s.until(ctx, "gpu", ledger.StateHeld) },
		func() error { return s.until(ctx, "edge", ledger.StatePublished) },
	)
}

func (s *scene) mendContent(ctx context.Context) error {
	s.builds.plan("gpu", inSeconds(5))
	return all(
		func() error { return s.setCustomContent(ctx, "gpu", "RUN dnf install -y driver") },
		func() error { return s.until(ctx, "gpu", ledger.StatePublished) },
		func() error { return s.until(ctx, "infra", ledger.StatePublished) },
	)
}

func (s *scene) goBack(ctx context.Context) error {
	return all(
		func() error { return s.wantsAgain(ctx, "worker", configName("worker", "first")) },
		func() error { return s.until(ctx, "worker", ledger.StatePublished) },
	)
}

func (s *scene) rebuild(ctx context.Context) error {
	s.builds.plan("infra", inSeconds(7))
	return all(
		func() error { return s.requestRebuild(ctx, "infra") },
		func() error { return s.until(ctx, "infra", ledger.StateBuilding) },
	)
}

func (s *scene) lastTroubles(ctx context.Context) error {
	s.builds.plan("edge", broken(5))
	return all(
		func() error { return s.wants(ctx, "edge", "fourth") },
		func() error { return s.setCustomContent(ctx, "gpu", "RUNS dnf install -y driver-2") },
		func() error { return s.until(ctx, "gpu", ledger.StateHeld) },
		func() error { return s.until(ctx, "edge", ledger.StateFailed) },
		func() error { return s.until(ctx, "infra", ledger.StatePublished) },
	)
}
