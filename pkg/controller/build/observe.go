package build

import (
	"errors"
	"fmt"
	"slices"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// observe gathers what the caches know about a pool. It calls no API, and an
// object that does not exist is a fact of the snapshot, not an error.
func (ctrl *Controller) observe(pool *mcfgv1.MachineConfigPool) (plan.Snapshot, error) {
	s := plan.Snapshot{Now: ctrl.config.Clock.Now(), Pool: ledger.Read(pool), WaitingSince: ctrl.waits.of(pool.Name)}

	builds, err := ctrl.builder.Observe(pool.Name)
	var unavailable *imagebuilder.UnavailableError
	switch {
	case errors.As(err, &unavailable):
		s.BuilderProblem = unavailable.Message
	case err != nil:
		return s, fmt.Errorf("could not observe builds: %w", err)
	}
	// A pool that was deleted and created again has nothing to do with the
	// builds of its predecessor.
	s.Builds = slices.DeleteFunc(builds, func(b imagebuilder.Observation) bool { return b.PoolUID != pool.UID })

	if !s.Pool.Layered {
		return s, nil
	}

	configMap, err := ctrl.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(constants.ConfigMapName)
	if err == nil {
		s.Settings, s.ChangedAt = ctrl.settings.of(configMap, s.Now)
	} else if !apierrors.IsNotFound(err) {
		return s, fmt.Errorf("could not look up %s: %w", inputs.ConfigMapObject, err)
	}

	if err := ctrl.observeCustom(&s); err != nil {
		return s, err
	}
	config, err := ctrl.mcLister.Get(s.Pool.WantedConfig)
	if err == nil {
		finding := ctrl.findings.config(config.Name, config.ResourceVersion+s.Custom.Version)
		s.Config = plan.RenderedConfig{
			Exists:          true,
			Generation:      config.Generation,
			OSImageURL:      config.Spec.OSImageURL,
			ExtensionsImage: config.Spec.BaseOSExtensionsContainerImage,
			KernelType:      config.Spec.KernelType,
			Extensions:      config.Spec.Extensions,
			Created:         config.CreationTimestamp.Time,
			Problem:         finding.problem,
			Warning:         finding.warning,
			Refusal:         finding.refusal,
		}
	} else if !apierrors.IsNotFound(err) {
		return s, fmt.Errorf("could not look up %s: %w", inputs.MachineConfigObject(s.Pool.WantedConfig), err)
	}

	controllerConfig, err := ctrl.ccLister.Get(ctrlcommon.ControllerConfigName)
	if err == nil {
		s.ControllerConfig = plan.ControllerConfig{
			Exists: true, BaseOSContainerImage: controllerConfig.Spec.BaseOSContainerImage,
			ExtensionsImage: controllerConfig.Spec.BaseOSExtensionsContainerImage,
		}
		ctrl.observeTrustBundle(controllerConfig, &s)
	} else if !apierrors.IsNotFound(err) {
		return s, fmt.Errorf("could not look up ControllerConfig %s: %w", ctrlcommon.ControllerConfigName, err)
	}

	if s.Entitled, err = ctrl.observeEntitled(); err != nil {
		return s, err
	}
	if s.PushSecret, err = ctrl.observeSecret(s.Settings.Values.FinalImagePushSecret); err != nil {
		return s, err
	}
	s.PullSecret, err = ctrl.observeSecret(s.Settings.Values.BaseImagePullSecret)
	return s, err
}

func (ctrl *Controller) observeSecret(name string) (plan.Secret, error) {
	if name == "" {
		return plan.Secret{}, nil
	}
	object, exists, err := ctrl.secretIndexer.GetByKey(cache.NewObjectName(ctrlcommon.MCONamespace, name).String())
	if err != nil {
		return plan.Secret{}, fmt.Errorf("could not look up %s: %w", inputs.SecretObject(name), err)
	}
	if !exists {
		return plan.Secret{}, nil
	}
	secret := plan.Secret{Exists: true, ResourceVersion: versionOf(object)}
	if finding, ok := ctrl.findings.secret(name, secret.ResourceVersion); ok {
		secret.Inspected, secret.Registries, secret.Problem = true, finding.registries, finding.problem
	}
	return secret, nil
}
