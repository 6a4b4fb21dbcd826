package build

import (
	"fmt"
	"slices"
	"sync"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// observeCustom looks up the administrators' Containerfile text for the pool.
func (ctrl *Controller) observeCustom(pool string) (plan.CustomContent, error) {
	configMap, err := ctrl.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(inputs.CustomConfigMapName)
	if apierrors.IsNotFound(err) {
		return plan.CustomContent{}, nil
	}
	if err != nil {
		return plan.CustomContent{}, fmt.Errorf("could not look up %s: %w", inputs.CustomObject, err)
	}
	text, ok := configMap.Data[pool]
	if !ok {
		return plan.CustomContent{}, nil
	}
	return ctrl.checked.custom(pool, text), nil
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
// looking at it again.
type checked struct {
	mu            sync.Mutex
	customTexts   map[string]checkedCustom
	bundleVersion string
	bundle        []byte
	bundleHash    string
	bundleProblem *inputs.Problem
}

type checkedCustom struct {
	text    string
	content plan.CustomContent
}

func newChecked() *checked { return &checked{customTexts: map[string]checkedCustom{}} }

func (c *checked) custom(pool, text string) plan.CustomContent {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.customTexts[pool]; ok && known.text == text {
		return known.content
	}
	var content plan.CustomContent
	content.Value, content.Problem = inputs.ParseCustom(pool, text)
	if content.Value.Any() {
		content.Version = inputs.DataVersion(map[string]string{pool: text})
	}
	c.customTexts[pool] = checkedCustom{text, content}
	return content
}

func (c *checked) trustBundle(controllerConfig *mcfgv1.ControllerConfig) (bundle []byte, hash string, problem *inputs.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version := string(controllerConfig.UID) + controllerConfig.ResourceVersion; version != c.bundleVersion {
		c.bundleVersion = version
		c.bundle, c.bundleProblem = inputs.ParseTrustBundle(controllerConfig.Spec.AdditionalTrustBundle)
		c.bundleHash = inputs.Hash(c.bundle)
	}
	return c.bundle, c.bundleHash, c.bundleProblem
}

// forget drops what is known of a pool that does not exist any more.
func (c *checked) forget(pool string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.customTexts, pool)
}
