// Package rollout is the operator's node controller as far as it follows from MachineOSConfigs
// and MachineOSBuilds whether nodes of a pool are given an image, and which one. It is a
// witness for tests, pure, and not part of the controller.
package rollout

import (
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Decision is what the node controller does about a pool.
type Decision struct {
	// Layered tells that it is about images at all; without it, nodes go back to the base.
	Layered bool
	// Goes tells that nodes are given Image with Config. Else the roll-out waits, or Fails.
	Goes, Fails   bool
	Image, Config string
	// Stale tells that the annotation of the MachineOSConfig is taken away: it names a
	// MachineOSBuild of another config, or none that there is.
	Stale bool
}

// ConfigOf is the first MachineOSConfig that refers to the pool; nil for none.
func ConfigOf(pool *mcfgv1.MachineConfigPool, configs []*mcfgv1.MachineOSConfig) *mcfgv1.MachineOSConfig {
	for _, config := range configs {
		if config.Spec.MachineConfigPool.Name == pool.Name {
			return config
		}
	}
	return nil
}

// Candidates are the MachineOSBuilds of the MachineOSConfig, nil for none, and of the config
// that the pool wants.
func Candidates(pool *mcfgv1.MachineConfigPool, config *mcfgv1.MachineOSConfig, builds []*mcfgv1.MachineOSBuild) (candidates []*mcfgv1.MachineOSBuild) {
	if config == nil {
		return nil
	}
	for _, build := range builds {
		if build.Spec.MachineOSConfig.Name == config.Name && build.Spec.MachineConfig.Name == pool.Spec.Configuration.Name {
			candidates = append(candidates, build)
		}
	}
	return candidates
}

// Decide applies the rules to the MachineOSConfig of a pool, nil for none, and its candidates:
// the one that the annotation names counts, and any of them where it names none.
func Decide(config *mcfgv1.MachineOSConfig, candidates []*mcfgv1.MachineOSBuild) Decision {
	if config == nil {
		return Decision{}
	}
	var build *mcfgv1.MachineOSBuild
	current := config.Annotations[constants.CurrentBuildAnnotation]
	for _, candidate := range candidates {
		if candidate.Name == current {
			build = candidate
		}
	}
	stale := current != "" && build == nil
	if build == nil && len(candidates) > 0 {
		build = candidates[0]
	}
	d := By(config, build)
	d.Stale = stale
	return d
}

// By is whether the roll-out may go on by the one MachineOSBuild, nil for none.
func By(config *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) Decision {
	d := Decision{Layered: true}
	switch image := config.Status.CurrentImagePullSpec; {
	case build == nil, image == "":
	case isTrue(build, mcfgv1.MachineOSBuildSucceeded) && build.Status.DigestedImagePushSpec == image:
		d.Goes, d.Image, d.Config = true, string(image), build.Spec.MachineConfig.Name
	case isTrue(build, mcfgv1.MachineOSBuildFailed):
		d.Fails = true
	}
	return d
}

// Served is which image a node that joins boots at once, by the one MachineOSBuild; empty for
// the base.
func Served(config *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) string {
	if !isTrue(build, mcfgv1.MachineOSBuildSucceeded) {
		return ""
	}
	return string(config.Status.CurrentImagePullSpec)
}

func isTrue(build *mcfgv1.MachineOSBuild, progress mcfgv1.BuildProgress) bool {
	return meta.IsStatusConditionTrue(build.Status.Conditions, string(progress))
}
