package e2e

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPreviewIsTheImage builds from configs as operators render them, with a trust bundle
// and all three volumes with entitled content, and compares every path of the preview with
// the image, and every path in which the image differs from its base with the preview.
func TestPreviewIsTheImage(t *testing.T) {
	b := startBuilds(t)
	program := buildProgram(t)
	baseImage, base := b.realisticBase(t)
	for number, platform := range []string{"aws", "baremetal", "vsphere", "none"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			config := newRealistic(platform, number)
			require.GreaterOrEqual(t, len(config.files), 80)
			require.GreaterOrEqual(t, len(config.units), 30)
			in := input{
				BaseImage: baseImage, TrustBundle: certificate(t), MachineConfig: machineConfig(t, config.config(number)),
				volumes: entitledVolumes(), singleLayer: true,
			}
			_, image := b.build(t, in)
			l := likeness{config: config, report: renderBuild(t, program, in, in.volumes), base: base, image: image.files(t), bundle: in.TrustBundle}
			l.check(t)
		})
	}
}

// enablement: a unit that is enabled has the links that its [Install] asks for, and the
// preset that Ignition writes; one that is disabled has none.
func (l *likeness) enablement(t *testing.T) {
	t.Helper()
	const units = "/etc/systemd/system/"
	var presets []string
	instances := map[string][]string{}
	for name, enabled := range l.states(t) {
		template, instance := name, ""
		if at := strings.IndexByte(name, '@'); at >= 0 {
			suffix := path.Ext(name)
			template, instance = name[:at]+"@"+suffix, strings.TrimSuffix(name[at+1:], suffix)
		}
		text, ours := l.config.text[units+template]
		source := units + template
		if !ours {
			// Units of the base image are all alike.
			text, source = service, "/lib/systemd/system/"+template
		}
		verb := map[bool]string{true: "enable ", false: "disable "}[enabled]
		switch {
		case instance != "":
			instances[verb+template] = append(instances[verb+template], instance)
		case enabled || l.base[units+"multi-user.target.wants/"+name].Type != "":
			presets = append(presets, verb+name)
		}
		for _, link := range installed(text, name) {
			if enabled {
				require.Equal(t, node{Type: "l", Link: source}, l.take(link), "%s is enabled", name)
			} else {
				require.NotContains(t, l.image, link, "%s is disabled", name)
				l.take(link)
			}
		}
	}
	for preset, names := range instances {
		slices.Sort(names)
		presets = append(presets, preset+" "+strings.Join(names, " "))
	}
	l.presets(t, presets)
	// The preset that the config brings says so of two units of the base image.
	require.Equal(t, node{Type: "l", Link: "/lib/systemd/system/preset.service"}, l.take(units+"multi-user.target.wants/preset.service"))
	require.NotContains(t, l.image, units+"multi-user.target.wants/base-disabled.service")
	l.take(units + "multi-user.target.wants/base-disabled.service")
	require.NotContains(t, l.image, units+"base-masked.service", "its mask is taken away")
	l.take(units + "base-masked.service")
}

// states are those of all units that the preview tells of.
func (l *likeness) states(t *testing.T) map[string]bool {
	t.Helper()
	states := map[string]bool{}
	note := func(name string, notes []string) {
		for _, word := range notes {
			if word == "enabled" || word == "disabled" {
				states[name] = word == "enabled"
			}
		}
	}
	for _, e := range l.report.Content.Entries {
		if e.Kind == "unit" && !slices.Contains(e.Notes, "masked") {
			note(path.Base(e.Path), e.Notes)
		}
	}
	for _, state := range l.report.Content.UnitStates {
		note(state.Name, state.States)
	}
	for _, unit := range l.config.units {
		if enabled, ok := unit["enabled"].(bool); ok && unit["mask"] != true {
			require.Equal(t, enabled, states[unit["name"].(string)], unit["name"])
		}
	}
	return states
}

// presets: the order of lines is Ignition's.
func (l *likeness) presets(t *testing.T, want []string) {
	t.Helper()
	const name = "/etc/systemd/system-preset/20-ignition.preset"
	var enabled, rest []string
	slices.Sort(want)
	for _, line := range want {
		if strings.Contains(line, "@") {
			rest = append(rest, line)
		} else {
			enabled = append(enabled, line)
		}
	}
	slices.SortFunc(enabled, func(a, b string) int {
		key := func(line string) string {
			verb, unit, _ := strings.Cut(line, " ")
			return unit + "-" + verb + "d"
		}
		return strings.Compare(key(a), key(b))
	})
	text := strings.Join(append(enabled, rest...), "\n") + "\n"
	require.Equal(t, file(0o644, text), l.take(name), "expected:\n%s", text)
}

// installed are the links that systemd makes for a unit.
func installed(text, name string) (links []string) {
	for line := range strings.Lines(text) {
		key, target, _ := strings.Cut(strings.TrimSpace(line), "=")
		if kind, ok := map[string]string{"WantedBy": "wants", "RequiredBy": "requires"}[key]; ok {
			links = append(links, fmt.Sprintf("/etc/systemd/system/%s.%s/%s", target, kind, name))
		}
	}
	return links
}

// derived: what the preview says is made is made, and from what it says.
func (l *likeness) derived(t *testing.T) {
	t.Helper()
	listed := map[string]bool{}
	for _, d := range l.report.Content.Derived {
		listed[d.What] = true
	}
	const anchors = "/etc/pki/ca-trust/source/anchors/"
	for _, name := range []string{anchors + "machine-os-trust-bundle.crt", "/etc/pki/ca-trust/extracted", "/etc/ld.so.cache", "/etc/systemd/system", "/etc/systemd/system-preset/20-ignition.preset"} {
		require.True(t, listed[name], "%s is not listed", name)
	}
	require.Equal(t, file(0o644, l.bundle), l.take(anchors+"machine-os-trust-bundle.crt"), "the bundle has a file of its own")
	all := l.config.text[anchors+"corp.crt"] + l.bundle + l.config.text[anchors+"openshift-config-user-ca-bundle.crt"]
	extracted := "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
	require.Equal(t, file(l.base[extracted].Mode, all), l.take(extracted), "all anchors are trusted")
	require.NotEqual(t, l.base["/etc/ld.so.cache"], l.image["/etc/ld.so.cache"], "the cache is made anew")
	l.take("/etc/ld.so.cache")
}
