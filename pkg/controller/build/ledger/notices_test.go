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

// TestR22NamesOnPoolsThatMeanNothing: a label or annotation that was meant for us and does
// not count is named, with the one that would.
func TestR22NamesOnPoolsThatMeanNothing(t *testing.T) {
	const ours = "machineconfiguration.openshift.io/"
	layering, rebuild := ctrlcommon.LayeringEnabledPoolLabel, constants.RebuildRequestedAnnotation
	for name, test := range map[string]struct {
		reason            string
		label, annotation string
		value             string
		says              string
	}{
		"opted in":                    {reason: "as it should be", label: layering},
		"requested":                   {reason: "as it should be", annotation: rebuild, value: "1"},
		"label as annotation":         {reason: "oc annotate in place of oc label", annotation: layering, says: "has the annotation " + layering + ", which means nothing; it counts as a label"},
		"annotation as label":         {reason: "oc label in place of oc annotate", label: rebuild, value: "1", says: "has the label " + rebuild + ", which means nothing; it counts as an annotation"},
		"a letter is missing":         {reason: "a slip of the keyboard", label: ours + "layering-enable", says: "is the label " + layering + " meant?"},
		"other marks":                 {reason: "as Go programs write it", label: ours + "layeringEnabled", says: "is the label " + layering + " meant?"},
		"upper case":                  {reason: "names differ by case", label: ours + "Layering-Enabled", says: "is the label " + layering + " meant?"},
		"no prefix":                   {reason: "too short to be ours", label: "layering-enabled", says: "is the label " + layering + " meant?"},
		"another prefix":              {reason: "a slip of the mind", label: "machineconfig.openshift.io/layering-enabled", says: "is the label " + layering + " meant?"},
		"misspelt prefix":             {reason: "a slip of the keyboard", label: "machineconfiguration.openshift.oi/layering-enabled", says: "is the label " + layering + " meant?"},
		"misspelt in both parts":      {reason: "two slips", annotation: "machineconfigurations.openshift.io/rebuild-request", value: "1", says: "is the annotation " + rebuild + " meant?"},
		"the operator's word":         {reason: "on MachineOSConfigs it is called so", annotation: ours + "rebuild", says: "is the annotation " + rebuild + " meant?"},
		"misspelt, and in the place":  {reason: "a label that is no label", annotation: ours + "layering-enabeld", says: "has the annotation " + ours + "layering-enabeld, which means nothing; is the label " + layering + " meant?"},
		"a request without a value":   {reason: "nothing is requested by it", annotation: rebuild, says: "without a value, which requests nothing"},
		"a label of the operator":     {reason: "none of our business", label: ours + "mco-built-in"},
		"an annotation of it":         {reason: "none of our business", annotation: ours + "currentConfig"},
		"a label of somebody":         {reason: "none of our business", label: "example.com/rebuild-requested"},
		"a label of somebody, nearly": {reason: "none of our business", label: "example.com/layering-enable"},
		"the pool's own":              {reason: "what the operator selects by", label: "pools.operator.machineconfiguration.openshift.io/worker"},
		"what we write":               {reason: "the record is ours", annotation: constants.BuildRecordAnnotation, value: "{}"},
		"what we observed":            {reason: "the answer to a request", annotation: constants.RebuildObservedAnnotation, value: "1"},
		"what kubectl writes":         {reason: "none of our business", annotation: "kubectl.kubernetes.io/last-applied-configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker"}}
			if test.label != "" {
				pool.Labels = map[string]string{test.label: test.value, "foreign": ""}
			}
			if test.annotation != "" {
				pool.Annotations = map[string]string{test.annotation: test.value, "foreign": ""}
			}
			notices := Notices(pool)
			if test.says == "" {
				require.Empty(t, notices, test.reason)
				return
			}
			require.Len(t, notices, 1, test.reason)
			require.Equal(t, NoticeUnknownKey, notices[0].Reason)
			require.Contains(t, notices[0].Message(), "MachineConfigPool worker has the ")
			require.Contains(t, notices[0].Message(), test.says, test.reason)
		})
	}
	require.Empty(t, Notices(&mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{rebuild: "", constants.RebuildObservedAnnotation: "1"}}}),
		"what was requested before is taken back")
}

// TestR23WordsThatSayNo: a value that a person can only mean as a no is one, and it is said
// how it is understood unless every program understands it.
func TestR23WordsThatSayNo(t *testing.T) {
	for _, test := range []struct {
		reason  string
		values  []string
		layered bool
		says    bool
	}{
		{reason: "what Go's parser, and every other one, calls false", values: []string{"false", "False", "FALSE", "f", "F", "0"}},
		{reason: "what people write, in any case", values: []string{"fALSE", "no", "No", "NO", "n", "N", "off", "Off", "OFF", "disabled", "Disabled", "disable", "none", "never", "opt-out"}, says: true},
		{reason: "a slip of the keyboard leaves no doubt", values: []string{"flase", "fasle", "is-disabled"}, says: true},
		{reason: "presence is enough", values: []string{""}, layered: true},
		{reason: "a yes in any words", values: []string{"true", "True", "t", "1", "yes", "on", "enabled", "Enable", "ture"}, layered: true},
		{reason: "anything else is no no", values: []string{"worker", "2", "00", "pool-n", "not", "north", "office", "fa", "2026-11-30", "k8s.io"}, layered: true},
	} {
		for _, value := range test.values {
			pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker", Labels: map[string]string{ctrlcommon.LayeringEnabledPoolLabel: value}}}
			require.Equal(t, test.layered, IsLayered(pool), "%s: %q", test.reason, value)
			require.Equal(t, test.layered, Read(pool).Layered, value)
			notices := Notices(pool)
			if !test.says {
				require.Empty(t, notices, "%s: %q", test.reason, value)
				continue
			}
			require.Len(t, notices, 1, value)
			require.Equal(t, NoticeUnderstoodAsNo, notices[0].Reason)
			require.Contains(t, notices[0].Message(), "layering-enabled with the value \""+value+"\", which is understood as false")
		}
	}
}

// TestR23NoRequest: whoever writes no does not ask for a rebuild.
func TestR23NoRequest(t *testing.T) {
	for value, requests := range map[string]bool{
		"false": false, "False": false, "no": false, "off": false, "disabled": false, "fasle": false,
		"1": true, "0": true, "true": true, "yes": true, "now": true, "2026-11-30T12:00:00Z": true, "1764500000": true, "because": true,
	} {
		pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker", Annotations: map[string]string{constants.RebuildRequestedAnnotation: value}}}
		read := Read(pool)
		require.Equal(t, requests, read.RequestedRebuild() != "", value)
		require.Equal(t, requests, len(Notices(pool)) == 0, "%s: %v", value, Notices(pool))
		pool.Annotations[constants.RebuildObservedAnnotation] = "before"
		read = Read(pool)
		require.Equal(t, requests, read.RequestedRebuild() != "", "taking a request back is none")
	}
}

// TestLabelAlone: where the node controller says that no MachineOSConfig refers to the pool,
// the label does harm.
func TestLabelAlone(t *testing.T) {
	for name, test := range map[string]struct {
		reason, label string
		conditions    []mcfgv1.MachineConfigPoolCondition
		want          bool
	}{
		"labelled":                  {reason: "the operator is Degraded", label: ctrlcommon.LayeringEnabledPoolLabel, conditions: degradedFor("NoLayeredObjects"), want: true},
		"not labelled":              {reason: "as any pool is there", label: "other", conditions: degradedFor("NoLayeredObjects")},
		"an older cluster":          {reason: "nobody else reads the label", label: ctrlcommon.LayeringEnabledPoolLabel},
		"ours":                      {reason: "we write the condition there", label: ctrlcommon.LayeringEnabledPoolLabel, conditions: degradedFor(ReasonNotFailed)},
		"with a MachineOSConfig":    {reason: "that is what the operator wants", label: ctrlcommon.LayeringEnabledPoolLabel, conditions: degradedFor("BuildPending")},
		"with one that is built of": {reason: "likewise", label: ctrlcommon.LayeringEnabledPoolLabel, conditions: degradedFor("BuildSuccess")},
	} {
		t.Run(name, func(t *testing.T) {
			pool := &mcfgv1.MachineConfigPool{}
			pool.Name, pool.Labels, pool.Status.Conditions = "infra", map[string]string{test.label: ""}, test.conditions
			notices := Notices(pool)
			require.Equal(t, test.want, len(notices) > 0, test.reason)
			if test.want {
				require.Equal(t, NoticeLabelAlone, notices[0].Reason)
				require.Contains(t, notices[0].Message(), "MachineConfigPool infra has the label")
				require.Contains(t, notices[0].Message(), "create a MachineOSConfig")
			}
		})
	}
}

func degradedFor(reason string) []mcfgv1.MachineConfigPoolCondition {
	return []mcfgv1.MachineConfigPoolCondition{{Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionFalse, Reason: reason}}
}
