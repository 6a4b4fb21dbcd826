package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// bench is a run of the benchmarks.
type bench struct {
	root, out    string
	only         *regexp.Regexp
	pools, many  int
	pairs        int
	manyPairs    int
	samples      int
	workers      int
	content      int
	largeContent int
	crowd        int
	cycles       int

	table *table
	began time.Time
}

func main() {
	// The API server is in this process. Collecting its garbage less often leaves more of
	// two processors to what is compared.
	debug.SetGCPercent(400)
	b := &bench{table: newTable(), began: time.Now()}
	var only string
	flag.StringVar(&b.root, "root", ".", "Directory of the repository.")
	flag.StringVar(&b.out, "out", "_output/bench", "Directory for results and profiles.")
	flag.StringVar(&only, "only", "", "Regular expression of the rows to run, as in 'P8|P9'. Rows that are measured together run together.")
	flag.IntVar(&b.pools, "pools", 1000, "Pools that converge in P8.")
	flag.IntVar(&b.many, "many", 10000, "Pools of P9, P10 and P11; 0 leaves these out.")
	flag.IntVar(&b.pairs, "pairs", 10, "Pairs of subject and yardstick in P8 and P10.")
	flag.IntVar(&b.manyPairs, "many-pairs", 2, "Pairs in P9.")
	flag.IntVar(&b.samples, "samples", 200, "Samples of P6, P7 and P11.")
	flag.IntVar(&b.workers, "workers", 5, "Workers of the controller, and of the bare loop.")
	flag.IntVar(&b.content, "content", 1000, "Size in bytes of rendered configs.")
	flag.IntVar(&b.largeContent, "large-content", 150000, "Size in bytes of rendered configs in P5 and in the second part of P8, which 0 leaves out.")
	flag.IntVar(&b.crowd, "crowd", 10000, "Pools at rest in P3.")
	flag.IntVar(&b.cycles, "cycles", 100000, "Cycles of P15.")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var err error
	if b.only, err = regexp.Compile("^(" + only + ")$"); only != "" && err != nil {
		fmt.Fprintln(os.Stderr, "bench: could not read -only:", err)
		os.Exit(2)
	}
	if only == "" {
		b.only = regexp.MustCompile("")
	}
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures everything that was asked for, and prints what there is of the table even
// when something fails.
func (b *bench) run(ctx context.Context) error {
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return fmt.Errorf("could not create output directory: %w", err)
	}
	b.describe(ctx)
	err := b.measure(ctx)
	fmt.Println()
	return errors.Join(err, b.table.print(os.Stdout), b.table.save(b.out))
}

func (b *bench) measure(ctx context.Context) error {
	if b.wants("P2", "P3", "P4", "P12", "P15") {
		b.tell("budget tests, with %d pools and %d cycles", b.crowd, b.cycles)
		attributes, err := microBenchmarks(ctx, b.root, b.crowd, b.cycles, b.tell)
		if err != nil {
			return err
		}
		fillMicro(b.table, attributes)
	}
	if b.wants("P5") {
		b.tell("heap of caches")
		if err := measureHeap(ctx, b.table, 2000, 200, max(b.largeContent, 1000)); err != nil {
			return err
		}
	}
	if b.wants("P1", "P6", "P7", "P13", "P14") {
		b.tell("cycles of single pools")
		if err := b.inWorld(ctx, func(w *world) error { return b.measureCycles(ctx, w) }); err != nil {
			return err
		}
	}
	var small *race
	if b.wants("P8", "P9") {
		err := b.inWorld(ctx, func(w *world) (err error) {
			small, err = b.measureRace(ctx, w, "P8", b.pools, b.pairs, b.content)
			return err
		})
		if err != nil {
			return err
		}
	}
	if b.wants("P8") {
		if err := b.measureLarge(ctx, small); err != nil {
			return err
		}
	}
	if b.many > 0 && b.wants("P10", "P11") {
		if err := b.inWorld(ctx, func(w *world) error { return b.measureMany(ctx, w) }); err != nil {
			return err
		}
	}
	if b.many > 0 && b.wants("P9") {
		return b.measureGrowth(ctx, small)
	}
	return nil
}

// measureLarge is the part of P8 with configs of a realistic size.
func (b *bench) measureLarge(ctx context.Context, small *race) error {
	var large *race
	if b.largeContent > 0 {
		err := b.inWorld(ctx, func(w *world) (err error) {
			large, err = b.measureRace(ctx, w, "P8-large", b.pools, b.pairs, b.largeContent)
			return err
		})
		if err != nil {
			return err
		}
	}
	return b.fillRace(ctx, small, large)
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

// measureGrowth is P9.
func (b *bench) measureGrowth(ctx context.Context, small *race) error {
	err := b.inWorld(ctx, func(w *world) error {
		large, err := b.measureRace(ctx, w, "P9", b.many, b.manyPairs, b.content)
		if err == nil {
			b.fillGrowth(small, large)
		}
		return err
	})
	if err != nil {
		return err
	}
	return b.explain(ctx, filepath.Join(b.out, "P9.pprof"), "P9")
}

func (b *bench) wants(ids ...string) bool {
	for _, id := range ids {
		if b.only.MatchString(id) {
			return true
		}
	}
	return false
}

// inWorld starts a cluster for the function alone.
func (b *bench) inWorld(ctx context.Context, do func(w *world) error) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return fmt.Errorf("could not make a directory: %w", err)
	}
	w, err := newWorld(ctx, dir)
	if err == nil {
		err = errors.Join(do(w), w.stop())
	}
	return errors.Join(err, os.RemoveAll(dir))
}

func (b *bench) tell(format string, args ...any) {
	fmt.Printf("%7.1fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// describe takes down what was measured, where and how.
func (b *bench) describe(ctx context.Context) {
	git := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty")
	git.Dir = b.root
	if commit, err := git.Output(); err == nil {
		b.table.Commit = "commit " + strings.TrimSpace(string(commit))
	}
	b.table.Machine = fmt.Sprintf("%d processors, %s", runtime.NumCPU(), runtime.Version())
	b.table.Began = b.began.UTC().Format(time.RFC3339)
	b.table.Flags = map[string]string{}
	flag.VisitAll(func(f *flag.Flag) { b.table.Flags[f.Name] = f.Value.String() })
}

// explain saves where a profile's time went, as text, for the whole process and for the
// controller's part of it, and notes the shares with the rows.
func (b *bench) explain(ctx context.Context, profile string, ids ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("could not find the program: %w", err)
	}
	var text strings.Builder
	for _, args := range [][]string{{"-tags"}, {"-top", "-cum", "-nodecount=40", "-tagfocus=part=" + part}, {"-top", "-cum", "-nodecount=40"}} {
		output, err := exec.CommandContext(ctx, "go", append(append([]string{"tool", "pprof"}, args...), self, profile)...).Output()
		if err != nil {
			return fmt.Errorf("could not read profile: %w", err)
		}
		text.Write(output)
		if args[0] == "-tags" {
			if share := shareLine.FindStringSubmatch(string(output)); share != nil {
				for _, id := range ids {
					b.table.note(id, "the controller has %s of the CPU time, the API server, etcd and the rest have the others; see %s", share[1], filepath.Base(profile)+".txt")
				}
			}
		}
	}
	if err := os.WriteFile(profile+".txt", []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("could not save the profile's summary: %w", err)
	}
	return nil
}

var shareLine = regexp.MustCompile(`\( ?([0-9.]+%)\): ` + part)
