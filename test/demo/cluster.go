package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/openshift/machine-config-operator/test/baseos"
	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
	"github.com/openshift/machine-config-operator/test/program"
)

// clients are the administrator's.
type clients struct {
	kube   kubernetes.Interface
	mcfg   mcfgclientset.Interface
	builds buildclientset.Interface
}

func newClients(config *rest.Config) (*clients, error) {
	c := &clients{}
	var err error
	if c.kube, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("could not create client: %w", err)
	}
	if c.mcfg, err = mcfgclientset.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("could not create machine configuration client: %w", err)
	}
	if c.builds, err = buildclientset.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("could not create build client: %w", err)
	}
	return c, nil
}

func (d *demo) startCluster(ctx context.Context) (err error) {
	d.cluster, err = devcluster.Start(ctx, devcluster.Options{
		Dir: d.path(dirCluster), Registry: true, LogToFile: true, Workloads: true, HostNetwork: d.opts.jobs,
	})
	if err != nil {
		return err
	}
	d.cleanup(d.cluster.Stop)
	if d.clients, err = newClients(d.cluster.RESTConfig()); err != nil {
		return err
	}
	builders := []func(context.Context) error{d.startBuildRunner, d.startPlayedNode}
	if d.opts.jobs {
		builders = []func(context.Context) error{d.startNode}
	}
	for _, start := range builders {
		if err := start(ctx); err != nil {
			return err
		}
	}
	if d.follow, err = startFollower(ctx, d.clients, d.show); err != nil {
		return err
	}
	d.cleanup(d.follow.stop)
	d.show.say("kubeconfig %s", d.cluster.KubeconfigPath())
	d.show.say("registry   %s", d.cluster.Registry().Host())
	return nil
}

// startBuildRunner starts who plays OpenShift's part in Builds. It gets no credentials for the registry, so that a build has
// only those which the controller gave it.
func (d *demo) startBuildRunner(ctx context.Context) error {
	executor, err := buildrunner.NewBuildah(buildrunner.BuildahOptions{Dir: d.path(dirBuildah)})
	if err != nil {
		return err
	}
	config, err := d.cluster.RESTConfigFor("demo-build-runner", "system:masters")
	if err != nil {
		return err
	}
	runner, err := buildrunner.New(config, buildrunner.Options{Namespace: devcluster.Namespace, Executor: executor, LogDir: d.path(dirBuildLogs)})
	if err != nil {
		return err
	}
	stop := runner.Start(ctx, d.fail)
	d.cleanup(func() error { stop(); return nil })
	return nil
}

func (d *demo) makeBaseImage(ctx context.Context) error {
	log, err := d.createLog(logBaseImage)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	tail := &program.LastLine{Note: d.show.note}
	options := baseos.Options{
		CacheDir:   filepath.Join(d.opts.root, "_output", "cache", "baseos"),
		Repository: d.cluster.Registry().Host() + "/demo/base-os",
		AuthFile:   d.cluster.Registry().AuthFile(),
		Log:        io.MultiWriter(log, tail),
		Making: func() {
			d.show.say("from Debian's packages, in one to three minutes; that is once only, _output/cache keeps it")
		},
	}
	d.baseImage, err = baseos.Ensure(ctx, options)
	if err == nil && d.opts.jobs {
		options.Repository = d.cluster.Registry().Host() + "/demo/builder"
		d.builderImage, err = baseos.EnsureBuilder(ctx, options)
	}
	if err != nil {
		if last := tail.Text(); last != "" && ctx.Err() == nil {
			return fmt.Errorf("%w: %s", err, last)
		}
		return err
	}
	d.show.say("%s", d.baseImage)
	if d.opts.jobs {
		d.show.say("%s, which has buildah", d.builderImage)
	}
	return nil
}
