// Package constants is the one place for the names that users of the
// BuildController meet on their objects: ConfigMap keys, labels and annotations.
package constants

// ControllerName is the name of what runs the BuildController: its Deployment, service
// account and Lease. The operator's own machine-config-controller has others.
const ControllerName = "machine-os-build-controller"

// The ConfigMap that configures the BuildController, and its keys.
const (
	// ConfigMapName is the ConfigMap, in the operator's namespace, from which
	// the BuildController reads its settings.
	ConfigMapName = "machine-os-builder-config"

	// BaseImagePullSecretKey names the Secret with credentials for pulling the
	// base OS image. It may be empty: the node's own credentials are always
	// tried.
	BaseImagePullSecretKey = "baseImagePullSecretName"

	// FinalImagePushSecretKey names the Secret with credentials for pushing the
	// built image.
	FinalImagePushSecretKey = "finalImagePushSecretName"

	// FinalImagePullspecKey is the repository that images are pushed to, as
	// registry/organisation/repository. A tag in it is ignored.
	FinalImagePullspecKey = "finalImagePullspec"

	// RejectCredentialsKey says, by "true", that a config with what looks like a
	// credential is not built.
	RejectCredentialsKey = "rejectCredentials"

	// MaxConcurrentBuildsKey bounds how many builds run at once, of all pools
	// together; 0 for no bound.
	MaxConcurrentBuildsKey = "maxConcurrentBuilds"

	// MaxAttemptsKey bounds the attempts at the same image.
	MaxAttemptsKey = "maxAttempts"

	// QuietPeriodKey is for how many seconds the inputs of an image must not have
	// changed before its build starts.
	QuietPeriodKey = "quietPeriodSeconds"

	// QuietPeriodCeilingKey is for how many seconds a build waits at most for its
	// inputs to stop changing.
	QuietPeriodCeilingKey = "quietPeriodCeilingSeconds"

	// PendingDeadlineKey is after how many seconds a build that did not begin to
	// run is given up.
	PendingDeadlineKey = "pendingDeadlineSeconds"

	// CompletionDeadlineKey is for how many seconds a build may run.
	CompletionDeadlineKey = "completionDeadlineSeconds"

	// SuccessfulBuildsHistoryLimitKey is how many builds that succeeded are kept of
	// each pool, for inspection.
	SuccessfulBuildsHistoryLimitKey = "successfulBuildsHistoryLimit"

	// FailedBuildsHistoryLimitKey is how many builds that failed are kept of each
	// pool, for inspection.
	FailedBuildsHistoryLimitKey = "failedBuildsHistoryLimit"

	// ImageBuilderKey says what runs the builds: BackendOpenShiftBuild or BackendJob.
	ImageBuilderKey = "imageBuilder"

	// BuildForKey says what a new image is built for: BuildForEveryConfig or
	// BuildForImageChanges.
	BuildForKey = "buildFor"

	// JobBuilderImageKey is the image that Jobs build with.
	JobBuilderImageKey = "jobBuilderImage"

	// JobSecurityLevelKey says what the container of a Job is allowed: LevelLimitedRoot,
	// LevelRoot or LevelUser.
	JobSecurityLevelKey = "jobSecurityLevel"

	// JobSeccompProfileKey says which system calls it is allowed: SeccompRuntimeDefault,
	// SeccompNode or SeccompUnconfined.
	JobSeccompProfileKey = "jobSeccompProfile"

	// JobPriorityClassKey names the priority class of a Job's pod.
	JobPriorityClassKey = "jobPriorityClassName"

	// JobNodeSelectorKey are labels of the nodes that Jobs may run on.
	JobNodeSelectorKey = "jobNodeSelector"

	// JobTolerationsKey are taints of nodes that Jobs tolerate.
	JobTolerationsKey = "jobTolerations"

	// JobRequestsKey and JobLimitsKey are the resources of a Job's container.
	JobRequestsKey = "jobRequests"
	JobLimitsKey   = "jobLimits"
)

// Values of ImageBuilderKey, and the names of the backends.
const (
	// BackendOpenShiftBuild runs builds as Builds of OpenShift, and is the default.
	BackendOpenShiftBuild = "OpenShiftBuild"
	// BackendJob runs builds as Jobs of Kubernetes.
	BackendJob = "Job"
)

// Values of BuildForKey.
const (
	// BuildForEveryConfig is for each rendered MachineConfig, whose files are in the image.
	// It is the default for pools that their label opts in.
	BuildForEveryConfig = "EveryConfig"
	// BuildForImageChanges is for what the nodes cannot do themselves. It is the default for
	// pools that a MachineOSConfig opts in, whose nodes write the files of a config.
	BuildForImageChanges = "ImageChanges"
)

// Values of JobSecurityLevelKey.
const (
	// LevelLimitedRoot is root with the six capabilities that a build cannot do without,
	// and no way to more. It is the default.
	LevelLimitedRoot = "LimitedRoot"
	// LevelRoot is root as the container runtime has it.
	LevelRoot = "Root"
	// LevelUser is the user 1000.
	LevelUser = "User"
)

// Values of JobSeccompProfileKey.
const (
	// SeccompRuntimeDefault is the profile of the container runtime, and the default.
	SeccompRuntimeDefault = "RuntimeDefault"
	// SeccompNode is what the node does with pods that do not say.
	SeccompNode = "Node"
	// SeccompUnconfined is no profile.
	SeccompUnconfined = "Unconfined"
)

// Objects in the operator's namespace that builds depend on, and that are not ours.
const (
	// OperatorImagesConfigMap has the pullspecs of the release, in JSON, under
	// OperatorImagesKey.
	OperatorImagesConfigMap = "machine-config-operator-images"
	OperatorImagesKey       = "images.json"

	// GlobalPullSecretCopy is the cluster's pull Secret, where the operator has copied it.
	GlobalPullSecretCopy = "global-pull-secret-copy"

	// BuilderServiceAccount is that of Jobs that build. It has no rights.
	BuilderServiceAccount = "machine-os-image-builder"
)

// Annotations on a MachineConfigPool. The first three are written in one patch
// when an image is published.
const (
	// DesiredOSImageAnnotation is the pullspec, by digest, of the image that
	// was built for the config in DesiredOSImageConfigAnnotation.
	DesiredOSImageAnnotation = "machineconfiguration.openshift.io/desired-os-image"

	// DesiredOSImageConfigAnnotation is the name of the rendered MachineConfig
	// that DesiredOSImageAnnotation was built from.
	DesiredOSImageConfigAnnotation = "machineconfiguration.openshift.io/desired-os-image-config"

	// BuildRecordAnnotation is the BuildController's own memory of the newest
	// build attempt: a JSON document, see ledger.Record.
	BuildRecordAnnotation = "machineconfiguration.openshift.io/os-image-build"

	// RebuildRequestedAnnotation is written by administrators: any value that is
	// not in RebuildObservedAnnotation has the image built once more.
	RebuildRequestedAnnotation = "machineconfiguration.openshift.io/rebuild-requested"

	// RebuildObservedAnnotation is the request that was acted on last.
	RebuildObservedAnnotation = "machineconfiguration.openshift.io/rebuild-observed"
)

// PoolAnnotations are the annotations that the BuildController writes on a pool, and
// takes away when the pool opts out.
func PoolAnnotations() []string {
	return []string{DesiredOSImageAnnotation, DesiredOSImageConfigAnnotation, BuildRecordAnnotation, RebuildObservedAnnotation}
}

// Labels and annotations on the objects that the BuildController creates.
const (
	// OwnedLabel marks every object that the BuildController creates; its
	// informers select on it.
	OwnedLabel = "app.kubernetes.io/managed-by"

	// OwnedLabelValue is the value of OwnedLabel.
	OwnedLabelValue = ControllerName

	// BackendLabel says which backend made an object. Those without it were made by the
	// OpenShift backend, when there was no other.
	BackendLabel = "machineconfiguration.openshift.io/image-builder"

	// PoolLabel is the pool's name, shortened to a valid label value; for
	// people to select on. The full name is in PoolAnnotation.
	PoolLabel = "machineconfiguration.openshift.io/pool"

	// PoolAnnotation is the pool's full name.
	PoolAnnotation = "machineconfiguration.openshift.io/pool"

	// RenderedConfigAnnotation is the full name of the rendered MachineConfig.
	RenderedConfigAnnotation = "machineconfiguration.openshift.io/rendered-config"

	// FingerprintAnnotation is the fingerprint of everything that decided the
	// image, see inputs.Identity.
	FingerprintAnnotation = "machineconfiguration.openshift.io/fingerprint"

	// AttemptAnnotation counts the attempts at the same fingerprint from 1.
	AttemptAnnotation = "machineconfiguration.openshift.io/attempt"

	// BuildNameAnnotation repeats the name of the object it is on. A copy of a
	// Build made by the clone API carries all labels and annotations of the
	// original under another name; the mismatch gives it away.
	BuildNameAnnotation = "machineconfiguration.openshift.io/build-name"

	// ClaimAnnotation is what the pool's BuildRecordAnnotation said when the Build was
	// claimed. Should the pool lose its annotations, it is found again there.
	ClaimAnnotation = "machineconfiguration.openshift.io/os-image-build"

	// WithdrawnAnnotation says who had the Build cancelled, if it was the
	// BuildController: nobody else writes it.
	WithdrawnAnnotation = "machineconfiguration.openshift.io/withdrawn-by"
)
