package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// race is the controller and its yardstick, one after the other, on as many pools.
type race struct {
	world    *world
	layered  *fleet
	bare     *bare
	system   *buildSystem
	workers  int
	subject  []time.Duration
	yard     []time.Duration
	sent     counts
	yardSent counts
	// subjectCPU and yardCPU are the processor time that all of the process took
	// meanwhile, API server included.
	subjectCPU, yardCPU []time.Duration
	// cpu is that of the last round of the controller.
	cpu time.Duration
}

// newRace sets up n pools for each side, and lets each do a first cycle, so that
// from then on every cycle also removes a Build.
func newRace(ctx context.Context, w *world, n, content, workers int, tell func(string, ...any)) (*race, error) {
	tell("creating 2 × %d pools", n)
	r := &race{world: w, workers: workers}
	w.generation++
	var err error
	if r.layered, err = newFleet(ctx, w, fmt.Sprintf("subj%02d", w.generation), n, content, true); err != nil {
		return nil, err
	}
	yard, err := newFleet(ctx, w, fmt.Sprintf("yard%02d", w.generation-1), n, content, false)
	if err != nil {
		return nil, err
	}
	if r.system, err = startBuildSystem(ctx, w.admin); err != nil {
		return nil, err
	}

	tell("first cycle")
	if err := r.first(ctx); err != nil {
		return nil, err
	}
	// The second one is what all others are like, so it is recorded.
	recorder := newRecorder(r.layered.names[0])
	if _, err := r.converge(ctx, recorder, ""); err != nil {
		return nil, err
	}
	if r.bare, err = newBare(ctx, w, yard, r.layered.names[0]); err != nil {
		return nil, err
	}
	if err := r.bare.follow(recorder.pattern); err != nil {
		return nil, err
	}
	r.bare.observeRates(r.sent, n)
	if _, err := r.bare.run(ctx, workers, r.system); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *race) stop() { r.system.stop() }

// first has the images built that no pool has yet.
func (r *race) first(ctx context.Context) error {
	s, err := startSubject(r.world, r.workers)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := await(ctx, "the first images", func() bool {
		return s.wire.succeeded(deleteSecrets) >= len(r.layered.names) && s.atRest(quietFor) || r.system.problem() != nil
	}); err != nil {
		return fmt.Errorf("%w; sent: %v; %s", err, s.wire.counts(), r.laggard(ctx))
	}
	return r.system.problem()
}

// converge has every pool get another image, and times it from the write that asks
// for them to the last one of the controller.
func (r *race) converge(ctx context.Context, record *recorder, profile string) (time.Duration, error) {
	s, err := startedSubject(ctx, r.world, r.workers)
	if err != nil {
		return 0, err
	}
	defer s.stop()
	if calls, _, _ := s.wire.counts().calls(); calls != 0 {
		return 0, fmt.Errorf("the pools are not at rest: %v", s.wire.counts())
	}
	if record != nil {
		defer s.wire.listen(record.see)()
	}
	end, err := startProfile(profile)
	if err != nil {
		return 0, err
	}
	n := len(r.layered.names)
	start, spent := time.Now(), processorTime()
	if err := r.world.rebuildAll(ctx); err != nil {
		return 0, err
	}
	err = await(ctx, "the pools to converge", func() bool {
		return s.wire.succeeded(deleteSecrets) >= n && s.wire.succeeded(deleteBuilds) >= n && s.atRest(quietFor) || r.system.problem() != nil
	})
	took := s.wire.lastDone().Sub(start)
	r.cpu = processorTime() - spent
	if err := firstOf(err, end(), r.system.problem()); err != nil {
		return 0, err
	}
	r.sent = s.wire.counts()
	return took, r.verify(ctx)
}

// laggard describes a pool that is not served.
func (r *race) laggard(ctx context.Context) string {
	for _, name := range r.layered.names {
		pool, err := r.world.admin.mcfg.MachineconfigurationV1().MachineConfigPools().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if !strings.HasPrefix(pool.Annotations[string(imageKey)], repository(r.world.repository)) {
			return fmt.Sprintf("pool %s wants %s, has annotations %v and conditions %v", name, pool.Spec.Configuration.Name, pool.Annotations, pool.Status.Conditions)
		}
	}
	return ""
}

// verify looks, after the clock has stopped, whether every pool has its image.
func (r *race) verify(ctx context.Context) error {
	pools, err := r.world.admin.mcfg.MachineconfigurationV1().MachineConfigPools().List(ctx, metav1.ListOptions{LabelSelector: layeredLabel, ResourceVersion: "0"})
	if err != nil {
		return fmt.Errorf("could not list pools: %w", err)
	}
	for i := range pools.Items {
		pool := &pools.Items[i]
		if image := pool.Annotations[string(imageKey)]; !strings.HasPrefix(image, repository(r.world.repository)) {
			return fmt.Errorf("pool %s has the image %q, which is not that of the last repository", pool.Name, image)
		}
	}
	return nil
}

// pair lets the controller and then the yardstick run.
func (r *race) pair(ctx context.Context, profile string) error {
	// What is written grows with the history of a pool, so it is recorded each time.
	recorder := newRecorder(r.layered.names[0])
	took, err := r.converge(ctx, recorder, profile)
	if err != nil {
		return err
	}
	if err := r.bare.follow(recorder.pattern); err != nil {
		return err
	}
	r.bare.observeRates(r.sent, len(r.layered.names))
	spent := processorTime()
	yard, err := r.bare.run(ctx, r.workers, r.system)
	if err != nil {
		return err
	}
	r.subjectCPU, r.yardCPU = append(r.subjectCPU, r.cpu), append(r.yardCPU, processorTime()-spent)
	r.subject, r.yard = append(r.subject, took), append(r.yard, yard)
	r.yardSent = r.bare.wire.counts()
	return r.compareWrites()
}

// compareWrites makes sure that the yardstick wrote as much as the controller: else the
// two times have nothing to do with each other.
func (r *race) compareWrites() error {
	_, _, writes := r.sent.calls()
	_, _, yardWrites := r.yardSent.calls()
	size, yardSize := float64(r.sent.bytes()), float64(r.yardSent.bytes())
	if math.Abs(float64(yardWrites-writes)) > float64(writes)/20 || math.Abs(yardSize-size) > size/10 {
		return fmt.Errorf("the yardstick made %d writes with %.0f bytes, and the controller %d with %.0f: %s, and %s", yardWrites, yardSize, writes, size, r.yardSent, r.sent)
	}
	return nil
}

// startProfile begins a CPU profile in the file, if there is one.
func startProfile(path string) (end func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("could not create profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, fmt.Errorf("could not start profile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	// It fails for no process but another one's.
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
