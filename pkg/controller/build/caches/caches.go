package caches

import (
	"context"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	mcfginformersv1 "github.com/openshift/client-go/machineconfiguration/informers/externalversions/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/clients"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// noResync: the controller is told of every change and decides on state, so
// repeating old news would only cost.
const noResync = 0 * time.Second

// Caches are the informers of what the controller watches itself, as narrow as the API
// allows. Those of what a backend made are the backend's.
type Caches struct {
	// MachineConfiguration is for the kinds of machineconfiguration.openshift.io.
	MachineConfiguration mcfginformers.SharedInformerFactory
	// ConfigMaps holds the namespace's ConfigMaps; of those that are not read from it, the
	// keys alone.
	ConfigMaps informers.SharedInformerFactory
	// SecretMetadata holds the namespace's Secrets without content.
	SecretMetadata cache.SharedIndexInformer
	// RecentContent has what MachineConfiguration drops of MachineConfigs that are new.
	RecentContent *RecentContent

	secretMetadata metadatainformer.SharedInformerFactory

	clients *clients.Builder
	// machineOS are the informers of what MachineOS returned, and what goes by them; none
	// unless it was asked for.
	machineOS []cache.SharedIndexInformer
	follow    []func(context.Context)
	running   sync.WaitGroup
}

// New makes them. Nothing is started.
func New(cb *clients.Builder) *Caches {
	recent := NewRecentContent(clock.RealClock{})
	secrets := metadatainformer.NewFilteredSharedInformerFactory(
		cb.MetadataClientOrDie("secret-metadata-informer"), noResync, ctrlcommon.MCONamespace, nil)
	secretInformer := secrets.ForResource(corev1.SchemeGroupVersion.WithResource("secrets")).Informer()
	// It fails only on an informer that was started.
	if err := secretInformer.SetTransform(build.Strip); err != nil {
		panic(err)
	}
	return &Caches{
		MachineConfiguration: mcfginformers.NewSharedInformerFactoryWithOptions(
			cb.MachineConfigClientOrDie("machine-config-shared-informer"), noResync,
			mcfginformers.WithTransform(stripAndKeep(recent))),
		ConfigMaps: informers.NewSharedInformerFactoryWithOptions(
			cb.KubeClientOrDie("build-settings-informer"), noResync,
			informers.WithNamespace(ctrlcommon.MCONamespace),
			informers.WithTransform(build.Strip)),
		SecretMetadata: secretInformer,
		RecentContent:  recent,
		secretMetadata: secrets,
		clients:        cb,
	}
}

// MachineOS makes what reads MachineOSConfigs and MachineOSBuilds, and writes them with the
// client. Without it they are not even listed. problem tells why nothing may be written.
func (c *Caches) MachineOS(client mcfgclientset.Interface, problem func() string) (*machineos.Ledger, error) {
	listing := c.clients.MachineConfigClientOrDie("machine-os-informer")
	configs := mcfginformersv1.NewMachineOSConfigInformer(listing, noResync, cache.Indexers{})
	builds := mcfginformersv1.NewMachineOSBuildInformer(listing, noResync, cache.Indexers{})
	c.machineOS = []cache.SharedIndexInformer{configs, builds}
	ledger, err := machineos.New(client, configs, builds, problem)
	if err != nil {
		return nil, err
	}
	c.follow = append(c.follow, ledger.Run)
	return ledger, nil
}

// Start starts the informers that were asked for so far; they end with the context.
func (c *Caches) Start(ctx context.Context) {
	c.MachineConfiguration.Start(ctx.Done())
	c.ConfigMaps.Start(ctx.Done())
	c.secretMetadata.Start(ctx.Done())
	for _, informer := range c.machineOS {
		c.running.Go(func() { informer.RunWithContext(ctx) })
	}
	for _, follow := range c.follow {
		c.running.Go(func() { follow(ctx) })
	}
}

// Shutdown waits for the informers to end.
func (c *Caches) Shutdown() {
	c.MachineConfiguration.Shutdown()
	c.ConfigMaps.Shutdown()
	c.secretMetadata.Shutdown()
	c.running.Wait()
}

// stripAndKeep is build.Strip, and keeps the content of configs that are new.
func stripAndKeep(recent *RecentContent) cache.TransformFunc {
	return func(object any) (any, error) {
		if config, ok := object.(*mcfgv1.MachineConfig); ok {
			recent.keep(config)
		}
		return build.Strip(object)
	}
}
