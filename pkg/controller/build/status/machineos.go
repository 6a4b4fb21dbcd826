package status

import (
	"cmp"
	"slices"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// MachineOSBuild is the one that counts for a pool that a MachineOSConfig opts in.
type MachineOSBuild struct {
	Name string `json:"name"`
	// Condition is the type of the one that is True; empty for none.
	Condition string `json:"condition,omitempty"`
	// Image is the image that it made, by digest.
	Image string `json:"image,omitempty"`
}

// ConfigsOf are the MachineOSConfigs that refer to the pool, by name.
func ConfigsOf(pool string, configs []*mcfgv1.MachineOSConfig) (found []*mcfgv1.MachineOSConfig) {
	for _, config := range configs {
		if config.Spec.MachineConfigPool.Name == pool && config.DeletionTimestamp == nil {
			found = append(found, config)
		}
	}
	slices.SortFunc(found, func(x, y *mcfgv1.MachineOSConfig) int { return cmp.Compare(x.Name, y.Name) })
	return found
}

// CountingBuild is the MachineOSBuild by which the node controller goes: the one that the
// MachineOSConfig names, if it is of the wanted config, or else any that is of both; nil for
// none.
func CountingBuild(config *mcfgv1.MachineOSConfig, wanted string, builds []*mcfgv1.MachineOSBuild) *mcfgv1.MachineOSBuild {
	var counts *mcfgv1.MachineOSBuild
	for _, build := range builds {
		if build.Spec.MachineOSConfig.Name != config.Name || build.Spec.MachineConfig.Name != wanted {
			continue
		}
		if build.Name == config.Annotations[constants.CurrentBuildAnnotation] {
			return build
		}
		if counts == nil || build.Name < counts.Name {
			counts = build
		}
	}
	return counts
}

// machineOS tells where a pool stands that MachineOSConfigs opt in. What its own conditions
// say is for others then.
func (o *Objects) machineOS(p *Pool, configs []*mcfgv1.MachineOSConfig) {
	names := make([]string, 0, len(configs))
	for _, config := range configs {
		names = append(names, config.Name)
	}
	p.OptedIn, p.MachineOSConfig = true, strings.Join(names, ", ")
	p.Image, p.ImageConfig, p.ImageCurrent, p.State, p.Since, p.Refusal = "", "", false, ledger.StateNotReported, nil, ""
	if len(configs) > 1 {
		p.State, p.Reason = ledger.StateHeld, ledger.ReasonSeveralMachineOSConfigs
		p.Message = "MachineOSConfigs " + p.MachineOSConfig + " refer to the pool, and only one may."
		return
	}
	config := configs[0]
	p.Refusal = ledger.RefusalOn(config)
	p.Image = string(config.Status.CurrentImagePullSpec)
	p.ImageConfig = o.configOf(config)
	build := CountingBuild(config, p.Config, o.MachineOSBuilds)
	if build == nil {
		p.Since = timeOf(config.CreationTimestamp.Time)
		p.NeedsAttention = p.Refusal != "" || o.Now.Sub(config.CreationTimestamp.Time) > silence
		return
	}
	p.MachineOSBuild = &MachineOSBuild{
		Name: build.Name, Condition: string(ledger.ProgressOf(&build.Status)), Image: string(build.Status.DigestedImagePushSpec),
	}
	p.ImageCurrent = p.Image != "" && p.Image == p.MachineOSBuild.Image && p.MachineOSBuild.Condition == string(mcfgv1.MachineOSBuildSucceeded)
	told := ledger.ReadMachineOSBuild(build)
	p.State, p.Reason, p.Message, p.Since, p.Build = told.State, told.Reason, told.Message, timeOf(told.Since), told.Build
	if p.State == ledger.StateNotReported {
		p.Since = timeOf(build.CreationTimestamp.Time)
	}
	p.NeedsAttention = p.Refusal != "" || p.State == ledger.StateFailed || p.State == ledger.StateStuck ||
		p.State == ledger.StateNotReported && p.Since != nil && o.Now.Sub(p.Since.Time) > silence
}

// configOf is the config that the image on the MachineOSConfig was built from; empty if that is
// not known any more.
func (o *Objects) configOf(config *mcfgv1.MachineOSConfig) string {
	image := config.Status.CurrentImagePullSpec
	for _, build := range o.MachineOSBuilds {
		named := config.Status.MachineOSBuild != nil && config.Status.MachineOSBuild.Name == build.Name
		if named && image != "" && build.Status.DigestedImagePushSpec == image {
			return build.Spec.MachineConfig.Name
		}
	}
	return ""
}
