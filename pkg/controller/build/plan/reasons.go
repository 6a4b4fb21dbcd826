package plan

// Reasons of a pool's build condition and of the events on the pool. Each says
// why the pool is in its state.
const (
	// ReasonNoRenderedConfig: spec.configuration.name of the pool is empty.
	ReasonNoRenderedConfig = "NoRenderedConfig"
	// ReasonRenderedConfigMissing: the MachineConfig that the pool wants does not exist.
	ReasonRenderedConfigMissing = "RenderedConfigMissing"
	// ReasonRenderedConfigInvalid: the MachineConfig's content cannot be built from.
	ReasonRenderedConfigInvalid = "RenderedConfigInvalid"
	// ReasonConfigMapMissing: machine-os-builder-config does not exist.
	ReasonConfigMapMissing = "ConfigMapMissing"
	// ReasonConfigMapInvalid: keys of machine-os-builder-config are missing or malformed.
	ReasonConfigMapInvalid = "ConfigMapInvalid"
	// ReasonControllerConfigMissing: the base image is to come from the ControllerConfig, which does not exist.
	ReasonControllerConfigMissing = "ControllerConfigMissing"
	// ReasonBaseImageUnknown: neither the MachineConfig nor the ControllerConfig names a base image.
	ReasonBaseImageUnknown = "BaseImageUnknown"
	// ReasonBaseImageInvalid: the base image's pullspec is malformed.
	ReasonBaseImageInvalid = "BaseImageInvalid"
	// ReasonSecretMissing: a Secret that the settings name does not exist.
	ReasonSecretMissing = "SecretMissing"
	// ReasonSecretInvalid: a Secret that the settings name holds no usable credentials.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonPoolPaused: the pool is paused; no build is started.
	ReasonPoolPaused = "PoolPaused"
	// ReasonRenderDegraded: the pool's config cannot be rendered; what it wants may be stale.
	ReasonRenderDegraded = "RenderDegraded"
	// ReasonBuilderUnavailable: the backend is not installed or does not answer.
	ReasonBuilderUnavailable = "BuilderUnavailable"
	// ReasonBuilderRefused: the backend refuses to create the build.
	ReasonBuilderRefused = "BuilderRefused"
	// ReasonNameTaken: an object that is not ours has the name of the build or of its inputs.
	ReasonNameTaken = "NameTaken"

	// ReasonBuildCreated: the build exists and has not begun to run.
	ReasonBuildCreated = "BuildCreated"
	// ReasonRetryScheduled: an attempt failed for a passing reason; the next one is due at a known time.
	ReasonRetryScheduled = "RetryScheduled"
	// ReasonBuildRunning: the build is at work.
	ReasonBuildRunning = "BuildRunning"
	// ReasonImagePublished: the image of the wanted config is on the pool.
	ReasonImagePublished = "ImagePublished"
	// ReasonBuildFailed: the build failed, and trying the same again is of no use.
	ReasonBuildFailed = "BuildFailed"
	// ReasonAttemptsExhausted: every attempt failed.
	ReasonAttemptsExhausted = "AttemptsExhausted"
	// ReasonBuildCancelled: someone cancelled the build.
	ReasonBuildCancelled = "BuildCancelled"
)

// Reasons of the conditions that are False.
const (
	// ReasonNotPending: no build is waiting.
	ReasonNotPending = "NotPending"
	// ReasonNotBuilding: no build is running.
	ReasonNotBuilding = "NotBuilding"
	// ReasonNotPublished: the wanted config's image is not published (yet).
	ReasonNotPublished = "NotPublished"
	// ReasonNotFailed: the newest build has not failed for good.
	ReasonNotFailed = "NotFailed"
	// ReasonNotInterrupted: nobody stopped the newest build.
	ReasonNotInterrupted = "NotInterrupted"
)

// Reasons of failures that the controller finds itself, beside the backend's own.
const (
	// FailureNoDigest: the build succeeded, but the backend lost the image's digest.
	FailureNoDigest = "ImageDigestMissing"
	// FailureBuildDeleted: someone deleted the build before it had an outcome.
	FailureBuildDeleted = "BuildDeleted"
)
