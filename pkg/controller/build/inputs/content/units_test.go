package content

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestR38StatesOfUnitsAreNoFiles: units that the config says nothing of but whether they
// start were listed as files, which are not in the image.
func TestR38StatesOfUnitsAreNoFiles(t *testing.T) {
	yes, no := true, false
	const dir = "/etc/systemd/system/"
	for name, test := range map[string]struct {
		reason, unit string
		states       []UnitState
		paths        []string
	}{
		"disabled":            {reason: "openvswitch.service is such a one in every config", unit: `{"name":"a.service","enabled":false}`, states: []UnitState{{Name: "a.service", Enabled: &no}}},
		"enabled":             {reason: "a unit of the base image", unit: `{"name":"a.service","enabled":true}`, states: []UnitState{{Name: "a.service", Enabled: &yes}}},
		"empty content":       {reason: "Ignition writes none", unit: `{"name":"a.service","enabled":true,"contents":""}`, states: []UnitState{{Name: "a.service", Enabled: &yes}}},
		"instance":            {reason: "its file is the template's", unit: `{"name":"a@x.service","enabled":true}`, states: []UnitState{{Name: "a@x.service", Enabled: &yes}}},
		"unmasked":            {reason: "a mask of the base image goes", unit: `{"name":"a.service","mask":false}`, states: []UnitState{{Name: "a.service", Unmasked: true}}},
		"mask":                {reason: "a mask is a link", unit: `{"name":"a.service","mask":true,"enabled":false}`, paths: []string{dir + "a.service"}},
		"drop-in alone":       {reason: "the unit is the base image's, and nothing is said of it", unit: `{"name":"a.service","dropins":[{"name":"x.conf","contents":"[Unit]\n"}]}`, paths: []string{dir + "a.service.d/x.conf"}},
		"drop-in, enabled":    {reason: "both", unit: `{"name":"a.service","enabled":true,"dropins":[{"name":"x.conf","contents":"[Unit]\n"}]}`, states: []UnitState{{Name: "a.service", Enabled: &yes}}, paths: []string{dir + "a.service.d/x.conf"}},
		"empty drop-in":       {reason: "Ignition writes it, unlike one without content", unit: `{"name":"a.service","dropins":[{"name":"x.conf","contents":""},{"name":"y.conf"}]}`, paths: []string{dir + "a.service.d/x.conf"}},
		"content":             {reason: "a file, and its state is on it", unit: `{"name":"a.service","enabled":true,"contents":"[Unit]\n"}`, paths: []string{dir + "a.service"}},
		"a name, and no more": {reason: "nothing is said", unit: `{"name":"a.service"}`},
	} {
		t.Run(name, func(t *testing.T) {
			content := parsed(t, `"systemd":{"units":[`+test.unit+`]}`)
			require.Equal(t, test.states, content.UnitStates, test.reason)
			var paths []string
			for _, entry := range content.Entries {
				paths = append(paths, entry.Path)
				require.True(t, entry.Hash != "" || entry.Target != "", "%s is in the image", entry.Path)
			}
			require.Equal(t, test.paths, paths, test.reason)
		})
	}
}
