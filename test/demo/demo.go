package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/program"
)

// Names below the output directory.
const (
	dirCluster    = "cluster"
	dirBuildah    = "buildah"
	dirBuildLogs  = "builds"
	dirJobs       = "jobs"
	dirNode       = "node"
	dirPulled     = "pulled"
	fileLock      = "lock"
	fileResults   = "result.json"
	logPackages   = "packages.log"
	logGoBuild    = "go-build.log"
	logBaseImage  = "base-image.log"
	logController = "controller.log"
	logSkopeo     = "skopeo.log"

	logControlPlane = dirCluster + "/control-plane.log"
	logRegistry     = dirCluster + "/registry.log"
)

// demo is what the steps hand on to each other.
type demo struct {
	opts  options
	show  *display
	began time.Time
	// fail ends the whole program, for what breaks in the background.
	fail     context.CancelCauseFunc
	cleanups program.Cleanups

	controller string
	cluster    *devcluster.Cluster
	clients    *clients
	follow     *follower
	baseImage  string
	// builderImage is what Jobs build with.
	builderImage string
	// configs are the rendered configs that the pools want, by pool.
	configs map[string]rendered
	// built are the images so far, in order.
	built []result
	// firstImage is the first of built, pulled back.
	firstImage image
}

func newDemo(opts options, show *display, fail context.CancelCauseFunc) *demo {
	return &demo{opts: opts, show: show, began: time.Now(), fail: fail, controller: opts.controller, configs: map[string]rendered{}}
}

func (d *demo) path(name string) string { return filepath.Join(d.opts.out, name) }

func (d *demo) cleanup(f func() error) { d.cleanups.Add(f) }

// prepare makes the output directory ours, and empties it of what an earlier run left.
func (d *demo) prepare() error {
	if _, err := os.Stat(filepath.Join(d.opts.root, "cmd", "machine-config-controller")); err != nil {
		return fmt.Errorf("could not find the repository: -root %s has no cmd/machine-config-controller", d.opts.root)
	}
	if err := os.MkdirAll(d.opts.out, 0o755); err != nil {
		return fmt.Errorf("could not create output directory: %w", err)
	}
	lock, err := os.OpenFile(d.path(fileLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("could not open lock file: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("could not lock %s: another run of the demo uses it; end that one, or choose another -out", d.opts.out), lock.Close())
	}
	d.cleanup(lock.Close)
	leftOver := []string{
		dirCluster, dirBuildah, dirBuildLogs, dirJobs, dirNode, dirPulled, fileResults,
		logPackages, logGoBuild, logBaseImage, logController, logSkopeo,
	}
	if err := d.remove(leftOver...); err != nil {
		return err
	}
	// Image storage is large and of no use to anybody afterwards.
	d.cleanup(func() error {
		return d.remove(dirBuildah, dirJobs, dirPulled, dirNode+"/containerd", dirNode+"/kubelet")
	})
	return nil
}

func (d *demo) remove(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, os.RemoveAll(d.path(name)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("could not remove left-overs: %w", err)
	}
	return nil
}

// stop ends everything that was started, the last first.
func (d *demo) stop() error {
	err := d.cleanups.Run()
	if err != nil {
		d.show.line("Could not stop everything in order: %v", err)
	}
	return err
}

// createLog creates one of the logs, with the directories that lead to it.
func (d *demo) createLog(name string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o755); err != nil {
		return nil, fmt.Errorf("could not create directory for log: %w", err)
	}
	file, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("could not create log: %w", err)
	}
	return file, nil
}
