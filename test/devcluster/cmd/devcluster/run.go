package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
	"github.com/openshift/machine-config-operator/test/devcluster/node"
)

const (
	runnerBuildah  = "buildah"
	runnerScripted = "scripted"
	runnerNone     = "none"

	startTimeout = 2 * time.Minute
)

type options struct {
	dir, runner string
	// node is the directory of a node's programs; empty for no node.
	node  string
	audit bool
}

func run(ctx context.Context, opts options, out io.Writer) (err error) {
	dir, err := filepath.Abs(opts.dir)
	if err != nil {
		return fmt.Errorf("could not resolve directory %s: %w", opts.dir, err)
	}
	// Before the cluster: what a runner lacks is better said at once.
	executor, err := newExecutor(opts.runner, dir)
	if err != nil {
		return err
	}
	if err := checkNode(ctx, opts, dir); err != nil {
		return err
	}
	began := time.Now()
	cluster, err := start(ctx, devcluster.Options{
		Dir: dir, Registry: true, Audit: opts.audit, Workloads: opts.node != "", HostNetwork: opts.node != "", LogToFile: true,
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()

	stopNode, err := startNode(ctx, cluster, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopNode()) }()
	stopRunner, failed, err := startRunner(ctx, cluster, executor)
	if err != nil {
		return err
	}
	defer stopRunner()
	fmt.Fprintf(out, "The cluster is ready after %.1f s. Ctrl-C stops it.\n\n", time.Since(began).Seconds())
	describe(out, cluster, opts)

	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "Stopping.")
		return nil
	case err := <-failed:
		return fmt.Errorf("could not run builds: %w", err)
	}
}

func start(ctx context.Context, opts devcluster.Options) (*devcluster.Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return devcluster.Start(ctx, opts)
}

// newExecutor returns nil for nobody.
func newExecutor(runner, dir string) (buildrunner.Executor, error) {
	switch runner {
	case runnerBuildah:
		return buildrunner.NewBuildah(buildrunner.BuildahOptions{Dir: filepath.Join(dir, "buildah")})
	case runnerScripted:
		return buildrunner.NewScripted(), nil
	case runnerNone:
		return nil, nil
	default:
		return nil, fmt.Errorf("could not choose a build runner: --runner is %q, not one of %s, %s, %s", runner, runnerBuildah, runnerScripted, runnerNone)
	}
}

// startRunner returns how to stop the runner, which waits for its builds to end, and where it says that it failed.
func startRunner(ctx context.Context, cluster *devcluster.Cluster, executor buildrunner.Executor) (stop func(), failed <-chan error, err error) {
	if executor == nil {
		return func() {}, nil, nil
	}
	config, err := cluster.RESTConfigFor("devcluster-build-runner", "system:masters")
	if err != nil {
		return nil, nil, err
	}
	runner, err := buildrunner.New(config, buildrunner.Options{
		Namespace:    devcluster.Namespace,
		Executor:     executor,
		NodeAuthFile: cluster.Registry().AuthFile(),
		LogDir:       buildLogs(cluster),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("could not create build runner: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	errs, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		if err := runner.Run(ctx); err != nil && ctx.Err() == nil {
			errs <- err
		}
	}()
	return func() { cancel(); <-done }, errs, nil
}

func buildLogs(cluster *devcluster.Cluster) string { return filepath.Join(cluster.Dir(), "builds") }

func describe(out io.Writer, cluster *devcluster.Cluster, opts options) {
	registry := cluster.Registry()
	fmt.Fprintf(out, "  kubeconfig  %s\n", cluster.KubeconfigPath())
	fmt.Fprintf(out, "  registry    %s (plain HTTP, credentials in %s)\n", registry.Host(), registry.AuthFile())
	fmt.Fprintf(out, "  builds      run by: %s; logs in %s\n", opts.runner, buildLogs(cluster))
	if opts.node != "" {
		fmt.Fprintf(out, "  node        %s: a real kubelet; what it writes is in %s\n", node.Name, nodeDir(cluster.Dir()))
	}
	if opts.audit {
		fmt.Fprintf(out, "  audit log   %s\n", cluster.AuditLogPath())
	}
	fmt.Fprintf(out, "  other logs  %s\n", filepath.Join(cluster.Dir(), "*.log"))
	fmt.Fprintf(out, `
Look around from another terminal:

  export KUBECONFIG=%[1]s
  kubectl get machineconfigpools
  kubectl get builds -o wide --watch
  kubectl get events --watch
  kubectl create secret generic push --type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=%[2]s
  skopeo list-tags --tls-verify=false --authfile=%[2]s docker://%[3]s/<repository>

`, cluster.KubeconfigPath(), registry.AuthFile(), registry.Host())
	if opts.node == "" {
		return
	}
	fmt.Fprintf(out, `The node has one image, which does what its arguments say. Pods have the network of this machine:

  kubectl get nodes -o wide
  kubectl run hello --image=%s --image-pull-policy=Never --restart=Never -- act say:hello tell:done exit:3
  kubectl get pods --watch
  kubectl logs hello
  kubectl drain %s --force

`, node.HelperImage, node.Name)
}
