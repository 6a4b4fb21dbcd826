package content

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// TestR33WhatAMachineDerivesOnce: a machine that changes to an image has had its first
// boot, so what is made then is made in the image.
func TestR33WhatAMachineDerivesOnce(t *testing.T) {
	file := func(path string) string {
		return `"storage":{"files":[{"path":"` + path + `","contents":{"source":"data:,x"}}]}`
	}
	for name, test := range map[string]struct {
		reason, sections string
		want             []string
		presets          []string
		leftOut          []LeftOut
	}{
		"anchor":           {reason: "it would be there, and not trusted", sections: file("/etc/pki/ca-trust/source/anchors/corp.crt"), want: []string{"trust"}},
		"blocklist":        {reason: "certificates are distrusted in the same way", sections: file("/etc/pki/ca-trust/source/blocklist/bad.crt"), want: []string{"trust"}},
		"anchor of system": {reason: "there are two places", sections: file("/usr/share/pki/ca-trust-source/anchors/corp.crt"), want: []string{"trust"}},
		"anchor as a link": {reason: "whatever it is", sections: `"storage":{"links":[{"path":"/etc/pki/ca-trust/source/anchors/l.crt","target":"/etc/corp.crt"}]}`, want: []string{"trust"}},
		"another anchor":   {reason: "a name that begins alike is another one", sections: file("/etc/pki/ca-trust/source.old/corp.crt")},
		"libraries":        {reason: "ldconfig.service runs when systemd finds that it has to", sections: file("/etc/ld.so.conf.d/corp.conf"), want: []string{"libraries"}},
		"library":          {reason: "a library is known by the cache", sections: file("/usr/lib64/libcorp.so.1"), want: []string{"libraries"}},
		"no library":       {reason: "most of /usr/lib is none", sections: file("/usr/lib/systemd/system/a.service")},
		"hwdb":             {reason: "systemd-hwdb-update.service runs when systemd finds that it has to", sections: file("/etc/udev/hwdb.d/99-corp.hwdb"), want: []string{"hwdb"}},
		"modules":          {reason: "no machine does that", sections: file("/etc/depmod.d/corp.conf"), want: []string{"modules"}},
		"dconf":            {reason: "nothing does that at boot", sections: file("/etc/dconf/db/local.d/00-corp"), want: []string{"dconf"}},
		"Ignition's presets": {
			reason: "it adds lines to what is there", sections: file("/etc/systemd/system-preset/20-ignition.preset"),
			leftOut: []LeftOut{{"/etc/systemd/system-preset/20-ignition.preset", "Ignition notes there which units of the config start"}},
		},
		"presets": {
			reason: "they count at the first boot only", sections: file("/etc/systemd/system-preset/10-corp.preset"),
			presets: []string{"/etc/systemd/system-preset/10-corp.preset"},
		},
		"no presets": {reason: "systemd reads no other names", sections: file("/etc/systemd/system-preset/10-corp.conf")},
		"accounts": {
			reason: "an image's users are not a machine's", sections: file("/etc/sysusers.d/corp.conf"),
			leftOut: []LeftOut{{"accounts of /etc/sysusers.d/corp.conf", "users and groups are the machine's; systemd-sysusers makes them there"}},
		},
		"at each boot": {
			reason: "there is nothing to do",
			sections: `"storage":{"files":[{"path":"/etc/tmpfiles.d/a.conf"},{"path":"/etc/sysctl.d/a.conf"},{"path":"/etc/modules-load.d/a.conf"},{"path":"/etc/modprobe.d/a.conf"},
				{"path":"/etc/udev/rules.d/a.rules"},{"path":"/etc/locale.conf"},{"path":"/etc/vconsole.conf"},{"path":"/etc/selinux/config"}]}`,
		},
		"what is left to the node": {reason: "it is not in the image", sections: file("/usr/local/share/ca-certificates/corp.crt"), leftOut: []LeftOut{{"/usr/local/share/ca-certificates/corp.crt", "/usr/local leads to /var/usrlocal, and " + whyVar}}},
		"what is made": {
			reason: "the next update would overwrite it", sections: file("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
			leftOut: []LeftOut{{"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "it is made from trust anchors"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			content := parsed(t, test.sections)
			require.Equal(t, test.want, content.derivations, test.reason)
			require.Equal(t, test.presets, content.presetFiles, test.reason)
			require.Equal(t, test.leftOut, content.LeftOut, test.reason)
			require.Equal(t, len(test.want)+len(test.presets) > 0, len(content.Derived) > 0, "what is made is shown")
		})
	}
}

// TestR32NothingOfOursIsWhereTheConfigWrites: the trust bundle took the place of a file
// that every rendered config has.
func TestR32NothingOfOursIsWhereTheConfigWrites(t *testing.T) {
	const bundle = "/etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt"
	content := parsed(t, `"storage":{"files":[{"path":"`+bundle+`","mode":384,"contents":{"source":"data:,x"}}]}`)
	require.Equal(t, []Entry{{Kind: KindFile, Path: bundle, Mode: 0o600, User: "root", Group: "root", Overwrite: true, Size: 1, Hash: hashOf("x")}}, content.Entries)
	for name, script := range inputs.Scripts() {
		require.NotContains(t, string(script), "openshift-config-user-ca-bundle", "the script %s leaves the operator's file alone", name)
	}
	apply := string(inputs.Scripts()["apply.sh"])
	require.Contains(t, apply, `while [ -e "$anchors/$name.crt" ]`, "ours has a name that nobody else has taken")
	require.Contains(t, apply, "machine-os-trust-bundle")
}

// TestR34NoFileOfAComponentOfTheNode: the node's agent took the config in the image for the
// one that it had applied, and never wrote what was left to it.
func TestR34NoFileOfAComponentOfTheNode(t *testing.T) {
	for path, reason := range map[string]string{
		"/etc/machine-config-daemon/currentconfig":         "the agent compares its name with the wanted one",
		"/etc/machine-config-daemon/node-annotations.json": "the agent takes the node's first config from it",
		"/etc/machine-config-daemon/orig/etc/a.mcdorig":    "the agent puts such files back",
		"/etc/ignition-machine-config-encapsulated.json":   "the agent takes a boot for the first one",
		"/etc/.ignition-result.json":                       "it tells which config a machine was provisioned with",
		"/etc/.updated":                                    "systemd decides by it what to run",
		"/etc/machine-id":                                  "two machines would be the same",
	} {
		content := parsed(t, `"storage":{"files":[{"path":"`+path+`","contents":{"source":"data:,x"}}]}`)
		require.Empty(t, content.Entries, "%s: %s", path, reason)
		require.Len(t, content.LeftOut, 1, reason)
	}
	archive, problem := Pack(machineConfig(nil), parsed(t, `"storage":{"files":[{"path":"/etc/a"}]}`), nil)
	require.Nil(t, problem)
	for name, text := range unpack(t, archive) {
		require.NotContains(t, text, "machine-config-daemon", "%s makes no such file", name)
		require.NotContains(t, name, "currentconfig")
	}
}
