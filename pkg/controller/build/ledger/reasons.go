package ledger

// Reasons of a pool's build condition and of the events on the pool. Each says
// why the pool is in its state.
const (
	// ReasonNoRenderedConfig means: spec.configuration.name of the pool is empty.
	ReasonNoRenderedConfig = "NoRenderedConfig"
	// ReasonRenderedConfigMissing means: the MachineConfig that the pool wants does not exist.
	ReasonRenderedConfigMissing = "RenderedConfigMissing"
	// ReasonRenderedConfigInvalid means: the MachineConfig's content cannot be built from.
	ReasonRenderedConfigInvalid = "RenderedConfigInvalid"
	// ReasonConfigMapMissing means: machine-os-builder-config does not exist.
	ReasonConfigMapMissing = "ConfigMapMissing"
	// ReasonConfigMapInvalid means: keys of machine-os-builder-config are missing or malformed.
	ReasonConfigMapInvalid = "ConfigMapInvalid"
	// ReasonControllerConfigMissing means: the base image is to come from the ControllerConfig, which does not exist.
	ReasonControllerConfigMissing = "ControllerConfigMissing"
	// ReasonBaseImageUnknown means: neither the MachineConfig nor the ControllerConfig names a base image.
	ReasonBaseImageUnknown = "BaseImageUnknown"
	// ReasonBaseImageInvalid means: the base image's pullspec is malformed.
	ReasonBaseImageInvalid = "BaseImageInvalid"
	// ReasonExtensionsImageInvalid means: packages are asked for, and there is no valid image that has them.
	ReasonExtensionsImageInvalid = "ExtensionsImageInvalid"
	// ReasonTrustBundleInvalid means: the ControllerConfig's additional trust bundle is malformed.
	ReasonTrustBundleInvalid = "TrustBundleInvalid"
	// ReasonCustomContentInvalid means: the administrators' Containerfile text for the pool cannot be built.
	ReasonCustomContentInvalid = "CustomContentInvalid"
	// ReasonCredentialsInConfig means: the config holds what looks like a credential, and the settings refuse that.
	ReasonCredentialsInConfig = "CredentialsInConfig"
	// ReasonRepositoriesInvalid means: the administrators' repositories lack the one that the packages come from.
	ReasonRepositoriesInvalid = "RepositoriesInvalid"
	// ReasonSecretMissing means: a Secret that the settings name does not exist.
	ReasonSecretMissing = "SecretMissing"
	// ReasonSecretInvalid means: a Secret that the settings name holds no usable credentials.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonPoolPaused means: the pool is paused; no build is started.
	ReasonPoolPaused = "PoolPaused"
	// ReasonRenderDegraded means: the pool's config cannot be rendered; what it wants may be stale.
	ReasonRenderDegraded = "RenderDegraded"
	// ReasonBuilderUnavailable means: the backend is not installed or does not answer.
	ReasonBuilderUnavailable = "BuilderUnavailable"
	// ReasonBuilderImageUnknown means: Jobs are to build, and no image is known that they can build with.
	ReasonBuilderImageUnknown = "BuilderImageUnknown"
	// ReasonBuilderRefused means: the backend refuses to create the build.
	ReasonBuilderRefused = "BuilderRefused"
	// ReasonRequestRefused means: the API server refuses a request, or keeps failing it.
	ReasonRequestRefused = "RequestRefused"
	// ReasonInputsChanging means: the build starts when its inputs stop changing.
	ReasonInputsChanging = "InputsChanging"
	// ReasonQueued means: as many builds run as the settings allow.
	ReasonQueued = "Queued"
	// ReasonNameTaken means: an object that is not ours has the name of the build.
	ReasonNameTaken = "NameTaken"
	// ReasonSeveralMachineOSConfigs means: more than one MachineOSConfig refers to the pool.
	ReasonSeveralMachineOSConfigs = "SeveralMachineOSConfigs"
	// ReasonPoolMissing means: the pool that a MachineOSConfig refers to does not exist.
	ReasonPoolMissing = "PoolMissing"
	// ReasonMachineOSConfigInvalid means: the spec of the MachineOSConfig names what cannot exist.
	ReasonMachineOSConfigInvalid = "MachineOSConfigInvalid"
	// ReasonPushSpecInvalid means: the image cannot be pushed there, or its digest cannot be written to the status.
	ReasonPushSpecInvalid = "PushSpecInvalid"
	// ReasonBuilderTypeUnknown means: the MachineOSConfig asks for a type of builder that is not known.
	ReasonBuilderTypeUnknown = "BuilderTypeUnknown"
	// ReasonOtherBuilder means: MachineOSConfigs are the operator's own builder's, as long as that may be at work.
	ReasonOtherBuilder = "OtherBuilder"

	// ReasonInternal means: the controller contradicts itself.
	ReasonInternal = "Internal"

	// ReasonBuildCreated means: the build exists and has not begun to run.
	ReasonBuildCreated = "BuildCreated"
	// ReasonBuildStuck means: the build exists and has not begun to run for minutes.
	ReasonBuildStuck = "BuildStuck"
	// ReasonRetryScheduled means: an attempt failed for a passing reason; the next one is due at a known time.
	ReasonRetryScheduled = "RetryScheduled"
	// ReasonBuildRunning means: the build is at work.
	ReasonBuildRunning = "BuildRunning"
	// ReasonImagePublished means: the image of the wanted config is on the pool.
	ReasonImagePublished = "ImagePublished"
	// ReasonBuildFailed means: the build failed, and trying the same again is of no use.
	ReasonBuildFailed = "BuildFailed"
	// ReasonAttemptsExhausted means: every attempt failed.
	ReasonAttemptsExhausted = "AttemptsExhausted"
	// ReasonBuildCancelled means: someone cancelled the build.
	ReasonBuildCancelled = "BuildCancelled"
)

// Reasons of the conditions that are False.
const (
	// ReasonNotPending means: no build is waiting.
	ReasonNotPending = "NotPending"
	// ReasonNotBuilding means: no build is running.
	ReasonNotBuilding = "NotBuilding"
	// ReasonNotPublished means: the wanted config's image is not published (yet).
	ReasonNotPublished = "NotPublished"
	// ReasonNotFailed means: the newest build has not failed for good.
	ReasonNotFailed = "NotFailed"
	// ReasonNotInterrupted means: nobody stopped the newest build.
	ReasonNotInterrupted = "NotInterrupted"
)

// Reasons of failures that the controller finds itself, beside the backend's own.
const (
	// FailureNoDigest means: the build succeeded, but the backend lost the image's digest.
	FailureNoDigest = "ImageDigestMissing"
	// FailurePendingTooLong means: the build did not begin to run within its deadline.
	FailurePendingTooLong = "PendingTooLong"
	// FailureRunningTooLong means: the backend did not end the build at its deadline.
	FailureRunningTooLong = "RunningTooLong"
	// FailureSuperseded means: other inputs were wanted before the build ended.
	FailureSuperseded = "Superseded"
	// FailureAltered means: the build is not as the controller made it.
	FailureAltered = "BuildAltered"
	// FailureBuildDeleted means: someone deleted the build before it had an outcome.
	FailureBuildDeleted = "BuildDeleted"
	// FailureInputsTaken means: an object that is not the build's own has the name of its
	// inputs, and no build was made.
	FailureInputsTaken = "InputsTaken"
)

// ReportedReasons are the reasons that the build condition which is True can have.
var ReportedReasons = []string{
	ReasonNoRenderedConfig, ReasonRenderedConfigMissing, ReasonRenderedConfigInvalid, ReasonConfigMapMissing, ReasonConfigMapInvalid,
	ReasonControllerConfigMissing, ReasonBaseImageUnknown, ReasonBaseImageInvalid, ReasonExtensionsImageInvalid, ReasonTrustBundleInvalid,
	ReasonCustomContentInvalid, ReasonCredentialsInConfig, ReasonRepositoriesInvalid, ReasonSecretMissing, ReasonSecretInvalid,
	ReasonPoolPaused, ReasonRenderDegraded, ReasonBuilderUnavailable, ReasonBuilderImageUnknown, ReasonBuilderRefused, ReasonRequestRefused, ReasonInputsChanging, ReasonQueued,
	ReasonNameTaken, ReasonSeveralMachineOSConfigs, ReasonPoolMissing, ReasonMachineOSConfigInvalid, ReasonPushSpecInvalid, ReasonBuilderTypeUnknown,
	ReasonOtherBuilder, ReasonInternal, ReasonBuildCreated, ReasonBuildStuck, ReasonRetryScheduled, ReasonBuildRunning, ReasonImagePublished,
	ReasonBuildFailed, ReasonAttemptsExhausted, ReasonBuildCancelled,
}

// FailureReasons are the reasons of failures that the controller finds itself.
var FailureReasons = []string{
	FailureNoDigest, FailurePendingTooLong, FailureRunningTooLong, FailureSuperseded, FailureAltered, FailureBuildDeleted, FailureInputsTaken,
}
