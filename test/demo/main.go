package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// exitInterrupted is what shells expect of a program that ended because of SIGINT.
const exitInterrupted = 130

var errInterrupted = errors.New("interrupted")

// Values of -image-builder, and of the controller's setting.
const (
	builderOpenShift = "OpenShiftBuild"
	builderJob       = "Job"
)

// options are the flags.
type options struct {
	root       string
	out        string
	controller string
	keep       bool
	// jobs says that Jobs on a real node build for both pools.
	jobs bool
}

func parseOptions(arguments []string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.StringVar(&opts.root, "root", "..", "root directory of the repository")
	flags.StringVar(&opts.out, "out", "", "directory for state, logs and result.json (default <root>/_output/demo)")
	flags.StringVar(&opts.controller, "controller", "", "machine-config-controller binary to use (default: built from <root>)")
	flags.BoolVar(&opts.keep, "keep", false, "leave everything up at the end, until Ctrl-C, to look around")
	flags.Func("image-builder", "what builds for the pool that its label opts in: "+builderOpenShift+" (default), or "+builderJob+"; with the latter, Jobs run on a real node", func(name string) error {
		if name != builderOpenShift && name != builderJob {
			return fmt.Errorf("it is neither %s nor %s", builderOpenShift, builderJob)
		}
		opts.jobs = name == builderJob
		return nil
	})
	if err := flags.Parse(arguments); err != nil {
		return opts, err
	}
	if opts.out == "" {
		opts.out = filepath.Join(opts.root, "_output", "demo")
	}
	for _, path := range []*string{&opts.root, &opts.out, &opts.controller} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return opts, fmt.Errorf("could not resolve %s: %w", *path, err)
		}
		*path = absolute
	}
	return opts, nil
}

func main() { os.Exit(run()) }

func run() int {
	opts, err := parseOptions(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // The flag package has said what is wrong.
	}
	if err := checkMachine(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}

	signals, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// From the first signal on, a second one ends the process at once.
	context.AfterFunc(signals, stop)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	context.AfterFunc(signals, func() { cancel(errInterrupted) })

	err = newDemo(opts, newDisplay(os.Stdout), cancel).tell(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	default:
		return 1
	}
}
