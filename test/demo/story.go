package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// stepTimeout is for a step that got stuck; the slowest one makes the base OS image, which takes minutes on a slow line.
const stepTimeout = 20 * time.Minute

// step is one chapter of the story.
type step struct {
	title string
	run   func(*demo, context.Context) error
	// logs are where to look when it fails.
	logs []string
}

// story is what happens, in order.
var story = []step{
	{"Install the Debian packages that are missing", (*demo).installPackages, []string{logPackages}},
	{"Build machine-config-controller", (*demo).buildController, []string{logGoBuild}},
	{"Start a cluster, and a registry that demands credentials", (*demo).startCluster, []string{logControlPlane, logRegistry}},
	{"Make the base OS image, Debian with Ignition, and push it", (*demo).makeBaseImage, []string{logBaseImage, logRegistry}},
	{"Install permissions, credentials and settings of the controller", (*demo).installObjects, []string{logControlPlane}},
	{"Create the pools worker and infra with their rendered configs", (*demo).createPools, []string{logControlPlane}},
	{"Start machine-config-controller with --feature-gates OnClusterBuild=true,MachineOSConfigs=true", (*demo).startController, []string{logController}},
	{"Opt worker in by its label and infra by a MachineOSConfig, and wait for their images", (*demo).firstImages, []string{logController, dirBuildLogs}},
	{"Pull both images back, and look for the configs in them", (*demo).inspectFirstImages, []string{logSkopeo, logRegistry}},
	{"Give worker custom content and another config, and wait for its second image", (*demo).secondImage, []string{logController, dirBuildLogs}},
	{"Pull the second image back, and compare it with the first", (*demo).inspectSecondImage, []string{logSkopeo, logRegistry}},
	{"Read what the cluster tells about both pools", (*demo).describe, []string{logControlPlane}},
}

// tell goes through the story, and ends all that it started. What goes wrong is told by the time it returns.
func (d *demo) tell(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.prepare(); err != nil {
		d.show.line("Failed: %v", err)
		return err
	}
	d.show.line("From a rendered config to an OS image, in %d steps. Logs and results: %s", len(story), d.opts.out)
	d.show.line("")
	for i, step := range story {
		if err := d.take(ctx, i, step); err != nil {
			return err
		}
	}
	if err := d.finish(); err != nil {
		d.show.line("Failed: %v", err)
		return err
	}
	if d.opts.keep {
		return d.wait(ctx)
	}
	return nil
}

// take runs one step and says how it ended.
func (d *demo) take(ctx context.Context, index int, s step) error {
	d.show.begin(index+1, len(story), s.title)
	ctx, cancel := context.WithTimeoutCause(ctx, stepTimeout, fmt.Errorf("it did not end within %s", stepTimeout))
	defer cancel()
	err := s.run(d, ctx)
	// An error of a context says nothing, its cause says why.
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = cause
	}
	switch {
	case err == nil:
		d.show.end("done in")
		return nil
	case errors.Is(err, errInterrupted):
		d.show.end("interrupted after")
		d.show.line("Stopping everything.")
	default:
		d.show.end("failed after")
		d.show.line("")
		d.show.line("Step %d of %d failed: %s.", index+1, len(story), s.title)
		d.show.line("  why   %s", strings.ReplaceAll(err.Error(), "\n", "\n        "))
		for _, log := range s.logs {
			if _, err := os.Stat(d.path(log)); err == nil {
				d.show.line("  logs  %s", d.path(log))
			}
		}
	}
	return err
}

// finish writes down what was made.
func (d *demo) finish() error {
	if err := writeResults(d.path(fileResults), d.built); err != nil {
		return err
	}
	d.show.line("")
	d.show.text(resultTable(d.built))
	d.show.line("")
	d.show.line("All of it took %s. The same as JSON: %s", seconds(time.Since(d.began)), d.path(fileResults))
	return nil
}

// wait leaves everything up until a signal, which is then not a failure.
func (d *demo) wait(ctx context.Context) error {
	d.show.line("")
	d.show.text(d.lookAround())
	<-ctx.Done()
	cause := context.Cause(ctx)
	if errors.Is(cause, errInterrupted) {
		d.show.line("Stopping everything.")
		return nil
	}
	d.show.line("Failed: %v", cause)
	return cause
}
