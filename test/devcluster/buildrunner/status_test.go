package buildrunner

import (
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestIsAllowed(t *testing.T) {
	for _, tc := range []struct {
		reason   string
		from, to buildv1.BuildPhase
		want     bool
	}{
		{"phases may be skipped", buildv1.BuildPhaseNew, buildv1.BuildPhaseComplete, true},
		{"the usual way", buildv1.BuildPhaseNew, buildv1.BuildPhasePending, true},
		{"a held build gets another message", buildv1.BuildPhaseNew, buildv1.BuildPhaseNew, true},
		{"a pod does not get younger", buildv1.BuildPhaseRunning, buildv1.BuildPhasePending, false},
		{"a pod cannot be uncreated", buildv1.BuildPhasePending, buildv1.BuildPhaseNew, false},
		{"an end is an end", buildv1.BuildPhaseCancelled, buildv1.BuildPhaseFailed, false},
		{"an end is not a beginning", buildv1.BuildPhaseFailed, buildv1.BuildPhaseNew, false},
	} {
		t.Run(tc.reason, func(t *testing.T) { assert.Equal(t, tc.want, isAllowed(tc.from, tc.to)) })
	}
}

func TestSetPhaseKeepsOneConditionPerPhaseSeen(t *testing.T) {
	now := metav1.NewTime(time.Unix(1000, 0))
	build := &buildv1.Build{}
	require.True(t, setPhase(build, buildv1.BuildPhaseNew, buildv1.StatusReasonGenericBuildFailed, "secret missing", now))
	require.False(t, setPhase(build, buildv1.BuildPhaseNew, buildv1.StatusReasonGenericBuildFailed, "secret missing", now), "nothing changed")
	require.True(t, setPhase(build, buildv1.BuildPhasePending, "", "", now))
	require.True(t, setPhase(build, buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "broken", now))
	require.False(t, setPhase(build, buildv1.BuildPhaseComplete, "", "", now), "terminal phases are final")

	statuses := map[buildv1.BuildConditionType]corev1.ConditionStatus{}
	for _, condition := range build.Status.Conditions {
		statuses[condition.Type] = condition.Status
	}
	assert.Equal(t, map[buildv1.BuildConditionType]corev1.ConditionStatus{
		"New": corev1.ConditionFalse, "Pending": corev1.ConditionFalse, "Failed": corev1.ConditionTrue,
	}, statuses)
	assert.Equal(t, "DockerBuildFailed", build.Status.Conditions[2].Reason)
}

func TestSetCompletion(t *testing.T) {
	start, end := metav1.NewTime(time.Unix(1000, 999)), metav1.NewTime(time.Unix(1060, 5))
	build := &buildv1.Build{}
	require.True(t, setCompletion(build, &start, end))
	assert.Equal(t, time.Minute, build.Status.Duration, "fractions of seconds do not survive the API")
	require.False(t, setCompletion(build, &start, metav1.NewTime(time.Unix(2000, 0))), "the first end counts")

	neverStarted := &buildv1.Build{}
	require.True(t, setCompletion(neverStarted, nil, end))
	assert.Equal(t, neverStarted.Status.CompletionTimestamp, neverStarted.Status.StartTimestamp)
	assert.Zero(t, neverStarted.Status.Duration)
}

func TestLogSnippet(t *testing.T) {
	long := strings.Repeat("a", 60) + strings.Repeat("b", 61)
	for _, tc := range []struct {
		reason, log, want string
	}{
		{"no log, no snippet", "", ""},
		{"short logs are kept whole", "one\ntwo\n", "one\ntwo"},
		{"only the last five lines", "1\n2\n3\n4\n5\n6\n7\n", "3\n4\n5\n6\n7"},
		{"120 characters are not too long", strings.Repeat("x", 120), strings.Repeat("x", 120)},
		{"longer lines lose their middle", long, strings.Repeat("a", 58) + "..." + strings.Repeat("b", 59)},
		{"a cut character is dropped", strings.Repeat("a", 57) + "é" + strings.Repeat("b", 70), strings.Repeat("a", 57) + "..." + strings.Repeat("b", 59)},
	} {
		t.Run(tc.reason, func(t *testing.T) { assert.Equal(t, tc.want, logSnippet(tc.log)) })
	}
}
