package baseos

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHostMirror(t *testing.T) {
	for _, tc := range []struct {
		reason string
		files  map[string]string
		want   string
	}{
		{"nothing configured leaves it to debootstrap", nil, ""},
		{
			"the one-line format, with options",
			map[string]string{"sources.list": "# deb http://no.invalid x main\ndeb [arch=amd64 signed-by=/k] http://a.invalid/debian bookworm main contrib\n"},
			"http://a.invalid/debian",
		},
		{
			"other suites and other repositories do not count",
			map[string]string{"sources.list": "deb http://s.invalid bookworm-security main\ndeb http://o.invalid stable main\n"}, "",
		},
		{
			"the stanza format",
			map[string]string{"sources.list.d/d.sources": "Types: deb\n# comment\nURIs: http://b.invalid/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\n" +
				"Types: deb\nURIs: http://s.invalid\nSuites: bookworm-security\nComponents: main\n"},
			"http://b.invalid/debian",
		},
		{
			"debootstrap cannot use other transports",
			map[string]string{"sources.list": "deb mirror+file:/etc/apt/mirrors bookworm main\n"}, "",
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range tc.files {
				path := filepath.Join(dir, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
			}
			assert.Equal(t, tc.want, hostMirror(dir, "bookworm"))
		})
	}
}

func TestHostSuite(t *testing.T) {
	for _, tc := range []struct{ reason, content, want string }{
		{"Debian knows its name", "ID=debian\nVERSION_CODENAME=trixie\n", "trixie"},
		{"other systems have other names", "ID=fedora\nVERSION_CODENAME=\"\"\n", defaultSuite},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "os-release")
			require.NoError(t, os.WriteFile(path, []byte(tc.content), 0o644))
			assert.Equal(t, tc.want, hostSuite(path))
		})
	}
	assert.Equal(t, defaultSuite, hostSuite(filepath.Join(t.TempDir(), "none")))
}

func TestIsLoopback(t *testing.T) {
	for repository, want := range map[string]bool{
		"127.0.0.1:5000/a": true, "localhost/a": true, "[::1]:5000/a": true, "r.invalid/a": false, "10.0.0.1:5000/a": false,
	} {
		assert.Equal(t, want, isLoopback(repository), repository)
	}
}
