package ledger

import (
	"fmt"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Outcome is what a MachineOSBuild and its MachineOSConfig are to say: what is reported of
// the pool, and the record that it is of.
type Outcome struct {
	Report
	// Config is the rendered config that the pool wants.
	Config string
	// Record is the one on the pool; nil for none. It may be of other inputs.
	Record *Record
	// Now is the instant of the report.
	Now time.Time
}

// isOurs tells whether the record is of the MachineOSBuild.
func (o *Outcome) isOurs() bool { return o.Record != nil && o.Record.Tag == o.MachineOSBuild }

// sentence is the message, in words that stay the same while a build runs.
func (o *Outcome) sentence() string {
	if o.State == StateBuilding && o.isOurs() {
		return fmt.Sprintf("Build %s of %s is running.", o.Record.Build, o.Record.Config)
	}
	return o.Message
}

// Text tells one outcome from another, and stays the same while a build runs.
func (o *Outcome) Text() string {
	return fmt.Sprintf("%s %s %s %s %s", o.MachineOSBuild, o.State, o.Reason, o.sentence(), o.Refusal)
}

// NewMachineOSBuild makes the object for an outcome. The label of an image that was built
// before keeps the operator's own builder from building it.
func NewMachineOSBuild(owner *mcfgv1.MachineOSConfig, o *Outcome) *mcfgv1.MachineOSBuild {
	build := &mcfgv1.MachineOSBuild{
		ObjectMeta: metav1.ObjectMeta{
			Name: o.MachineOSBuild,
			Labels: map[string]string{
				constants.OwnedLabel:           constants.OwnedLabelValue,
				constants.TargetPoolLabel:      inputs.LabelValue(o.Pool),
				constants.RenderedConfigLabel:  inputs.LabelValue(o.Config),
				constants.MachineOSConfigLabel: inputs.LabelValue(owner.Name),
				constants.PreBuiltImageLabel:   "true",
			},
			Annotations: map[string]string{constants.PushSecretAnnotation: owner.Spec.RenderedImagePushSecret.Name},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: mcfgv1.GroupVersion.String(), Kind: "MachineOSConfig", Name: owner.Name, UID: owner.UID,
				Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(false),
			}},
		},
		Spec: mcfgv1.MachineOSBuildSpec{
			MachineConfig:   mcfgv1.MachineConfigReference{Name: o.Config},
			MachineOSConfig: mcfgv1.MachineOSConfigReference{Name: owner.Name},
		},
	}
	if o.isOurs() {
		build.Annotations[constants.ClaimAnnotation] = o.Record.Claimed().String()
	}
	build.Spec.RenderedImagePushSpec = mcfgv1.ImageTagFormat(repositoryOf(string(owner.Spec.RenderedImagePushSpec)) + ":" + o.MachineOSBuild)
	return build
}

// ClaimPatch is a merge patch that has the MachineOSBuild tell the claim of what it is built
// for; nil where it does. What could not be built when it was made has none, and a claim of
// other inputs is of no use: it is what the pool's record is found again from. Of a build that
// somebody ended it tells that as well: no image does, and the build may be gone.
func (o *Outcome) ClaimPatch(object *mcfgv1.MachineOSBuild) []byte {
	if !o.isOurs() {
		return nil
	}
	told := o.Record.Claimed()
	if o.Record.Interrupted() {
		told = *o.Record
	}
	claim, err := ParseRecord(object.Annotations[constants.ClaimAnnotation])
	if err == nil && claim.Fingerprint == told.Fingerprint && claim.Interrupted() == told.Interrupted() {
		return nil
	}
	return annotationsPatch(object, map[string]any{constants.ClaimAnnotation: told.String()})
}

// InterruptionOf is the record of the build that somebody ended, if that is the last word of the
// MachineOSBuild; else nil.
func InterruptionOf(object *mcfgv1.MachineOSBuild) *Record {
	if object == nil || ProgressOf(&object.Status) != mcfgv1.MachineOSBuildInterrupted {
		return nil
	}
	record := claimOf(object)
	if record == nil || !record.Interrupted() {
		return nil
	}
	return record
}

// claimOf is what the MachineOSBuild tells of what it is built for; nil for nothing that is of it.
func claimOf(object *mcfgv1.MachineOSBuild) *Record {
	claim, err := ParseRecord(object.Annotations[constants.ClaimAnnotation])
	if err != nil || claim.Tag != object.Name || claim.Config != object.Spec.MachineConfig.Name {
		return nil
	}
	return claim
}

// RecordOf is the record that the MachineOSBuild was made with, with its image; nil if it has
// none, or was not made with a record.
func RecordOf(object *mcfgv1.MachineOSBuild) *Record {
	if object == nil || ProgressOf(&object.Status) != mcfgv1.MachineOSBuildSucceeded {
		return nil
	}
	claim, image := claimOf(object), string(object.Status.DigestedImagePushSpec)
	if claim == nil || !IsByDigest(image) {
		return nil
	}
	record := claim.Claimed()
	record.Image = image
	if build := buildOf(&object.Status); build != "" {
		record.Build = build
	}
	return &record
}

// repositoryOf is a push spec without its tag. One that is none is the API's to refuse.
func repositoryOf(pushSpec string) string {
	repository, err := inputs.ParseRepository(pushSpec)
	if err != nil {
		return pushSpec
	}
	return repository
}

// buildTypes are the conditions of a MachineOSBuild, of which one is True, with what each
// says while it is False.
var buildTypes = []struct {
	progress        mcfgv1.BuildProgress
	reason, message string
}{
	{mcfgv1.MachineOSBuildPrepared, ReasonNotPending, "No build is waiting."},
	{mcfgv1.MachineOSBuilding, ReasonNotBuilding, "No build is running."},
	{mcfgv1.MachineOSBuildFailed, ReasonNotFailed, "The build has not failed for good."},
	{mcfgv1.MachineOSBuildInterrupted, ReasonNotInterrupted, "The build was not cancelled."},
	{mcfgv1.MachineOSBuildSucceeded, ReasonNotPublished, "The image is not published."},
}

// progressOf is which condition of a MachineOSBuild is True. What is between attempts is
// building, since every condition of an end is the last word.
func progressOf(state State, is mcfgv1.BuildProgress) mcfgv1.BuildProgress {
	switch state {
	case StatePublished:
		return mcfgv1.MachineOSBuildSucceeded
	case StateFailed:
		return mcfgv1.MachineOSBuildFailed
	case StateInterrupted:
		return mcfgv1.MachineOSBuildInterrupted
	case StateBuilding, StateRetrying:
		return mcfgv1.MachineOSBuilding
	}
	if is == mcfgv1.MachineOSBuilding {
		return is
	}
	return mcfgv1.MachineOSBuildPrepared
}

// ProgressOf is which condition of the MachineOSBuild is True; empty for none.
func ProgressOf(status *mcfgv1.MachineOSBuildStatus) mcfgv1.BuildProgress {
	for _, t := range buildTypes {
		if meta.IsStatusConditionTrue(status.Conditions, string(t.progress)) {
			return t.progress
		}
	}
	return ""
}

// IsEnd tells of a condition of a MachineOSBuild that it is the last word.
func IsEnd(progress mcfgv1.BuildProgress) bool {
	switch progress {
	case mcfgv1.MachineOSBuildSucceeded, mcfgv1.MachineOSBuildFailed, mcfgv1.MachineOSBuildInterrupted:
		return true
	}
	return false
}

// Contradicts tells whether a MachineOSBuild has said its last word, and it is another one
// than the record's. Such an object has to be replaced by a new one of its name.
func (o *Outcome) Contradicts(status *mcfgv1.MachineOSBuildStatus) bool {
	progress := ProgressOf(status)
	if !IsEnd(progress) || !o.isOurs() {
		return false
	}
	switch {
	case o.Record.Succeeded():
		return progress != mcfgv1.MachineOSBuildSucceeded || string(status.DigestedImagePushSpec) != o.Record.Image
	case o.State == StateFailed || o.State == StateInterrupted:
		return progress != progressOf(o.State, progress) || buildOf(status) != o.Record.Build
	}
	return true
}

// BuildStatus is the status of the MachineOSBuild as it is to be, and whether that differs
// from what it is. A last word comes with all that belongs to it, and is not touched again.
func (o *Outcome) BuildStatus(existing *mcfgv1.MachineOSBuildStatus) (status *mcfgv1.MachineOSBuildStatus, changed bool) {
	status = existing.DeepCopy()
	before := ProgressOf(existing)
	if IsEnd(before) {
		return status, false
	}
	progress := progressOf(o.State, before)
	conditions := make([]metav1.Condition, 0, len(buildTypes))
	for _, t := range buildTypes {
		condition := metav1.Condition{
			Type: string(t.progress), Status: metav1.ConditionFalse, Reason: t.reason, Message: t.message,
			LastTransitionTime: metav1.NewTime(wholeSeconds(o.Now)),
		}
		if t.progress == progress {
			condition.Status, condition.Reason, condition.Message = metav1.ConditionTrue, o.Reason, o.sentence()
		}
		found := meta.FindStatusCondition(existing.Conditions, condition.Type)
		if found != nil && found.Status == condition.Status {
			condition.LastTransitionTime = found.LastTransitionTime
		}
		changed = changed || found == nil || *found != condition
		conditions = append(conditions, condition)
	}
	status.Conditions = conditions
	if o.date(status, progress) {
		changed = true
	}
	if o.State.IsOfAttempt() && o.isOurs() && buildOf(existing) != o.Record.Build {
		status.Builder, changed = builderOf(o.Record.Build), true
	}
	if o.State == StatePublished {
		o.complete(status)
	}
	return status, changed
}

// complete adds what belongs to the last word that there is an image.
func (o *Outcome) complete(status *mcfgv1.MachineOSBuildStatus) {
	status.DigestedImagePushSpec = mcfgv1.ImageDigestFormat(o.Record.Image)
	if status.Builder == nil && o.Record.Build != "" && o.Record.Build != PreBuiltBuild {
		status.Builder = builderOf(o.Record.Build)
	}
}

// date sets when the build began and ended. Instants have whole seconds there, the end has
// to come after the beginning, and neither can be corrected.
func (o *Outcome) date(status *mcfgv1.MachineOSBuildStatus, progress mcfgv1.BuildProgress) (changed bool) {
	if progress == mcfgv1.MachineOSBuildPrepared {
		return false
	}
	now := wholeSeconds(o.Now)
	if status.BuildStart == nil {
		start := now
		if IsEnd(progress) && o.isOurs() && o.Record.ClaimedAt.Before(now) {
			start = wholeSeconds(o.Record.ClaimedAt)
		}
		status.BuildStart, changed = &metav1.Time{Time: start}, true
	}
	if IsEnd(progress) && status.BuildEnd == nil {
		end := now
		if earliest := status.BuildStart.Add(time.Second); end.Before(earliest) {
			end = earliest
		}
		status.BuildEnd, changed = &metav1.Time{Time: end}, true
	}
	return changed
}

func wholeSeconds(at time.Time) time.Time { return at.Truncate(time.Second) }

// builderOf refers to the Job of the build.
func builderOf(build string) *mcfgv1.MachineOSBuilderReference {
	return &mcfgv1.MachineOSBuilderReference{
		ImageBuilderType: mcfgv1.JobBuilder,
		Job:              &mcfgv1.ObjectReference{Group: "batch", Resource: "jobs", Namespace: ctrlcommon.MCONamespace, Name: build},
	}
}

// buildOf is the build that the status refers to; empty for none.
func buildOf(status *mcfgv1.MachineOSBuildStatus) string {
	if status.Builder == nil || status.Builder.Job == nil {
		return ""
	}
	return status.Builder.Job.Name
}

// BuildPatch is a merge patch of the status of the MachineOSBuild.
func BuildPatch(object *mcfgv1.MachineOSBuild, status *mcfgv1.MachineOSBuildStatus) []byte {
	return encode(map[string]any{"metadata": map[string]any{"resourceVersion": object.ResourceVersion}, "status": status})
}

// IsOwnedBy tells whether the MachineOSBuild is of this very MachineOSConfig.
func IsOwnedBy(build *mcfgv1.MachineOSBuild, owner *mcfgv1.MachineOSConfig) bool {
	controller := metav1.GetControllerOf(build)
	return controller != nil && controller.UID == owner.UID
}

// Surplus tells whether another MachineOSBuild of the same MachineOSConfig has to go: one
// that is of the same config, once the image of this one is on the MachineOSConfig, or that
// has no image, from when this one is there.
func (o *Outcome) Surplus(other *mcfgv1.MachineOSBuild, concluded bool) bool {
	switch {
	case other.Name == o.MachineOSBuild || other.DeletionTimestamp != nil:
		return false
	case ProgressOf(&other.Status) != mcfgv1.MachineOSBuildSucceeded:
		return true
	}
	return concluded && other.Spec.MachineConfig.Name == o.Config
}

// ReadMachineOSBuild reads back what a MachineOSBuild tells of its attempts; nil for none.
func ReadMachineOSBuild(object *mcfgv1.MachineOSBuild) Reported {
	told := Reported{State: StateNotReported}
	if object == nil {
		return told
	}
	progress := ProgressOf(&object.Status)
	c := meta.FindStatusCondition(object.Status.Conditions, string(progress))
	if c == nil {
		return told
	}
	told.Reason, told.Message, told.Since, told.Build = c.Reason, c.Message, c.LastTransitionTime.Time, buildOf(&object.Status)
	switch told.State = stateOf(mcfgv1.MachineConfigPoolBuildPending, c.Reason); progress {
	case mcfgv1.MachineOSBuildSucceeded:
		told.State = StatePublished
	case mcfgv1.MachineOSBuildFailed:
		told.State = StateFailed
	case mcfgv1.MachineOSBuildInterrupted:
		told.State = StateInterrupted
	case mcfgv1.MachineOSBuilding:
		if c.Reason == ReasonBuildRunning {
			told.State = StateBuilding
		}
	}
	return told
}
