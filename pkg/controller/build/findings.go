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

// configFinding is kept for configs that cannot be built from only.
type configFinding struct {
	resourceVersion string
	problem         *inputs.Problem
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

// config returns what is wrong with this version of a rendered MachineConfig.
func (f *findings) config(name, resourceVersion string) *inputs.Problem {
	f.mu.Lock()
	defer f.mu.Unlock()
	if finding, ok := f.configs[name]; ok && finding.resourceVersion == resourceVersion {
		return finding.problem
	}
	return nil
}

func (f *findings) setConfig(name, resourceVersion string, problem *inputs.Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if problem == nil {
		delete(f.configs, name)
		return
	}
	f.configs[name] = configFinding{resourceVersion: resourceVersion, problem: problem}
}
