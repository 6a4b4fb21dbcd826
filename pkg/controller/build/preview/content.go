package preview

import (
	"fmt"
	"slices"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/content"
)

// newContent lists what a config makes in an image, and warns of what is hardly meant;
// nil if it cannot be built from, which is a reason in the report.
func newContent(config *mcfgv1.MachineConfig, custom inputs.Custom) (c *Content, warnings []string) {
	parsed, problem := content.Parse(config.Name, config.Spec.Config.Raw)
	if problem != nil {
		return nil, nil
	}
	c = &Content{Ignition: parsed.Version, Entries: []Entry{}}
	for _, entry := range parsed.Entries {
		c.Entries = append(c.Entries, newEntry(entry))
	}
	for _, state := range parsed.UnitStates {
		c.UnitStates = append(c.UnitStates, newUnitState(state))
	}
	for _, derived := range parsed.Derived {
		c.Derived = append(c.Derived, Derived(derived))
	}
	for _, user := range parsed.Users {
		c.Users = append(c.Users, User{Name: user.Name, Keys: user.Keys})
	}
	for _, left := range leftOut(config, parsed) {
		c.LeftOut = append(c.LeftOut, LeftOut(left))
	}
	for _, finding := range slices.Concat(parsed.Findings, content.Scan("the custom content", []byte(custom.Text()))) {
		c.Findings = append(c.Findings, Finding{Path: finding.Path, Kind: string(finding.Kind)})
	}
	return c, parsed.Warnings
}

func leftOut(config *mcfgv1.MachineConfig, parsed *content.Content) []content.LeftOut {
	return slices.Concat(parsed.LeftOut, content.LeftOutOf(&config.Spec))
}

func newUnitState(s content.UnitState) UnitState {
	state := UnitState{Name: s.Name}
	switch {
	case s.Enabled == nil:
	case *s.Enabled:
		state.States = append(state.States, "enabled")
	default:
		state.States = append(state.States, "disabled")
	}
	if s.Unmasked {
		state.States = append(state.States, "unmasked")
	}
	return state
}

func newEntry(e content.Entry) Entry {
	entry := Entry{Kind: string(e.Kind), Path: e.Path, Owner: e.User + ":" + e.Group}
	if e.Target == "" {
		entry.Mode = fmt.Sprintf("%04o", e.Mode)
	}
	if e.Hash != "" {
		entry.Bytes = ptr.To(e.Size)
	}
	note := func(applies bool, text string) {
		if applies {
			entry.Notes = append(entry.Notes, text)
		}
	}
	note(e.Appends, "appended")
	// All files do, so that goes without saying.
	note(e.Overwrite && e.Kind != content.KindFile, "overwrites")
	note(e.KeepsMode, "mode as in the base image, if it is there")
	note(e.KeepsOwner, "owner as in the base image, if it is there")
	note(e.Enabled != nil && *e.Enabled, "enabled")
	note(e.Enabled != nil && !*e.Enabled, "disabled")
	note(e.Masked != nil && *e.Masked, "masked")
	note(e.Hard, "hard link")
	note(e.Target != "", "to "+e.Target)
	return entry
}
