package constants

// Labels on a MachineOSBuild, by which others find it.
const (
	// TargetPoolLabel is the pool's name. The node controller looks for it.
	TargetPoolLabel = "machineconfiguration.openshift.io/target-machine-config-pool"

	// RenderedConfigLabel is the name of the rendered MachineConfig.
	RenderedConfigLabel = "machineconfiguration.openshift.io/rendered-machine-config"

	// MachineOSConfigLabel is the name of the MachineOSConfig.
	MachineOSConfigLabel = "machineconfiguration.openshift.io/machine-os-config"

	// PreBuiltImageLabel, with the value true, keeps the operator's own builder from starting
	// a build for the MachineOSBuild. Nothing else reads it.
	PreBuiltImageLabel = "machineconfiguration.openshift.io/pre-built-image"
)

// Annotations on a MachineOSConfig, and on a MachineOSBuild.
const (
	// CurrentBuildAnnotation is the name of the MachineOSBuild that counts for the
	// MachineOSConfig. The node controller removes it when another config is rendered.
	CurrentBuildAnnotation = "machineconfiguration.openshift.io/current-machine-os-build"

	// RebuildAnnotation is written on a MachineOSConfig by administrators: with any value, also
	// an empty one, it has the image built once more. It is taken away when it is acted on,
	// and RebuildRequestedAnnotation comes in its place in the same write.
	RebuildAnnotation = "machineconfiguration.openshift.io/rebuild"

	// PreBuiltImageAnnotation is written on a MachineOSConfig by the installer, or by
	// administrators: the image, by its digest, that the pool begins with. It is taken away
	// when that has been told.
	PreBuiltImageAnnotation = PreBuiltImageLabel

	// PushSecretAnnotation is, on a MachineOSBuild, the name of the Secret that its image was
	// pushed with.
	PushSecretAnnotation = "machineconfiguration.openshift.io/rendered-image-push-secret"
)
