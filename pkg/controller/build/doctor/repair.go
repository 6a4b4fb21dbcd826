package doctor

import (
	"fmt"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

const (
	inNamespace = "oc -n " + ctrlcommon.MCONamespace + " "

	editSettings = inNamespace + "edit configmap " + constants.ConfigMapName
	editCustom   = inNamespace + "edit configmap " + inputs.CustomConfigMapName

	editRepositories = inNamespace + "edit configmap " + inputs.RepositoriesConfigName

	// seeController is what to do where a controller at work would have done something.
	seeController = "see that the controller runs, with --feature-gates OnClusterBuild=true, and what its log says of the pool:\n" +
		inNamespace + "get pods; " + inNamespace + "logs deployment/" + constants.ControllerName
)

// backendOf is what made the build of that name; of one that is not there, what would make
// it now.
func (x *examination) backendOf(build string) imagebuilder.Backend {
	for i := range x.Builds {
		if x.Builds[i].Object == build {
			return imagebuilder.Of(x.Backend, x.Builds[i].Backend)
		}
	}
	return x.chosen()
}

// chosen is the backend that the settings choose.
func (x *examination) chosen() imagebuilder.Backend {
	name := ""
	if x.Settings != nil {
		settings, _ := inputs.ReadSettings(x.Settings)
		name = settings.Backend
	}
	return imagebuilder.Of(x.Backend, name)
}

func (x *examination) buildObject(name string) string {
	return x.backendOf(name).About().Kind + " " + name
}

func (x *examination) deleteBuild(name string) string {
	return inNamespace + x.backendOf(name).Commands(name).Delete
}

func poolObject(name string) string { return "MachineConfigPool " + name }

func remove(kind, name string) string { return inNamespace + "delete " + kind + " " + name }

func unannotate(pool string, annotations ...string) string {
	command := "oc annotate machineconfigpool " + pool
	for _, annotation := range annotations {
		command += " " + annotation + "-"
	}
	return command
}

// optIn and editPool are what to do about a pool's labels and annotations.
func optIn(pool string) string {
	return fmt.Sprintf("oc label machineconfigpool %s %s=", pool, ctrlcommon.LayeringEnabledPoolLabel)
}

func editPool(pool string) string { return "oc edit machineconfigpool " + pool }

func rebuild(pool string) string {
	return fmt.Sprintf(`oc annotate --overwrite machineconfigpool %s %s="$(date +%%s)"`, pool, constants.RebuildRequestedAnnotation)
}

// repairOf says how a hold ends.
func (x *examination) repairOf(reason, pool, config string) string {
	switch reason {
	case ledger.ReasonPoolPaused:
		return fmt.Sprintf(`oc patch machineconfigpool %s --type merge -p '{"spec":{"paused":false}}'`, pool)
	case ledger.ReasonRenderDegraded:
		return "mend the MachineConfig that the condition RenderDegraded names: oc describe machineconfigpool " + pool
	case ledger.ReasonNoRenderedConfig:
		return "see why no config is rendered for the pool: oc describe machineconfigpool " + pool
	case ledger.ReasonRenderedConfigMissing:
		return fmt.Sprintf("see which there are, and have the pool want one of them, or wait for it to be rendered anew:\n"+
			"oc get machineconfigs | grep rendered-%s; oc describe machineconfigpool %s", pool, pool)
	case ledger.ReasonRenderedConfigInvalid:
		return "mend the MachineConfig that it comes from: oc get machineconfigs; oc get machineconfig " + config + " -o yaml"
	case ledger.ReasonCredentialsInConfig:
		return "take the credential out of the MachineConfig, or allow it by " + constants.RejectCredentialsKey + ": " + editSettings
	case ledger.ReasonSecretInvalid:
		return "create the Secret anew with a login for the registry: " + inNamespace + "create secret docker-registry …, or take the entry out of it"
	case ledger.ReasonRepositoriesInvalid:
		return editRepositories
	case ledger.ReasonControllerConfigMissing, ledger.ReasonBaseImageUnknown, ledger.ReasonBaseImageInvalid, ledger.ReasonExtensionsImageInvalid, ledger.ReasonTrustBundleInvalid:
		return "see what the cluster's operator wrote, and the config that the pool wants:\n" +
			"oc get controllerconfig " + ctrlcommon.ControllerConfigName + " -o yaml; oc get machineconfig " + config + " -o yaml"
	case ledger.ReasonBuilderRefused:
		return "mend the quota, the permission or the admission that the message names; what would be refused is told by\n" +
			"machine-config-controller render-build --pool " + pool + " --server-dry-run"
	case ledger.ReasonNameTaken:
		return "remove the object, or give it another name: " + inNamespace + "get " + x.chosen().About().Resource + ",secrets"
	}
	return "mend what the message names; machine-config-controller render-build --pool " + pool + " tells more"
}
