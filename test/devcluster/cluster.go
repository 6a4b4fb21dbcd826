package devcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/rest"
)

// Namespace is the namespace of the Machine Config Operator; a cluster starts with it.
const Namespace = "openshift-machine-config-operator"

// Options say what to start and where.
type Options struct {
	// Dir holds everything that the cluster writes; required. One cluster at a time.
	Dir string
	// Registry asks for the OCI registry.
	Registry bool
	// Audit asks for an audit log, see AuditLogPath.
	Audit bool
	// Workloads asks for what makes pods of Jobs and gives them nodes: the controllers of Jobs, pods, nodes and service accounts, and
	// the scheduler. Nodes can then join, see KubeletKubeconfig; without any, pods stay pending.
	Workloads bool
	// HostNetwork gives all pods the network of this machine; a node has no other.
	HostNetwork bool
	// LogToFile sends all that this process logs through klog to control-plane.log in Dir, for good: klog is one for the whole
	// process. Without it the control plane's messages go wherever klog is set up to write, normally to standard error. Etcd and
	// the registry always log to files in Dir.
	LogToFile bool
}

// Cluster is a running cluster.
type Cluster struct {
	opts  Options
	state *state
	pki   *pki

	adminConfig       *rest.Config
	controllersConfig *rest.Config

	etcd        *embed.Etcd
	apiServer   *apiServer
	controllers *controllers
	registry    *Registry

	// cleanups are the small things to undo, in order of their making.
	cleanups []func() error
	// lifecycle keeps restarts and the stop from running into each other.
	lifecycle sync.Mutex
	stopped   bool
}

// Start starts a cluster and returns when all of it works: resources are served, admission policies are in force, and the
// garbage collector has seen everything. The context bounds the start only; Stop ends the cluster.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	if opts.Dir == "" {
		return nil, errors.New("could not start cluster: Options.Dir is empty")
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("could not resolve directory %s: %w", opts.Dir, err)
	}
	opts.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("could not create directory %s: %w", dir, err)
	}
	c := &Cluster{opts: opts}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	lock, err := lockDir(c.opts.Dir)
	if err != nil {
		return err
	}
	c.cleanups = append(c.cleanups, lock.Close)
	if c.opts.LogToFile {
		redirectKlog()
		closeLog, err := klogTarget.open(c.path("control-plane.log"))
		if err != nil {
			return err
		}
		c.cleanups = append(c.cleanups, closeLog)
	}
	if c.state, err = loadState(c.opts.Dir); err != nil {
		return err
	}
	if c.pki, err = loadOrCreatePKI(c.path("pki")); err != nil {
		return err
	}
	if c.opts.Registry {
		if c.registry, err = startRegistry(c.opts.Dir, c.state); err != nil {
			return err
		}
	}
	if c.etcd, err = startEtcd(ctx, c.opts.Dir, c.state); err != nil {
		return err
	}
	if err := c.firstAPIServer(ctx); err != nil {
		return err
	}
	if err := c.state.save(); err != nil {
		return err
	}
	if err := c.writeAdminKubeconfig(); err != nil {
		return err
	}
	if err := install(ctx, c.controllersConfig); err != nil {
		return err
	}
	if c.controllers, err = startControllers(ctx, c.controllersConfig, c.opts.Workloads, c.pki.caFile); err != nil {
		return err
	}
	return c.controllers.waitForSync(ctx)
}

// firstAPIServer opens the port before it makes the clients, which have to know it.
func (c *Cluster) firstAPIServer(ctx context.Context) error {
	listener, err := listen(&c.state.APIServerPort)
	if err != nil {
		return err
	}
	if c.adminConfig, err = c.RESTConfigFor(adminUser, mastersGroup); err != nil {
		return errors.Join(err, listener.Close())
	}
	if c.controllersConfig, err = c.RESTConfigFor(controllersUser, mastersGroup); err != nil {
		return errors.Join(err, listener.Close())
	}
	return c.startAPIServer(ctx, listener)
}

// Stop ends everything and returns when it has ended. It can be called again. Some goroutines of kube-apiserver, which is not
// made to be stopped without its process, stay behind; they hold no port and no file in Dir.
func (c *Cluster) Stop() error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	if c.stopped {
		return nil
	}
	c.stopped = true
	var errs []error
	if c.controllers != nil {
		c.controllers.stop()
	}
	if c.apiServer != nil {
		errs = append(errs, c.apiServer.stop())
	}
	if c.etcd != nil {
		c.etcd.Close()
	}
	if c.registry != nil {
		errs = append(errs, c.registry.stop())
	}
	for i := len(c.cleanups) - 1; i >= 0; i-- {
		errs = append(errs, c.cleanups[i]())
	}
	return errors.Join(errs...)
}

// Dir is the absolute path of the directory with the cluster's state and logs.
func (c *Cluster) Dir() string { return c.opts.Dir }

// Registry is the cluster's registry, nil unless Options.Registry was set.
func (c *Cluster) Registry() *Registry { return c.registry }

func (c *Cluster) path(name string) string { return filepath.Join(c.opts.Dir, name) }
