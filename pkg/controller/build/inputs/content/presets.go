package content

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/coreos/ignition/v2/config/v3_5/types"
)

// instances maps a preset, such as "enable getty@.service", to the instances that it
// is for. Before Ignition writes such a line it asks the running systemd for its
// version, which fails where an image is built; so these lines are written for it.
type instances map[string][]string

// unitName is what systemd allows in the name of a unit, see systemd.unit(5).
var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*$`)

// isTemplated tells whether a unit is a template or an instance of one.
func isTemplated(name string) bool { return strings.Contains(name, "@") }

// note remembers the enablement of a unit that Ignition cannot be given.
func (f *filter) note(unit types.Unit) {
	if unit.Enabled == nil || !isTemplated(unit.Name) {
		return
	}
	if !unitName.MatchString(unit.Name) {
		f.leaveOut("systemd.units["+shortText(unit.Name)+"].enabled", "the unit's name is not one that systemd takes")
		return
	}
	head, rest, _ := strings.Cut(unit.Name, "@")
	suffix := path.Ext(rest)
	preset := "disable "
	if *unit.Enabled {
		preset = "enable "
	}
	preset += head + "@" + suffix
	if f.instances == nil {
		f.instances = instances{}
	}
	f.instances[preset] = append(f.instances[preset], strings.TrimSuffix(rest, suffix))
}

// withoutInstances gives a config for Ignition, and the presets that it lacks, one a line
// as systemd.preset(5) describes.
func (f *filter) withoutInstances(reduced applied) (config []byte, presets string, err error) {
	reduced.Systemd.Units = slices.Clone(reduced.Systemd.Units)
	for i := range reduced.Systemd.Units {
		if isTemplated(reduced.Systemd.Units[i].Name) {
			reduced.Systemd.Units[i].Enabled = nil
		}
	}
	var lines []string
	for preset, names := range f.instances {
		lines = append(lines, strings.TrimRight(preset+" "+strings.Join(names, " "), " "))
	}
	slices.Sort(lines)
	for _, line := range lines {
		presets += line + "\n"
	}
	config, err = json.Marshal(reduced)
	return config, presets, err
}

// enabled are the units to enable, sorted. Ignition does no more than to write presets
// for them. Masked units cannot be enabled.
func (c *Content) enabled() []string {
	return c.units(func(enabled bool, _ string) bool { return enabled })
}

// disabledInstances are the units to disable that Ignition is not told of, sorted.
func (c *Content) disabledInstances() []string {
	return c.units(func(enabled bool, name string) bool { return !enabled && isTemplated(name) })
}

func (c *Content) units(wanted func(enabled bool, name string) bool) []string {
	var units []string
	add := func(name string, enabled *bool) {
		if enabled != nil && unitName.MatchString(name) && wanted(*enabled, name) {
			units = append(units, name)
		}
	}
	for _, entry := range c.Entries {
		if entry.Kind == KindUnit && entry.Target == "" {
			add(path.Base(entry.Path), entry.Enabled)
		}
	}
	for _, state := range c.UnitStates {
		add(state.Name, state.Enabled)
	}
	slices.Sort(units)
	return slices.Compact(units)
}
