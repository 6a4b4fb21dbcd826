package build

import (
	"strconv"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
)

// newMachineOSCounted is a harness whose controller leads and counts, with a pool that a
// MachineOSConfig opts in.
func newMachineOSCounted(t *testing.T) *counted {
	t.Helper()
	m := &counted{harness: machineOSHarness(t, buildtest.MachineOSConfig(worker))}
	m.measure()
	m.settle(worker)
	return m
}

// requireOf compares all series of a metric with the given ones, in the text format. The names
// are not ours, and not what a linter of metrics asks for.
func (m *counted) requireOf(name, reason string, series ...string) {
	m.t.Helper()
	families, err := m.registry.Gather()
	require.NoError(m.t, err)
	var found []string
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() != name {
				continue
			}
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetName()+"="+strconv.Quote(label.GetValue()))
			}
			line := name + " "
			if len(labels) > 0 {
				line = name + "{" + strings.Join(labels, ",") + "} "
			}
			found = append(found, line+number(metric.GetGauge().GetValue()+metric.GetCounter().GetValue()))
		}
	}
	require.ElementsMatch(m.t, series, found, reason)
}

func oclState(is string) (series []string) {
	for _, state := range []string{"building", "failed", "interrupted", "pending", "succeeded"} {
		series = append(series, `ocl_build_state{pool="worker",state="`+state+`"} `+number(asNumber(state == is)))
	}
	return series
}

// TestMachineOSMetrics: the alert rules that ship with the operator are about these series. They
// tell of MachineOSBuilds, and not of attempts.
func TestMachineOSMetrics(t *testing.T) {
	m := newMachineOSCounted(t)
	m.requireOf("mco_mosc_count", "there is one", "mco_mosc_count 1")
	m.requireOf("ocl_build_state", "it waits", oclState("pending")...)
	m.requireOf("ocl_build_total", "nothing has ended")
	m.harness.fail(buildv1.StatusReasonBuildPodEvicted)
	m.requireOf("ocl_build_state", "another attempt comes", oclState("building")...)
	m.requireOf("ocl_build_total", "an attempt is not the end")
	m.pass(time.Minute, worker)
	m.harness.succeed()
	m.requireOf("ocl_build_state", "it has its image", oclState("succeeded")...)
	m.requireOf("ocl_build_total", "once", `ocl_build_total{pool="worker",state="succeeded"} 1`)
	m.requireOf("ocl_image_push_total", "once", `ocl_image_push_total{pool="worker",state="succeeded"} 1`)
	duration := m.oclDuration()
	require.Equal(t, uint64(1), duration.GetSampleCount())
	require.InDelta(t, 130, duration.GetSampleSum(), 15, "from the beginning of the first attempt")

	m.want(configB)
	m.settle(worker)
	m.requireOf("ocl_build_state", "the image does for the other config", oclState("succeeded")...)
	m.requireOf("ocl_build_total", "nothing was built for it", `ocl_build_total{pool="worker",state="succeeded"} 1`)

	m.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
		c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: "INSTALL tree"}}
	})
	m.settle(worker)
	m.requireOf("ocl_build_state", "it cannot be built", oclState("failed")...)
	m.requireOf("ocl_build_total", "that is an end, too", `ocl_build_total{pool="worker",state="failed"} 1`, `ocl_build_total{pool="worker",state="succeeded"} 1`)
	m.requireOf("ocl_image_push_total", "and nothing was to be pushed", `ocl_image_push_total{pool="worker",state="succeeded"} 1`)

	m.ctrl.endWork()
	m.requireOf("mco_mosc_count", "another process tells of it now")
	m.requireOf("ocl_build_state", "another process tells of it now")
}

func (m *counted) oclDuration() (h interface {
	GetSampleCount() uint64
	GetSampleSum() float64
}) {
	m.t.Helper()
	families, err := m.registry.Gather()
	require.NoError(m.t, err)
	for _, family := range families {
		if family.GetName() == "ocl_build_duration_seconds" {
			require.Len(m.t, family.GetMetric(), 1)
			return family.GetMetric()[0].GetHistogram()
		}
	}
	require.FailNow(m.t, "nothing was observed")
	return nil
}

// TestMachineOSMetricsOff: with the gate off there are none.
func TestMachineOSMetricsOff(t *testing.T) {
	m := newCounted(t, configA)
	m.settle(worker)
	for _, name := range []string{"mco_mosc_count", "ocl_build_state", "ocl_build_total"} {
		m.requireOf(name, "nobody asked for it")
	}
}
