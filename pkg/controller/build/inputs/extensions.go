package inputs

import (
	"slices"
	"strings"
)

// ExtensionsVersion is whose table of extensions extensionTable is: the one of the node's
// agent in OpenShift 5.0. What OpenShift 4 lacks of it is newer.
const ExtensionsVersion = "OpenShift 5.0"

// extension is what a name in spec.extensions stands for.
type extension struct {
	packages []string
	// newer are packages that belong to it as well, if the extensions image has them.
	newer []string
	// tmpfiles are lines of tmpfiles.d(5), for state below /var that packages bring with
	// them: what an image has there does not reach a machine.
	tmpfiles []string
	// without are files of the packages that say something else.
	without []string
}

// extensionTable has to be replaced as a whole, together with ExtensionsVersion.
var extensionTable = map[string]extension{
	"ipsec": {
		packages: []string{"NetworkManager-libreswan", "libreswan"},
		newer:    []string{"openvswitch3.5-ipsec"},
		tmpfiles: []string{"d /var/lib/ipsec 0700 root root - -", "d /var/lib/ipsec/nss 0700 root root - -"},
	},
	"kerberos":             {packages: []string{"krb5-workstation", "libkadm5"}},
	"kernel-devel":         {packages: []string{"kernel-devel", "kernel-headers"}},
	"sandboxed-containers": {packages: []string{"kata-containers"}},
	"sysstat":              {packages: []string{"sysstat"}},
	"two-node-ha":          {packages: []string{"fence-agents-all", "pacemaker", "pcs"}},
	"usbguard": {
		packages: []string{"usbguard"},
		tmpfiles: []string{"d /var/log/usbguard 0755 root root - -"},
		without:  []string{"/usr/lib/tmpfiles.d/usbguard.conf"},
	},
}

// ExtensionNames are the valid names in spec.extensions, sorted.
func ExtensionNames() []string {
	names := make([]string, 0, len(extensionTable))
	for name := range extensionTable {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Newer are packages of the extensions that are installed where the extensions image has
// them, sorted.
func (p Packages) Newer() []string {
	return p.collect(func(e extension) []string { return e.newer })
}

func (p Packages) collect(of func(extension) []string) []string {
	var all []string
	for _, name := range p.Extensions {
		all = append(all, of(extensionTable[name])...)
	}
	return sortedUnique(all)
}

// extensionFiles are what the script packages.sh reads beside it: for each extension that
// needs any, the lines and the files.
func extensionFiles() map[string]string {
	files := map[string]string{}
	for name, e := range extensionTable {
		if len(e.tmpfiles) > 0 {
			files["tmpfiles-"+name] = strings.Join(e.tmpfiles, "\n") + "\n"
		}
		if len(e.without) > 0 {
			files["without-"+name] = strings.Join(e.without, "\n") + "\n"
		}
	}
	return files
}
