package build

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
)

// TestMachineOSLeaseIsLost: before any of the calls another builder takes over. From then on
// nothing is told, in the same sync or later, until it has gone again.
func TestMachineOSLeaseIsLost(t *testing.T) {
	calls := machineOSStory(t, false, func(*harness, *rolloutWitness) {}).calls
	for at := 1; at <= calls; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			machineOSStory(t, false, func(h *harness, w *rolloutWitness) {
				look := h.api.Before
				h.api.Before = func(call buildtest.Call) {
					look(call)
					if h.otherBuilder != "" {
						require.False(t, strings.HasPrefix(call.Resource, "machineos"), "%s is not ours to send", call)
					}
					if w.calls == at {
						h.otherBuilder = "somebody else builds"
					}
				}
				h.atRest = func() (again bool) {
					again, h.otherBuilder = h.otherBuilder != "", ""
					return again
				}
			})
		})
	}
}
