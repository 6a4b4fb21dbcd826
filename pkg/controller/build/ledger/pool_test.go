package ledger

import (
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

func TestIsLayered(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		labels map[string]string
		want   bool
	}{
		"no labels":   {reason: "opting in is a deed"},
		"other label": {reason: "other labels do not matter", labels: map[string]string{"a": ""}},
		"empty":       {reason: "presence is enough", labels: map[string]string{ctrlcommon.LayeringEnabledPoolLabel: ""}, want: true},
		"true":        {reason: "so is any value", labels: map[string]string{ctrlcommon.LayeringEnabledPoolLabel: "true"}, want: true},
		"anything":    {reason: "so is any value", labels: map[string]string{ctrlcommon.LayeringEnabledPoolLabel: "worker"}, want: true},
		"false":       {reason: "but this one", labels: map[string]string{ctrlcommon.LayeringEnabledPoolLabel: "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, IsLayered(&mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Labels: test.labels}}), test.reason)
		})
	}
}

func TestReadRenderDegraded(t *testing.T) {
	pool := &mcfgv1.MachineConfigPool{}
	require.False(t, Read(pool).RenderDegraded, "a new pool has no conditions")
	pool.Status.Conditions = []mcfgv1.MachineConfigPoolCondition{
		{Type: mcfgv1.MachineConfigPoolDegraded, Status: corev1.ConditionTrue},
		{Type: mcfgv1.MachineConfigPoolRenderDegraded, Status: corev1.ConditionFalse},
	}
	require.False(t, Read(pool).RenderDegraded, "degraded nodes are another matter")
	pool.Status.Conditions[1].Status = corev1.ConditionTrue
	require.True(t, Read(pool).RenderDegraded)
}

// TestReadTraces: what has to go when the pool opts out is seen, in whichever place.
func TestReadTraces(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		pool   mcfgv1.MachineConfigPool
		want   bool
	}{
		"nothing":       {reason: "a pool that never opted in"},
		"of others":     {reason: "other conditions are not ours", pool: mcfgv1.MachineConfigPool{Status: mcfgv1.MachineConfigPoolStatus{Conditions: foreign()}}},
		"a request":     {reason: "what administrators wrote is theirs", pool: mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{constants.RebuildRequestedAnnotation: "1"}}}},
		"an annotation": {reason: "the record is ours", pool: mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{constants.BuildRecordAnnotation: "{"}}}, want: true},
		"a condition":   {reason: "so are the conditions", want: true, pool: mcfgv1.MachineConfigPool{Status: mcfgv1.MachineConfigPoolStatus{Conditions: []mcfgv1.MachineConfigPoolCondition{{Type: mcfgv1.MachineConfigPoolBuilding}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, Read(&test.pool).HasTraces, test.reason)
		})
	}
}

// TestReadSpoiledRecord: it is as good as none, and told apart.
func TestReadSpoiledRecord(t *testing.T) {
	pool := &mcfgv1.MachineConfigPool{}
	require.NoError(t, Read(pool).RecordProblem)
	metav1.SetMetaDataAnnotation(&pool.ObjectMeta, constants.BuildRecordAnnotation, "{")
	p := Read(pool)
	require.Nil(t, p.Record)
	require.Error(t, p.RecordProblem)
	metav1.SetMetaDataAnnotation(&pool.ObjectMeta, constants.BuildRecordAnnotation, failed().String())
	p = Read(pool)
	require.NoError(t, p.RecordProblem)
	require.Equal(t, failed(), *p.Record)
}
