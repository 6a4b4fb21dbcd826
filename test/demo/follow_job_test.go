package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// TestJobPhase: what a Job is said to be never goes back.
func TestJobPhase(t *testing.T) {
	for want, test := range map[string]struct {
		reason string
		status batchv1.JobStatus
	}{
		"Pending":  {reason: "its pod waits", status: batchv1.JobStatus{Active: 1}},
		"Running":  {reason: "its pod runs", status: batchv1.JobStatus{Active: 1, Ready: ptr.To[int32](1)}},
		"Ending":   {reason: "its pod has ended, and is not counted yet", status: batchv1.JobStatus{UncountedTerminatedPods: &batchv1.UncountedTerminatedPods{Succeeded: []types.UID{"pod"}}}},
		"Complete": {reason: "it says so", status: batchv1.JobStatus{Succeeded: 1, Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}},
	} {
		phase, _ := jobPhase(&batchv1.Job{Status: test.status})
		require.Equal(t, want, phase, test.reason)
	}
	phase, _ := jobPhase(&batchv1.Job{Status: batchv1.JobStatus{Failed: 1}})
	require.Equal(t, "Ending", phase, "counted, and not concluded")
}
