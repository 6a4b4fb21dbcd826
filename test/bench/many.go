package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/caches"
	ctrlclients "github.com/openshift/machine-config-operator/pkg/controller/build/clients"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// raceResult is what a race came to, in seconds.
type raceResult struct {
	Pools, Workers, Content int
	Subject, Yardstick      []float64
	// Processor is the ratio of what the two took of the processors, API server included.
	Processor []float64
	// PerPool is what the controller sent.
	PerPool string
}

// ratio is the time of the controller over that of the bare loop.
func (r *raceResult) ratio() estimate { return medianOf(ratiosOf(r.Subject, r.Yardstick)) }

// measureRace has so many pools converge, with configs of the size, in turns with the
// bare loop. The first round of a row is profiled.
func (b *bench) measureRace(ctx context.Context, name, id string, pools, pairs, content int) error {
	profile := filepath.Join(b.out, "race-"+name+".pprof")
	err := b.inWorld(ctx, func(ctx context.Context, w *world) error {
		r, err := newRace(ctx, w, pools, content, b.workers, b.tell)
		if err != nil {
			return err
		}
		defer r.stop()
		for i := range pairs {
			path := ""
			if i == 0 {
				path = profile
			}
			if err := r.pair(ctx, path); err != nil {
				return err
			}
			b.tell("%d pools, pair %d of %d: %.1f s, bare loop %.1f s: %.2f", pools, i+1, pairs, r.subject[i].Seconds(), r.yard[i].Seconds(),
				r.subject[i].Seconds()/r.yard[i].Seconds())
		}
		b.races[name] = &raceResult{
			Pools: pools, Workers: b.workers, Content: content, Subject: seconds(r.subject), Yardstick: seconds(r.yard), PerPool: r.perPool(),
			Processor: ratiosOf(seconds(r.subjectCPU), seconds(r.yardCPU)),
		}
		return nil
	})
	if err != nil || id == "" {
		return err
	}
	return b.explain(ctx, profile, id)
}

func (b *bench) fillRace(small, large *raceResult) {
	ratio := small.ratio()
	values := map[string]estimate{"small": ratio}
	if large != nil {
		values["large"] = large.ratio()
		b.table.note("P8", "with configs of %d KB: %s; per pool %s", large.Content/1000, large.ratio(), large.PerPool)
	}
	b.table.set("P8", ratio.Value <= 1.3, values, "%s", ratio)
	b.table.note("P8", "processor time of both together with the API server: %s times the bare loop's", medianOf(small.Processor))
	b.table.note("P8", "%d pools, %d workers, %d pairs, medians %.1f s and %.1f s; per pool %s", small.Pools, small.Workers, len(small.Subject),
		median(small.Subject), median(small.Yardstick), small.PerPool)
}

// perPool describes the last round.
func (r *race) perPool() string {
	n := float64(len(r.layered.names))
	calls, reads, _ := r.sent.calls()
	events := 0
	for kind, of := range r.sent {
		if isEvent(kind) {
			events += of.Calls
		}
	}
	return fmt.Sprintf("%s calls, of which %s reads, and %s events, %.1f KB, against %.1f KB of the bare loop", number(float64(calls)/n), number(float64(reads)/n),
		number(float64(events)/n), float64(r.sent.bytes())/n/1000, float64(r.yardSent.bytes())/n/1000)
}

// bareGrowth is how much longer the bare loop takes for ten times as many pools, on a
// calm machine.
const bareGrowth = 10.5

// fillGrowth is P9: each time is divided by that of the bare loop next to it, since the
// machine may be another one by the time the larger race is run.
func (b *bench) fillGrowth(small, many *raceResult) {
	x, y := many.ratio(), small.ratio()
	growth := estimate{bareGrowth * x.Value / y.Value, bareGrowth * x.Low / y.High, bareGrowth * x.High / y.Low, x.N}
	raw, bare := median(many.Subject)/median(small.Subject), median(many.Yardstick)/median(small.Yardstick)
	b.table.set("P9", growth.Value <= 11.5, map[string]estimate{"growth": growth, "raw": exactly(raw), "bare": exactly(bare)}, "%s", growth)
	b.table.note("P9", "%d pools against %d, %d pairs; it is %.1f times what T / T(bare loop) grows by, from %s to %s; as timed, the controller took %s times as long, the bare loop %s",
		many.Pools, small.Pools, len(many.Subject), bareGrowth, y, x, number(raw), number(bare))
}

// measureRestart is P10: the controller on pools that are all settled, and, in turns
// with it, nothing but its informers.
func (b *bench) measureRestart(ctx context.Context, w *world, f *fleet, pairs int) error {
	var idle, synced []float64
	others := 0
	profile := filepath.Join(b.out, "P10.pprof")
	for i := range pairs {
		path := ""
		if i == 0 {
			path = profile
		}
		took, calls, err := b.restart(ctx, w, len(f.names), path)
		if err != nil {
			return err
		}
		others += calls
		informers, err := informersAlone(ctx, w)
		if err != nil {
			return err
		}
		idle, synced = append(idle, took.Seconds()), append(synced, informers.Seconds())
		b.tell("restart %d of %d: idle after %.2f s, informers %.2f s", i+1, pairs, took.Seconds(), informers.Seconds())
	}
	ratio := medianOf(ratiosOf(idle, synced))
	b.table.set("P10", ratio.Value <= 1.5 && others == 0, map[string]estimate{"ratio": ratio, "calls": exactly(float64(others))}, "%s, %d other calls", ratio, others)
	b.table.note("P10", "%d settled pools, %d pairs, medians %.2f s and %.2f s", len(f.names), pairs, median(idle), median(synced))
	return b.explain(ctx, profile, "P10")
}

// restart times the controller until it has looked at every pool and rests, and counts
// its calls that are neither lists nor watches.
func (b *bench) restart(ctx context.Context, w *world, pools int, profile string) (time.Duration, int, error) {
	end, err := startProfile(profile)
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	s, err := startSubject(w, b.workers)
	if err != nil {
		return 0, 0, err
	}
	defer s.stop()
	var syncedAt time.Time
	err = await(ctx, "the controller to come to rest after its start", func() bool {
		if syncedAt.IsZero() && s.synced() {
			syncedAt = time.Now()
		}
		return !syncedAt.IsZero() && s.syncs.number.Load() >= int64(pools) && s.atRest(quietFor)
	})
	if err := firstOf(err, end()); err != nil {
		return 0, 0, err
	}
	idle := syncedAt
	if last := s.syncs.lastAt(); last.After(idle) {
		idle = last
	}
	calls := 0
	for kind, of := range s.wire.counts() {
		if !isWatching(kind) {
			calls += of.Calls
		}
	}
	return idle.Sub(start), calls, nil
}

// informersAlone times the controller's informers without the controller.
func informersAlone(ctx context.Context, w *world) (time.Duration, error) {
	config, err := w.userConfig("bench-yardstick", newWire())
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := time.Now()
	cb := ctrlclients.BuilderFromConfig(config)
	c := caches.New(cb)
	builds := openshift.NewInformer(ctrlcommon.MCONamespace, cb.BuildClientOrDie("build-informer"))
	machineConfiguration := c.MachineConfiguration.Machineconfiguration().V1()
	all := []cache.SharedIndexInformer{
		machineConfiguration.MachineConfigPools().Informer(), machineConfiguration.MachineConfigs().Informer(), machineConfiguration.ControllerConfigs().Informer(),
		c.ConfigMaps.Core().V1().ConfigMaps().Informer(), builds, c.SecretMetadata,
	}
	c.Start(ctx)
	var running sync.WaitGroup
	running.Go(func() { builds.RunWithContext(ctx) })
	err = await(ctx, "the informers", func() bool {
		for _, informer := range all {
			if !informer.HasSynced() {
				return false
			}
		}
		return true
	})
	took := time.Since(start)
	cancel()
	running.Wait()
	c.Shutdown()
	return took, err
}

// reactions are, in seconds, how soon the controller reacts to a pool while it has nothing else to do, and while it looks at all the
// others again and again, and a raw create before each.
type reactions struct {
	Create, Idle, Busy []float64
	// Syncs is how often it looked at a pool meanwhile.
	Syncs int64
}

// measureReactions times each next to the others, in turns.
func (b *bench) measureReactions(ctx context.Context, w *world, f *fleet, pairs int) (r reactions, err error) {
	s, err := startedSubject(ctx, w, b.workers)
	if err != nil {
		return r, err
	}
	defer s.stop()
	system, err := startBuildSystem(ctx, w.admin)
	if err != nil {
		return r, err
	}
	defer system.stop()
	raw, err := newRaw(ctx, f)
	if err != nil {
		return r, err
	}
	seen := &watcher{}
	defer s.wire.listen(seen.see)()
	before := s.syncs.number.Load()
	for i := range pairs {
		pool := f.names[i%len(f.names)]
		if err := s.awaitRest(ctx); err != nil {
			return r, err
		}
		create, err := raw.create(ctx)
		if err != nil {
			return r, err
		}
		idle, err := reaction(ctx, f, s, seen, pool)
		if err != nil {
			return r, err
		}
		stop := resyncAll(ctx, w, s, len(f.names))
		busy, err := reaction(ctx, f, s, seen, pool)
		if err := firstOf(err, stop()); err != nil {
			return r, err
		}
		r.Create, r.Idle, r.Busy = append(r.Create, create.Seconds()), append(r.Idle, idle.Seconds()), append(r.Busy, busy.Seconds())
		if (i+1)%20 == 0 {
			b.tell("reactions: %d of %d pairs", i+1, pairs)
		}
	}
	if err := s.awaitRest(ctx); err != nil {
		return r, err
	}
	r.Syncs = s.syncs.number.Load() - before
	return r, system.problem()
}

// measureFairness is P11.
func (b *bench) measureFairness(ctx context.Context, w *world, f *fleet, pairs int) error {
	profile := filepath.Join(b.out, "P11.pprof")
	end, err := startProfile(profile)
	if err != nil {
		return err
	}
	r, err := b.measureReactions(ctx, w, f, pairs)
	if err := firstOf(err, end()); err != nil {
		return err
	}
	p99, p50 := ratioOf(r.Busy, r.Idle, 0.99), ratioOf(r.Busy, r.Idle, 0.5)
	b.table.set("P11", p99.Value <= 3, map[string]estimate{"p99": p99, "p50": p50}, "%s", p99)
	b.table.note("P11", "%d pools, %d pairs, p50 %s; over the median of the idle reaction, %.1f ms; its own p99 is %s times that, so p99 over p99 is %s; %d syncs in all", len(f.names), pairs, p50,
		median(r.Idle)*1000, number(quantile(r.Idle, 0.99)/median(r.Idle)), number(quantile(r.Busy, 0.99)/quantile(r.Idle, 0.99)), r.Syncs)
	return b.explain(ctx, profile, "P11")
}

// reaction is from a new config of the pool to its Build.
func reaction(ctx context.Context, f *fleet, s *subject, seen *watcher, pool string) (time.Duration, error) {
	f.world.generation++
	config, err := f.createConfig(ctx, pool, f.world.generation)
	if err != nil {
		return 0, err
	}
	built, _ := seen.expect(pool)
	wanted, err := f.want(ctx, pool, config)
	if err != nil {
		return 0, err
	}
	at, err := receive(ctx, built, "the Build of "+pool)
	if err != nil {
		return 0, err
	}
	return at.Sub(wanted), nil
}

// resyncAll returns when the controller has begun to look at all pools, and has it begin
// anew each time it is through, until it is stopped.
func resyncAll(ctx context.Context, w *world, s *subject, pools int) (stop func() error) {
	var over atomic.Bool
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		first := true
		for !over.Load() {
			before := s.syncs.number.Load()
			if err := w.wakeAll(ctx); err != nil {
				ended <- err
				if first {
					close(begun)
				}
				return
			}
			for s.syncs.number.Load() == before && !over.Load() {
				time.Sleep(200 * time.Microsecond)
			}
			if first {
				close(begun)
				first = false
			}
			for s.syncs.number.Load() < before+int64(pools)*9/10 && !over.Load() {
				time.Sleep(200 * time.Microsecond)
			}
		}
		ended <- nil
	}()
	<-begun
	return func() error {
		over.Store(true)
		return <-ended
	}
}
