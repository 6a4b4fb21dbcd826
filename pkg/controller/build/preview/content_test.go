package preview

import (
	"bytes"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// TestContentIsWhatIsInTheImage: each thing is shown where it belongs, and nothing as a
// file that is none.
func TestContentIsWhatIsInTheImage(t *testing.T) {
	config := &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "rendered-worker-1"},
		Spec: mcfgv1.MachineConfigSpec{Config: runtime.RawExtension{Raw: []byte(`{"ignition":{"version":"3.4.0"},
			"storage":{"files":[{"path":"/etc/hosts","mode":644,"contents":{"source":"data:,x"}},{"path":"/etc/hostname"},{"path":"/etc/pki/ca-trust/source/anchors/a.crt"}]},
			"systemd":{"units":[{"name":"openvswitch.service","enabled":false},{"name":"b.service","enabled":true},{"name":"c.service","mask":false}]}}`)}},
	}
	c, warnings := newContent(config, inputs.Custom{})
	require.Equal(t, []UnitState{
		{Name: "b.service", States: []string{"enabled"}}, {Name: "c.service", States: []string{"unmasked"}}, {Name: "openvswitch.service", States: []string{"disabled"}},
	}, c.UnitStates)
	require.Len(t, c.Entries, 2, "the files that are in the image")
	require.Equal(t, "/etc/hosts", c.Entries[0].Path, "mounted over or not")
	require.Equal(t, []LeftOut{{What: "/etc/hostname", Why: "a name is one machine's own"}}, c.LeftOut)
	require.Contains(t, c.Derived, Derived{What: "/etc/pki/ca-trust/extracted", From: "/etc/pki/ca-trust/source/anchors/a.crt"})
	require.Contains(t, c.Derived, Derived{What: "/etc/systemd/system", From: "systemd.units"}, "enabling a unit makes links")
	require.NotEmpty(t, warnings, "644 is no mode")

	var text bytes.Buffer
	require.NoError(t, (&Report{Content: c, Warnings: warnings}).WriteText(&text))
	for _, line := range []string{"  openvswitch.service  disabled\n", "Made from these\n", "write 420 if 0644 is meant\n"} {
		require.Contains(t, text.String(), line)
	}
}
