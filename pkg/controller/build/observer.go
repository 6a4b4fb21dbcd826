package build

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfglistersv1 "github.com/openshift/client-go/machineconfiguration/listers/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corelistersv1 "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// observer looks at the caches, and is all that does on behalf of a decision.
type observer struct {
	clock clock.PassiveClock

	mcLister mcfglistersv1.MachineConfigLister
	ccLister mcfglistersv1.ControllerConfigLister
	cmLister corelistersv1.ConfigMapLister
	// secretIndexer holds metadata only.
	secretIndexer cache.Indexer
	builder       imagebuilder.ImageBuilder

	knowledge *knowledge
	memory    *memory
	// asksRegistry tells that there is somebody to ask.
	asksRegistry bool
	// machineOS finds the MachineOSConfigs; nil where pools opt in by their label alone.
	machineOS *machineos.Ledger
}

// observe gathers what the caches know about a pool. It calls no API, and an
// object that does not exist is a fact of the snapshot, not an error.
func (o *observer) observe(pool *mcfgv1.MachineConfigPool) (plan.Snapshot, error) {
	s := plan.Snapshot{Now: o.clock.Now(), Pool: ledger.Read(pool), WaitingSince: o.memory.waitingSince(pool.Name), LackingSince: o.memory.lackingSince(pool.Name), HalfWritten: o.memory.halfWritten(pool.Name), Taken: o.memory.takenOf(pool.Name), FirstSeen: o.memory.firstSeen(pool.Name), AsksRegistry: o.asksRegistry, Found: o.memory.foundOf(pool.Name)}

	builds, err := o.builder.Observe(pool.Name)
	var unavailable *imagebuilder.UnavailableError
	switch {
	case errors.As(err, &unavailable):
	case err != nil:
		return s, fmt.Errorf("could not observe builds: %w", err)
	}
	// A pool that was deleted and created again has nothing to do with the
	// builds of its predecessor.
	s.Builds = slices.DeleteFunc(builds, func(b imagebuilder.Observation) bool { return b.PoolUID != pool.UID })
	o.memory.tellStrangers(pool.Name, s.Builds)

	o.observeMachineOS(&s)
	if !s.Pool.Layered {
		return s, nil
	}
	for _, observe := range []func(*plan.Snapshot) error{o.observeSettings, o.observeCustom, o.observeConfigs, o.observeControllerConfig, o.observeSecrets} {
		if err := observe(&s); err != nil {
			return s, err
		}
	}
	if unavailable != nil {
		s.BuilderProblem = unavailable.Of(s.Settings.Values.Backend)
	}
	return s, nil
}

// observeMachineOS looks up the MachineOSConfigs that refer to the pool. What the one tells that
// counts takes the place of what stands on the pool.
func (o *observer) observeMachineOS(s *plan.Snapshot) {
	if o.machineOS == nil {
		return
	}
	configs := o.machineOS.Configs(s.Pool.Name)
	for _, config := range configs {
		s.MachineOS.Configs = append(s.MachineOS.Configs, config.Name)
	}
	s.MachineOS.Unseen = o.machineOS.Unseen() && s.Pool.Record.IsOfMachineOS()
	s.Pool.Layered = s.Pool.Layered || s.MachineOS.OptsIn()
	s.MachineOS.Problem, s.MachineOS.Refused = o.machineOS.Problem(), o.machineOS.Refusal() != ""
	if len(configs) != 1 {
		return
	}
	config := ledger.ReadMachineOSConfig(configs[0])
	s.MachineOS.Source = config.Source(string(config.UID))
	s.MachineOS.Unused = config.Unused()
	if config.IsToBegin() {
		s.MachineOS.Seed, s.MachineOS.SeedProblem = config.CheckPreBuilt(config.PreBuilt)
	} else if config.AsksPreBuilt && !config.Seeded {
		s.MachineOS.Unused = cmp.Or(s.MachineOS.Unused, config.PreBuiltUnused())
	}
	if _, err := o.mcLister.Get(s.Pool.WantedConfig); err == nil {
		s.MachineOS.Build = config.MachineOSBuildName(string(config.UID), s.Pool.WantedConfig)
	}
	counts := o.machineOS.Build(configs[0], s.MachineOS.Build)
	s.Pool.Reported, s.MachineOS.Interrupted = ledger.ReadMachineOSBuild(counts), ledger.InterruptionOf(counts)
	s.MachineOS.Published = o.machineOS.Published(configs[0])
	if config.RebuildRequested != "" {
		s.Pool.RebuildRequested += " " + config.RebuildRequested
	}
	s.MachineOS.Config = &config
}

// settingsOfMachineOS are those of the MachineOSConfig, none while it is not known which one counts.
func (o *observer) settingsOfMachineOS(s *plan.Snapshot) error {
	if s.MachineOS.Config == nil {
		return nil
	}
	configMap, err := o.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(constants.ConfigMapName)
	if apierrors.IsNotFound(err) {
		configMap = nil
	} else if err != nil {
		return fmt.Errorf("could not look up %s: %w", inputs.ConfigMapObject, err)
	}
	settings := o.knowledge.settingsOfMachineOS(s.Pool.Name, s.MachineOS.Config, configMap, s.Now)
	s.Settings, s.ChangedAt = settings.value.Settings, settings.changedAt
	if global, err := o.observeSecret(inputs.GlobalPullSecretName); err != nil {
		return err
	} else if s.Settings.Values.BaseImagePullSecret == "" && global.Exists {
		s.Settings.Values.BaseImagePullSecret = inputs.GlobalPullSecretName
	}
	return o.observeBuilderImage(s)
}

func (o *observer) observeSettings(s *plan.Snapshot) error {
	if s.MachineOS.OptsIn() {
		return o.settingsOfMachineOS(s)
	}
	configMap, err := o.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(constants.ConfigMapName)
	if err == nil {
		settings := o.knowledge.settingsOf(configMap, s.Now)
		s.Settings, s.ChangedAt = settings.value.Settings, settings.changedAt
	} else if !apierrors.IsNotFound(err) {
		return fmt.Errorf("could not look up %s: %w", inputs.ConfigMapObject, err)
	}
	return o.observeBuilderImage(s)
}

// observeBuilderImage looks up the image to build with where the settings name none.
func (o *observer) observeBuilderImage(s *plan.Snapshot) error {
	values := &s.Settings.Values
	if values.Backend != constants.BackendJob || values.Workload.Image != "" {
		return nil
	}
	configMap, err := o.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(constants.OperatorImagesConfigMap)
	switch {
	case err == nil:
		values.Workload.Image, s.NoBuilderImage = o.knowledge.releaseImage(configMap)
	case apierrors.IsNotFound(err):
		s.NoBuilderImage = "does not exist"
	default:
		return fmt.Errorf("could not look up %s: %w", inputs.OperatorImagesObject, err)
	}
	return nil
}

func (o *observer) observeControllerConfig(s *plan.Snapshot) error {
	controllerConfig, err := o.ccLister.Get(ctrlcommon.ControllerConfigName)
	if err == nil {
		s.ControllerConfig = plan.ControllerConfig{
			Exists: true, BaseOSContainerImage: controllerConfig.Spec.BaseOSContainerImage,
			ExtensionsImage: controllerConfig.Spec.BaseOSExtensionsContainerImage,
		}
		s.ControllerConfig.Surroundings = o.knowledge.surroundingsOf(controllerConfig)
		o.observeTrustBundle(controllerConfig, s)
		o.observeNodeLogin(controllerConfig, s)
	} else if !apierrors.IsNotFound(err) {
		return fmt.Errorf("could not look up ControllerConfig %s: %w", ctrlcommon.ControllerConfigName, err)
	}
	return nil
}

// observeNodeLogin comes after observeSettings, which say where the image is pushed.
func (o *observer) observeNodeLogin(controllerConfig *mcfgv1.ControllerConfig, s *plan.Snapshot) {
	repository := s.Settings.Values.FinalImageRepository
	if s.MachineOS.Config == nil || repository == "" {
		return
	}
	if nodes := o.knowledge.nodesOf(controllerConfig); nodes.known {
		s.MachineOS.NodeLogin = s.MachineOS.Config.NodeLogin(nodes.credentials, repository)
	}
}

// observeSecrets comes after observeSettings, which name two of them.
func (o *observer) observeSecrets(s *plan.Snapshot) (err error) {
	if s.Entitled, err = o.observeEntitled(s); err != nil {
		return err
	}
	if s.PushSecret, err = o.observeSecret(s.Settings.Values.FinalImagePushSecret); err != nil {
		return err
	}
	s.PullSecret, err = o.observeSecret(s.Settings.Values.BaseImagePullSecret)
	return err
}

// observeConfigs looks up the config that the pool wants, and those of its builds. It comes
// after observeCustom: what is known of a config depends on both.
func (o *observer) observeConfigs(s *plan.Snapshot) error {
	config, err := o.mcLister.Get(s.Pool.WantedConfig)
	switch {
	case err == nil:
		s.Config = renderedConfig(config)
		found := o.knowledge.configAt(config.Name, config.ResourceVersion+s.Custom.Version)
		s.Config.Problem, s.Config.Warning, s.Config.Refusal = found.problem, found.warning, found.refusal
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("could not look up %s: %w", inputs.MachineConfigObject(s.Pool.WantedConfig), err)
	}
	for i := range s.Builds {
		name := s.Builds[i].RenderedConfig
		if name == s.Pool.WantedConfig || s.Builds[i].Image == "" {
			continue
		}
		if config, err := o.mcLister.Get(name); err == nil {
			if s.Past == nil {
				s.Past = map[string]plan.RenderedConfig{}
			}
			s.Past[name] = renderedConfig(config)
		}
	}
	return nil
}

func renderedConfig(config *mcfgv1.MachineConfig) plan.RenderedConfig {
	return plan.RenderedConfig{
		Exists:          true,
		Generation:      config.Generation,
		OSImageURL:      config.Spec.OSImageURL,
		ExtensionsImage: config.Spec.BaseOSExtensionsContainerImage,
		KernelType:      config.Spec.KernelType,
		Extensions:      config.Spec.Extensions,
		KernelArguments: config.Spec.KernelArguments,
		Created:         config.CreationTimestamp.Time,
	}
}

func (o *observer) observeSecret(name string) (plan.Secret, error) {
	if name == "" {
		return plan.Secret{}, nil
	}
	object, exists, err := o.secretIndexer.GetByKey(cache.NewObjectName(ctrlcommon.MCONamespace, name).String())
	if err != nil {
		return plan.Secret{}, fmt.Errorf("could not look up %s: %w", inputs.SecretObject(name), err)
	}
	if !exists {
		return plan.Secret{}, nil
	}
	secret := plan.Secret{Exists: true, ResourceVersion: versionOf(object)}
	if found, ok := o.knowledge.secrets.at(name, secret.ResourceVersion); ok {
		secret.Inspected, secret.Credentials, secret.Problem = true, found.value.credentials, found.value.problem
	}
	return secret, nil
}

// credentialSecrets are the names of the Secrets that the settings name.
func (o *observer) credentialSecrets() []string {
	names := o.secretsOfMachineOS()
	configMap, err := o.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(constants.ConfigMapName)
	if err != nil {
		return names
	}
	settings := o.knowledge.settingsOf(configMap, o.clock.Now()).value.Values
	return append(names, settings.FinalImagePushSecret, settings.BaseImagePullSecret)
}

// secretsOfMachineOS are the names of the Secrets that matter to pools which MachineOSConfigs
// opt in.
func (o *observer) secretsOfMachineOS() []string {
	if o.machineOS == nil {
		return nil
	}
	var names []string
	for _, pool := range o.machineOS.Pools() {
		names = append(names, inputs.EntitlementSecretOf(pool))
		for _, object := range o.machineOS.Configs(pool) {
			config := ledger.ReadMachineOSConfig(object)
			names = append(names, config.PullSecret, config.PushSecret)
		}
	}
	return append(names, inputs.GlobalPullSecretName)
}

// observeCustom looks up the administrators' Containerfile text for the pool.
func (o *observer) observeCustom(s *plan.Snapshot) error {
	if s.MachineOS.OptsIn() {
		if s.MachineOS.Config != nil {
			s.Custom = o.knowledge.customOfMachineOS(s.Pool.Name, s.MachineOS.Config)
		}
		return nil
	}
	configMap, err := o.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(inputs.CustomConfigMapName)
	if apierrors.IsNotFound(err) {
		configMap = nil
	} else if err != nil {
		return fmt.Errorf("could not look up %s: %w", inputs.CustomObject, err)
	}
	content := o.knowledge.customOf(s.Pool.Name, configMap, s.Now)
	s.Custom, s.ChangedAt = content.value, latest(s.ChangedAt, content.changedAt)
	return nil
}

// observeTrustBundle checks the ControllerConfig's additional certificates.
func (o *observer) observeTrustBundle(controllerConfig *mcfgv1.ControllerConfig, s *plan.Snapshot) {
	bundle := o.knowledge.bundleOf(controllerConfig, s.Now)
	s.ControllerConfig.TrustBundle, s.ControllerConfig.TrustBundleHash, s.ControllerConfig.TrustProblem = bundle.value.certificates, bundle.value.hash, bundle.value.problem
	s.ChangedAt = latest(s.ChangedAt, bundle.changedAt)
}

func latest(x, y time.Time) time.Time {
	if y.After(x) {
		return y
	}
	return x
}

// observeEntitled looks up which objects with entitled content exist.
func (o *observer) observeEntitled(s *plan.Snapshot) (plan.Entitled, error) {
	var entitled plan.Entitled
	if s.MachineOS.OptsIn() {
		// The operator makes one for each such pool.
		own := inputs.EntitlementSecretOf(s.Pool.Name)
		if found, err := o.observeSecret(own); err != nil {
			return entitled, err
		} else if found.Exists {
			entitled.EntitlementName = own
		}
	}
	for _, secret := range []struct {
		name   string
		exists *bool
	}{
		{entitled.EntitlementSecret(), &entitled.Entitlement},
		{inputs.SigningKeysSecretName, &entitled.SigningKeys},
	} {
		object, exists, err := o.secretIndexer.GetByKey(cache.NewObjectName(ctrlcommon.MCONamespace, secret.name).String())
		if err != nil {
			return entitled, fmt.Errorf("could not look up %s: %w", inputs.SecretObject(secret.name), err)
		}
		if exists {
			*secret.exists = true
			entitled.Versions += versionOf(object) + " "
		}
	}
	configMap, err := o.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(inputs.RepositoriesConfigName)
	switch {
	case err == nil:
		entitled.Repositories = true
		entitled.Versions += configMap.ResourceVersion
		// A volume has a file for each key, binary or not.
		entitled.RepositoryKeys = inputs.KeysOf(configMap)
	case !apierrors.IsNotFound(err):
		return entitled, fmt.Errorf("could not look up ConfigMap %s: %w", inputs.RepositoriesConfigName, err)
	}
	return entitled, nil
}

// registryCertificates are of the authorities that nodes trust for registries.
func (o *observer) registryCertificates() [][]byte {
	controllerConfig, err := o.ccLister.Get(ctrlcommon.ControllerConfigName)
	if err != nil {
		return nil
	}
	certificates := [][]byte{controllerConfig.Spec.AdditionalTrustBundle}
	for _, bundle := range slices.Concat(controllerConfig.Spec.ImageRegistryBundleData, controllerConfig.Spec.ImageRegistryBundleUserData) {
		certificates = append(certificates, bundle.Data)
	}
	return certificates
}
