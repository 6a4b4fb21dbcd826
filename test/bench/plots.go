package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/openshift/machine-config-operator/test/svg"
)

// plots is what -only calls them: they are no row of the table.
const plots = "plots"

// sizeResult is what was measured with one number of pools.
type sizeResult struct {
	Pools     int
	Reactions reactions
	Memory    memoryOf
}

// parseSizes reads numbers of pools.
func parseSizes(text string) ([]int, error) {
	var sizes []int
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		size, err := strconv.Atoi(part)
		if err != nil || size < 2 {
			return nil, fmt.Errorf("-sizes has %q, which is no number of pools; they are at least 2, as in -sizes 100,300,1000", part)
		}
		sizes = append(sizes, size)
	}
	slices.Sort(sizes)
	return slices.Compact(sizes), nil
}

// plotParts are those of the plots: each number of pools is measured in a process of its own.
func (b *bench) plotParts() (all []part) {
	for _, size := range b.sizes {
		all = append(all, part{fmt.Sprintf("plot-%d", size), []string{plots}, func(b *bench, ctx context.Context) error { return b.measureSize(ctx, size) }})
	}
	return all
}

// measureSize measures with so many pools how soon the controller reacts, and what memory it takes.
func (b *bench) measureSize(ctx context.Context, size int) error {
	result := &sizeResult{Pools: size}
	err := b.inWorld(ctx, func(ctx context.Context, w *world) error {
		b.tell("creating %d pools", size)
		f, err := newFleet(ctx, w, "plot", size, b.content, true)
		if err != nil {
			return err
		}
		if err := b.settle(ctx, w, f); err != nil {
			return err
		}
		result.Reactions, err = b.measureReactions(ctx, w, f, b.plotSamples)
		return err
	})
	if err != nil {
		return err
	}
	if err := b.buildController(ctx); err != nil {
		return err
	}
	if result.Memory, err = b.measureMemory(ctx, size, max(b.largeContent, b.content)); err != nil {
		return err
	}
	b.bySize[size] = result
	return nil
}

// drawPlots writes the plots, if there is more than one size to put a line through.
func (b *bench) drawPlots() error {
	if len(b.bySize) < 2 {
		return nil
	}
	var all []*sizeResult
	for _, size := range slices.Sorted(maps.Keys(b.bySize)) {
		all = append(all, b.bySize[size])
	}
	var errs []error
	for name, picture := range map[string]string{"reaction.svg": b.reactionPlot(all), "memory.svg": b.memoryPlot(all)} {
		path := filepath.Join(b.out, name)
		if err := os.WriteFile(path, []byte(picture), 0o644); err != nil {
			errs = append(errs, fmt.Errorf("could not save a plot: %w", err))
			continue
		}
		b.tell("%s", path)
	}
	return errors.Join(errs...)
}

const (
	plotWidth  = 720.0
	plotHeight = 340.0
)

// reactionPlot is P6 and P11 over the number of pools, in creates of an object of 1 KB.
func (b *bench) reactionPlot(all []*sizeResult) string {
	lines := []svg.Series{{Name: "at rest, p50"}, {Name: "at rest, p99"}, {Name: "while all are looked at, p50"}, {Name: "while all are looked at, p99"}}
	for _, size := range all {
		unit := median(size.Reactions.Create)
		for i, value := range []float64{
			quantile(size.Reactions.Idle, 0.5), quantile(size.Reactions.Idle, 0.99), quantile(size.Reactions.Busy, 0.5), quantile(size.Reactions.Busy, 0.99),
		} {
			lines[i].Points = append(lines[i].Points, svg.Point{X: float64(size.Pools), Y: value / unit})
		}
	}
	return b.plot(all, "From a pool's new config to its Build", "in creates of an object of 1 KB", lines, svg.Plain)
}

// memoryPlot is P20 over the number of pools.
func (b *bench) memoryPlot(all []*sizeResult) string {
	lines := []svg.Series{{Name: "the controller's process"}, {Name: "the plain objects alone"}}
	for _, size := range all {
		x := float64(size.Pools)
		lines[0].Points = append(lines[0].Points, svg.Point{X: x, Y: size.Memory.Controller / 1e6})
		lines[1].Points = append(lines[1].Points, svg.Point{X: x, Y: size.Memory.Plain / 1e6})
	}
	title := fmt.Sprintf("Memory, with %d configs of %d KB for each pool", configsPerPool, all[0].Memory.Content/1000)
	return b.plot(all, title, "MB", lines, svg.Plain)
}

func (b *bench) plot(all []*sizeResult, title, unit string, lines []svg.Series, label func(float64) string) string {
	ticks := svg.Ticks(svg.Top(lines, false), 5, label)
	var sizes []svg.Tick
	for _, size := range all {
		sizes = append(sizes, svg.Tick{At: float64(size.Pools), Label: strconv.Itoa(size.Pools)})
	}
	p := &svg.Picture{Width: plotWidth, Height: plotHeight, Title: title, Description: fmt.Sprintf("%s, %s, over the number of pools. %s, %s, %s.", title, unit, b.table.Machine, b.table.Commit, b.table.Began)}
	p.Chart(svg.Rect{Width: plotWidth, Height: plotHeight}, &svg.Chart{
		Title: title, Series: lines, Marked: true,
		X: svg.Axis{Title: "pools", Min: sizes[0].At, Max: sizes[len(sizes)-1].At, Ticks: sizes, Log: true},
		Y: svg.Axis{Title: unit, Max: ticks[len(ticks)-1].At, Ticks: ticks},
	})
	return p.String()
}
