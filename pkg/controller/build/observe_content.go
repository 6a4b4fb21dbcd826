package build

import (
	"fmt"
	"slices"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

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
