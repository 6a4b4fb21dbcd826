package main

import (
	"context"
	"path/filepath"
	"time"
)

// poolsInTurn is how many pools single cycles go round on. They are few, so that most cycles
// are of a pool with as many past images on record as are kept.
const poolsInTurn = 4

// measureCycles is P1, P6, P7, P13 and P14: one pool after the other goes from a new
// config to its image, through every phase of a Build.
func (b *bench) measureCycles(ctx context.Context, w *world) error {
	f, err := newFleet(ctx, w, "cycle", poolsInTurn, b.content, true)
	if err != nil {
		return err
	}
	if err := b.settle(ctx, w, f); err != nil {
		return err
	}
	s, err := startedSubject(ctx, w, b.workers)
	if err != nil {
		return err
	}
	defer s.stop()
	profile := filepath.Join(b.out, "cycles.pprof")
	end, err := startProfile(profile)
	if err != nil {
		return err
	}
	l, err := measureLatencies(ctx, f, s, b.samples, true, b.tell)
	if err := firstOf(err, end()); err != nil {
		return err
	}
	b.fillCycles(l)
	return b.explain(ctx, profile, "P6", "P7")
}

// settle has the first images of a fleet built, and goes round once more, so that the
// next cycle is like all that follow.
func (b *bench) settle(ctx context.Context, w *world, f *fleet) error {
	system, err := startBuildSystem(ctx, w.admin)
	if err != nil {
		return err
	}
	defer system.stop()
	r := &race{world: w, layered: f, system: system, workers: b.workers}
	if err := r.first(ctx); err != nil {
		return err
	}
	_, err = r.converge(ctx, nil, "")
	return err
}

// stateChanges of a cycle: pending, building, success.
const stateChanges = 3

func (b *bench) fillCycles(l latencies) {
	t, n := b.table, float64(len(l.toBuild))
	calls, reads, writes := l.cycles.calls()
	t.set("P1", float64(calls)/n <= 9 && float64(reads)/n <= 1,
		map[string]estimate{"calls": exactly(float64(calls) / n), "reads": exactly(float64(reads) / n), "writes": exactly(float64(writes) / n)},
		"%s, of which %s read", number(float64(calls)/n), number(float64(reads)/n))
	t.note("P1", "every cycle also deletes the Build before; events are not counted, there are %s a cycle; refused: %s a cycle", number(float64(l.events())/n), number(float64(l.cycles.refusals())/n))
	t.note("P1", "of %d cycles: %s", len(l.toBuild), l.cycles)

	b.fillLatency("P6", l.toBuild, l.create)
	b.fillLatency("P7", l.toImage, l.patch)
	b.table.note("P6", "made of, in medians over the yardstick's: %s", l.anatomy("P6", l.create))
	b.table.note("P6", "a raw patch of a pool takes %s times the yardstick", number(median(seconds(l.patch))/median(seconds(l.create))))
	b.table.note("P7", "made of, likewise: %s", l.anatomy("P7", l.patch))

	statuses, events := float64(l.cycles[patchStatus].Calls)/n/stateChanges, float64(l.events())/n/stateChanges
	t.set("P13", statuses <= 1 && events <= 1, map[string]estimate{"statuses": exactly(statuses), "events": exactly(events)}, "%s, %s", number(statuses), number(events))

	total := map[string]int64{}
	for kind, of := range l.cycles {
		switch {
		case kind == createSecrets, kind == createBuilds:
		case isEvent(kind):
			total["events"] += of.Bytes
		default:
			total["rest"] += of.Bytes
		}
	}
	bytes := float64(total["rest"]+total["events"]) / n
	t.set("P14", bytes <= 6000, map[string]estimate{"bytes": exactly(bytes), "events": exactly(float64(total["events"]) / n)}, "%.1f KB", bytes/1000)
	t.note("P14", "of these, %.1f KB are events; besides, %.1f KB of Builds and %.1f KB of Secrets are build inputs; a pool has six conditions of others", float64(total["events"])/n/1000,
		float64(l.cycles[createBuilds].Bytes)/n/1000, float64(l.cycles[createSecrets].Bytes)/n/1000)
}

// fillLatency fills a row of which both the median and the tail count.
func (b *bench) fillLatency(id string, subject, yardstick []time.Duration) {
	s, y := seconds(subject), seconds(yardstick)
	p50, p99 := ratioOf(s, y, 0.5), ratioOf(s, y, 0.99)
	b.table.set(id, p50.Value <= 4 && p99.Value <= 10, map[string]estimate{"p50": p50, "p99": p99}, "p50 %s, p99 %s", p50, p99)
	b.table.note(id, "%d samples, each next to one of the yardstick; both over its median of %.1f ms; its own p99 is %s times that, so p99 over p99 is %s", len(s), median(y)*1000,
		number(quantile(y, 0.99)/median(y)), number(quantile(s, 0.99)/quantile(y, 0.99)))
}

func (l latencies) events() (events int) {
	for kind, of := range l.cycles {
		if isEvent(kind) {
			events += of.Calls
		}
	}
	return events
}
