package doctor

import (
	"fmt"
	"slices"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// MachineOS are the MachineOSConfigs and MachineOSBuilds of the cluster, and what the
// controller is to do with them.
type MachineOS struct {
	// Served tells that the cluster serves them. Where it does not, there are none.
	Served  bool
	Configs []*mcfgv1.MachineOSConfig
	Builds  []*mcfgv1.MachineOSBuild
	// Gate tells that the controller's Deployment turns MachineOSConfigs on.
	Gate bool
}

// configsOf are the MachineOSConfigs that refer to the pool.
func (m *MachineOS) configsOf(pool string) []*mcfgv1.MachineOSConfig {
	return status.ConfigsOf(pool, m.Configs)
}

const (
	operatorObject = "ClusterOperator machine-config"
	addComponent   = "add the component hack/deploy/machine-os-configs to your overlay, and apply it"
)

func machineOSBuildObject(name string) string { return "MachineOSBuild " + name }

// machineOS looks at what MachineOSConfigs and MachineOSBuilds say, and at whom they refer to.
func (x *examination) machineOS() {
	if !x.MachineOS.Served {
		return
	}
	for _, config := range x.MachineOS.Configs {
		x.poolOfConfig(config)
	}
	for _, pool := range x.Pools {
		if pool.DeletionTimestamp == nil {
			x.optedInTwice(pool)
			x.stateOfMachineOS(pool)
		}
	}
	for _, build := range x.MachineOS.Builds {
		x.machineOSBuild(build)
	}
	x.labelAlone()
}

func (x *examination) poolOfConfig(config *mcfgv1.MachineOSConfig) {
	name := config.Spec.MachineConfigPool.Name
	if slices.ContainsFunc(x.Pools, func(pool *mcfgv1.MachineConfigPool) bool { return pool.Name == name }) || !x.isOld(config.CreationTimestamp.Time) {
		return
	}
	x.find(Error, ledger.ReasonPoolMissing, inputs.MachineOSConfigObject(config.Name),
		fmt.Sprintf("refers to %s (spec.machineConfigPool.name), which does not exist, so nothing is built, and %s is Degraded", poolObject(name), operatorObject),
		"create the pool, or remove what is for it: oc delete machineosconfig "+config.Name)
}

// optedInTwice tells of a pool that more than one thing opts in.
func (x *examination) optedInTwice(pool *mcfgv1.MachineConfigPool) {
	configs := x.MachineOS.configsOf(pool.Name)
	if len(configs) > 1 {
		names := make([]string, 0, len(configs))
		for _, config := range configs {
			names = append(names, config.Name)
		}
		x.find(Error, ledger.ReasonSeveralMachineOSConfigs, poolObject(pool.Name),
			fmt.Sprintf("is referred to by MachineOSConfigs %s (spec.machineConfigPool.name), and only one may; nothing is built", strings.Join(names, ", ")),
			"keep one, and delete the others: oc delete machineosconfig <name>")
	}
	if len(configs) > 0 && ledger.IsLayered(pool) {
		x.find(Warning, "LabelAndMachineOSConfig", poolObject(pool.Name),
			fmt.Sprintf("has the label %s beside %s, which alone counts. While any pool has the label, the operator copies no entitlement for pools without it",
				ctrlcommon.LayeringEnabledPoolLabel, inputs.MachineOSConfigObject(configs[0].Name)),
			"take the label away: "+unlabel(pool.Name))
	}
}

func unlabel(pool string) string {
	return "oc label machineconfigpool " + pool + " " + ctrlcommon.LayeringEnabledPoolLabel + "-"
}

// stateOfMachineOS tells of a build that came to nothing, and of one that nobody begins.
func (x *examination) stateOfMachineOS(pool *mcfgv1.MachineConfigPool) {
	configs := x.MachineOS.configsOf(pool.Name)
	if len(configs) != 1 {
		return
	}
	row, object := x.rows[pool.Name], inputs.MachineOSConfigObject(configs[0].Name)
	if row.Refusal != "" {
		x.find(Error, ledger.ReasonRequestRefused, object, "is not served as it is to be: "+row.Refusal, seeController)
	}
	decided := x.ByMachineOS(pool) && x.holdOfMachineOS(pool, configs[0].Name, &row)
	again := fmt.Sprintf("oc annotate --overwrite machineosconfig %s %s=", configs[0].Name, constants.RebuildAnnotation)
	switch row.State {
	case ledger.StateFailed:
		if decided && !isOfBuild(row.Reason) {
			// That is what it failed for.
			return
		}
		x.find(Error, "BuildFailed", object, fmt.Sprintf("has no image of %s: %s says: %s", row.Config, machineOSBuildObject(row.MachineOSBuild.Name), row.Message),
			"mend what it names, and build again: "+again)
	case ledger.StateStuck:
		x.find(Error, "BuildStuck", object, "waits for a build that does not begin to run: "+row.Message, "see what keeps its pod from running: "+inNamespace+"get pods,events")
	case ledger.StateInterrupted:
		x.find(Warning, "BuildCancelled", object, "has no image of "+row.Config+", since someone cancelled its build", "have it built: "+again)
	case ledger.StateNotReported:
		if x.isSettled(pool) && x.isOld(configs[0].CreationTimestamp.Time) {
			x.find(Error, "NotReported", object, "has no MachineOSBuild that tells of "+row.Config+", which its pool wants", x.seeBuilder())
		}
	}
}

// seeBuilder is what to do where nobody has taken notice of a MachineOSConfig.
func (x *examination) seeBuilder() string {
	if slices.ContainsFunc(x.Denied, isSightOfMachineOS) {
		return "grant the controller what it lacks to see it: " + grantMachineOS
	}
	if x.MachineOS.Gate {
		return "see who holds the Lease of the operator's own builder, and what the controller's log says:\n" +
			inNamespace + "get lease machine-os-builder; " + inNamespace + "logs deployment/" + constants.ControllerName
	}
	return "it is for the operator's own builder: " + inNamespace + "logs deployment/machine-os-builder\nto have the BuildController serve it, " + addComponent
}

// machineOSBuild looks for one whose MachineOSConfig is gone, and that nobody removed with it.
func (x *examination) machineOSBuild(build *mcfgv1.MachineOSBuild) {
	if !x.isOld(build.CreationTimestamp.Time) || build.DeletionTimestamp != nil {
		return
	}
	owner := metav1.GetControllerOf(build)
	for _, config := range x.MachineOS.Configs {
		if config.Name == build.Spec.MachineOSConfig.Name && (owner == nil || owner.UID == config.UID) {
			return
		}
	}
	x.find(Error, "Orphaned", machineOSBuildObject(build.Name), "is of "+inputs.MachineOSConfigObject(build.Spec.MachineOSConfig.Name)+", which does not exist any more, or was created anew since",
		"oc delete machineosbuild "+build.Name)
}

// labelAlone tells what the label does on a cluster that serves MachineOSConfigs: its operator
// reads it as well.
func (x *examination) labelAlone() {
	var pools []string
	for _, pool := range x.Pools {
		if _, labelled := pool.Labels[ctrlcommon.LayeringEnabledPoolLabel]; labelled && pool.DeletionTimestamp == nil && len(x.MachineOS.configsOf(pool.Name)) == 0 {
			pools = append(pools, pool.Name)
		}
	}
	if len(pools) == 0 {
		return
	}
	repair := "create a MachineOSConfig for each of the pools, and take the label away: " + unlabel("<pool>")
	if !x.MachineOS.Gate {
		repair += "\nto have the BuildController serve them, " + addComponent
	}
	x.find(Warning, "LabelWithoutMachineOSConfig", operatorObject,
		fmt.Sprintf("is Degraded (MachineOSBuilderFailed) from 4.18 on, as long as a pool has the label %s, with any value, and no MachineOSConfig, though the cluster serves these: %s. "+
			"Nodes of such a pool do not get its image, and its ImageBuildDegraded is the node controller's, which tells of no build there",
			ctrlcommon.LayeringEnabledPoolLabel, strings.Join(pools, ", ")), repair)
}
