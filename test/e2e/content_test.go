package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

type object = map[string]any

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func plain(text string) object {
	return object{"source": "data:;base64," + base64.StdEncoding.EncodeToString([]byte(text))}
}

func zipped(text string) object {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return object{"compression": "gzip", "source": "data:;base64," + base64.StdEncoding.EncodeToString(packed.Bytes())}
}

const (
	service = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
	sshKey  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/l+OS4rjKN7XPRGzYywCDSimnavMMow3Fymkw21+bF core@e2e"
)

func file(mode int64, text string) node { return node{Type: "f", Mode: mode, Hash: hashOf(text)} }
func dir(mode int64) node               { return node{Type: "d", Mode: mode} }
func link(target string) node           { return node{Type: "l", Link: target} }

func (n node) owned(uid, gid int) node {
	n.UID, n.GID = uid, gid
	return n
}

// gone is what a path has in the image that the base image had and nobody should.
var gone = node{}

// TestImageIsWhatTheConfigSays compares everything in which the image differs from
// its base, path by path, with a table of what the config says.
func TestImageIsWhatTheConfigSays(t *testing.T) {
	b := startBuilds(t)
	base := pull(t, b.host+"/org/base", b.base[len(b.host+"/org/base@"):]).files(t)

	type row struct {
		reason string
		// section is the list in the config that item is in; empty for a path that
		// another row makes.
		section string
		item    object
		// want is what is at each path in the image.
		want map[string]node
	}
	large := noise(2 << 20)
	rows := []row{
		{
			reason: "a plain file is root's", section: "files",
			item: object{"path": "/etc/plain", "contents": plain("plain")}, want: map[string]node{"/etc/plain": file(0o644, "plain")},
		},
		{
			reason: "compressed content is unpacked, and missing directories are made", section: "files",
			item: object{"path": "/etc/new/dir/zipped", "mode": 0o600, "contents": zipped("zipped")},
			want: map[string]node{"/etc/new": dir(0o755), "/etc/new/dir": dir(0o755), "/etc/new/dir/zipped": file(0o600, "zipped")},
		},
		{
			reason: "an owner by name, one by number", section: "files",
			item: object{"path": "/etc/owned", "mode": 0o640, "user": object{"name": "mail"}, "group": object{"id": 12}, "contents": plain("x")},
			want: map[string]node{"/etc/owned": file(0o640, "x").owned(8, 12)},
		},
		{
			reason: "an empty file", section: "files",
			item: object{"path": "/etc/empty"}, want: map[string]node{"/etc/empty": file(0o644, "")},
		},
		{
			reason: "content and additions in their order", section: "files",
			item: object{"path": "/etc/appended", "contents": plain("1"), "append": []object{zipped("2"), plain("3")}},
			want: map[string]node{"/etc/appended": file(0o644, "123")},
		},
		{
			reason: "overwriting replaces what the base image has", section: "files",
			item: object{"path": "/etc/motd", "overwrite": true, "contents": plain("hello")}, want: map[string]node{"/etc/motd": file(0o644, "hello")},
		},
		{
			reason: "without content the mode alone changes", section: "files",
			item: object{"path": "/etc/issue", "mode": 0o600},
			want: map[string]node{"/etc/issue": {Type: "f", Mode: 0o600, Hash: base["/etc/issue"].Hash}},
		},
		{
			reason: "content that takes several Secrets", section: "files",
			item: object{"path": "/etc/large", "contents": plain(large)}, want: map[string]node{"/etc/large": file(0o644, large)},
		},
		{
			reason: "a directory with mode and owner", section: "directories",
			item: object{"path": "/etc/directory", "mode": 0o750, "user": object{"id": 1000}, "group": object{"name": "mail"}},
			want: map[string]node{"/etc/directory": dir(0o750).owned(1000, 8)},
		},
		{
			reason: "overwriting a directory removes what is in it", section: "directories",
			item: object{"path": "/etc/update-motd.d", "overwrite": true, "mode": 0o700}, want: overwritten(base, "/etc/update-motd.d", dir(0o700)),
		},
		{
			reason: "a symbolic link may lead out of the image", section: "links",
			item: object{"path": "/etc/link", "target": "/var/lib/x"}, want: map[string]node{"/etc/link": link("/var/lib/x")},
		},
		{
			reason: "a hard link is the same file", section: "links",
			item: object{"path": "/etc/hard", "target": "/etc/plain", "hard": true}, want: map[string]node{"/etc/hard": file(0o644, "plain")},
		},
		{
			reason: "a unit is written and enabled, with its drop-ins", section: "units",
			item: object{"name": "a.service", "enabled": true, "contents": service, "dropins": []object{{"name": "10-x.conf", "contents": "[Service]\nNice=1\n"}}},
			want: map[string]node{
				"/etc/systemd/system/a.service":                             file(0o644, service),
				"/etc/systemd/system/a.service.d":                           dir(0o755),
				"/etc/systemd/system/a.service.d/10-x.conf":                 file(0o644, "[Service]\nNice=1\n"),
				"/etc/systemd/system/multi-user.target.wants/a.service":     link("/etc/systemd/system/a.service"),
				"/etc/systemd/system-preset":                                dir(0o755),
				"/etc/systemd/system-preset/20-ignition.preset":             file(0o644, "enable a.service\nenable i@.service one two\n"),
				"/etc/systemd/system/multi-user.target.wants/i@one.service": link("/etc/systemd/system/i@.service"),
				"/etc/systemd/system/multi-user.target.wants/i@two.service": link("/etc/systemd/system/i@.service"),
				"/etc/systemd/system/i@.service":                            file(0o644, service),
			},
		},
		{reason: "a unit that is disabled is only written", section: "units", item: object{"name": "b.service", "enabled": false, "contents": service}, want: map[string]node{"/etc/systemd/system/b.service": file(0o644, service)}},
		{reason: "a template by itself starts nothing", section: "units", item: object{"name": "i@.service", "contents": service}},
		{reason: "instances of a template", section: "units", item: object{"name": "i@one.service", "enabled": true}},
		{reason: "instances of a template", section: "units", item: object{"name": "i@two.service", "enabled": true}},
		{reason: "a masked unit is a link to nothing", section: "units", item: object{"name": "m.service", "mask": true}, want: map[string]node{"/etc/systemd/system/m.service": link("/dev/null")}},
		{reason: "a unit of the base image gets a drop-in", section: "units", item: object{"name": "systemd-networkd.service", "dropins": []object{{"name": "x.conf", "contents": "[Service]\n"}}}, want: map[string]node{
			"/etc/systemd/system/systemd-networkd.service.d":        dir(0o755),
			"/etc/systemd/system/systemd-networkd.service.d/x.conf": file(0o644, "[Service]\n"),
		}},
		{
			reason: "keys go where Ignition puts them on a machine, if the image has the home", section: "users",
			item: object{"name": "core", "passwordHash": "x", "sshAuthorizedKeys": []string{sshKey, sshKey + "-2"}},
			want: map[string]node{
				"/home/core/.ssh":                            dir(0o700).owned(1000, 1000),
				"/home/core/.ssh/authorized_keys.d":          dir(0o700).owned(1000, 1000),
				"/home/core/.ssh/authorized_keys.d/ignition": file(0o600, sshKey+"\n"+sshKey+"-2\n").owned(1000, 1000),
			},
		},
		{reason: "a user that the image has not is the node's", section: "users", item: object{"name": "nobody-there", "sshAuthorizedKeys": []string{sshKey}}},
		{reason: "state is the machine's own", section: "files", item: object{"path": "/var/lib/kubelet/config.json", "contents": plain("{}")}},
		{reason: "on RHCOS this leads to /var, so it is the same everywhere", section: "files", item: object{"path": "/usr/local/bin/x", "mode": 0o755, "contents": plain("x")}},
		{reason: "an image has no disks", section: "filesystems", item: object{"device": "/dev/sda1", "format": "xfs", "path": "/data"}},
	}

	storage, systemd, passwd := object{}, object{}, object{}
	parents := map[string]object{"files": storage, "directories": storage, "links": storage, "filesystems": storage, "units": systemd, "users": passwd}
	want := map[string]node{}
	for _, r := range rows {
		section := parents[r.section]
		items, _ := section[r.section].([]object)
		section[r.section] = append(items, r.item)
		for name, entry := range r.want {
			require.NotContains(t, want, name, r.reason)
			want[name] = entry
		}
	}
	in := input{MachineConfig: machineConfig(t, object{"ignition": object{"version": "3.4.0"}, "storage": storage, "systemd": systemd, "passwd": passwd})}
	out, image := b.build(t, in)

	got := changes(base, image.files(t))
	for name := range got {
		if ownToContainers[name] {
			delete(got, name)
		}
	}
	for name, entry := range want {
		require.Equal(t, entry, got[name], "%s is not as the config says", name)
		delete(got, name)
	}
	require.Empty(t, got, "the image has what no row of the table says")

	// What the config was said to make is what it made.
	files := image.files(t)
	for _, entry := range out.Entries {
		made, ok := files[entry.Path]
		require.True(t, ok, entry.Path)
		require.Equal(t, entry.Target, made.Link+hardTarget(entry.Kind, made, entry.Target), entry.Path)
		if entry.Hash != "" && !entry.Appends {
			require.Equal(t, entry.Hash, made.Hash, entry.Path)
		}
		if made.Type != "l" && entry.Kind != "link" {
			require.Equal(t, entry.Mode, made.Mode, entry.Path)
		}
	}
	var leftOut []string
	for _, l := range out.LeftOut {
		leftOut = append(leftOut, l.What)
	}
	require.Equal(t, []string{"/usr/local/bin/x", "/var/lib/kubelet/config.json", "passwd.users[core].passwordHash", "storage.filesystems"}, leftOut)
	require.Empty(t, out.Findings)
	require.Greater(t, len(out.Pieces), 2, "the archive is joined from pieces")
	labels := image.labels(t)
	require.Equal(t, "worker", labels["machineconfiguration.openshift.io/pool"])
	require.Equal(t, "rendered-worker-1", labels["machineconfiguration.openshift.io/rendered-config"])
	require.Equal(t, "rendered-worker-1", labels["org.opencontainers.image.version"])
	require.Equal(t, b.host+"/org/base", labels["org.opencontainers.image.base.name"])
	require.Len(t, labels["machineconfiguration.openshift.io/fingerprint"], 64)
}

// ownToContainers are files that every container has of its own while a step runs.
var ownToContainers = map[string]bool{"/etc/hostname": true, "/etc/hosts": true, "/etc/resolv.conf": true, "/run": true, "/tmp": true, "/proc": true, "/sys": true, "/dev": true}

// hardTarget: a hard link has no target of its own.
func hardTarget(kind string, made node, target string) string {
	if kind == "link" && made.Type == "f" {
		return target
	}
	return ""
}

// noise does not compress.
func noise(bytes int) string {
	text := make([]byte, bytes)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(text)
	return string(text)
}

// overwritten is a directory of the base image that a new one takes the place of.
func overwritten(base map[string]node, name string, with node) map[string]node {
	want := map[string]node{name: with}
	for path := range base {
		if len(path) > len(name) && path[:len(name)+1] == name+"/" {
			want[path] = gone
		}
	}
	return want
}
