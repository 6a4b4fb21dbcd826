package main

import (
	"strings"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func TestExcerpt(t *testing.T) {
	pool := &mcfgv1.MachineConfigPool{}
	pool.Annotations = map[string]string{imageAnnotation: repository + "@sha256:" + strings.Repeat("1", 64), "record": strings.Repeat("r", 500)}
	pool.Spec.Configuration.Name = "rendered-worker-1"
	pool.Status.Conditions = []mcfgv1.MachineConfigPoolCondition{
		foreignCondition,
		{Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionTrue, Reason: "BuildRunning", Message: "It runs."},
		{Type: mcfgv1.MachineConfigPoolBuildFailed, Status: corev1.ConditionFalse},
		{Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionFalse},
	}
	text, err := excerpt(pool)
	require.NoError(t, err)
	require.Equal(t, `metadata:
  annotations:
    `+imageAnnotation+`: `+repository+`@sha256:`+strings.Repeat("1", 64)+`
    record: `+strings.Repeat("r", widest-1)+`…
spec:
  configuration:
    name: rendered-worker-1
status:
  conditions:
  - lastTransitionTime: null
    message: It runs.
    reason: BuildRunning
    status: "True"
    type: Building
  # False: BuildFailed, ImageBuildDegraded
  # of others: Updated
`, text)
}

func TestTelling(t *testing.T) {
	var out strings.Builder
	say := telling{&out}
	say.command("kubectl get %s", "builds")
	say.block("a\n\n  b\n")
	say.hold([]claim{{text: "100% of it"}})
	require.Equal(t, "\n      $ kubectl get builds\n      a\n\n        b\n      ok  100% of it\n", out.String())
}
