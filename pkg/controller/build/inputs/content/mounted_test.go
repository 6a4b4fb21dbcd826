package content

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

const (
	overHosts   = "something is mounted over /etc/hosts while an image is built"
	overResolv  = "something is mounted over /etc/resolv.conf while an image is built"
	overRepos   = "something is mounted over /etc/yum.repos.d while an image is built"
	overEntitle = "something is mounted over /etc/pki/entitlement while an image is built"
)

type mountedCase struct {
	reason, sections string
	// apart are the paths that are applied apart from the rest, rest those that are not.
	apart, rest []string
	owners      string
	leftOut     []LeftOut
}

func (c mountedCase) check(t *testing.T) {
	t.Helper()
	content := parsed(t, c.sections)
	require.Equal(t, c.leftOut, content.LeftOut, c.reason)
	lines := strings.Fields(content.apart.paths)
	require.Equal(t, c.apart, lines, c.reason)
	require.Equal(t, c.owners, content.apart.owners, c.reason)
	require.Equal(t, c.apart, pathsOf(t, content.apart.config), c.reason)
	require.Equal(t, c.rest, pathsOf(t, content.toApply), c.reason)
	entries := make([]string, 0, len(content.Entries))
	for _, entry := range content.Entries {
		entries = append(entries, entry.Path)
	}
	want := slices.Concat(c.apart, c.rest)
	slices.Sort(want)
	require.ElementsMatch(t, want, entries, "the preview says what is in the image, however it got there")
}

// pathsOf are the paths of a config for Ignition.
func pathsOf(t *testing.T, config []byte) []string {
	t.Helper()
	paths := []string{}
	if len(config) == 0 {
		return paths
	}
	type node struct{ Path string }
	var parsed struct {
		Storage struct{ Directories, Files, Links []node }
	}
	require.NoError(t, json.Unmarshal(config, &parsed))
	for _, n := range slices.Concat(parsed.Storage.Directories, parsed.Storage.Files, parsed.Storage.Links) {
		paths = append(paths, n.Path)
	}
	return paths
}

// TestR30WhatABuilderMountsOver: every step of a build has the builder's own files there,
// and failed on writing to them.
func TestR30WhatABuilderMountsOver(t *testing.T) {
	for name, test := range map[string]mountedCase{
		"hosts": {
			reason: "it is copied to where the step could not write", sections: `"storage":{"files":[{"path":"/etc/hosts","overwrite":true,"contents":{"source":"data:,x"}},{"path":"/etc/a"}]}`,
			apart: []string{"/etc/hosts"}, rest: []string{"/etc/a"},
		},
		"resolv.conf": {
			reason: "the same", sections: `"storage":{"files":[{"path":"/etc/resolv.conf","mode":420,"contents":{"source":"data:,x"}}]}`,
			apart: []string{"/etc/resolv.conf"}, rest: []string{},
		},
		"append": {
			reason: "the script brings along what the base image has there", sections: `"storage":{"files":[{"path":"/etc/hosts","append":[{"source":"data:,x"}]}]}`,
			apart: []string{"/etc/hosts"}, rest: []string{},
		},
		"mode alone": {
			reason: "the content is the base image's", sections: `"storage":{"files":[{"path":"/etc/hosts","mode":384}]}`,
			apart: []string{"/etc/hosts"}, rest: []string{},
		},
		"owners": {
			reason:   "Ignition would look for names where there are none",
			sections: `"storage":{"files":[{"path":"/etc/hosts","user":{"name":"mail"},"group":{"name":"adm"}},{"path":"/etc/resolv.conf","user":{"id":7},"group":{"name":"adm"}}]}`,
			apart:    []string{"/etc/hosts", "/etc/resolv.conf"}, rest: []string{}, owners: "mail:adm\n/etc/hosts\n:adm\n/etc/resolv.conf\n",
		},
		"odd owner": {
			reason: "a name is a word of a command", sections: `"storage":{"files":[{"path":"/etc/hosts","user":{"name":"-x\n/etc/a"}}]}`,
			apart: []string{}, rest: []string{}, leftOut: []LeftOut{{"/etc/hosts", "its owner's name is not one that every tool takes"}},
		},
		"hostname": {
			reason: "machines of a pool have a name each", sections: `"storage":{"files":[{"path":"/etc/hostname","contents":{"source":"data:,x"}}]}`,
			apart: []string{}, rest: []string{}, leftOut: []LeftOut{{"/etc/hostname", "a name is one machine's own"}},
		},
		"link": {
			reason: "the builder would mount over what the link leads to", sections: `"storage":{"links":[{"path":"/etc/resolv.conf","target":"../run/systemd/resolve/stub-resolv.conf","overwrite":true}]}`,
			apart: []string{}, rest: []string{}, leftOut: []LeftOut{{"/etc/resolv.conf", overResolv}},
		},
		"link to it": {
			reason: "that is a name, and no more", sections: `"storage":{"links":[{"path":"/etc/l","target":"/etc/hosts"}]}`,
			apart: []string{}, rest: []string{"/etc/l"},
		},
		"hard link to it": {
			reason: "there is no link to another file system", sections: `"storage":{"files":[{"path":"/etc/hosts"}],"links":[{"path":"/etc/l","target":"/etc/hosts","hard":true}]}`,
			apart: []string{"/etc/hosts"}, rest: []string{},
			leftOut: []LeftOut{{"/etc/l", "it is a hard link to /etc/hosts, and something is mounted over one of both while an image is built"}},
		},
		"directory in its place": {
			reason: "what is mounted over cannot be removed", sections: `"storage":{"directories":[{"path":"/etc/hosts","overwrite":true}]}`,
			apart: []string{}, rest: []string{}, leftOut: []LeftOut{{"/etc/hosts", overHosts}},
		},
		"directory above replaced": {
			reason: "nor can what it lies in", sections: `"storage":{"directories":[{"path":"/etc","overwrite":true}]}`,
			apart: []string{}, rest: []string{}, leftOut: []LeftOut{{"/etc", overHosts}},
		},
		"directory above": {
			reason: "a mode is no removal", sections: `"storage":{"directories":[{"path":"/etc","mode":493}]}`,
			apart: []string{}, rest: []string{"/etc"},
		},
		"drop-in that leads there": {
			reason: "a name of a drop-in is part of a path", sections: `"systemd":{"units":[{"name":"a.service","dropins":[{"name":"../../../resolv.conf","contents":"x"}]}]}`,
			apart: []string{}, rest: []string{}, leftOut: []LeftOut{{"/etc/resolv.conf", overResolv}},
		},
		"memory": {
			reason: "the rest of what is mounted is the machine's anyway", sections: `"storage":{"files":[{"path":"/run/.containerenv"},{"path":"/proc/x"},{"path":"/sys/x"},{"path":"/dev/x"}]}`,
			apart: []string{}, rest: []string{},
			leftOut: []LeftOut{{"/dev/x", whyRuntime}, {"/proc/x", whyRuntime}, {"/run/.containerenv", whyRuntime}, {"/sys/x", whyRuntime}},
		},
	} {
		t.Run(name, test.check)
	}
}

// TestR31VolumesAreNotInTheWay: a pool's config was built until somebody created the
// Secret whose volume lies over one of its files.
func TestR31VolumesAreNotInTheWay(t *testing.T) {
	for name, test := range map[string]mountedCase{
		"entitlement": {
			reason: "the volume is read-only", sections: `"storage":{"files":[{"path":"/etc/pki/entitlement/x.pem","contents":{"source":"data:,x"}}]}`,
			apart: []string{"/etc/pki/entitlement/x.pem"}, rest: []string{},
		},
		"repositories and keys": {
			reason: "the same for the others", sections: `"storage":{"files":[{"path":"/etc/yum.repos.d/a.repo","contents":{"source":"data:,x"}},{"path":"/etc/pki/rpm-gpg/KEY","append":[{"source":"data:,x"}]},{"path":"/etc/yum.repos.d.saved"}]}`,
			apart: []string{"/etc/yum.repos.d/a.repo", "/etc/pki/rpm-gpg/KEY"}, rest: []string{"/etc/yum.repos.d.saved"},
		},
		"directory itself": {
			reason: "its mode is the image's, not the volume's", sections: `"storage":{"directories":[{"path":"/etc/yum.repos.d","mode":448},{"path":"/etc/pki/entitlement/sub"}]}`,
			apart: []string{"/etc/yum.repos.d", "/etc/pki/entitlement/sub"}, rest: []string{},
		},
		"directory above": {
			reason: "nothing is mounted there", sections: `"storage":{"directories":[{"path":"/etc/pki","mode":448}]}`,
			apart: []string{}, rest: []string{"/etc/pki"},
		},
		"directory replaced": {
			reason: "what is in it cannot be removed", sections: `"storage":{"directories":[{"path":"/etc/yum.repos.d","overwrite":true}],"files":[{"path":"/etc/yum.repos.d/a.repo"}]}`,
			apart: []string{"/etc/yum.repos.d/a.repo"}, rest: []string{}, leftOut: []LeftOut{{"/etc/yum.repos.d", overRepos}},
		},
		"link below": {
			reason: "a link is copied as one", sections: `"storage":{"links":[{"path":"/etc/yum.repos.d/l.repo","target":"a.repo"}]}`,
			apart: []string{"/etc/yum.repos.d/l.repo"}, rest: []string{},
		},
		"link instead": {
			reason: "the volume would be mounted where it leads to", sections: `"storage":{"links":[{"path":"/etc/pki/entitlement","target":"/run/secrets/etc-pki-entitlement"}]}`,
			apart: []string{}, rest: []string{}, leftOut: []LeftOut{{"/etc/pki/entitlement", overEntitle}},
		},
		"file instead": {
			reason: "a volume needs a directory", sections: `"storage":{"files":[{"path":"/etc/yum.repos.d"}]}`,
			apart: []string{}, rest: []string{}, leftOut: []LeftOut{{"/etc/yum.repos.d", overRepos}},
		},
		"hard links below": {
			reason: "both are copied", sections: `"storage":{"files":[{"path":"/etc/yum.repos.d/a"}],"links":[{"path":"/etc/yum.repos.d/b","target":"/etc/yum.repos.d/a","hard":true}]}`,
			apart: []string{"/etc/yum.repos.d/a", "/etc/yum.repos.d/b"}, rest: []string{},
		},
		"not ours": {
			reason: "nothing is mounted there", sections: `"storage":{"files":[{"path":"/etc/rhsm/rhsm.conf"},{"path":"/etc/pki/consumer/cert.pem"}]}`,
			apart: []string{}, rest: []string{"/etc/rhsm/rhsm.conf", "/etc/pki/consumer/cert.pem"},
		},
	} {
		t.Run(name, test.check)
	}
	linked := parsed(t, `"storage":{"links":[{"path":"/etc/yum.repos.d/b","target":"/etc/yum.repos.d/base.repo","hard":true}]}`)
	require.Equal(t, "/etc/yum.repos.d/b\n/etc/yum.repos.d/base.repo\n", linked.apart.paths, "a file of the base image that is linked to has to be there")
	for _, volume := range (inputs.Entitled{Entitlement: true, Repositories: true, SigningKeys: true}).Volumes() {
		require.True(t, isMounted(volume.Path+"/x"), "a volume that is added is one that is known here")
	}
}
