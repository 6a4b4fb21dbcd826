package buildtest

import (
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest/rollout"
)

// OldRollout is Rollout by the rules of clusters before the end of 2025, where any
// MachineOSBuild of the MachineOSConfig and the config counts, and the annotation does not.
// None of the matching ones may lead astray, since they come in any order.
func (a *API) OldRollout(pool string) []rollout.Decision {
	config, candidates := a.candidates(pool)
	var decisions []rollout.Decision
	for _, build := range candidates {
		decisions = append(decisions, rollout.By(config, build))
	}
	return decisions
}

// ServesNewNodes tells which image a node that joins boots at once; empty for the base. Any
// MachineOSBuild of the config may be looked at.
func (a *API) ServesNewNodes(pool string) (images []string) {
	config, candidates := a.candidates(pool)
	for _, build := range candidates {
		images = append(images, rollout.Served(config, build))
	}
	return images
}

// Rollout applies the rules of the node controller to what is stored.
func (a *API) Rollout(pool string) rollout.Decision {
	return rollout.Decide(a.candidates(pool))
}

// candidates are the MachineOSConfig of the pool, nil for none, and its MachineOSBuilds of the
// config that the pool wants.
func (a *API) candidates(pool string) (*mcfgv1.MachineOSConfig, []*mcfgv1.MachineOSBuild) {
	var configs []*mcfgv1.MachineOSConfig
	for _, object := range a.Stored("machineosconfigs") {
		configs = append(configs, object.(*mcfgv1.MachineOSConfig))
	}
	var builds []*mcfgv1.MachineOSBuild
	for _, object := range a.Stored("machineosbuilds") {
		builds = append(builds, object.(*mcfgv1.MachineOSBuild))
	}
	stored := a.Pool(pool)
	config := rollout.ConfigOf(stored, configs)
	return config, rollout.Candidates(stored, config, builds)
}
