package build

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

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

// observeCustom looks up the administrators' Containerfile text for the pool.
func (ctrl *Controller) observeCustom(s *plan.Snapshot) error {
	text := ""
	configMap, err := ctrl.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(inputs.CustomConfigMapName)
	switch {
	case err == nil:
		text = configMap.Data[s.Pool.Name]
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("could not look up %s: %w", inputs.CustomObject, err)
	}
	content, changedAt := ctrl.checked.custom(s.Pool.Name, text, s.Now)
	s.Custom, s.ChangedAt = content, latest(s.ChangedAt, changedAt)
	return nil
}

// observeTrustBundle checks the ControllerConfig's additional certificates.
func (ctrl *Controller) observeTrustBundle(controllerConfig *mcfgv1.ControllerConfig, s *plan.Snapshot) {
	bundle := ctrl.checked.trustBundle(controllerConfig, s.Now)
	s.ControllerConfig.TrustBundle, s.ControllerConfig.TrustBundleHash, s.ControllerConfig.TrustProblem = bundle.certificates, bundle.hash, bundle.problem
	s.ChangedAt = latest(s.ChangedAt, bundle.changedAt)
}

func latest(x, y time.Time) time.Time {
	if y.After(x) {
		return y
	}
	return x
}

// observeEntitled looks up which objects with entitled content exist.
func (ctrl *Controller) observeEntitled() (plan.Entitled, error) {
	var entitled plan.Entitled
	for _, secret := range []struct {
		name   string
		exists *bool
	}{
		{inputs.EntitlementSecretName, &entitled.Entitlement},
		{inputs.SigningKeysSecretName, &entitled.SigningKeys},
	} {
		object, exists, err := ctrl.secretIndexer.GetByKey(cache.NewObjectName(ctrlcommon.MCONamespace, secret.name).String())
		if err != nil {
			return entitled, fmt.Errorf("could not look up %s: %w", inputs.SecretObject(secret.name), err)
		}
		if exists {
			*secret.exists = true
			entitled.Versions += versionOf(object) + " "
		}
	}
	configMap, err := ctrl.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(inputs.RepositoriesConfigName)
	switch {
	case err == nil:
		entitled.Repositories = true
		entitled.Versions += configMap.ResourceVersion
		for key := range configMap.Data {
			entitled.RepositoryKeys = append(entitled.RepositoryKeys, key)
		}
		slices.Sort(entitled.RepositoryKeys)
	case !apierrors.IsNotFound(err):
		return entitled, fmt.Errorf("could not look up ConfigMap %s: %w", inputs.RepositoriesConfigName, err)
	}
	return entitled, nil
}

// checked remembers what was checked last, since checking costs far more than
// looking at it again, and when it was seen to change.
type checked struct {
	mu          sync.Mutex
	customTexts map[string]checkedCustom
	bundle      checkedBundle
}

type checkedCustom struct {
	text      string
	content   plan.CustomContent
	changedAt time.Time
}

type checkedBundle struct {
	version      string
	certificates []byte
	hash         string
	problem      *inputs.Problem
	changedAt    time.Time
}

func newChecked() *checked { return &checked{customTexts: map[string]checkedCustom{}} }

func (c *checked) custom(pool, text string, now time.Time) (plan.CustomContent, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.customTexts[pool]
	if ok && known.text == text {
		return known.content, known.changedAt
	}
	checked := checkedCustom{text: text}
	checked.content.Value, checked.content.Problem = inputs.ParseCustom(pool, text)
	if checked.content.Value.Any() {
		checked.content.Version = inputs.Hash([]byte(checked.content.Value.Text()))
	}
	// Text that was mended was waited for long enough.
	if ok && known.content.Problem == nil {
		checked.changedAt = now
	}
	c.customTexts[pool] = checked
	return checked.content, checked.changedAt
}

func (c *checked) trustBundle(controllerConfig *mcfgv1.ControllerConfig, now time.Time) checkedBundle {
	c.mu.Lock()
	defer c.mu.Unlock()
	version := string(controllerConfig.UID) + controllerConfig.ResourceVersion
	if known := c.bundle; version != known.version {
		c.bundle = checkedBundle{version: version, changedAt: known.changedAt}
		c.bundle.certificates, c.bundle.problem = inputs.ParseTrustBundle(controllerConfig.Spec.AdditionalTrustBundle)
		c.bundle.hash = inputs.Hash(c.bundle.certificates)
		if known.version != "" && known.problem == nil && c.bundle.hash != known.hash {
			c.bundle.changedAt = now
		}
	}
	return c.bundle
}

// forget drops what is known of a pool that does not exist any more.
func (c *checked) forget(pool string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.customTexts, pool)
}
