package common

import (
	"context"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// BuildControllerName is the name of what runs the BuildController: its Deployment,
// service account and Lease. The operator's own machine-config-controller has others.
const BuildControllerName = "machine-os-build-controller"

// LayeringInformers are the informers that only image builds need. Each is as
// narrow as the API allows.
type LayeringInformers struct {
	// BuildSettingsInformerFactory holds the namespace's ConfigMaps; of those that are
	// not read from it, the keys alone.
	BuildSettingsInformerFactory informers.SharedInformerFactory
	// SecretMetadataInformer holds the namespace's Secrets without content.
	SecretMetadataInformer cache.SharedIndexInformer
	// RecentContent has what InformerFactory drops of MachineConfigs that are new.
	RecentContent *RecentContent

	secretMetadataFactory metadatainformer.SharedInformerFactory
}

func newLayeringInformers(cb *ClientBuilder) LayeringInformers {
	secrets := metadatainformer.NewFilteredSharedInformerFactory(
		cb.MetadataClientOrDie("secret-metadata-informer"), noResync, MCONamespace, nil)
	secretInformer := secrets.ForResource(corev1.SchemeGroupVersion.WithResource("secrets")).Informer()
	// It fails only on an informer that was started.
	if err := secretInformer.SetTransform(StripForLayering); err != nil {
		panic(err)
	}
	return LayeringInformers{
		BuildSettingsInformerFactory: informers.NewSharedInformerFactoryWithOptions(
			cb.KubeClientOrDie("build-settings-informer"), noResync,
			informers.WithNamespace(MCONamespace),
			informers.WithTransform(StripForLayering)),
		SecretMetadataInformer: secretInformer,
		RecentContent:          NewRecentContent(clock.RealClock{}),
		secretMetadataFactory:  secrets,
	}
}

// Start starts the informers that were asked for so far; they end with the context.
func (l *LayeringInformers) Start(ctx context.Context) {
	l.BuildSettingsInformerFactory.Start(ctx.Done())
	l.secretMetadataFactory.Start(ctx.Done())
}

// Shutdown waits for the informers to end.
func (l *LayeringInformers) Shutdown() {
	l.BuildSettingsInformerFactory.Shutdown()
	l.secretMetadataFactory.Shutdown()
}

// stripAndKeep is StripForLayering, and keeps the content of configs that are new.
func stripAndKeep(recent *RecentContent) cache.TransformFunc {
	return func(object any) (any, error) {
		if config, ok := object.(*mcfgv1.MachineConfig); ok {
			recent.keep(config)
		}
		return StripForLayering(object)
	}
}

// StripForLayering drops, before an object enters a cache, what image builds
// never read from one: who wrote which field, the names of the MachineConfigs that a
// pool's config was rendered from (dozens, twice), the content of MachineConfigs
// (they are large, and the one that is built is read in full then), the values of ConfigMaps that are only counted on to exist,
// and the annotations of Secrets that are not ours (what
// was last applied to them, credentials included, is one).
func StripForLayering(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	switch o := object.(type) {
	case *mcfgv1.MachineConfigPool:
		o.Spec.Configuration.Source, o.Status.Configuration.Source = nil, nil
		delete(o.Annotations, corev1.LastAppliedConfigAnnotation)
	case *mcfgv1.MachineConfig:
		o.Spec.Config = runtime.RawExtension{}
	case *corev1.ConfigMap:
		o.BinaryData = nil
		if o.Name != constants.ConfigMapName && o.Name != inputs.CustomConfigMapName {
			for key := range o.Data {
				o.Data[key] = ""
			}
		}
	case *metav1.PartialObjectMetadata:
		if o.Labels[constants.OwnedLabel] != constants.OwnedLabelValue {
			o.Annotations = nil
		}
	}
	return object, nil
}
