package content

import (
	"path"
	"slices"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// Derived is what the build makes of what a config brings, since a machine does so at its
// first boot only, or never.
type Derived struct {
	// What is a path: a file, or a directory in which files are made or changed.
	What string `json:"what"`
	// From is what it is made from: a path of the config, or a part of it.
	From string `json:"from"`
}

// derivation is a rule of what is made from which files.
type derivation struct {
	// name is what the script apply.sh knows it by.
	name string
	// below are the directories, or the files, whose change makes it necessary.
	below []string
	// libraries tells that below /usr only those count.
	libraries bool
	made      []string
}

const presetFile = "/etc/systemd/system-preset/20-ignition.preset"

// derivations are those that systemd's units of the kind ConditionFirstBoot and
// ConditionNeedsUpdate, and RHCOS's own, would see to on a new machine, as far as an
// image can have the result. What is read at every boot needs none.
var derivations = []derivation{
	{
		name: "trust", made: []string{"/etc/pki/ca-trust/extracted", "/etc/ssl/certs"},
		below: []string{"/etc/pki/ca-trust/source", "/usr/share/pki/ca-trust-source", "/etc/ca-certificates.conf", "/usr/share/ca-certificates"},
	},
	{
		name: "libraries", made: []string{"/etc/ld.so.cache"}, libraries: true,
		below: []string{"/etc/ld.so.conf", "/etc/ld.so.conf.d", "/usr/lib", "/usr/lib64", "/lib", "/lib64"},
	},
	{name: "hwdb", made: []string{"/etc/udev/hwdb.bin"}, below: []string{"/etc/udev/hwdb.d", "/usr/lib/udev/hwdb.d", "/lib/udev/hwdb.d"}},
	{name: "dconf", made: []string{"/etc/dconf/db"}, below: []string{"/etc/dconf/db"}},
	{name: "modules", made: []string{"/usr/lib/modules"}, below: []string{"/etc/depmod.d", "/usr/lib/depmod.d", "/usr/lib/modules", "/lib/modules"}},
}

// DerivedOfTrustBundle is what the build makes of the cluster's trust bundle. The file has
// a longer name where another one has that already.
func DerivedOfTrustBundle() []Derived {
	from := inputs.ControllerConfigObject + ", spec.additionalTrustBundle"
	derived := []Derived{{What: "/etc/pki/ca-trust/source/anchors/machine-os-trust-bundle.crt", From: from}}
	for _, made := range derivations[0].made {
		derived = append(derived, Derived{What: made, From: from})
	}
	return derived
}

func (d derivation) from(name string) bool {
	for _, dir := range d.below {
		if name != dir && !strings.HasPrefix(name, dir+"/") {
			continue
		}
		if !d.libraries || strings.HasPrefix(dir, "/etc/") || strings.Contains(path.Base(name), ".so") {
			return true
		}
	}
	return false
}

// presetDirs is where systemd looks for presets of the system's units.
var presetDirs = []string{"/etc/systemd/system-preset", "/usr/lib/systemd/system-preset", "/lib/systemd/system-preset"}

// accountDirs is where systemd-sysusers looks for accounts.
var accountDirs = []string{"/etc/sysusers.d", "/usr/lib/sysusers.d"}

// derive finds what has to be made from the entries, and tells what cannot be.
func (f *filter) derive() {
	c := f.content
	for _, entry := range c.Entries {
		for _, d := range derivations {
			if d.from(entry.Path) {
				c.derivations = append(c.derivations, d.name)
				for _, made := range d.made {
					c.Derived = append(c.Derived, Derived{What: made, From: entry.Path})
				}
			}
		}
		switch dir, name := path.Split(entry.Path); {
		case slices.Contains(presetDirs, path.Clean(dir)) && unitName.MatchString(name) && strings.HasSuffix(name, ".preset") && entry.Kind == KindFile:
			c.presetFiles = append(c.presetFiles, entry.Path)
			c.Derived = append(c.Derived, Derived{What: unitsDir, From: entry.Path})
		case slices.Contains(accountDirs, path.Clean(dir)) && strings.HasSuffix(name, ".conf"):
			f.leaveOut("accounts of "+entry.Path, "users and groups are the machine's; systemd-sysusers makes them there")
		}
	}
	for _, entry := range c.described() {
		if entry.Kind == KindUnit && entry.Enabled != nil {
			c.Derived = append(c.Derived, Derived{What: unitsDir, From: "systemd.units"}, Derived{What: presetFile, From: "systemd.units"})
			break
		}
	}
	slices.Sort(c.derivations)
	c.derivations = slices.Compact(c.derivations)
	slices.SortFunc(c.Derived, func(a, b Derived) int {
		return strings.Compare(a.What+"\x00"+a.From, b.What+"\x00"+b.From)
	})
	c.Derived = slices.Compact(c.Derived)
}
