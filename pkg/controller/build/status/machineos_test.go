package status

import (
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestByMachineOSConfig: of a pool that a MachineOSConfig opts in, that object and the
// MachineOSBuild that counts are told.
func TestByMachineOSConfig(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	digest := func(i int) mcfgv1.ImageDigestFormat {
		return mcfgv1.ImageDigestFormat(buildtest.Repository + "@" + buildtest.Digest(i))
	}
	build := func(name, config string, condition mcfgv1.BuildProgress, reason string, image mcfgv1.ImageDigestFormat) *mcfgv1.MachineOSBuild {
		b := &mcfgv1.MachineOSBuild{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(at.Add(-time.Minute))}}
		b.Spec.MachineOSConfig.Name, b.Spec.MachineConfig.Name, b.Status.DigestedImagePushSpec = "worker", config, image
		b.Status.Conditions = []metav1.Condition{{Type: string(condition), Status: metav1.ConditionTrue, Reason: reason, Message: "It is so.", LastTransitionTime: metav1.NewTime(at.Add(-time.Second))}}
		return b
	}
	for name, test := range map[string]struct {
		reason  string
		edit    func(c *mcfgv1.MachineOSConfig)
		more    []*mcfgv1.MachineOSConfig
		builds  []*mcfgv1.MachineOSBuild
		state   ledger.State
		counts  string
		current bool
		config  string
		refusal string
		alarm   bool
		cells   []string
	}{
		"published": {reason: "the image of what is wanted is there", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Status.CurrentImagePullSpec, c.Status.MachineOSBuild = digest(1), &mcfgv1.ObjectReference{Name: "worker-b"}
		}, builds: []*mcfgv1.MachineOSBuild{build("worker-a", "rendered-old", mcfgv1.MachineOSBuildSucceeded, "R", digest(2)), build("worker-b", "rendered-new", mcfgv1.MachineOSBuildSucceeded, "R", digest(1))},
			state: ledger.StatePublished, counts: "worker-b Succeeded", current: true, config: "rendered-new", cells: []string{"MachineOSConfig worker", "worker-b Succeeded"}},
		"succeeded, and not on the object": {reason: "nodes still wait", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Status.CurrentImagePullSpec, c.Status.MachineOSBuild = digest(2), &mcfgv1.ObjectReference{Name: "worker-a"}
		}, builds: []*mcfgv1.MachineOSBuild{build("worker-a", "rendered-old", mcfgv1.MachineOSBuildSucceeded, "R", digest(2)), build("worker-b", "rendered-new", mcfgv1.MachineOSBuildSucceeded, "R", digest(1))},
			state: ledger.StatePublished, counts: "worker-b Succeeded", config: "rendered-old"},
		"the named one counts": {reason: "as for the node controller", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Annotations = map[string]string{constants.CurrentBuildAnnotation: "worker-z"}
		},
			builds: []*mcfgv1.MachineOSBuild{build("worker-b", "rendered-new", mcfgv1.MachineOSBuildFailed, "R", ""), build("worker-z", "rendered-new", mcfgv1.MachineOSBuilding, ledger.ReasonBuildRunning, "")},
			state:  ledger.StateBuilding, counts: "worker-z Building"},
		"the named one is of another config": {reason: "the annotation is stale", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Annotations = map[string]string{constants.CurrentBuildAnnotation: "worker-a"}
		},
			builds: []*mcfgv1.MachineOSBuild{build("worker-a", "rendered-old", mcfgv1.MachineOSBuildSucceeded, "R", digest(2)), build("worker-b", "rendered-new", mcfgv1.MachineOSBuildFailed, "R", "")},
			state:  ledger.StateFailed, counts: "worker-b Failed", alarm: true},
		"none": {reason: "nobody has taken notice", state: ledger.StateNotReported, alarm: true},
		"refused": {reason: "nothing good comes of waiting, also where the image is there", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Status.Conditions = []metav1.Condition{{Type: ledger.ConfigDegraded, Status: metav1.ConditionTrue, Reason: ledger.ReasonRequestRefused, Message: "no"}}
		}, state: ledger.StateNotReported, alarm: true, refusal: "no"},
		"several": {reason: "nobody can tell which counts", more: []*mcfgv1.MachineOSConfig{buildtest.MachineOSConfig("other", func(c *mcfgv1.MachineOSConfig) { c.Spec.MachineConfigPool.Name = "worker" })},
			state: ledger.StateHeld, cells: []string{"MachineOSConfig other, worker", "-"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := buildtest.MachineOSConfig("worker", func(c *mcfgv1.MachineOSConfig) { c.CreationTimestamp = metav1.NewTime(at.Add(-time.Hour)) })
			if test.edit != nil {
				test.edit(config)
			}
			o := Objects{Now: at, Pools: []*mcfgv1.MachineConfigPool{buildtest.Pool("worker").Wants("rendered-new").Object()}, MachineOSConfigs: append(test.more, config), MachineOSBuilds: test.builds}
			p := Of(o)[0]
			require.True(t, p.OptedIn)
			require.Equal(t, test.state, p.State, test.reason)
			require.Equal(t, test.current, p.ImageCurrent, test.reason)
			require.Equal(t, test.config, p.ImageConfig, test.reason)
			require.Equal(t, test.alarm, p.NeedsAttention, test.reason)
			require.Equal(t, test.refusal, p.Refusal, test.reason)
			if test.counts != "" {
				require.Equal(t, test.counts, p.newestBuild(), test.reason)
			}
			if test.cells != nil {
				require.Equal(t, strings.Join(test.cells, "|"), strings.Join(p.Cells(at, true)[8:10], "|"))
			}
		})
	}
}
