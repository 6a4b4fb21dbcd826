package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"k8s.io/client-go/kubernetes"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
	"github.com/openshift/machine-config-operator/test/devcluster/nodecontroller"
	"github.com/openshift/machine-config-operator/test/program"
)

// Names below the output directory.
const (
	dirCluster    = "cluster"
	fileBinary    = "machine-config-controller"
	logController = "controller.log"
	logGoBuild    = "go-build.log"
)

// story is what the chapters hand on to each other.
type story struct {
	root, dir string
	say       telling
	// fail ends the whole story, for what breaks in the background.
	fail     context.CancelCauseFunc
	cleanups program.Cleanups

	cluster *devcluster.Cluster
	kube    kubernetes.Interface
	mcfg    mcfgclientset.Interface
	builds  buildclientset.Interface
	script  *buildrunner.Scripted
	// jobs plays what runs in Jobs.
	jobs playedBuilder
	// pool is the one that the story is about now.
	pool string
	// controller is where it serves its metrics.
	controller string
	// configs are the rendered configs so far, by what they say.
	configs map[string]string
}

func (s *story) path(name string) string { return filepath.Join(s.dir, name) }

func (s *story) cleanup(f func() error) { s.cleanups.Add(f) }

func (s *story) stop() error {
	return s.cleanups.Run()
}

// start is the first chapter.
func (s *story) start(ctx context.Context) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("could not create output directory: %w", err)
	}
	for _, name := range []string{dirCluster, fileBinary, logController, logGoBuild} {
		if err := os.RemoveAll(s.path(name)); err != nil {
			return fmt.Errorf("could not remove left-overs: %w", err)
		}
	}
	s.say.note("Building the controller and starting a cluster; the first time, that takes minutes.")
	for _, step := range []func(context.Context) error{s.buildController, s.startCluster, s.startRunner, s.startNodeController, s.installObjects, s.startController} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.say.note("Pool %s is there, with an annotation and a condition of others, and has not opted in.", s.pool)
	_, err := s.sees(ctx, nothingOfOurs)
	return err
}

func (s *story) buildController(ctx context.Context) error {
	log, err := os.Create(s.path(logGoBuild))
	if err != nil {
		return fmt.Errorf("could not create log: %w", err)
	}
	build := program.ControllerBuild(s.root, s.path(fileBinary))
	build.Log = log
	return errors.Join(build.Run(ctx), log.Close())
}

func (s *story) startCluster(ctx context.Context) (err error) {
	s.cluster, err = devcluster.Start(ctx, devcluster.Options{Dir: s.path(dirCluster), LogToFile: true, Workloads: true})
	if err != nil {
		return err
	}
	s.cleanup(s.cluster.Stop)
	config := s.cluster.RESTConfig()
	if s.kube, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	if s.mcfg, err = mcfgclientset.NewForConfig(config); err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	if s.builds, err = buildclientset.NewForConfig(config); err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	return nil
}

// startRunner starts who plays OpenShift's part in Builds.
func (s *story) startRunner(ctx context.Context) error {
	s.script = buildrunner.NewScripted()
	config, err := s.cluster.RESTConfigFor("story-build-runner", "system:masters")
	if err != nil {
		return err
	}
	runner, err := buildrunner.New(config, buildrunner.Options{
		Namespace: devcluster.Namespace, Executor: s.script, RecheckInterval: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	stop := runner.Start(ctx, s.fail)
	s.cleanup(func() error { stop(); return nil })
	return nil
}

// startNodeController starts who plays the node controller, and the daemons of nodes.
func (s *story) startNodeController(ctx context.Context) error {
	config, err := s.cluster.RESTConfigFor("story-node-controller", "system:masters")
	if err != nil {
		return err
	}
	stop, err := nodecontroller.Start(ctx, config, s.fail)
	if err != nil {
		return err
	}
	s.cleanup(func() error { stop(); return nil })
	return nil
}

// startController runs the binary as its service account, with the rights of that and no others.
func (s *story) startController(ctx context.Context) error {
	kubeconfig, err := s.cluster.Kubeconfig(ctx, devcluster.Namespace, program.ServiceAccount)
	if err != nil {
		return err
	}
	log, err := os.Create(s.path(logController))
	if err != nil {
		return fmt.Errorf("could not create log: %w", err)
	}
	s.cleanup(log.Close)
	address, stop, err := program.Controller{
		Binary: s.path(fileBinary), Kubeconfig: kubeconfig, Dir: s.dir, Log: log, Failed: s.fail, MachineOSConfigs: true,
	}.Start(ctx)
	if err != nil {
		return err
	}
	s.controller = address
	s.cleanup(func() error { stop(); return nil })
	return nil
}
