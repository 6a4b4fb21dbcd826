package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// part is a group of rows that is measured in a process of its own: a kube-apiserver
// that was stopped leaves goroutines behind, and its heap, which would be in the way of
// the next one.
type part struct {
	name string
	rows []string
	do   func(b *bench, ctx context.Context) error
}

var parts = []part{
	{"micro", []string{"P2", "P3", "P4", "P12", "P15"}, (*bench).measureMicro},
	{"heap", []string{"P5"}, (*bench).measureCaches},
	{"cycles", []string{"P1", "P6", "P7", "P13", "P14"}, func(b *bench, ctx context.Context) error { return b.inWorld(ctx, b.measureCycles) }},
	{"race", []string{"P8", "P9"}, (*bench).measureSmallRace},
	{"large", []string{"P8"}, (*bench).measureLargeRace},
	{"many", []string{"P10", "P11"}, func(b *bench, ctx context.Context) error { return b.inWorld(ctx, b.measureMany) }},
	{"growth", []string{"P9"}, (*bench).measureManyRace},
	{"memory", []string{"P20"}, (*bench).measureResident},
}

// findings are what a part hands over.
type findings struct {
	Rows  []*result              `json:"rows"`
	Races map[string]*raceResult `json:"races"`
	Sizes map[int]*sizeResult    `json:"sizes,omitempty"`
}

func (b *bench) findingsFile(part string) string {
	return filepath.Join(b.out, "part-"+part+".json")
}

// runPart measures one part, and leaves its findings in a file.
func (b *bench) runPart(ctx context.Context, name string) error {
	for _, p := range slices.Concat(parts, b.plotParts()) {
		if p.name != name {
			continue
		}
		if err := p.do(b, ctx); err != nil {
			return err
		}
		text, err := json.Marshal(findings{Rows: b.table.Rows, Races: b.races, Sizes: b.bySize})
		if err != nil {
			return fmt.Errorf("could not encode findings: %w", err)
		}
		if err := os.WriteFile(b.findingsFile(name), text, 0o644); err != nil {
			return fmt.Errorf("could not save findings: %w", err)
		}
		return nil
	}
	return fmt.Errorf("there is no part %q", name)
}

// measure runs the parts that rows are wanted of, one after the other. One that fails
// does not keep the others from being measured.
func (b *bench) measure(ctx context.Context) error {
	var errs []error
	for _, p := range slices.Concat(parts, b.plotParts()) {
		if !b.wants(p.rows...) || b.many == 0 && (p.name == "many" || p.name == "growth") || b.largeContent == 0 && p.name == "large" {
			continue
		}
		if err := b.inProcess(ctx, p.name); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
			fmt.Fprintln(os.Stderr, "bench:", errs[len(errs)-1])
		}
		if ctx.Err() != nil {
			break
		}
	}
	if b.wants("P8") && b.races["small"] != nil {
		b.fillRace(b.races["small"], b.races["large"])
	}
	if b.wants("P9") && b.races["small"] != nil && b.races["many"] != nil {
		b.fillGrowth(b.races["small"], b.races["many"])
	}
	return errors.Join(errs...)
}

// endTime is what an interrupted part gets to remove its cluster.
const endTime = 30 * time.Second

// inProcess has this program measure the part, with the same flags, and takes over what
// it found.
func (b *bench) inProcess(ctx context.Context, name string) error {
	b.tell("%s", name)
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("could not find the program: %w", err)
	}
	// What the control plane says as it is stopped is of no interest here.
	log, err := os.Create(filepath.Join(b.out, "part-"+name+".log"))
	if err != nil {
		return fmt.Errorf("could not create log: %w", err)
	}
	defer log.Close()
	command := exec.CommandContext(ctx, self, append(os.Args[1:], "-part", name)...)
	command.Stdout, command.Stderr = os.Stdout, log
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = endTime
	if err := command.Run(); err != nil {
		return fmt.Errorf("could not measure it: %w; see %s", err, log.Name())
	}
	text, err := os.ReadFile(b.findingsFile(name))
	if err != nil {
		return fmt.Errorf("could not read findings: %w", err)
	}
	var found findings
	if err := json.Unmarshal(text, &found); err != nil {
		return fmt.Errorf("could not decode findings: %w", err)
	}
	b.takeOver(found)
	return nil
}

func (b *bench) takeOver(found findings) {
	for _, r := range found.Rows {
		into := b.table.Results[r.ID]
		if r.Measured != "" {
			into.Measured, into.OK = r.Measured, r.OK
		}
		for name, value := range r.Values {
			into.Values[name] = value
		}
		into.Notes = append(into.Notes, r.Notes...)
	}
	for name, race := range found.Races {
		b.races[name] = race
	}
	maps.Copy(b.bySize, found.Sizes)
}

func (b *bench) measureMicro(ctx context.Context) error {
	attributes, err := microBenchmarks(ctx, b.root, b.crowd, b.cycles, b.tell)
	if err != nil {
		return err
	}
	fillMicro(b.table, attributes)
	return nil
}

func (b *bench) measureCaches(ctx context.Context) error {
	return measureHeap(ctx, b.table, 2000, 200, max(b.largeContent, 1000))
}

func (b *bench) measureSmallRace(ctx context.Context) error {
	return b.measureRace(ctx, "small", "P8", b.pools, b.pairs, b.content)
}

func (b *bench) measureLargeRace(ctx context.Context) error {
	return b.measureRace(ctx, "large", "", b.pools, b.pairs, b.largeContent)
}

func (b *bench) measureManyRace(ctx context.Context) error {
	return b.measureRace(ctx, "many", "P9", b.many, b.manyPairs, b.content)
}

// measureMany is P10 and P11, on the same pools.
func (b *bench) measureMany(ctx context.Context, w *world) error {
	b.tell("creating %d pools", b.many)
	f, err := newFleet(ctx, w, "many", b.many, b.content, true)
	if err != nil {
		return err
	}
	b.tell("first images")
	if err := b.settle(ctx, w, f); err != nil {
		return err
	}
	if err := b.measureRestart(ctx, w, f, b.pairs); err != nil {
		return err
	}
	return b.measureFairness(ctx, w, f, b.samples)
}
