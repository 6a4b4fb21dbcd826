package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/openshift/machine-config-operator/pkg/controller/build/clients"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Options are the flags of commands that people run against a cluster.
type Options struct {
	Kubeconfig string
	qps        float32
	burst      int
}

// NewOptions are the defaults.
func NewOptions() Options { return Options{qps: 50, burst: 100} }

// AddFlags adds the flags to a command.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Kubeconfig, "kubeconfig", o.Kubeconfig, "Kubeconfig file of the cluster. Empty: the one that the environment variable "+
		clientcmd.RecommendedConfigPathEnvVar+" names, else the service account of the pod.")
	flags.Float32Var(&o.qps, "kube-api-qps", o.qps, "Requests per second to the API server, on average, per client.")
	flags.IntVar(&o.burst, "kube-api-burst", o.burst, "Requests to the API server at once, per client.")
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
	return errors.Join(errs...)
}

// Backend is what runs builds, and how to look at what it has made in a cluster.
type Backend struct {
	imagebuilder.Backend
	// Inventory makes what lets a command look.
	Inventory func(cb *clients.Builder, kube kubernetes.Interface, command string) imagebuilder.Inventory
}

// Clients are for the APIs of a cluster. Only a dry run writes through them.
type Clients struct {
	Backend              imagebuilder.Backend
	Kube                 kubernetes.Interface
	MachineConfiguration mcfgclientset.Interface
	Inventory            imagebuilder.Inventory
	Metadata             metadata.Interface
}

// Connect makes clients that name the command to the API server.
func Connect(o *Options, backend Backend, command string) (*Clients, error) {
	kubeconfig := cmp.Or(o.Kubeconfig, os.Getenv(clientcmd.RecommendedConfigPathEnvVar))
	cb, err := clients.NewBuilder(kubeconfig, o.qps, o.burst)
	if err != nil && kubeconfig == "" {
		return nil, fmt.Errorf("%w; outside of a pod, name a file by --kubeconfig", err)
	}
	if err != nil {
		return nil, err
	}
	kube := cb.KubeClientOrDie(command)
	return &Clients{
		Backend: backend, Kube: kube, MachineConfiguration: cb.MachineConfigClientOrDie(command), Inventory: backend.Inventory(cb, kube, command),
		Metadata: cb.MetadataClientOrDie(command),
	}, nil
}

// Pools lists the MachineConfigPools.
func (c *Clients) Pools(ctx context.Context) ([]*mcfgv1.MachineConfigPool, error) {
	list, err := c.MachineConfiguration.MachineconfigurationV1().MachineConfigPools().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("could not list MachineConfigPools: %w", err)
	}
	return pointers(list.Items), nil
}

// ControllerConfigs lists them.
func (c *Clients) ControllerConfigs(ctx context.Context) ([]*mcfgv1.ControllerConfig, error) {
	list, err := c.MachineConfiguration.MachineconfigurationV1().ControllerConfigs().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("could not list ControllerConfigs: %w", err)
	}
	return pointers(list.Items), nil
}

// ConfigMap looks a ConfigMap up by listing, which is what the controller may do.
func (c *Clients) ConfigMap(ctx context.Context, name string) ([]*corev1.ConfigMap, error) {
	list, err := c.Kube.CoreV1().ConfigMaps(ctrlcommon.MCONamespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return nil, fmt.Errorf("could not look up ConfigMap %s: %w", name, err)
	}
	return pointers(list.Items), nil
}

// OwnedSelector selects what the controller made.
const OwnedSelector = constants.OwnedLabel + "=" + constants.OwnedLabelValue

func pointers[T any](items []T) []*T {
	result := make([]*T, 0, len(items))
	for i := range items {
		result = append(result, &items[i])
	}
	return result
}
