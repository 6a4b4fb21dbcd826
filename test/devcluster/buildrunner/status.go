package buildrunner

import (
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	snippetLines    = 5
	snippetLineMax  = 120
	snippetLineHead = 58
	snippetLineTail = 59
)

// isTerminal follows the real controller: anything it does not know to be active is over.
func isTerminal(phase buildv1.BuildPhase) bool {
	switch phase {
	case buildv1.BuildPhaseNew, buildv1.BuildPhasePending, buildv1.BuildPhaseRunning:
		return false
	default:
		return true
	}
}

// isAllowed says whether a Build may go from one phase to another. Skipping phases is normal, going back is not.
func isAllowed(from, to buildv1.BuildPhase) bool {
	rank := map[buildv1.BuildPhase]int{buildv1.BuildPhaseNew: 0, buildv1.BuildPhasePending: 1, buildv1.BuildPhaseRunning: 2}
	if from == to {
		return true
	}
	if isTerminal(from) {
		return false
	}
	return isTerminal(to) || rank[to] > rank[from]
}

// setPhase moves a Build to a phase and keeps its conditions. It reports whether anything changed.
func setPhase(build *buildv1.Build, phase buildv1.BuildPhase, reason buildv1.StatusReason, message string, now metav1.Time) bool {
	if build.Status.Phase == "" {
		// The real API server writes the first phase and its condition at creation.
		build.Status.Phase = buildv1.BuildPhaseNew
	}
	if !isAllowed(build.Status.Phase, phase) {
		return false
	}
	same := build.Status.Phase == phase && build.Status.Reason == reason && build.Status.Message == message
	if same && hasCondition(build, phase) {
		return false
	}
	if !hasCondition(build, build.Status.Phase) {
		setCondition(build, build.Status.Phase, build.Status.Reason, build.Status.Message, now)
	}
	build.Status.Phase, build.Status.Reason, build.Status.Message = phase, reason, message
	setCondition(build, phase, reason, message, now)
	return true
}

func hasCondition(build *buildv1.Build, phase buildv1.BuildPhase) bool {
	for i := range build.Status.Conditions {
		if build.Status.Conditions[i].Type == buildv1.BuildConditionType(phase) {
			return true
		}
	}
	return false
}

// setCondition makes the condition of a phase the only true one. Conditions of phases never seen do not exist.
func setCondition(build *buildv1.Build, phase buildv1.BuildPhase, reason buildv1.StatusReason, message string, now metav1.Time) {
	found := false
	for i := range build.Status.Conditions {
		condition := &build.Status.Conditions[i]
		status := corev1.ConditionFalse
		if condition.Type == buildv1.BuildConditionType(phase) {
			found = true
			status = corev1.ConditionTrue
			condition.Reason, condition.Message, condition.LastUpdateTime = string(reason), message, now
		}
		if condition.Status != status {
			condition.Status, condition.LastTransitionTime, condition.LastUpdateTime = status, now, now
		}
	}
	if !found {
		build.Status.Conditions = append(build.Status.Conditions, buildv1.BuildCondition{
			Type: buildv1.BuildConditionType(phase), Status: corev1.ConditionTrue, Reason: string(reason), Message: message,
			LastUpdateTime: now, LastTransitionTime: now,
		})
	}
}

// setCompletion fills in the times of an ended Build. Whole seconds, because that is what survives the API.
func setCompletion(build *buildv1.Build, start *metav1.Time, now metav1.Time) bool {
	if build.Status.CompletionTimestamp != nil {
		return false
	}
	end := now.Rfc3339Copy()
	if build.Status.StartTimestamp == nil {
		build.Status.StartTimestamp = &end
		if start != nil {
			copied := start.Rfc3339Copy()
			build.Status.StartTimestamp = &copied
		}
	}
	build.Status.CompletionTimestamp = &end
	build.Status.Duration = end.Sub(build.Status.StartTimestamp.Time)
	return true
}

// logSnippet is the end of a log in a form short enough for a status: the last lines, long ones cut in the middle.
func logSnippet(log string) string {
	log = strings.TrimRight(strings.ToValidUTF8(log, ""), "\n")
	if log == "" {
		return ""
	}
	lines := strings.Split(log, "\n")
	if len(lines) > snippetLines {
		lines = lines[len(lines)-snippetLines:]
	}
	for i, line := range lines {
		if len(line) > snippetLineMax {
			// A cut in the middle of a character would make the status invalid UTF-8.
			lines[i] = strings.ToValidUTF8(line[:snippetLineHead]+"..."+line[len(line)-snippetLineTail:], "")
		}
	}
	return strings.Join(lines, "\n")
}
