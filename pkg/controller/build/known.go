package build

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/content"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// known remembers what was found out about objects, each at a version, so that an object
// is read or parsed once for each version, and since when it is so. Losing it costs
// reads, nothing else but what memory says of changes. It holds no content of Secrets.
type known[T any] struct {
	mu    sync.Mutex
	facts map[string]fact[T]
}

// fact is what is known of one object.
type fact[T any] struct {
	version string
	value   T
	// changedAt is when the controller saw a change that matters; zero if it did not.
	changedAt time.Time
}

// at returns what is known of this version of the object.
func (k *known[T]) at(object, version string) (fact[T], bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := k.facts[object]
	return f, ok && f.version == version
}

// learn returns what is known of this version of the object, and finds it out if it is
// not known. changed says, given what was known before, since when it is as it is.
func (k *known[T]) learn(object, version string, find func() T, changed func(before *fact[T], value T) time.Time) fact[T] {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, ok := k.facts[object]
	if ok && before.version == version {
		return before
	}
	f := fact[T]{version: version, value: find()}
	if ok {
		f.changedAt = changed(&before, f.value)
	}
	k.put(object, f)
	return f
}

// set replaces what is known of the object, and tells whether it was of another version.
func (k *known[T]) set(object, version string, value T) (news bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.facts[object]
	k.put(object, fact[T]{version: version, value: value})
	return before.version != version
}

func (k *known[T]) put(object string, f fact[T]) {
	if k.facts == nil {
		k.facts = map[string]fact[T]{}
	}
	k.facts[object] = f
}

// forget drops what is known of an object that does not matter any more.
func (k *known[T]) forget(object string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.facts, object)
}

// keep forgets all objects but those that are wanted.
func (k *known[T]) keep(wanted func(object string) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for object := range k.facts {
		if !wanted(object) {
			delete(k.facts, object)
		}
	}
}

// knowledge is all that is known of objects.
type knowledge struct {
	// secrets are the credential Secrets by their names, configs the rendered
	// MachineConfigs, custom the texts of custom content by pool. There is one trust
	// bundle and one ConfigMap with settings.
	secrets  known[secretFound]
	configs  known[configFound]
	custom   known[plan.CustomContent]
	bundle   known[trustBundle]
	around   known[plan.Surroundings]
	nodes    known[nodeCredentials]
	settings known[settingsFound]
	release  known[releaseFound]
	// What follows is of pools that MachineOSConfigs opt in.
	machineOS       known[settingsFound]
	machineOSCustom known[plan.CustomContent]
}

// secretFound is what reading a credential Secret brought to light.
type secretFound struct {
	credentials inputs.Credentials
	problem     *inputs.Problem
}

// configFound is what reading a config, and the custom content that goes with it, brought
// to light. It is kept for configs only that cannot be built from, or that hold what
// looks like a credential.
type configFound struct {
	problem *inputs.Problem
	warning string
	refusal *inputs.Problem
}

// buildContext makes the files that a build reads, and says what it found on the
// way. A config that cannot be built from has none.
func buildContext(config *mcfgv1.MachineConfig, effect plan.LoadConfig) ([]imagebuilder.File, configFound) {
	var found configFound
	parsed, problem := content.Parse(config.Name, config.Spec.Config.Raw)
	if problem != nil {
		found.problem = problem
		return nil, found
	}
	credentials := slices.Concat(parsed.Findings, content.Scan(inputs.CustomObject+", key "+effect.Pool, []byte(effect.Custom.Text())))
	found.warning = content.Warning(config.Name, credentials)
	found.refusal = content.Refusal(config.Name, credentials)
	archive, problem := content.Pack(config, parsed, effect.TrustBundle)
	if problem != nil {
		found.problem = problem
		return nil, found
	}
	files := make([]imagebuilder.File, 0, len(archive.Pieces))
	for _, piece := range archive.Pieces {
		files = append(files, imagebuilder.File{Name: piece.Name, Data: piece.Data})
	}
	return files, found
}

// Contexts remember what builds read, by what it was made of. Controllers that meet the same
// configs over and over share them: those of a simulation. In production a config is built
// from once, as a rule; the contexts there are nil, and remember nothing.
type Contexts struct{ made sync.Map }

// contextSource is all that decides a build's files.
type contextSource struct{ config, content, pool, custom, bundle string }

type madeContext struct {
	files []imagebuilder.File
	found configFound
}

// of makes the files that a build reads. They must not be changed.
func (c *Contexts) of(config *mcfgv1.MachineConfig, effect plan.LoadConfig) ([]imagebuilder.File, configFound) {
	if c == nil {
		return buildContext(config, effect)
	}
	source := contextSource{config.Name, string(config.Spec.Config.Raw), effect.Pool, effect.Custom.Text(), string(effect.TrustBundle)}
	if made, ok := c.made.Load(source); ok {
		return made.(madeContext).files, made.(madeContext).found
	}
	files, found := buildContext(config, effect)
	c.made.Store(source, madeContext{files, found})
	return files, found
}

type trustBundle struct {
	certificates []byte
	hash         string
	problem      *inputs.Problem
}

type nodeCredentials struct {
	credentials inputs.Credentials
	known       bool
}

type settingsFound struct {
	plan.Settings
	// spec tells specs of MachineOSConfigs apart.
	spec string
}

// releaseFound is the image of the release to build with, or why there is none.
type releaseFound struct{ image, why string }

// releaseImage parses the ConfigMap of the operator's images.
func (k *knowledge) releaseImage(configMap *corev1.ConfigMap) (image, why string) {
	found := k.release.learn(the, string(configMap.UID)+configMap.ResourceVersion, func() (found releaseFound) {
		found.image, found.why = inputs.ReleaseBuilderImage(configMap)
		return found
	}, func(before *fact[releaseFound], _ releaseFound) time.Time { return before.changedAt }).value
	return found.image, found.why
}

// the is the one object of its kind.
const the = ""

// settingsOf parses the ConfigMap.
func (k *knowledge) settingsOf(configMap *corev1.ConfigMap, now time.Time) fact[settingsFound] {
	return k.settings.learn(the, string(configMap.UID)+configMap.ResourceVersion, func() (found settingsFound) {
		found.Exists, found.Version = true, inputs.DataVersion(configMap.Data)
		found.Values, found.Problems = inputs.ReadSettings(configMap)
		return found
	}, func(before *fact[settingsFound], found settingsFound) time.Time {
		// Settings that were mended after they could not be built with were waited for
		// long enough.
		if len(before.value.Problems) == 0 && before.value.Values.FinalImageRepository != found.Values.FinalImageRepository {
			return now
		}
		return before.changedAt
	})
}

// settingsOfMachineOS checks the spec of a MachineOSConfig, together with the ConfigMap, nil
// for none. The spec as a whole decides the image.
func (k *knowledge) settingsOfMachineOS(pool string, config *ledger.MachineOSConfig, configMap *corev1.ConfigMap, now time.Time) fact[settingsFound] {
	spec := string(config.UID) + " " + config.Version()
	version := spec
	if configMap != nil {
		version += " " + inputs.DataVersion(configMap.Data)
	}
	return k.machineOS.learn(pool, version, func() (found settingsFound) {
		found.Exists, found.Version = true, inputs.Hash([]byte(version))[:10]
		found.Values, found.Problems = config.Settings(configMap)
		found.spec = spec
		return found
	}, func(before *fact[settingsFound], found settingsFound) time.Time {
		if len(before.value.Problems) == 0 && before.value.spec != found.spec {
			return now
		}
		return before.changedAt
	})
}

// customOfMachineOS checks the Containerfile of a MachineOSConfig.
func (k *knowledge) customOfMachineOS(pool string, config *ledger.MachineOSConfig) plan.CustomContent {
	return k.machineOSCustom.learn(pool, config.Version(), func() (found plan.CustomContent) {
		found.Value, found.Problem = config.Custom()
		if found.Value.Any() {
			found.Version = inputs.Hash([]byte(found.Value.Text()))
		}
		return found
	}, func(before *fact[plan.CustomContent], _ plan.CustomContent) time.Time { return before.changedAt }).value
}

// customOf parses the custom content of a pool in the ConfigMap, nil for none.
func (k *knowledge) customOf(pool string, configMap *corev1.ConfigMap, now time.Time) fact[plan.CustomContent] {
	version := ""
	if configMap != nil {
		version = configMap.Data[pool]
		if content, ok := configMap.BinaryData[pool]; ok {
			version = "binary " + inputs.Hash(content)
		}
	}
	return k.custom.learn(pool, version, func() (found plan.CustomContent) {
		found.Value, found.Problem = inputs.ReadCustom(pool, configMap)
		if found.Value.Any() {
			found.Version = inputs.Hash([]byte(found.Value.Text()))
		}
		return found
	}, func(before *fact[plan.CustomContent], _ plan.CustomContent) time.Time {
		// Text that was mended was waited for long enough.
		if before.value.Problem != nil {
			return time.Time{}
		}
		return now
	})
}

// bundleOf parses the additional trust bundle.
func (k *knowledge) bundleOf(controllerConfig *mcfgv1.ControllerConfig, now time.Time) fact[trustBundle] {
	return k.bundle.learn(the, string(controllerConfig.UID)+controllerConfig.ResourceVersion, func() (found trustBundle) {
		found.certificates, found.problem = inputs.ParseTrustBundle(controllerConfig.Spec.AdditionalTrustBundle)
		found.hash = inputs.Hash(found.certificates)
		return found
	}, func(before *fact[trustBundle], found trustBundle) time.Time {
		if before.value.problem == nil && before.value.hash != found.hash {
			return now
		}
		return before.changedAt
	})
}

// surroundingsOf reads what builds run in.
func (k *knowledge) surroundingsOf(controllerConfig *mcfgv1.ControllerConfig) plan.Surroundings {
	return k.around.learn(the, string(controllerConfig.UID)+controllerConfig.ResourceVersion, func() (found plan.Surroundings) {
		if proxy := controllerConfig.Spec.Proxy; proxy != nil {
			found.Proxy = imagebuilder.Proxy{HTTP: proxy.HTTPProxy, HTTPS: proxy.HTTPSProxy, No: proxy.NoProxy}
		}
		found.RegistryCAs = registryCAs(controllerConfig)
		if found.Proxy != (imagebuilder.Proxy{}) || len(found.RegistryCAs) > 0 {
			found.Version = inputs.Hash(fmt.Appendf(nil, "%q", found))[:8]
		}
		return found
	}, func(*fact[plan.Surroundings], plan.Surroundings) time.Time { return time.Time{} }).value
}

// registryCAs are what nodes trust for single registries, by host. What is there twice nodes
// write twice, so the last one counts. The names of files are keys of a ConfigMap, which
// cannot have the colon before a port.
func registryCAs(controllerConfig *mcfgv1.ControllerConfig) []imagebuilder.RegistryCA {
	byHost := map[string][]byte{}
	for _, bundle := range slices.Concat(controllerConfig.Spec.ImageRegistryBundleData, controllerConfig.Spec.ImageRegistryBundleUserData) {
		byHost[strings.ReplaceAll(bundle.File, "..", ":")] = bundle.Data
	}
	var found []imagebuilder.RegistryCA
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		found = append(found, imagebuilder.RegistryCA{Host: host, PEM: byHost[host]})
	}
	return found
}

// nodesOf reads what nodes pull with.
func (k *knowledge) nodesOf(controllerConfig *mcfgv1.ControllerConfig) nodeCredentials {
	return k.nodes.learn(the, string(controllerConfig.UID)+controllerConfig.ResourceVersion, func() (found nodeCredentials) {
		found.credentials, found.known = inputs.ReadNodeCredentials(controllerConfig.Spec.InternalRegistryPullSecret)
		return found
	}, func(*fact[nodeCredentials], nodeCredentials) time.Time { return time.Time{} }).value
}

// configAt is what is known of this version of a rendered MachineConfig and its custom
// content.
func (k *knowledge) configAt(name, version string) configFound {
	f, ok := k.configs.at(name, version)
	if !ok {
		return configFound{}
	}
	return f.value
}

// learnConfig tells whether what was found is news.
func (k *knowledge) learnConfig(name, version string, found configFound) (news bool) {
	if found.problem == nil && found.warning == "" {
		k.configs.forget(name)
		return false
	}
	return k.configs.set(name, version, found)
}

// firstSeen are the instants of clocks that run ahead, and when they were seen first.
func (m *memory) firstSeen(pool string) map[int64]time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.of(pool).firstSeen)
}

// noteAhead remembers which instants lie in the future, and forgets the others.
func (m *memory) noteAhead(pool string, ahead []time.Time, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	before := r.firstSeen
	r.firstSeen = nil
	for _, at := range ahead {
		seen, known := before[at.UnixNano()]
		if !known || seen.After(now) {
			seen = now
		}
		if r.firstSeen == nil {
			r.firstSeen = map[int64]time.Time{}
		}
		r.firstSeen[at.UnixNano()] = seen
	}
}

// lackingSince is since when the pool lacks a Secret; zero while it does not.
func (m *memory) lackingSince(pool string) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(pool).lackingSince
}

// noteLacking remembers whether the pool lacks a Secret.
func (m *memory) noteLacking(pool string, lacking bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r := m.of(pool); {
	case !lacking:
		r.lackingSince = time.Time{}
	case r.lackingSince.IsZero() || now.Before(r.lackingSince):
		r.lackingSince = now
	}
}
