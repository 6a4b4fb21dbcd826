package build

import (
	"fmt"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// Lessons about requests that are refused, that nobody serves, or whose replies are lost.

// TestL01CreateFailsOnce: a Build that could not be created was never tried
// again, because the retry stumbled over its own input.
func TestL01CreateFailsOnce(t *testing.T) {
	for _, resource := range []string{"secrets", "builds"} {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, committed %v", resource, committed), func(t *testing.T) {
				h := layeredHarness(t, "rendered-worker-1")
				failed := false
				fault := func(call buildtest.Call) error {
					if !failed && call.Verb == "create" && call.Resource == resource {
						failed = true
						return apierrors.NewInternalError(fmt.Errorf("etcd is unwell"))
					}
					return nil
				}
				if committed {
					h.api.LoseReply = fault
				} else {
					h.api.Fault = fault
				}
				_, err := h.sync(worker)
				require.Error(t, err)
				h.pass(time.Minute, worker)
				require.Len(t, h.api.Builds(), 1, "one Build, made once")
				require.Len(t, h.api.InputSecrets(), 1)
				h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
			})
		}
	}
}

// TestL02ConflictAtSuccess: one conflict on the pool write at success lost the
// digest for ever, because Build and inputs were deleted before.
func TestL02ConflictAtSuccess(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	conflicts := 0
	h.api.Fault = func(call buildtest.Call) error {
		if call.Verb == "patch" && conflicts < 3 {
			conflicts++
			return apierrors.NewConflict(pools, worker, fmt.Errorf("another writer was first"))
		}
		return nil
	}
	_, err := h.sync(worker)
	require.True(t, apierrors.IsConflict(err))
	require.Len(t, h.api.Builds(), 1, "nothing is deleted before the result is recorded")
	require.Len(t, h.api.InputSecrets(), 1)
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
}

// TestH03ConflictOnEachPoolWrite: writes of the render and node controllers come
// between ours.
func TestH03ConflictOnEachPoolWrite(t *testing.T) {
	for nth := 1; nth <= 5; nth++ {
		h := layeredHarness(t, "rendered-worker-1")
		writes := 0
		h.api.Fault = func(call buildtest.Call) error {
			if call.Verb == "patch" && call.Resource == "machineconfigpools" {
				if writes++; writes == nth {
					return apierrors.NewConflict(pools, worker, fmt.Errorf("another writer was first"))
				}
			}
			return nil
		}
		h.settle(worker)
		h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning)
		h.settle(worker)
		h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
		h.settle(worker)
		require.GreaterOrEqual(t, writes, nth, "the conflict took place")
		require.Len(t, h.api.Builds(), 1)
		h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
	}
}

// TestH36BuildAPIAbsent: starting a build meets a missing API.
func TestH36BuildAPIAbsent(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.api.Fault = func(call buildtest.Call) error {
		if call.Resource == "builds" {
			return apierrors.NewGenericServerResponse(404, call.Verb, schema.GroupResource{Resource: "builds"}, "", "404 page not found", 0, true)
		}
		return nil
	}
	_, err := h.sync(worker)
	require.Error(t, err)
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuilderUnavailable), "build.openshift.io/v1")
	h.api.Fault = nil
	h.pass(time.Minute, worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
}
