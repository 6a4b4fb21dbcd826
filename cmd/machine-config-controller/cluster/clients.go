package cluster

import (
	"context"
	"fmt"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/openshift/machine-config-operator/pkg/controller/build/clients"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

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

	forWatch *Clients
	// answers are what the API server said; nil where there is no server.
	answers *answers
}

// Connect makes clients that name the command to the API server.
func Connect(o *Options, backend Backend, command string) (*Clients, error) {
	config, err := o.restConfig()
	if err != nil {
		return nil, err
	}
	return ConnectTo(config, backend, command)
}

// ConnectTo makes clients of the cluster that the configuration is of.
func ConnectTo(config *rest.Config, backend Backend, command string) (*Clients, error) {
	// What is wrong with certificates and plugins comes out when a client is made.
	if _, err := kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("could not make a client of the cluster: %w", err)
	}
	server := config.Host
	if address, _, err := rest.DefaultServerUrlFor(config); err == nil {
		server = address.String()
	}
	answers := newAnswers(strings.TrimSuffix(server, "/"), config.Timeout)
	// A watch lasts as long as somebody looks, so that only its beginning is bounded.
	lasting := rest.CopyConfig(config)
	lasting.Timeout = 0
	lasting.Wrap(answers.bound)
	lasting.Wrap(answers.wrap)
	config = rest.CopyConfig(config)
	config.Wrap(answers.wrap)
	clients := clientsOf(config, backend, command)
	clients.forWatch = clientsOf(lasting, backend, command)
	clients.answers, clients.forWatch.answers = answers, answers
	return clients, nil
}

func clientsOf(config *rest.Config, backend Backend, command string) *Clients {
	cb := clients.BuilderFromConfig(config)
	kube := cb.KubeClientOrDie(command)
	return &Clients{
		Backend: backend, Kube: kube, MachineConfiguration: cb.MachineConfigClientOrDie(command), Inventory: backend.Inventory(cb, kube, command),
		Metadata: cb.MetadataClientOrDie(command),
	}
}

// ForWatch are clients whose requests may last.
func (c *Clients) ForWatch() *Clients {
	if c.forWatch == nil {
		return c
	}
	return c.forWatch
}

// Reach asks for next to nothing, to see whether the API server answers.
func (c *Clients) Reach(ctx context.Context) error {
	_, err := c.MachineConfiguration.MachineconfigurationV1().MachineConfigPools().List(ctx, metav1.ListOptions{Limit: 1})
	return Failed(listPools, "list MachineConfigPools", err)
}

var listPools = Request{"list", mcfgv1.GroupName, "machineconfigpools"}

// Pools lists the MachineConfigPools.
func (c *Clients) Pools(ctx context.Context) ([]*mcfgv1.MachineConfigPool, error) {
	list, err := c.MachineConfiguration.MachineconfigurationV1().MachineConfigPools().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, Failed(listPools, "list MachineConfigPools", err)
	}
	return pointers(list.Items), nil
}

// ControllerConfigs lists them.
func (c *Clients) ControllerConfigs(ctx context.Context) ([]*mcfgv1.ControllerConfig, error) {
	list, err := c.MachineConfiguration.MachineconfigurationV1().ControllerConfigs().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, Failed(Request{"list", mcfgv1.GroupName, "controllerconfigs"}, "list ControllerConfigs", err)
	}
	return pointers(list.Items), nil
}

// ConfigMap looks a ConfigMap up by listing, which is what the controller may do.
func (c *Clients) ConfigMap(ctx context.Context, name string) ([]*corev1.ConfigMap, error) {
	list, err := c.Kube.CoreV1().ConfigMaps(ctrlcommon.MCONamespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return nil, Failed(Request{"list", "", "configmaps"}, "look up ConfigMap "+name, err)
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
