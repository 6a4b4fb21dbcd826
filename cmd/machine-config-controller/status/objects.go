package status

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
)

// gather reads what the state of pools is told from. Only the pools are
// indispensable; of the rest, notRead says what it could not read.
func gather(ctx context.Context, c *cluster.Clients) (objects status.Objects, notRead []string, err error) {
	if objects.Pools, err = c.Pools(ctx); err != nil {
		return objects, nil, err
	}
	builds, buildsErr := c.Inventory.Builds(ctx)
	configMaps, err := c.ConfigMap(ctx, constants.ConfigMapName)
	if buildsErr = cluster.OfChosen(buildsErr, configMaps); buildsErr == nil {
		objects.Builds, objects.BuildsKnown = observationsOf(builds), true
	} else {
		notRead = append(notRead, notReadBecause("Builds", "ETA and AGE are less exact", buildsErr))
	}
	if err == nil {
		objects.MaxAttempts = maxAttempts(configMaps)
	} else {
		notRead = append(notRead, notReadBecause(inputs.ConfigMapObject, "ATTEMPT does not say of how many", err))
	}
	machineOS, err := c.MachineOS(ctx)
	if err != nil {
		notRead = append(notRead, notReadBecause("MachineOSConfigs", "pools that they opt in are not told of", err))
	}
	objects.MachineOSConfigs, objects.MachineOSBuilds = machineOS.Configs, machineOS.Builds
	return objects, notRead, nil
}

func notReadBecause(what, consequence string, err error) string {
	if apierrors.IsForbidden(err) {
		return fmt.Sprintf("%s: these credentials may not list them, so %s", what, consequence)
	}
	return fmt.Sprintf("%s: %v; %s", what, err, consequence)
}

func observationsOf(builds []imagebuilder.Made) []imagebuilder.Observation {
	observations := make([]imagebuilder.Observation, 0, len(builds))
	for i := range builds {
		if builds[i].Pool != "" {
			observations = append(observations, builds[i].Observation)
		}
	}
	return observations
}

// maxAttempts is what the controller goes by: its defaults, as long as the settings are
// of no use.
func maxAttempts(configMaps []*corev1.ConfigMap) int {
	limits := inputs.DefaultLimits()
	for _, configMap := range configMaps {
		settings, _ := inputs.ReadSettings(configMap)
		limits = settings.Limits
	}
	return limits.MaxAttempts
}
