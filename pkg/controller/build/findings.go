package build

import (
	"sync"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// findings remembers what reading an object in full brought to light, by the
// version that was read, so that an object is read again only when it changed.
// It is a cache: losing it costs reads, nothing else. It holds no content.
type findings struct {
	mu      sync.Mutex
	secrets map[string]secretFinding
	configs map[string]configFinding
}

type secretFinding struct {
	resourceVersion string
	registries      []string
	problem         *inputs.Problem
}

// configFinding is kept for configs only that cannot be built from, or that hold what
// looks like a credential.
type configFinding struct {
	// version is that of the config and of the custom content.
	version string
	problem *inputs.Problem
	warning string
	refusal *inputs.Problem
}

func newFindings() *findings {
	return &findings{secrets: map[string]secretFinding{}, configs: map[string]configFinding{}}
}

// secret returns what is known of this version of a Secret.
func (f *findings) secret(name, resourceVersion string) (secretFinding, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	finding, ok := f.secrets[name]
	return finding, ok && finding.resourceVersion == resourceVersion
}

func (f *findings) setSecret(name string, finding secretFinding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets[name] = finding
}

// config returns what is known of this version of a rendered MachineConfig.
func (f *findings) config(name, version string) configFinding {
	f.mu.Lock()
	defer f.mu.Unlock()
	if finding, ok := f.configs[name]; ok && finding.version == version {
		return finding
	}
	return configFinding{}
}

// setConfig tells whether the finding is news.
func (f *findings) setConfig(name string, finding configFinding) (news bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if finding.problem == nil && finding.warning == "" {
		delete(f.configs, name)
		return false
	}
	known := f.configs[name]
	f.configs[name] = finding
	return known.version != finding.version
}

// dropConfigs forgets the configs that no pool wants any more.
func (f *findings) dropConfigs(wanted func(name string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.configs {
		if !wanted(name) {
			delete(f.configs, name)
		}
	}
}
