package content

import (
	"encoding/json"
	"path"
	"strings"
	"testing"

	ign "github.com/coreos/ignition/v2/config/v3_5"
	"github.com/stretchr/testify/require"
)

// FuzzParse: whatever the config, there is a content or a problem; nothing of the
// content is in a machine's own place; and it is applied as it was understood.
func FuzzParse(f *testing.F) {
	f.Add(config("3.4.0", `"storage":{"files":[{"path":"/etc/../var/a","contents":{"source":"data:,x"}},{"path":"/etc/b","append":[{"source":"data:,x"}]}]}`))
	f.Add(config("3.0.0", `"systemd":{"units":[{"name":"../x.service","enabled":true,"contents":"[Unit]\n","dropins":[{"name":"../../a.conf","contents":""}]}]}`))
	f.Add(config("3.5.0", `"storage":{"links":[{"path":"/etc/l","target":"/var/x","hard":true}],"luks":[{"name":"a"}]},"passwd":{"users":[{"name":"a/b","sshAuthorizedKeys":["\u2028"]}]}`))
	f.Add(config("2.2.0", ""))
	f.Fuzz(func(t *testing.T, raw []byte) {
		content, problem := Parse("rendered-worker-1", raw)
		require.NotEqual(t, content == nil, problem == nil)
		if problem != nil {
			require.NotContains(t, problem.String(), "\n")
			require.Less(t, len(problem.String()), 1500)
			return
		}
		for _, entry := range content.Entries {
			require.True(t, path.IsAbs(entry.Path))
			require.Empty(t, machineLocal(entry.Path), "%s is the machine's own", entry.Path)
		}
		for _, text := range [][]byte{content.toApply, content.apart.config} {
			if len(text) == 0 {
				continue
			}
			applied, findings, err := ign.ParseCompatibleVersion(text)
			require.NoError(t, err, findings.String())
			for _, file := range applied.Storage.Files {
				require.Empty(t, machineLocal(file.Path))
				require.Equal(t, &text[0] != &content.toApply[0], isMounted(file.Path), "%s is applied where it can be", file.Path)
			}
			require.Empty(t, applied.Passwd.Users)
			require.Empty(t, applied.KernelArguments.ShouldExist)
		}
		again, problem := Parse("rendered-worker-1", content.toApply)
		require.Nil(t, problem)
		require.Equal(t, string(content.toApply), string(again.toApply), "what is kept is kept as a whole")
	})
}

// FuzzProblemQuotesNothing: a value in the config is never in a message, wherever
// it stands.
func FuzzProblemQuotesNothing(f *testing.F) {
	for _, key := range []string{"path", "contents", "mode", "user", "append", "name", "target", "mask", "enabled", "source", "compression"} {
		f.Add("files", key, "x")
		f.Add("units", key, `\u0000`)
	}
	f.Fuzz(func(t *testing.T, section, key, value string) {
		secret := "s3cr3t" + value
		for _, item := range []any{
			map[string]any{key: secret}, map[string]any{"path": "/etc/a", key: secret},
			map[string]any{"path": "/etc/a", "contents": map[string]any{key: secret}},
			map[string]any{"name": "a.service", "contents": secret, key: secret},
			map[string]any{"name": "a.service", "dropins": []any{map[string]any{"name": "a.conf", "contents": secret, key: secret}}},
		} {
			if key == "path" || key == "name" {
				continue
			}
			raw, err := json.Marshal(map[string]any{
				"ignition": map[string]any{"version": "3.4.0"},
				"storage":  map[string]any{section: []any{item}}, "systemd": map[string]any{section: []any{item}},
			})
			require.NoError(t, err)
			if _, problem := Parse("c", raw); problem != nil {
				require.NotContains(t, problem.String(), "s3cr3t")
			}
		}
	})
}

// FuzzScan: looking through text in pieces finds the same as at once, and never fails.
func FuzzScan(f *testing.F) {
	f.Add([]byte(pemKey), 3)
	f.Add([]byte(sha512Hash), 1)
	f.Add([]byte(`{"auths":{"a":{"auth":"dTpw"}}}`), 7)
	f.Add([]byte(strings.Repeat("A", 100)), 50)
	f.Fuzz(func(t *testing.T, text []byte, piece int) {
		at := Scan("p", text)
		if piece <= 0 {
			piece = 1
		}
		scan := &scanner{}
		for rest := text; len(rest) > 0; {
			n := min(piece, len(rest))
			_, _ = scan.Write(rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, at, scan.findings("p"))
	})
}

// FuzzMachineLocal: a path is judged by where it leads to, not by how it is written.
func FuzzMachineLocal(f *testing.F) {
	for _, name := range []string{"/var", "/etc", "//var/", "/etc/../var", "var", "/usr/local/../lib", "/usr/./local/x", "/\x00var"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean := path.Clean("/" + name)
		require.Equal(t, machineLocal(clean), machineLocal(name))
		require.Equal(t, machineLocal(clean), machineLocal("/etc/.."+clean))
		if clean == "/var" || strings.HasPrefix(clean, "/var/") {
			require.NotEmpty(t, machineLocal(name))
		}
	})
}

// FuzzPack: an archive holds what was packed, and its lists of units and users are
// one a line, whatever their names.
func FuzzPack(f *testing.F) {
	f.Add("core", "key", "a.service", "data:,x")
	f.Add("a\nb", "k\nk", "a\nb.service", "data:;base64,")
	f.Add("..", "", "-x.service", "data:,%0a")
	f.Fuzz(func(t *testing.T, user, key, unit, source string) {
		raw, err := json.Marshal(map[string]any{
			"ignition": map[string]any{"version": "3.4.0"},
			"passwd":   map[string]any{"users": []any{map[string]any{"name": user, "sshAuthorizedKeys": []string{key}}}},
			"storage":  map[string]any{"files": []any{map[string]any{"path": "/etc/a", "contents": map[string]any{"source": source}}}},
			"systemd":  map[string]any{"units": []any{map[string]any{"name": unit, "enabled": true}}},
		})
		require.NoError(t, err)
		content, problem := Parse("c", raw)
		if problem != nil {
			return
		}
		archive, problem := Pack(machineConfig(raw), content, nil)
		require.Nil(t, problem)
		files := unpack(t, archive)
		for name := range files {
			require.True(t, path.Clean(name) == name && !strings.HasPrefix(name, "."), "the file %q stays where it belongs", name)
		}
		require.LessOrEqual(t, strings.Count(files["presets"], "\n"), 1)
		require.LessOrEqual(t, strings.Count(files["enable"], "\n"), 1)
	})
}
