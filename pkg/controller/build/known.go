package build

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
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

// settings remembers the ConfigMap as it was parsed last, so that it is parsed
// once per version, and what the version before it wanted.
type settings struct {
	mu              sync.Mutex
	resourceVersion string
	parsed          plan.Settings
	changedAt       time.Time
	// uid is the ConfigMap's.
	uid types.UID
	// unknown are keys that were not announced yet.
	unknown []string
}

// of returns what the ConfigMap says, and when it was seen to change what an image is.
func (s *settings) of(configMap *corev1.ConfigMap, now time.Time) (parsed plan.Settings, changedAt time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version := string(configMap.UID) + configMap.ResourceVersion; s.resourceVersion != version || !s.parsed.Exists {
		before := s.parsed
		s.resourceVersion, s.uid = version, configMap.UID
		s.parsed = plan.Settings{Exists: true, Version: inputs.DataVersion(configMap.Data)}
		s.parsed.Values, s.parsed.Problems = inputs.ParseSettings(configMap.Data)
		s.unknown = inputs.UnknownKeys(configMap.Data)
		// Settings that were mended after they could not be built with were waited for
		// long enough.
		if before.Exists && len(before.Problems) == 0 && before.Values.FinalImageRepository != s.parsed.Values.FinalImageRepository {
			s.changedAt = now
		}
	}
	return s.parsed, s.changedAt
}

// announcement returns the unknown keys, once per version of the ConfigMap, whose
// UID comes with them.
func (s *settings) announcement() (types.UID, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := s.unknown
	s.unknown = nil
	return s.uid, unknown
}
