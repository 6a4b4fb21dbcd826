package build

import (
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// announced are the reasons of the events so far.
func (h *harness) announced() []string {
	var reasons []string
	for _, event := range h.events {
		reasons = append(reasons, strings.Fields(event)[1])
	}
	return reasons
}

// TestOneEventPerTransition: each state is announced when the pool comes into it, with
// its reason, and not again: not by time, not by a restart, and not when something else
// about the pool changes.
func TestOneEventPerTransition(t *testing.T) {
	fails := func(h *harness, reason buildv1.StatusReason) {
		h.settle(worker)
		h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, reason, "it broke")
	}
	for name, test := range map[string]struct {
		reason string
		arrive func(h *harness)
		want   []string
	}{
		"held": {reason: "there is something to mend", arrive: func(h *harness) {
			h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PushSecret)
		}, want: []string{ledger.ReasonSecretMissing}},
		"pending": {reason: "a build begins", arrive: func(*harness) {}, want: []string{ledger.ReasonBuildCreated}},
		"building": {reason: "that a build runs is in the condition alone, however long it does", arrive: func(h *harness) {
			h.settle(worker)
			h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning)
		}, want: []string{ledger.ReasonBuildCreated}},
		"succeeded": {reason: "the image is there", arrive: func(h *harness) {
			h.settle(worker)
			h.complete(worker)
		}, want: []string{ledger.ReasonBuildCreated, ledger.ReasonImagePublished}},
		"failed": {reason: "somebody has to look", arrive: func(h *harness) {
			fails(h, buildv1.StatusReasonDockerBuildFailed)
		}, want: []string{ledger.ReasonBuildCreated, ledger.ReasonBuildFailed}},
		"retrying": {reason: "the next attempt is due in a moment", arrive: func(h *harness) {
			fails(h, buildv1.StatusReasonFetchImageContentFailed)
		}, want: []string{ledger.ReasonBuildCreated, ledger.ReasonRetryScheduled}},
		"interrupted": {reason: "somebody's will was done", arrive: func(h *harness) {
			h.settle(worker)
			h.stopped(h.newestBuild(worker))
		}, want: []string{ledger.ReasonBuildCreated, ledger.ReasonBuildCancelled}},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, configA)
			test.arrive(h)
			h.settle(worker)
			require.Equal(t, test.want, h.announced(), test.reason)

			h.restart()
			h.settle(worker)
			require.Equal(t, test.want, h.announced(), "a restart is no news")
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Status.MachineCount++ })
			h.pass(5*time.Second, worker)
			require.Equal(t, test.want, h.announced(), "nor is an unrelated change")
			if name == "building" {
				for range 10 {
					h.pass(time.Minute, worker)
				}
				require.Equal(t, test.want, h.announced(), "nor is progress")
			}
		})
	}
}

// TestSameReasonAnew: a state that the pool comes back to, or that is about another
// build, is news.
func TestSameReasonAnew(t *testing.T) {
	h := layeredHarness(t, configA)
	h.settle(worker)
	h.complete(worker)
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.RebuildRequestedAnnotation] = "1" })
	h.settle(worker)
	h.complete(worker)
	require.Equal(t, []string{ledger.ReasonBuildCreated, ledger.ReasonImagePublished, ledger.ReasonBuildCreated, ledger.ReasonImagePublished}, h.announced())
}
