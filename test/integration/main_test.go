package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"k8s.io/client-go/kubernetes"

	"github.com/openshift/machine-config-operator/test/deploy"
	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
	"github.com/openshift/machine-config-operator/test/program"
)

// suite is what the tests share: starting a control plane takes seconds, so
// there is one, and every test uses pools of its own.
type suite struct {
	cluster *devcluster.Cluster
	kube    kubernetes.Interface
	mcfg    mcfgclientset.Interface
	builds  buildclientset.Interface
	script  *buildrunner.Scripted
	// stopRunner ends who plays the Build system.
	stopRunner func()
	// dir holds the controller's binary and the logs.
	dir string
	// kubectl is the path of a real one.
	kubectl string
	// kubeconfig is that of the controller's service account.
	kubeconfig string
	// manifests are those that ship, and withMachineOS those with the component for
	// MachineOSConfigs, which kubectl has applied.
	manifests, withMachineOS deploy.Manifests
}

var shared suite

// shippedDir has what is deployed.
var shippedDir = filepath.Join("..", "..", "hack", "deploy")

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "integration-")
	if err != nil {
		return 0, fmt.Errorf("could not make a directory: %w", err)
	}
	defer func() {
		if code == 0 && err == nil {
			err = os.RemoveAll(dir)
		} else {
			fmt.Fprintln(os.Stderr, "logs are in", dir)
		}
	}()
	shared.dir = dir
	// The binary is built as it ships, from the vendored sources.
	build := exec.Command("go", "run", "-mod=vendor", "-exec", program.RunInto, "./cmd/machine-config-controller", shared.binary())
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("could not build machine-config-controller: %w\n%s", err, output)
	}

	// Kubectl may have to be built.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	shared.cluster, err = devcluster.Start(ctx, devcluster.Options{Dir: filepath.Join(dir, "cluster"), Audit: true, LogToFile: true, Workloads: true})
	if err != nil {
		return 0, fmt.Errorf("could not start the cluster: %w", err)
	}
	defer func() { err = firstOf(err, shared.cluster.Stop()) }()
	if err := shared.setUp(ctx); err != nil {
		return 0, err
	}
	if err := shared.startRunner(); err != nil {
		return 0, err
	}
	defer func() { shared.stopRunner() }()
	return m.Run(), nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) binary() string { return filepath.Join(s.dir, "machine-config-controller") }

// setUp makes clients and installs what ships, as an administrator would.
func (s *suite) setUp(ctx context.Context) error {
	config := s.cluster.RESTConfig()
	var err error
	if s.kube, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	if s.mcfg, err = mcfgclientset.NewForConfig(config); err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	if s.builds, err = buildclientset.NewForConfig(config); err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	if s.manifests, err = deploy.Load(shippedDir); err != nil {
		return err
	}
	overlay := filepath.Join(s.dir, "overlay")
	if err := os.Mkdir(overlay, 0o700); err != nil {
		return fmt.Errorf("could not make a directory: %w", err)
	}
	if err := deploy.WriteOverlay(overlay, shippedDir, deploy.MachineOSConfigs); err != nil {
		return err
	}
	if s.withMachineOS, err = deploy.Load(overlay); err != nil {
		return err
	}
	if s.kubectl, err = deploy.Kubectl(ctx, s.dir); err != nil {
		return err
	}
	apply := exec.CommandContext(ctx, s.kubectl, "--kubeconfig", s.cluster.KubeconfigPath(), "apply", "-k", overlay)
	if output, err := apply.CombinedOutput(); err != nil {
		return fmt.Errorf("could not apply %s: %w\n%s", overlay, err, output)
	}
	s.kubeconfig, err = s.cluster.Kubeconfig(ctx, devcluster.Namespace, program.ServiceAccount)
	return err
}

// startRunner plays the Build system. It has an identity of its own, so that
// its requests are not taken for the controller's.
func (s *suite) startRunner() error {
	config, err := s.cluster.RESTConfigFor("build-runner", "system:masters")
	if err != nil {
		return err
	}
	s.script = buildrunner.NewScripted()
	runner, err := buildrunner.New(config, buildrunner.Options{
		Namespace: devcluster.Namespace, Executor: s.script, Concurrency: 50, RecheckInterval: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- runner.Run(ctx) }()
	s.stopRunner = func() {
		cancel()
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, "build runner:", err)
		}
	}
	return nil
}
