package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Options are the flags of commands that people run against a cluster: those of kubectl,
// which find the cluster as kubectl does, and the limits of the clients.
type Options struct {
	kubectl *genericclioptions.ConfigFlags
	timeout string
	qps     float32
	burst   int
	// flags are those that were added, which know whether they were given.
	flags *pflag.FlagSet
}

// NewOptions are the defaults.
func NewOptions() Options {
	kubectl := genericclioptions.NewConfigFlags(true)
	// A timeout makes any configuration differ from the default one, by which client-go
	// tells that there is none, so it is put in afterwards.
	kubectl.Timeout = nil
	return Options{kubectl: kubectl, timeout: "30s", qps: 50, burst: 100}
}

// AddFlags adds the flags to a command.
func (o *Options) AddFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.flags = pflag.NewFlagSet("connection", pflag.ContinueOnError)
	o.kubectl.AddFlags(o.flags)
	for name, usage := range map[string]string{
		"kubeconfig": "Kubeconfig file of the cluster. Empty: those that the environment variable " + clientcmd.RecommendedConfigPathEnvVar +
			" lists, else ~/.kube/config; where there is none of all these, the service account of the pod.",
		"namespace": "Accepted as by kubectl. Pools have no namespace, and all else that is looked at is in the operator's.",
	} {
		o.flags.Lookup(name).Usage = usage
	}
	// Nothing is kept between two runs.
	o.flags.Lookup("cache-dir").Hidden = true
	flags.AddFlagSet(o.flags)
	flags.StringVar(&o.timeout, "request-timeout", o.timeout, "How long to wait for the answer to a request, such as 5s, 2m or a number of seconds. 0: for ever.")
	flags.Float32Var(&o.qps, "kube-api-qps", o.qps, "Requests per second to the API server, on average, per client.")
	flags.IntVar(&o.burst, "kube-api-burst", o.burst, "Requests to the API server at once, per client.")
	o.completeFlags(cmd)
}

// Validate reports every flag that makes no sense.
func (o *Options) Validate() error {
	var errs []error
	if o.qps <= 0 {
		errs = append(errs, fmt.Errorf("--kube-api-qps is %v, but has to be greater than 0", o.qps))
	}
	if o.burst < 1 {
		errs = append(errs, fmt.Errorf("--kube-api-burst is %d, but at least 1 is needed", o.burst))
	}
	if _, err := o.requestTimeout(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Chosen are the given flags that choose a cluster or credentials for it.
func (o *Options) Chosen() []string {
	var chosen []string
	o.flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed && flag.Name != "namespace" && !flag.Hidden {
			chosen = append(chosen, "--"+flag.Name)
		}
	})
	return chosen
}

// Namespace is what --namespace names; empty if it was not given.
func (o *Options) Namespace() string { return *o.kubectl.Namespace }

func (o *Options) requestTimeout() (time.Duration, error) {
	timeout, err := clientcmd.ParseTimeout(o.timeout)
	if err != nil || timeout < 0 {
		return 0, fmt.Errorf("--request-timeout %q is no length of time; write one such as 5s, 2m or a number of seconds, or 0 to wait for ever", o.timeout)
	}
	return timeout, nil
}

// restConfig finds the cluster. A pod's service account is taken only by whoever says
// nothing else, as that of the wrong cluster would be worse than none.
func (o *Options) restConfig() (*rest.Config, error) {
	config, err := o.find()
	if err != nil {
		return nil, fmt.Errorf("could not read the cluster's address and credentials: %w", err)
	}
	config.QPS, config.Burst = o.qps, o.burst
	if config.Timeout, err = o.requestTimeout(); err != nil {
		return nil, err
	}
	return config, nil
}

func (o *Options) find() (*rest.Config, error) {
	explicit, server := *o.kubectl.KubeConfig, *o.kubectl.APIServer
	listed := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
	if explicit == "" && listed != "" && server == "" && !slices.ContainsFunc(filepath.SplitList(listed), exists) {
		return nil, fmt.Errorf("%s is %q, and there is no such file; mend it, unset it, or name a file by --kubeconfig", clientcmd.RecommendedConfigPathEnvVar, listed)
	}
	loader := o.kubectl.ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, err
	}
	if server == "" {
		switch {
		case !clientcmdapi.IsConfigEmpty(&raw):
		case explicit != "":
			return nil, fmt.Errorf("there is no cluster in --kubeconfig %s", explicit)
		case listed != "":
			return nil, fmt.Errorf("there is no cluster in the files of %s, %q", clientcmd.RecommendedConfigPathEnvVar, listed)
		default:
			return o.ofThePod()
		}
	}
	if err := o.checkNames(&raw); err != nil {
		return nil, err
	}
	return o.kubectl.ToRESTConfig()
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return !errors.Is(err, os.ErrNotExist)
}

func (o *Options) ofThePod() (*rest.Config, error) {
	config, err := rest.InClusterConfig()
	if errors.Is(err, rest.ErrNotInCluster) {
		return nil, fmt.Errorf("there is no kubeconfig, neither in %s nor by the environment variable %s; outside of a pod, name a file by --kubeconfig",
			clientcmd.RecommendedHomeFile, clientcmd.RecommendedConfigPathEnvVar)
	}
	if err != nil {
		return nil, err
	}
	config.Impersonate = rest.ImpersonationConfig{UserName: *o.kubectl.Impersonate, UID: *o.kubectl.ImpersonateUID, Groups: *o.kubectl.ImpersonateGroup}
	if token := *o.kubectl.BearerToken; token != "" {
		config.BearerToken, config.BearerTokenFile = token, ""
	}
	return config, nil
}

// checkNames says what there is to choose from where a name is none of it, and asks for one
// where client-go would take an address of its own.
func (o *Options) checkNames(raw *clientcmdapi.Config) error {
	context, cluster, user := *o.kubectl.Context, *o.kubectl.ClusterName, *o.kubectl.AuthInfoName
	switch {
	case context != "" && raw.Contexts[context] == nil:
		return unknownName("context", "--context", context, raw.Contexts)
	case cluster != "" && raw.Clusters[cluster] == nil:
		return unknownName("cluster", "--cluster", cluster, raw.Clusters)
	case user != "" && raw.AuthInfos[user] == nil:
		return unknownName("user", "--user", user, raw.AuthInfos)
	case *o.kubectl.APIServer != "" || cluster != "":
		return nil
	case context != "":
	case raw.CurrentContext == "":
		return fmt.Errorf("the kubeconfig has no current-context; choose one by --context: %s", choice(raw.Contexts))
	case raw.Contexts[raw.CurrentContext] == nil:
		return unknownName("context", "current-context", raw.CurrentContext, raw.Contexts)
	}
	context = cmp.Or(context, raw.CurrentContext)
	if cluster = raw.Contexts[context].Cluster; raw.Clusters[cluster] == nil {
		return unknownName("cluster", "context "+context, cluster, raw.Clusters)
	}
	return nil
}

func unknownName[T any](what, by, name string, known map[string]T) error {
	return fmt.Errorf("there is no %s %q (%s) in the kubeconfig; there is %s", what, name, by, choice(known))
}

func choice[T any](known map[string]T) string {
	var names []string
	for name := range known {
		names = append(names, name)
	}
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.TrimSpace(Quoted(names))
}
