package devcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"github.com/openshift/machine-config-operator/test/devcluster/buildapi"
	"github.com/openshift/machine-config-operator/test/devcluster/hostnetwork"
)

const (
	// pollInterval is short because every start of a test waits for it.
	pollInterval = 20 * time.Millisecond
	// shutdownTimeout is what requests get to finish; clients that watch always use it up.
	shutdownTimeout = 300 * time.Millisecond
	// stopTimeout is when to stop hoping.
	stopTimeout = 30 * time.Second
)

// apiServer is a running kube-apiserver.
type apiServer struct {
	cancel   context.CancelFunc
	listener *trackingListener
	done     chan struct{}
	err      error
}

// startAPIServer takes over the listener, also when it fails.
func (c *Cluster) startAPIServer(ctx context.Context, l net.Listener) error {
	listener := newTrackingListener(l)
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	run, err := c.configureAPIServer(runCtx, listener)
	if err != nil {
		cancel()
		return errors.Join(err, listener.Close())
	}
	server := &apiServer{cancel: cancel, listener: listener, done: make(chan struct{})}
	go func() {
		defer close(server.done)
		server.err = run(runCtx)
	}()
	c.apiServer = server
	return c.waitForAPIServer(ctx)
}

func (c *Cluster) configureAPIServer(ctx context.Context, listener net.Listener) (func(context.Context) error, error) {
	if err := os.MkdirAll(c.path("apiserver"), 0o700); err != nil {
		return nil, fmt.Errorf("could not create directory for kube-apiserver: %w", err)
	}
	args, err := c.apiServerArgs()
	if err != nil {
		return nil, err
	}
	opts := options.NewServerRunOptions()
	admissionOptions := opts.Admission.GenericAdmission
	buildapi.Register(admissionOptions.Plugins)
	hostnetwork.Register(admissionOptions.Plugins)
	// It is on only for those who ask for it, with the flags.
	admissionOptions.DefaultOffPlugins.Insert(hostnetwork.PluginName)
	// A copy: the list is one for the whole process.
	admissionOptions.RecommendedPluginOrder = append([]string{buildapi.PluginName, hostnetwork.PluginName}, admissionOptions.RecommendedPluginOrder...)
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, set := range opts.Flags().FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("could not parse kube-apiserver flags: %w", err)
	}
	opts.SecureServing.Listener = listener
	opts.SecureServing.BindPort = c.state.APIServerPort
	return prepareAPIServer(ctx, opts)
}

func (c *Cluster) apiServerArgs() ([]string, error) {
	args := []string{
		"--etcd-servers=http://" + loopback(c.state.EtcdPort),
		"--bind-address=127.0.0.1",
		"--cert-dir=" + c.path("apiserver"),
		"--tls-cert-file=" + c.pki.servingCertFile,
		"--tls-private-key-file=" + c.pki.servingKeyFile,
		"--client-ca-file=" + c.pki.caFile,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.pki.serviceAccountKey,
		"--service-account-signing-key-file=" + c.pki.serviceAccountKey,
		"--service-cluster-ip-range=10.0.0.0/24",
		// Nobody serves behind the kubernetes service, and a loopback address is not allowed there.
		"--endpoint-reconciler-type=none",
		"--profiling=false",
	}
	// OpenShift has it on: a blockOwnerDeletion reference needs a permission on the owner.
	admission, authorization := "OwnerReferencesPermissionEnforcement", "RBAC"
	if c.opts.Workloads {
		admission, authorization = admission+",NodeRestriction", "Node,"+authorization
		kubelet, err := c.kubeletArgs()
		if err != nil {
			return nil, err
		}
		args = append(args, kubelet...)
	}
	if c.opts.HostNetwork {
		admission += "," + hostnetwork.PluginName
	}
	args = append(args, "--authorization-mode="+authorization, "--enable-admission-plugins="+admission)
	if !c.opts.Audit {
		return args, nil
	}
	policy := c.path("audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, fmt.Errorf("could not write audit policy: %w", err)
	}
	return append(args, "--audit-policy-file="+policy, "--audit-log-path="+c.AuditLogPath()), nil
}

// kubeletArgs are about how the API server speaks with kubelets, for logs.
func (c *Cluster) kubeletArgs() ([]string, error) {
	certFile, keyFile := c.path("pki/apiserver-kubelet-client.crt"), c.path("pki/apiserver-kubelet-client.key")
	pair, err := c.pki.client("apiserver-kubelet-client", mastersGroup)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(certFile, pair.cert, 0o600), os.WriteFile(keyFile, pair.key, 0o600)); err != nil {
		return nil, fmt.Errorf("could not write certificate for kubelets: %w", err)
	}
	return []string{
		"--kubelet-client-certificate=" + certFile,
		"--kubelet-client-key=" + keyFile,
		// Nodes are on this machine, and their names are names of it.
		"--kubelet-preferred-address-types=Hostname",
		"--allow-privileged=true",
	}, nil
}

// auditPolicy leaves out what the control plane asks of itself, which would bury everything else.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  users: ["` + controllersUser + `", "system:apiserver"]
- level: None
  nonResourceURLs: ["/healthz*", "/readyz*", "/livez*"]
- level: Metadata
`

func prepareAPIServer(ctx context.Context, opts *options.ServerRunOptions) (func(context.Context) error, error) {
	if err := opts.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, fmt.Errorf("could not set feature gates: %w", err)
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	completed, err := opts.Complete(ctx)
	if err != nil {
		return nil, fmt.Errorf("could not complete kube-apiserver options: %w", err)
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return nil, fmt.Errorf("could not validate kube-apiserver options: %w", utilerrors.NewAggregate(errs))
	}
	config, err := app.NewConfig(completed)
	if err != nil {
		return nil, fmt.Errorf("could not configure kube-apiserver: %w", err)
	}
	completedConfig, err := config.Complete()
	if err != nil {
		return nil, fmt.Errorf("could not complete kube-apiserver configuration: %w", err)
	}
	chain, err := app.CreateServerChain(completedConfig)
	if err != nil {
		return nil, fmt.Errorf("could not create kube-apiserver: %w", err)
	}
	chain.GenericAPIServer.ShutdownTimeout = shutdownTimeout
	prepared, err := chain.PrepareRun()
	if err != nil {
		return nil, fmt.Errorf("could not prepare kube-apiserver: %w", err)
	}
	return prepared.Run, nil
}

func (c *Cluster) waitForAPIServer(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.controllersConfig)
	if err != nil {
		return fmt.Errorf("could not create client: %w", err)
	}
	err = wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		select {
		case <-c.apiServer.done:
			return false, fmt.Errorf("it ended: %w", c.apiServer.err)
		default:
		}
		var status int
		result := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status)
		return result.Error() == nil && status == http.StatusOK, nil
	})
	if err != nil {
		return fmt.Errorf("could not wait for kube-apiserver: %w", err)
	}
	return nil
}

func (s *apiServer) stop() error {
	s.cancel()
	defer s.listener.closeAll()
	select {
	case <-s.done:
	case <-time.After(stopTimeout):
		return errors.New("could not stop kube-apiserver: it did not end in time")
	}
	if s.err != nil && !errors.Is(s.err, context.Canceled) {
		return fmt.Errorf("could not run kube-apiserver: %w", s.err)
	}
	return nil
}

// AuditLogPath is where the API server writes an audit event (JSON, one a line, level Metadata) for every finished request
// when Options.Audit is set. Requests of the control plane's own controllers are left out.
func (c *Cluster) AuditLogPath() string { return filepath.Join(c.opts.Dir, "audit.log") }
