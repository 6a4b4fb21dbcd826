package doctor

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/doctor"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// gatherGate finds out whether the controller goes by MachineOSConfigs: by the arguments of its
// Deployment. Without one, or where it may not be read, it is taken not to.
func (e examiner) gatherGate(ctx context.Context) (on, known bool) {
	deployment, err := e.Kube.AppsV1().Deployments(ctrlcommon.MCONamespace).Get(ctx, constants.ControllerName, metav1.GetOptions{})
	if err != nil {
		return false, false
	}
	for i := range deployment.Spec.Template.Spec.Containers {
		for _, arg := range deployment.Spec.Template.Spec.Containers[i].Args {
			// The value of the flag may be an argument of its own.
			if strings.Contains(arg, "MachineOSConfigs=true") {
				return true, true
			}
		}
	}
	return false, true
}

// lookAtMachineOS lists MachineOSConfigs and MachineOSBuilds, where the cluster serves them.
func (e examiner) lookAtMachineOS(ctx context.Context, d *doctorObjects, a *access) error {
	found, err := e.MachineOS(ctx)
	if apierrors.IsForbidden(err) {
		d.left = append(d.left, "MachineOSConfigs and MachineOSBuilds: these credentials may not list them")
		return nil
	}
	if err != nil {
		return err
	}
	d.MachineOS = doctor.MachineOS{Served: found.Served, Configs: found.Configs, Builds: found.Builds, Gate: a.gate}
	if len(found.Configs) > 0 && !a.gateKnown {
		d.left = append(d.left, "whether the controller goes by MachineOSConfigs: Deployment "+constants.ControllerName+", which sets the feature gate, cannot be read; it is taken not to")
	}
	return nil
}
