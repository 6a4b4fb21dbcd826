package main

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

// clusterOptions are the flags of commands that people run against a cluster.
type clusterOptions struct {
	kubeconfig string
	qps        float32
	burst      int
}

func newClusterOptions() clusterOptions { return clusterOptions{qps: 50, burst: 100} }

func (o *clusterOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.kubeconfig, "kubeconfig", o.kubeconfig, "Kubeconfig file of the cluster. Empty: the one that the environment variable "+
		clientcmd.RecommendedConfigPathEnvVar+" names, else the service account of the pod.")
	flags.Float32Var(&o.qps, "kube-api-qps", o.qps, "Requests per second to the API server, on average, per client.")
	flags.IntVar(&o.burst, "kube-api-burst", o.burst, "Requests to the API server at once, per client.")
}

// validate reports every flag that makes no sense.
func (o *clusterOptions) validate() error {
	var errs []error
	if o.qps <= 0 {
		errs = append(errs, fmt.Errorf("--kube-api-qps is %v, but has to be greater than 0", o.qps))
	}
	if o.burst < 1 {
		errs = append(errs, fmt.Errorf("--kube-api-burst is %d, but at least 1 is needed", o.burst))
	}
	return errors.Join(errs...)
}

// clusterBackend is what runs builds, and how to look at what it has made in a cluster.
type clusterBackend struct {
	imagebuilder.Backend
	inventory func(cb *clients.Builder, kube kubernetes.Interface, command string) imagebuilder.Inventory
}

// clusterClients are for the APIs of a cluster. Only a dry run writes through them.
type clusterClients struct {
	backend   imagebuilder.Backend
	kube      kubernetes.Interface
	mcfg      mcfgclientset.Interface
	inventory imagebuilder.Inventory
	metadata  metadata.Interface
}

// newClusterClients makes clients that name the command to the API server.
func newClusterClients(o *clusterOptions, backend clusterBackend, command string) (*clusterClients, error) {
	kubeconfig := cmp.Or(o.kubeconfig, os.Getenv(clientcmd.RecommendedConfigPathEnvVar))
	cb, err := clients.NewBuilder(kubeconfig, o.qps, o.burst)
	if err != nil && kubeconfig == "" {
		return nil, fmt.Errorf("%w; outside of a pod, name a file by --kubeconfig", err)
	}
	if err != nil {
		return nil, err
	}
	kube := cb.KubeClientOrDie(command)
	return &clusterClients{
		backend: backend, kube: kube, mcfg: cb.MachineConfigClientOrDie(command), inventory: backend.inventory(cb, kube, command),
		metadata: cb.MetadataClientOrDie(command),
	}, nil
}

func (c *clusterClients) listPools(ctx context.Context) ([]*mcfgv1.MachineConfigPool, error) {
	list, err := c.mcfg.MachineconfigurationV1().MachineConfigPools().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("could not list MachineConfigPools: %w", err)
	}
	return pointers(list.Items), nil
}

func (c *clusterClients) listControllerConfigs(ctx context.Context) ([]*mcfgv1.ControllerConfig, error) {
	list, err := c.mcfg.MachineconfigurationV1().ControllerConfigs().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("could not list ControllerConfigs: %w", err)
	}
	return pointers(list.Items), nil
}

// listConfigMap looks a ConfigMap up by listing, which is what the controller may do.
func (c *clusterClients) listConfigMap(ctx context.Context, name string) ([]*corev1.ConfigMap, error) {
	list, err := c.kube.CoreV1().ConfigMaps(ctrlcommon.MCONamespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return nil, fmt.Errorf("could not look up ConfigMap %s: %w", name, err)
	}
	return pointers(list.Items), nil
}

// ownedSelector selects what the controller made.
const ownedSelector = constants.OwnedLabel + "=" + constants.OwnedLabelValue

func pointers[T any](items []T) []*T {
	result := make([]*T, 0, len(items))
	for i := range items {
		result = append(result, &items[i])
	}
	return result
}
