package build

import (
	"fmt"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfglistersv1 "github.com/openshift/client-go/machineconfiguration/listers/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelistersv1 "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Objects are what a decision about a pool depends on, however they were come by.
type Objects struct {
	// Now is the instant to decide at.
	Now time.Time
	// Pool is the pool to decide about, Pools are all that are known.
	Pool  *mcfgv1.MachineConfigPool
	Pools []*mcfgv1.MachineConfigPool
	// Configs hold at least the config that the pool wants, in full, if it exists.
	Configs           []*mcfgv1.MachineConfig
	ControllerConfigs []*mcfgv1.ControllerConfig
	// ConfigMaps and Secrets are of the operator's namespace.
	ConfigMaps []*corev1.ConfigMap
	Secrets    []*corev1.Secret
	// Unread tells of a Secret that it is not known, so that it is taken for one that
	// exists and is of use; nil for none.
	Unread func(secret string) bool
	// Builds are those of the pool, Active the names of those of any pool that have
	// not ended, and BuilderProblem is why there can be none; empty if there can.
	Builds         []imagebuilder.Observation
	Active         []string
	BuilderProblem string
}

// controller makes one that knows the objects and has nothing to call.
func (o *Objects) controller() (*Controller, error) {
	ctrl := &Controller{
		config:   Config{Clock: clock.RealClock{}},
		builder:  knownBuilds{observations: o.Builds, problem: o.BuilderProblem},
		findings: newFindings(), checked: newChecked(), writes: newWrites(), waits: newWaits(), slots: newSlots(), reports: newReports(),
		secretIndexer: newIndexer(),
	}
	configs, controllerConfigs, configMaps := newIndexer(), newIndexer(), newIndexer()
	ctrl.mcLister = mcfglistersv1.NewMachineConfigLister(configs)
	ctrl.ccLister = mcfglistersv1.NewControllerConfigLister(controllerConfigs)
	ctrl.cmLister = corelistersv1.NewConfigMapLister(configMaps)
	for _, object := range o.Configs {
		if err := add(configs, object.DeepCopy()); err != nil {
			return nil, err
		}
	}
	for _, object := range o.ControllerConfigs {
		if err := add(controllerConfigs, object.DeepCopy()); err != nil {
			return nil, err
		}
	}
	for _, object := range o.ConfigMaps {
		if err := add(configMaps, object.DeepCopy()); err != nil {
			return nil, err
		}
	}
	for _, object := range o.Secrets {
		meta := &metav1.PartialObjectMetadata{ObjectMeta: *object.ObjectMeta.DeepCopy()}
		if err := add(ctrl.secretIndexer, meta); err != nil {
			return nil, err
		}
	}
	for _, pool := range o.Pools {
		if since := ledger.ReadConditions(pool.Status.Conditions).QueuedSince(); pool.Name != o.Pool.Name && !since.IsZero() {
			// Without a place at all, whoever asks for one waits.
			_ = ctrl.slots.take(pool.Name, plan.TakeSlot{}, nil, since, o.Now)
		}
	}
	return ctrl, nil
}

func newIndexer() cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
}

// add puts an object into a cache. What is remembered of objects is by their version,
// so one that was never in a cluster gets one, too.
func add(indexer cache.Indexer, object metav1.Object) error {
	if object.GetResourceVersion() == "" {
		object.SetResourceVersion("unknown")
	}
	if err := indexer.Add(object); err != nil {
		return fmt.Errorf("could not look at %s: %w", object.GetName(), err)
	}
	return nil
}

func findSecret(secrets []*corev1.Secret, name string) *corev1.Secret {
	for _, secret := range secrets {
		if secret.Name == name && secret.Namespace == ctrlcommon.MCONamespace {
			return secret
		}
	}
	return nil
}

// knownBuilds is a backend of which the builds are known. It can do nothing else.
type knownBuilds struct {
	imagebuilder.ImageBuilder
	observations []imagebuilder.Observation
	problem      string
}

// Observe implements ImageBuilder.
func (b knownBuilds) Observe(string) ([]imagebuilder.Observation, error) {
	if b.problem != "" {
		return nil, &imagebuilder.UnavailableError{Message: b.problem}
	}
	// The caller filters what it gets.
	return append([]imagebuilder.Observation(nil), b.observations...), nil
}
