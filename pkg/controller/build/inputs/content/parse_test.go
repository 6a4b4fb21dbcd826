package content

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	ign "github.com/coreos/ignition/v2/config/v3_5"
	"github.com/stretchr/testify/require"
)

// canary stands for content that must not be told to anybody.
const canary = "canary-credential"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func zipped(text string) string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return "data:;base64," + base64.StdEncoding.EncodeToString(packed.Bytes())
}

func dataURL(text string) string {
	return "data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(text))
}

// config wraps sections into a config.
func config(version, sections string) []byte {
	if sections != "" {
		sections = "," + sections
	}
	return fmt.Appendf(nil, `{"ignition":{"version":%q}%s}`, version, sections)
}

func parsed(t testing.TB, sections string) *Content {
	t.Helper()
	content, problem := Parse("rendered-worker-1", config("3.4.0", sections))
	require.Nil(t, problem)
	return content
}

func TestParseEntries(t *testing.T) {
	yes := true
	for name, test := range map[string]struct {
		reason, sections string
		want             []Entry
	}{
		"plain file": {
			reason:   "a file without mode and owner is one of root that all can read",
			sections: `"storage":{"files":[{"path":"/etc/a","contents":{"source":"data:,x%20y"}}]}`,
			want:     []Entry{{Kind: KindFile, Path: "/etc/a", Mode: 0o644, User: "root", Group: "root", Overwrite: true, Size: 3, Hash: hashOf("x y")}},
		},
		"mode, owner and overwrite": {
			reason:   "what the config says is what the image gets",
			sections: `"storage":{"files":[{"path":"/etc/a","mode":384,"overwrite":true,"user":{"name":"core"},"group":{"id":7},"contents":{"source":"` + dataURL("x") + `"}}]}`,
			want:     []Entry{{Kind: KindFile, Path: "/etc/a", Mode: 0o600, User: "core", Group: "7", Overwrite: true, Size: 1, Hash: hashOf("x")}},
		},
		"compressed": {
			reason:   "size and hash are of what is on the disk",
			sections: `"storage":{"files":[{"path":"/etc/a","contents":{"compression":"gzip","source":"` + zipped(strings.Repeat("x", 1000)) + `"}}]}`,
			want:     []Entry{{Kind: KindFile, Path: "/etc/a", Mode: 0o644, User: "root", Group: "root", Overwrite: true, Size: 1000, Hash: hashOf(strings.Repeat("x", 1000))}},
		},
		"append": {
			reason:   "what is behind the base image's content is not known as a whole",
			sections: `"storage":{"files":[{"path":"/etc/a","append":[{"source":"data:,1"},{"compression":"gzip","source":"` + zipped("2") + `"}]}]}`,
			want:     []Entry{{Kind: KindFile, Path: "/etc/a", Mode: 0o644, User: "root", Group: "root", Size: 2, Hash: hashOf("12"), Appends: true, KeepsMode: true, KeepsOwner: true}},
		},
		"content and append": {
			reason:   "both come from the config",
			sections: `"storage":{"files":[{"path":"/etc/a","contents":{"source":"data:,1"},"append":[{"source":"data:,2"}]}]}`,
			want:     []Entry{{Kind: KindFile, Path: "/etc/a", Mode: 0o644, User: "root", Group: "root", Overwrite: true, Size: 2, Hash: hashOf("12")}},
		},
		"no content": {
			reason:   "Ignition makes an empty file, or leaves the content of one that is there",
			sections: `"storage":{"files":[{"path":"/etc/a","mode":384}]}`,
			want:     []Entry{{Kind: KindFile, Path: "/etc/a", Mode: 0o600, User: "root", Group: "root", KeepsOwner: true}},
		},
		"special bits": {
			reason:   "Ignition has no setuid before version 3.6 of its specification",
			sections: `"storage":{"files":[{"path":"/etc/a","mode":2541}]}`,
			want:     []Entry{{Kind: KindFile, Path: "/etc/a", Mode: 0o755, User: "root", Group: "root", KeepsOwner: true}},
		},
		"directory": {
			reason:   "a directory has a mode of its own",
			sections: `"storage":{"directories":[{"path":"/etc/d"},{"path":"/etc/e","mode":448,"user":{"id":1}}]}`,
			want: []Entry{
				{Kind: KindDirectory, Path: "/etc/d", Mode: 0o755, User: "root", Group: "root", KeepsMode: true, KeepsOwner: true},
				{Kind: KindDirectory, Path: "/etc/e", Mode: 0o700, User: "1", Group: "root", KeepsOwner: true},
			},
		},
		"links": {
			reason:   "a symbolic link may lead anywhere",
			sections: `"storage":{"links":[{"path":"/etc/l","target":"/var/lib/x"},{"path":"/etc/h","target":"/etc/a","hard":true}]}`,
			want: []Entry{
				{Kind: KindLink, Path: "/etc/h", User: "root", Group: "root", Target: "/etc/a", Hard: true},
				{Kind: KindLink, Path: "/etc/l", User: "root", Group: "root", Target: "/var/lib/x"},
			},
		},
		"units": {
			reason: "a unit is a file, and so are its drop-ins; a masked one is a link",
			sections: `"systemd":{"units":[
				{"name":"a.service","enabled":true,"contents":"[Service]\n","dropins":[{"name":"10-x.conf","contents":"[Unit]\n"},{"name":"20-y.conf"}]},
				{"name":"b.timer","enabled":false},
				{"name":"c.service","mask":true,"contents":"[Service]\n"},
				{"name":"d.service","dropins":[{"name":"10-x.conf","contents":"[Unit]\n"}]}]}`,
			want: []Entry{
				{Kind: KindUnit, Path: "/etc/systemd/system/a.service", Mode: 0o644, User: "root", Group: "root", Size: 10, Hash: hashOf("[Service]\n"), Enabled: &yes},
				{Kind: KindDropIn, Path: "/etc/systemd/system/a.service.d/10-x.conf", Mode: 0o644, User: "root", Group: "root", Size: 7, Hash: hashOf("[Unit]\n")},
				{Kind: KindUnit, Path: "/etc/systemd/system/c.service", User: "root", Group: "root", Target: "/dev/null", Masked: &yes},
				{Kind: KindDropIn, Path: "/etc/systemd/system/d.service.d/10-x.conf", Mode: 0o644, User: "root", Group: "root", Size: 7, Hash: hashOf("[Unit]\n")},
			},
		},
		"nothing": {reason: "a config may say nothing", sections: ""},
	} {
		t.Run(name, func(t *testing.T) {
			content := parsed(t, test.sections)
			require.Equal(t, test.want, content.Entries, test.reason)
			require.Empty(t, content.LeftOut)
			require.Empty(t, content.Findings)
			// What is kept is kept as a whole: parsing it again finds the same.
			again, problem := Parse("rendered-worker-1", content.toApply)
			require.Nil(t, problem)
			require.Equal(t, content, again)
		})
	}
}

// TestParseKeepsTheVersion: the base image's Ignition may be older than ours.
func TestParseKeepsTheVersion(t *testing.T) {
	for version := range supported {
		content, problem := Parse("c", config(version, `"storage":{"files":[{"path":"/etc/a","contents":{"source":"data:,x"}}],"links":[{"path":"/etc/b","target":"a"}]},"systemd":{"units":[{"name":"a.service"}]}`))
		require.Nil(t, problem, version)
		require.Equal(t, version, content.Version)
		var written struct{ Ignition struct{ Version string } }
		require.NoError(t, json.Unmarshal(content.toApply, &written))
		require.Equal(t, version, written.Ignition.Version)
		_, findings, err := ign.ParseCompatibleVersion(content.toApply)
		require.NoError(t, err)
		require.Empty(t, findings.Entries, "a config of version %s has a key that this version does not know: %s", version, findings.String())
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		reason, want string
		config       []byte
	}{
		"nothing":      {reason: "a MachineConfig without content", config: nil, want: "key spec.config: is empty"},
		"white space":  {reason: "the same, with a line break", config: []byte("\n"), want: "key spec.config: is empty"},
		"no JSON":      {reason: "the content is quoted nowhere", config: []byte(canary), want: "is not valid JSON"},
		"another form": {reason: "JSON, but no object", config: []byte(`["` + canary + `"]`), want: "is not valid JSON of the expected form"},
		"no version":   {reason: "an object of another kind", config: []byte(`{"key":"` + canary + `"}`), want: "ignition.version is missing"},
		"version 2":    {reason: "the operator converts those before it renders", config: config("2.2.0", ""), want: "key spec.config.ignition.version: is 2.2.0, and configs of version 2 are not built; the operator converts"},
		"too new":      {reason: "what is not known cannot be filtered", config: config("3.6.0", ""), want: "is 3.6.0; versions 3.0.0 to 3.5.0 can be built"},
		"experimental": {reason: "a version that is not one", config: config("3.6.0-experimental", ""), want: "versions 3.0.0 to 3.5.0"},
		"no version at all": {
			reason: "the message stays a line", config: config("3\n"+strings.Repeat("x", 1000), ""), want: "is 3?xxx",
		},
		"relative path": {
			reason: "Ignition says where and why", config: config("3.4.0", `"storage":{"files":[{"path":"etc/a"}]}`),
			want: "is not a valid Ignition config of version 3.4.0: storage.files[etc/a].path: path not absolute; correct",
		},
		"same path twice": {
			reason: "Ignition refuses it", config: config("3.4.0", `"storage":{"files":[{"path":"/etc/a"},{"path":"/etc/a"}]}`), want: "duplicate entry defined",
		},
		"wrong type": {
			reason: "a decoder's error may quote", config: config("3.4.0", `"storage":{"files":"`+canary+`"}`), want: "is not a valid Ignition config",
		},
		"remote content": {
			reason: "the node's agent fetches nothing either", config: config("3.4.0", `"storage":{"files":[{"path":"/etc/a","contents":{"source":"https://user:`+canary+`@example.com/"}}]}`),
			want: "key spec.config.storage.files[/etc/a]: has content at another place, but a build fetches none; put it into the MachineConfig as a data URL",
		},
		"remote addition": {
			reason: "wherever it is", config: config("3.4.0", `"storage":{"files":[{"path":"/etc/a","append":[{"source":"https://example.com/`+canary+`"}]}]}`),
			want: "has content at another place",
		},
		"not gzip": {
			reason: "the build would fail on it", config: config("3.4.0", `"storage":{"files":[{"path":"/etc/a","contents":{"compression":"gzip","source":"data:,`+canary+`"}}]}`),
			want: "key spec.config.storage.files[/etc/a]: has content that is not valid gzip",
		},
		"cut off gzip": {
			reason: "the build would fail on it", config: config("3.4.0", `"storage":{"files":[{"path":"/etc/a","contents":{"compression":"gzip","source":"`+zipped(strings.Repeat(canary, 100))[:53]+`"}}]}`),
			want: "not valid gzip",
		},
		"bad data URL": {
			reason: "the build would fail on it", config: config("3.4.0", `"storage":{"files":[{"path":"/etc/a","contents":{"source":"data:;base64,`+canary+`!"}}]}`),
			want: "spec.config",
		},
		"too large": {
			reason: "it is not even read", config: bytes.Repeat([]byte(" "), 64<<20), want: "key spec.config: is 64.0 MiB; at most 16.0 MiB can be built from",
		},
	} {
		t.Run(name, func(t *testing.T) {
			content, problem := Parse("rendered-worker-1", test.config)
			require.Nil(t, content, test.reason)
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.String(), "MachineConfig rendered-worker-1, key spec.config", test.reason)
			require.Contains(t, problem.String(), test.want, test.reason)
			require.NotContains(t, problem.String(), canary, "content may be a credential")
			require.NotContains(t, problem.String(), "\n", "a message is one line")
			require.Less(t, len(problem.String()), 1000, "a message fits into a condition")
		})
	}
}

func TestParseRefusesReferences(t *testing.T) {
	for name, reference := range map[string]string{
		"merge":   `{"merge":[{"source":"https://example.com/` + canary + `"}]}`,
		"replace": `{"replace":{"source":"https://example.com/` + canary + `"}}`,
	} {
		_, problem := Parse("c", []byte(`{"ignition":{"version":"3.4.0","config":`+reference+`}}`))
		require.NotNil(t, problem, name)
		require.Contains(t, problem.String(), "key spec.config.ignition.config: refers to another config", "what it says is not known here")
		require.NotContains(t, problem.String(), canary)
	}
}

// TestParseBombs: content that unpacks to more than any image has is refused, and
// takes no memory.
func TestParseBombs(t *testing.T) {
	bomb := zipped(strings.Repeat("\x00", 16<<20))
	file := func(i int) string {
		return fmt.Sprintf(`{"path":"/etc/%d","contents":{"compression":"gzip","source":%q}}`, i, bomb)
	}
	var files []string
	for i := range 5 {
		files = append(files, file(i))
	}
	_, problem := Parse("c", config("3.4.0", `"storage":{"files":[`+strings.Join(files, ",")+`]}`))
	require.NotNil(t, problem)
	require.Contains(t, problem.String(), "has files of more than 64.0 MiB, /etc/4 among them")
}

// TestH35ParseIsDeterministic: output that differed from run to run made objects churn.
func TestH35ParseIsDeterministic(t *testing.T) {
	sections := `"storage":{"files":[{"path":"/etc/b"},{"path":"/etc/a"},{"path":"/var/b"},{"path":"/var/a"}]},"passwd":{"users":[{"name":"b","sshAuthorizedKeys":["k"]},{"name":"a","sshAuthorizedKeys":["k"]}]}`
	first := parsed(t, sections)
	for range 100 {
		require.Equal(t, first, parsed(t, sections))
	}
}
