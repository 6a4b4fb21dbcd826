package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"k8s.io/client-go/kubernetes"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
	"github.com/openshift/machine-config-operator/test/program"
)

// Names below the output directory.
const (
	dirCluster    = "cluster"
	dirSeries     = "series"
	fileBinary    = "machine-config-controller"
	logController = "controller.log"
	logGoBuild    = "go-build.log"
)

// scene is what the script happens in.
type scene struct {
	root, dir string
	out       io.Writer
	began     time.Time
	// fail ends everything, for what breaks in the background.
	fail     context.CancelCauseFunc
	cleanups program.Cleanups

	cluster *devcluster.Cluster
	kube    kubernetes.Interface
	mcfg    mcfgclientset.Interface
	builds  *played
	// controller is where it serves its metrics.
	controller string
	watched    *watched
}

func (s *scene) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scene) cleanup(f func() error) { s.cleanups.Add(f) }

// stop ends what was started, the last first.
func (s *scene) stop() error {
	return s.cleanups.Run()
}

// start starts the cluster, who plays builds, and the controller.
func (s *scene) start(ctx context.Context) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("could not create output directory: %w", err)
	}
	for _, name := range []string{dirCluster, dirSeries, fileBinary, logController, logGoBuild} {
		if err := os.RemoveAll(s.path(name)); err != nil {
			return fmt.Errorf("could not remove left-overs: %w", err)
		}
	}
	s.tell("Building the controller and starting a cluster; the first time, that takes minutes.")
	for _, step := range []func(context.Context) error{s.buildController, s.startCluster, s.startRunner, s.installObjects, s.startController} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) buildController(ctx context.Context) error {
	log, err := os.Create(s.path(logGoBuild))
	if err != nil {
		return fmt.Errorf("could not create log: %w", err)
	}
	build := program.ControllerBuild(s.root, s.path(fileBinary))
	build.Log = log
	return errors.Join(build.Run(ctx), log.Close())
}

func (s *scene) startCluster(ctx context.Context) (err error) {
	s.cluster, err = devcluster.Start(ctx, devcluster.Options{Dir: s.path(dirCluster), LogToFile: true})
	if err != nil {
		return err
	}
	s.cleanup(s.cluster.Stop)
	if s.kube, err = kubernetes.NewForConfig(s.cluster.RESTConfig()); err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	if s.mcfg, err = mcfgclientset.NewForConfig(s.cluster.RESTConfig()); err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	return nil
}

// startRunner starts who plays OpenShift's part in Builds.
func (s *scene) startRunner(ctx context.Context) error {
	s.builds = newPlayed()
	config, err := s.cluster.RESTConfigFor("pictures-build-runner", "system:masters")
	if err != nil {
		return err
	}
	script := buildrunner.NewScripted()
	script.Decide(s.builds.decide)
	runner, err := buildrunner.New(config, buildrunner.Options{Namespace: devcluster.Namespace, Executor: script, RecheckInterval: 100 * time.Millisecond})
	if err != nil {
		return err
	}
	stop := runner.Start(ctx, s.fail)
	s.cleanup(func() error { stop(); return nil })
	return nil
}

// startController runs the binary as its service account, with the rights of that and no others.
func (s *scene) startController(ctx context.Context) error {
	kubeconfig, err := s.cluster.Kubeconfig(ctx, devcluster.Namespace, program.ServiceAccount)
	if err != nil {
		return err
	}
	log, err := os.Create(s.path(logController))
	if err != nil {
		return fmt.Errorf("could not create log: %w", err)
	}
	s.cleanup(log.Close)
	address, stop, err := program.Controller{Binary: s.path(fileBinary), Kubeconfig: kubeconfig, Dir: s.dir, Log: log, Failed: s.fail}.Start(ctx)
	if err != nil {
		return err
	}
	s.controller = address
	s.cleanup(func() error { stop(); return nil })
	return nil
}

// inBackground does something until the returned function is called, which tells how it ended. An error ends everything.
func (s *scene) inBackground(ctx context.Context, do func(context.Context) error) (end func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		err := do(ctx)
		if err != nil {
			s.fail(err)
		}
		done <- err
	}()
	return func() error { cancel(); return <-done }
}
