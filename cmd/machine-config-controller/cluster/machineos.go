package cluster

import (
	"context"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MachineOS are the MachineOSConfigs and MachineOSBuilds of a cluster.
type MachineOS struct {
	// Served tells that the cluster serves them, and that they could be read.
	Served  bool
	Configs []*mcfgv1.MachineOSConfig
	Builds  []*mcfgv1.MachineOSBuild
}

// MachineOS lists them. A cluster that does not serve them has none.
func (c *Clients) MachineOS(ctx context.Context) (MachineOS, error) {
	configs, err := c.MachineConfiguration.MachineconfigurationV1().MachineOSConfigs().List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return MachineOS{}, nil
	}
	if err != nil {
		return MachineOS{}, Failed(Request{"list", mcfgv1.GroupName, "machineosconfigs"}, "list MachineOSConfigs", err)
	}
	builds, err := c.MachineConfiguration.MachineconfigurationV1().MachineOSBuilds().List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return MachineOS{}, nil
	}
	if err != nil {
		return MachineOS{}, Failed(Request{"list", mcfgv1.GroupName, "machineosbuilds"}, "list MachineOSBuilds", err)
	}
	return MachineOS{Served: true, Configs: pointers(configs.Items), Builds: pointers(builds.Items)}, nil
}
