package build

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

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
