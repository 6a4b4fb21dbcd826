package buildtest

import (
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Rollout is what the operator's node controller would do about a pool, as far as that follows
// from MachineOSConfigs and MachineOSBuilds.
type Rollout struct {
	// Layered tells that it is about images at all; without it, nodes go back to the base.
	Layered bool
	// Goes tells that nodes are given Image with Config. Else the roll-out waits, or Fails.
	Goes, Fails   bool
	Image, Config string
	// Stale tells that the annotation of the MachineOSConfig is taken away: it names a
	// MachineOSBuild of another config, or none that there is.
	Stale bool
}

// OldRollout applies those of clusters before the end of 2025, where any MachineOSBuild of the
// MachineOSConfig and the config counts, and the annotation does not. None of the matching
// ones may lead astray, since they come in any order.
func (a *API) OldRollout(pool string) []Rollout {
	config, candidates := a.candidates(pool)
	var rollouts []Rollout
	for _, build := range candidates {
		rollouts = append(rollouts, decide(config, build))
	}
	return rollouts
}

// ServesNewNodes tells which image a node that joins boots at once; empty for the base. Any
// MachineOSBuild of the config may be looked at.
func (a *API) ServesNewNodes(pool string) (images []string) {
	config, candidates := a.candidates(pool)
	for _, build := range candidates {
		image := ""
		if config.Status.CurrentImagePullSpec != "" && isTrue(build, mcfgv1.MachineOSBuildSucceeded) {
			image = string(config.Status.CurrentImagePullSpec)
		}
		images = append(images, image)
	}
	return images
}

// candidates are the MachineOSConfig of the pool, nil for none, and its MachineOSBuilds of the
// config that the pool wants.
func (a *API) candidates(pool string) (*mcfgv1.MachineOSConfig, []*mcfgv1.MachineOSBuild) {
	wanted := a.Pool(pool).Spec.Configuration.Name
	var config *mcfgv1.MachineOSConfig
	for _, object := range a.All("machineosconfigs") {
		if c := object.(*mcfgv1.MachineOSConfig); config == nil && c.Spec.MachineConfigPool.Name == pool {
			config = c
		}
	}
	if config == nil {
		return nil, nil
	}
	var builds []*mcfgv1.MachineOSBuild
	for _, build := range a.MachineOSBuilds() {
		if build.Spec.MachineOSConfig.Name == config.Name && build.Spec.MachineConfig.Name == wanted {
			builds = append(builds, build)
		}
	}
	return config, builds
}

// Rollout applies the rules of the node controller to what is stored.
func (a *API) Rollout(pool string) Rollout {
	config, candidates := a.candidates(pool)
	if config == nil {
		return Rollout{}
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
	r := decide(config, build)
	r.Stale = stale
	return r
}

// decide is whether the roll-out may go on.
func decide(config *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) Rollout {
	r := Rollout{Layered: true}
	switch image := config.Status.CurrentImagePullSpec; {
	case build == nil, image == "":
	case isTrue(build, mcfgv1.MachineOSBuildSucceeded) && build.Status.DigestedImagePushSpec == image:
		r.Goes, r.Image, r.Config = true, string(image), build.Spec.MachineConfig.Name
	case isTrue(build, mcfgv1.MachineOSBuildFailed):
		r.Fails = true
	}
	return r
}

func isTrue(build *mcfgv1.MachineOSBuild, progress mcfgv1.BuildProgress) bool {
	return meta.IsStatusConditionTrue(build.Status.Conditions, string(progress))
}
