package content

import (
	"path"

	"github.com/coreos/ignition/v2/config/util"
	"github.com/coreos/ignition/v2/config/v3_5/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// UnitState is what a config says of a unit that it does not bring itself: one of the base
// image, or an instance of a template. It is no file.
type UnitState struct {
	Name string `json:"name"`
	// Enabled is whether the unit starts at boot; nil if the config does not say.
	Enabled *bool `json:"enabled,omitempty"`
	// Unmasked tells that a mask of the base image is taken away.
	Unmasked bool `json:"unmasked,omitempty"`
}

func (f *filter) units(config *types.Config) *inputs.Problem {
	for _, unit := range config.Systemd.Units {
		name := path.Join(unitsDir, unit.Name)
		if !f.keeps(KindUnit, name, false) {
			continue
		}
		entry := Entry{Kind: KindUnit, Path: name, User: rootOwner, Group: rootOwner, Enabled: unit.Enabled, Masked: unit.Mask}
		if !util.NilOrEmpty(unit.Contents) {
			entry.Mode = defaultFileMode
			f.readText(&entry, *unit.Contents)
		}
		switch {
		case util.IsTrue(unit.Mask):
			// A link takes the place of the content.
			entry.Target, entry.Mode, entry.Size, entry.Hash = "/dev/null", 0, 0, ""
			f.add(entry)
		case !util.NilOrEmpty(unit.Contents):
			f.add(entry)
		case unit.Enabled != nil || unit.Mask != nil:
			f.content.UnitStates = append(f.content.UnitStates, UnitState{Name: unit.Name, Enabled: unit.Enabled, Unmasked: unit.Mask != nil})
		}
		unit.Dropins = f.dropins(unit)
		f.note(unit)
		f.applied.Systemd.Units = append(f.applied.Systemd.Units, unit)
	}
	return nil
}

func (f *filter) dropins(unit types.Unit) []types.Dropin {
	var kept []types.Dropin
	for _, dropin := range unit.Dropins {
		name := path.Join(unitsDir, unit.Name+".d", dropin.Name)
		if !f.keeps(KindDropIn, name, false) {
			continue
		}
		kept = append(kept, dropin)
		// Without content Ignition writes none, with an empty one it does.
		if dropin.Contents == nil {
			continue
		}
		entry := Entry{Kind: KindDropIn, Path: name, Mode: defaultFileMode, User: rootOwner, Group: rootOwner}
		f.readText(&entry, *dropin.Contents)
		f.add(entry)
	}
	return kept
}
