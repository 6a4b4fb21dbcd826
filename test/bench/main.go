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
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is a run of the benchmarks.
type bench struct {
	root, out string
	// only are the rows to run, nil for all.
	only         []string
	pools, many  int
	pairs        int
	manyPairs    int
	samples      int
	workers      int
	content      int
	largeContent int
	crowd        int
	cycles       int
	// cached is how many pools P20 has in caches.
	cached int
	// sizes are the numbers of pools in plots.
	sizes       []int
	plotSamples int

	table *table
	// races are what P8 and P9 are made from.
	races map[string]*raceResult
	// bySize is what plots are made from.
	bySize map[int]*sizeResult
	began  time.Time
}

// memoryLimit is from how many bytes on garbage is collected as often as it takes.
const memoryLimit = 12 << 30

func main() {
	// The API server is in this process. Collecting its garbage less often leaves more of
	// two processors to what is compared.
	debug.SetGCPercent(400)
	// But not to the end of the machine's memory, with 10,000 pools in etcd, in the API
	// server's caches and in the controller's.
	debug.SetMemoryLimit(memoryLimit)
	b := &bench{table: newTable(), races: map[string]*raceResult{}, bySize: map[int]*sizeResult{}, began: time.Now()}
	var only, part, address, sizes string
	// What Kubernetes brings along has flags of its own.
	flag.CommandLine = flag.NewFlagSet("bench", flag.ExitOnError)
	flag.StringVar(&b.root, "root", ".", "Directory of the repository.")
	flag.StringVar(&b.out, "out", "_output/bench", "Directory for results and profiles.")
	flag.StringVar(&only, "only", "", "The rows to run, as in P8,P9, and plots; empty for all. Rows that are measured together run together.")
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
	flag.IntVar(&b.cached, "cached", 10000, "Pools in the caches of P20, with twice as many rendered configs.")
	flag.StringVar(&sizes, "sizes", "100,300,1000", "Numbers of pools in the plots of reaction and memory; empty leaves these out.")
	flag.IntVar(&b.plotSamples, "plot-samples", 40, "Samples of reaction for each number of pools in the plots.")
	flag.StringVar(&address, "hold", "", "Hold plain objects of this server in memory; for the program itself.")
	flag.StringVar(&part, "part", "", "Measure this part alone, in this process; for the program itself.")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if only != "" {
		b.only = strings.Split(only, ",")
	}
	if unknown := slices.DeleteFunc(slices.Clone(b.only), canRun); len(unknown) > 0 {
		fmt.Fprintln(os.Stderr, "bench: -only names what is no row of the table:", strings.Join(unknown, ", "))
		os.Exit(2)
	}
	var err error
	if b.sizes, err = parseSizes(sizes); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	run := b.run
	if address != "" {
		run = func(ctx context.Context) error { return hold(ctx, address) }
	}
	if part != "" {
		run = func(ctx context.Context) error { return b.runPart(ctx, part) }
	}
	if err := run(ctx); err != nil {
		if part != "" {
			// Whoever looks at the table has not looked into the part's log.
			fmt.Println("bench:", part+":", err)
		}
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
	return errors.Join(err, b.table.print(os.Stdout), b.table.save(b.out), b.drawPlots())
}

func (b *bench) wants(ids ...string) bool {
	return b.only == nil || slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(b.only, id) })
}

// inWorld starts a cluster for the function alone.
func (b *bench) inWorld(ctx context.Context, do func(ctx context.Context, w *world) error) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return fmt.Errorf("could not make a directory: %w", err)
	}
	w, err := newWorld(ctx, dir)
	if err == nil {
		err = errors.Join(do(ctx, w), w.stop())
	}
	return errors.Join(err, os.RemoveAll(dir))
}

func (b *bench) tell(format string, args ...any) {
	fmt.Printf("%7.1fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// describe records what was measured, where and how.
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
	for _, args := range [][]string{{"-tags"}, {"-top", "-cum", "-nodecount=40", "-tagfocus=part=" + controllerPart}, {"-top", "-cum", "-nodecount=40"}} {
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

var shareLine = regexp.MustCompile(`\( ?([0-9.]+%)\): ` + controllerPart)
