package ledger

import (
	"fmt"
	"slices"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of ImageBuildDegraded where a MachineOSConfig opts the pool in. They are those of
// the operator's own builder.
const (
	// DegradedBuildFailed means: the build failed for good.
	DegradedBuildFailed = "BuildFailed"
	// DegradedBuilding means: a build is under way.
	DegradedBuilding = "Building"
	// DegradedBuildSuccess means: the image is there.
	DegradedBuildSuccess = "BuildSuccess"
	// degradedNoLayeredObjects is the node controller's, of a pool to which no
	// MachineOSConfig refers, and degradedBuildPending of one that has no MachineOSBuild.
	degradedNoLayeredObjects = "NoLayeredObjects"
	degradedBuildPending     = "BuildPending"
)

// degraded is Conditions where a MachineOSConfig opts the pool in. The node controller writes
// this condition as well: it takes back what is True once a build is under way, in words of
// its own. So what is False, and is to be, is left as it is until the image is there.
func (r *Report) degraded(existing []mcfgv1.MachineConfigPoolCondition, now time.Time) (conditions []mcfgv1.MachineConfigPoolCondition, changed bool) {
	wanted := mcfgv1.MachineConfigPoolCondition{Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionFalse}
	found := getMachineConfigPoolCondition(mcfgv1.MachineConfigPoolStatus{Conditions: existing}, wanted.Type)
	isFalse := found != nil && found.Status == corev1.ConditionFalse
	switch {
	case r.State == StateFailed:
		wanted.Status, wanted.Reason = corev1.ConditionTrue, DegradedBuildFailed
		wanted.Message = fmt.Sprintf("Failed to build OS image for pool %s (MachineOSBuild: %s): %s", r.Pool, r.MachineOSBuild, r.Message)
	case r.State == StatePublished && (!isFalse || found.Reason != DegradedBuildSuccess):
		wanted.Reason = DegradedBuildSuccess
		wanted.Message = fmt.Sprintf("Build succeeded for pool %s (MachineOSBuild: %s)", r.Pool, r.MachineOSBuild)
	case (r.State.IsPending() || r.State == StateBuilding || r.State == StateRetrying) && !isFalse:
		wanted.Reason = DegradedBuilding
		wanted.Message = fmt.Sprintf("Build started for pool %s (MachineOSBuild: %s)", r.Pool, r.MachineOSBuild)
	case found != nil:
		wanted = *found
	default:
		return withoutTypes(existing, buildConditionTypes)
	}
	if found == nil || found.Status != wanted.Status {
		wanted.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
	} else {
		wanted.LastTransitionTime = found.LastTransitionTime
	}
	return merge(existing, []mcfgv1.MachineConfigPoolCondition{wanted})
}

// degradedOfOthers is ImageBuildDegraded as somebody else wrote it, nil for nobody. On clusters
// that serve MachineOSConfigs the node controller takes back what others say in it of a pool
// that has none, once it is True, and the operator lets no upgrade begin while BuildInterrupted
// is True. There the former is left to it, the latter has, as it is never True, what is
// refused, and a cancelled build is BuildFailed, with its reason.
func degradedOfOthers(existing []mcfgv1.MachineConfigPoolCondition) *mcfgv1.MachineConfigPoolCondition {
	found := getMachineConfigPoolCondition(mcfgv1.MachineConfigPoolStatus{Conditions: existing}, mcfgv1.MachineConfigPoolImageBuildDegraded)
	if found == nil || !slices.Contains([]string{degradedNoLayeredObjects, degradedBuildPending, DegradedBuilding, DegradedBuildSuccess}, found.Reason) {
		return nil
	}
	return found
}

// buildConditionTypes are the conditions of a pool that its label opts in alone.
var buildConditionTypes = BuildConditions()

// withoutTypes leaves those of the types out.
func withoutTypes(existing []mcfgv1.MachineConfigPoolCondition, types []mcfgv1.MachineConfigPoolConditionType) (kept []mcfgv1.MachineConfigPoolCondition, changed bool) {
	for i := range existing {
		if !slices.Contains(types, existing[i].Type) {
			kept = append(kept, existing[i])
		}
	}
	return kept, len(kept) < len(existing)
}

// isTrace tells whether a condition is of ours, and was not written by the node controller.
func isTrace(c *mcfgv1.MachineConfigPoolCondition) bool {
	return IsOurs(c.Type) && (c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded || c.Reason != degradedNoLayeredObjects)
}
