package content

import (
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
)

func TestMachineLocal(t *testing.T) {
	for name, test := range map[string]struct {
		reason, path, want string
	}{
		"/etc":             {reason: "configuration is part of an image", path: "/etc/a"},
		"/usr":             {reason: "so are programs", path: "/usr/lib/a"},
		"/usr/localhost":   {reason: "a name that begins alike is another one", path: "/usr/localhost"},
		"/various":         {reason: "a name that begins alike is another one", path: "/various"},
		"root directory":   {reason: "it is everybody's", path: "/"},
		"/var":             {reason: "state is the machine's", path: "/var/lib/kubelet/config.json", want: whyVar},
		"/var itself":      {reason: "so is the directory", path: "/var", want: whyVar},
		"/usr/local":       {reason: "on RHCOS it is a link", path: "/usr/local/bin/a", want: "/usr/local leads to /var/usrlocal, and " + whyVar},
		"/home":            {reason: "on RHCOS it is a link", path: "/home/core/.ssh", want: "/home leads to /var/home, and " + whyVar},
		"/root":            {reason: "on RHCOS it is a link", path: "/root/.docker/config.json", want: "/root leads to /var/roothome, and " + whyVar},
		"/opt":             {reason: "on RHCOS it is a link", path: "/opt/a", want: "/opt leads to /var/opt, and " + whyVar},
		"/run":             {reason: "it is memory", path: "/run/a", want: whyRuntime},
		"/boot":            {reason: "it is another partition", path: "/boot/a", want: whyBoot},
		"dots":             {reason: "a path is what it leads to", path: "/etc/../var/a", want: whyVar},
		"slashes":          {reason: "a path is what it leads to", path: "//var//a", want: whyVar},
		"registry's token": {reason: "it is renewed all the time", path: "/etc/mco/internal-registry-pull-secret.json", want: "it is a credential that the node's agent renews"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, machineLocal(test.path), test.reason)
		})
	}
}

func TestParseLeavesToTheNode(t *testing.T) {
	for name, test := range map[string]struct {
		reason, sections string
		want             []LeftOut
	}{
		"pull secret": {
			reason:   "the node's credentials are in every rendered config",
			sections: `"storage":{"files":[{"path":"/var/lib/kubelet/config.json","contents":{"source":"data:,` + canary + `"}}]}`,
			want:     []LeftOut{{"/var/lib/kubelet/config.json", whyVar}},
		},
		"directories and links": {
			reason:   "whatever it is that lies there",
			sections: `"storage":{"directories":[{"path":"/var/d"}],"links":[{"path":"/usr/local/bin/l","target":"/usr/bin/` + canary + `"}]}`,
			want:     []LeftOut{{"/usr/local/bin/l", "/usr/local leads to /var/usrlocal, and " + whyVar}, {"/var/d", whyVar}},
		},
		"hard link out of the image": {
			reason:   "there is nothing to link to",
			sections: `"storage":{"links":[{"path":"/etc/l","target":"/var/` + canary[:6] + `","hard":true}]}`,
			want:     []LeftOut{{"/etc/l", "it is a hard link to /var/canary, which is left to the node"}},
		},
		"another way to write it": {
			reason:   "a decoder of JSON takes keys of any case",
			sections: `"Storage":{"FILES":[{"Path":"/var/a","contents":{"source":"data:,` + canary + `"}}]}`,
			want:     []LeftOut{{"/var/a", whyVar}},
		},
		"disks": {
			reason: "a machine has them, an image has not",
			sections: `"kernelArguments":{"shouldExist":["quiet"]},"storage":{
				"disks":[{"device":"/dev/sda","wipeTable":true,"partitions":[{"label":"x","number":1}]}],
				"raid":[{"name":"md","level":"raid1","devices":["/dev/sda","/dev/sdb"]}],
				"luks":[{"name":"l","device":"/dev/sda1","keyFile":{"source":"data:,` + canary + `"}}],
				"filesystems":[{"device":"/dev/sda1","format":"xfs","path":"/data"}]}`,
			want: []LeftOut{
				{"kernelArguments", "an image has no boot loader entries"},
				{"storage.disks", "an image has no disks"},
				{"storage.filesystems", "an image has no file systems of its own"},
				{"storage.luks", "an image has no disks to encrypt"},
				{"storage.raid", "an image has no disks to combine"},
			},
		},
		"users": {
			reason:   "Ignition applies no users to an image, and a password hash is a credential",
			sections: `"passwd":{"groups":[{"name":"g"}],"users":[{"name":"core","passwordHash":"` + canary + `","groups":["wheel"]}]}`,
			want: []LeftOut{
				{"passwd.groups", "users and groups are the machine's"},
				{"passwd.users[core]", "users and groups are the machine's"},
				{"passwd.users[core].passwordHash", "a password hash is a credential"},
			},
		},
		"odd user": {
			reason:   "the name becomes that of a file",
			sections: `"passwd":{"users":[{"name":"../x","sshAuthorizedKeys":["` + canary + `"]}]}`,
			want:     []LeftOut{{"passwd.users[../x].sshAuthorizedKeys", "the user's name is not one that every tool takes"}},
		},
		"odd instance": {
			reason:   "the name would be a line of presets",
			sections: `"systemd":{"units":[{"name":"a@\nenable x.service","enabled":true}]}`,
			want:     []LeftOut{{"systemd.units[a@?enable x.service].enabled", "the unit's name is not one that systemd takes"}},
		},
		"unit elsewhere": {
			reason:   "a unit's name is part of a path",
			sections: `"systemd":{"units":[{"name":"../../../var/` + canary[:6] + `.service","contents":"[Unit]\n"}]}`,
			want:     []LeftOut{{"/var/canary.service", whyVar}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			content := parsed(t, test.sections)
			require.Equal(t, test.want, content.LeftOut, test.reason)
			require.Empty(t, content.presets, test.reason)
			require.Empty(t, files(content), test.reason)
			require.NotContains(t, string(content.toApply), canary, "what is left out reaches no image")
			for _, leftOut := range content.LeftOut {
				require.NotContains(t, leftOut.String(), canary)
			}
		})
	}
}

// files are the entries that have content or a target.
func files(content *Content) (found []Entry) {
	for _, entry := range content.Entries {
		if entry.Hash != "" || entry.Target != "" || entry.Kind != KindUnit {
			found = append(found, entry)
		}
	}
	return found
}

func TestParseLeavesOutFetching(t *testing.T) {
	content, problem := Parse("c", []byte(`{"ignition":{"version":"3.4.0","proxy":{"httpProxy":"https://user:`+canary+`@proxy.example.com"},"security":{"tls":{"certificateAuthorities":[{"source":"data:,x"}]}}}}`))
	require.Nil(t, problem)
	require.Equal(t, []LeftOut{
		{"ignition.proxy", "it is for fetching, and a build fetches nothing"},
		{"ignition.security.tls", "it is for fetching, and a build fetches nothing"},
	}, content.LeftOut)
	require.NotContains(t, string(content.toApply), canary, "a proxy's address may have a password")
}

func TestLeftOutOf(t *testing.T) {
	require.Empty(t, LeftOutOf(&mcfgv1.MachineConfigSpec{KernelType: "realtime", Extensions: []string{"usbguard"}}), "those are in the image")
	require.Equal(t, []LeftOut{
		{"spec.kernelArguments", "an image has no boot loader entries"},
		{"spec.fips", "a machine enters FIPS mode when it is installed"},
	}, LeftOutOf(&mcfgv1.MachineConfigSpec{KernelArguments: []string{"quiet"}, FIPS: true}))
}
