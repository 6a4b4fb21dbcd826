package common

const (
	// MCONamespace is the namespace of the Machine Config Operator, in which
	// every namespaced object that the controllers read or write lives.
	MCONamespace = "openshift-machine-config-operator"

	// ControllerConfigName is the name of the one ControllerConfig that the
	// controllers read.
	ControllerConfigName = "machine-config-controller"

	// LayeringEnabledPoolLabel opts a MachineConfigPool into image builds when
	// it is present with any value but "false".
	LayeringEnabledPoolLabel = "machineconfiguration.openshift.io/layering-enabled"
)
