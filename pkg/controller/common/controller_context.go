package common

import (
	"context"
	"time"

	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	"k8s.io/client-go/informers"
)

// Controller is what machine-config-controller runs.
type Controller interface {
	// Run works until the context ends, and returns when the controller's work
	// has come to an end.
	Run(ctx context.Context, workers int)
}

// ControllerContext carries clients and informer factories to controllers.
type ControllerContext struct {
	ClientBuilder *ClientBuilder

	// InformerFactory is for the kinds of machineconfiguration.openshift.io.
	InformerFactory mcfginformers.SharedInformerFactory
	// KubeNamespacedInformerFactory is for core kinds in MCONamespace.
	KubeNamespacedInformerFactory informers.SharedInformerFactory

	// LayeringInformers are what image builds need besides.
	LayeringInformers
}

// noResync: the controllers are told of every change and decide on state, so
// repeating old news would only cost.
const noResync = 0 * time.Second

// CreateControllerContext makes a ControllerContext. Nothing is started.
func CreateControllerContext(cb *ClientBuilder) *ControllerContext {
	layering := newLayeringInformers(cb)
	return &ControllerContext{
		ClientBuilder: cb,
		InformerFactory: mcfginformers.NewSharedInformerFactoryWithOptions(
			cb.MachineConfigClientOrDie("machine-config-shared-informer"), noResync,
			mcfginformers.WithTransform(stripAndKeep(layering.RecentContent))),
		KubeNamespacedInformerFactory: informers.NewSharedInformerFactoryWithOptions(
			cb.KubeClientOrDie("kube-shared-informer"), noResync,
			informers.WithNamespace(MCONamespace),
			informers.WithTransform(StripForLayering)),
		LayeringInformers: layering,
	}
}
