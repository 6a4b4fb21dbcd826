// Command mutants shows that the tests of the BuildController have teeth: it puts
// one bug at a time into the controller, a copy of it, and looks which schedule of
// the simulator catches it, or, for a bug that the simulator by its nature cannot
// see, which unit test. A bug that nothing catches is a hole in the tests, and makes
// it fail.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
)

func main() {
	r := runner{}
	flag.StringVar(&r.root, "root", ".", "the repository's root")
	flag.IntVar(&r.pairs, "pairs", 2000, "how many pairs of faults the simulator runs on each mutant")
	flag.IntVar(&r.schedules, "schedules", 3000, "how many random schedules the simulator runs on each mutant")
	flag.StringVar(&r.replay, "schedule", "", "run this one schedule on the mutants and print what happens")
	only := flag.String("only", "", "try the mutants whose names match this regular expression only")
	jobs := flag.Int("jobs", runtime.NumCPU(), "how many mutants to try at the same time, each on one processor")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) //nolint:forbidigo // a program starts its context
	err := show(ctx, os.Stdout, &r, *only, *jobs)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func named(pattern *regexp.Regexp) []mutant {
	var some []mutant
	for _, m := range table() {
		if pattern.MatchString(m.name) {
			some = append(some, m)
		}
	}
	return some
}

// show tries the mutants, and prints a line for each in the order of the table.
func show(ctx context.Context, out io.Writer, r *runner, only string, jobs int) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	mutants := named(pattern)
	if len(mutants) == 0 {
		return errors.New("there is no mutant of that name")
	}
	// Whoever changed the code wants to know of stale mutants before all else.
	if err := stale(ctx, r.root, mutants); err != nil {
		return err
	}

	directory, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	if err := r.prepare(ctx, directory); err != nil {
		return err
	}

	type outcome struct {
		verdict verdict
		err     error
	}
	outcomes := make([]chan outcome, len(mutants))
	places := make(chan struct{}, max(jobs, 1))
	for i := range mutants {
		outcomes[i] = make(chan outcome, 1)
	}
	go func() {
		for i := range mutants {
			places <- struct{}{}
			go func() {
				v, err := r.try(ctx, &mutants[i])
				outcomes[i] <- outcome{v, err}
				<-places
			}()
		}
	}()

	caught := 0
	var failures []error
	for i := range mutants {
		m, o := &mutants[i], <-outcomes[i]
		switch {
		case o.err != nil:
			failures = append(failures, fmt.Errorf("mutant %s: %w", m.name, o.err))
			_, _ = fmt.Fprintf(out, "%-28s ERROR\n", m.name)
		case o.verdict.by == "":
			failures = append(failures, fmt.Errorf("mutant %s survives: %s", m.name, m.why))
			_, _ = fmt.Fprintf(out, "%-28s SURVIVES\n", m.name)
		default:
			caught++
			_, _ = fmt.Fprintf(out, "%-28s %-44s %s\n", m.name, o.verdict.by, o.verdict.broken)
		}
	}
	_, _ = fmt.Fprintf(out, "%d of %d caught\n", caught, len(mutants))
	return errors.Join(failures...)
}
