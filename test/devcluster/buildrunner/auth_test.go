package buildrunner

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func basic(user string) string { return base64.StdEncoding.EncodeToString([]byte(user + ":pw")) }

func TestSecretAuth(t *testing.T) {
	modern := []byte(`{"auths":{"https://r.io/v2/":{"auth":"` + basic("modern") + `"}}}`)
	old := []byte(`{"r.io":{"username":"old","password":"pw","email":"x"}}`)
	for _, tc := range []struct {
		reason string
		data   map[string][]byte
		want   authEntries
	}{
		{"no secret, no credentials", nil, authEntries{}},
		{"the current format", map[string][]byte{".dockerconfigjson": modern}, authEntries{"r.io": basic("modern")}},
		{"the old format", map[string][]byte{".dockercfg": old}, authEntries{"r.io": basic("old")}},
		{"config.json comes first", map[string][]byte{".dockercfg": old, "config.json": modern}, authEntries{"r.io": basic("modern")}},
		{"the format is told by the content, not the key", map[string][]byte{".dockerconfigjson": old}, authEntries{"r.io": basic("old")}},
		{"tokens are of no use", map[string][]byte{"config.json": []byte(`{"auths":{"r.io":{"identitytoken":"t"}}}`)}, authEntries{}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			entries, err := secretAuth(tc.data)
			require.NoError(t, err)
			assert.Equal(t, tc.want, entries)
		})
	}

	_, err := secretAuth(map[string][]byte{".dockercfg": []byte("hunter2")})
	require.ErrorContains(t, err, ".dockercfg")
	assert.NotContains(t, err.Error(), "hunter2", "credentials do not belong in messages")
}

func TestPullAuth(t *testing.T) {
	secret := authEntries{"r.io": "secret"}
	node := authEntries{"r.io": "node", "other.io": "node", "*.example.com": "glob"}
	merged := pullAuth(secret, node, []string{"a.example.com/x/y:1"})
	assert.Equal(t, authEntries{
		"r.io": "secret", "other.io": "node", "*.example.com": "glob", "a.example.com/x/y": "glob", // globs spelled out
	}, merged)
}

func TestPushAuth(t *testing.T) {
	for _, tc := range []struct {
		reason     string
		push, pull authEntries
		want       authEntries
	}{
		{"the push secret first, even if a pull entry fits better", authEntries{"r.io": "push"}, authEntries{"r.io/org/img": "pull"}, authEntries{"r.io/org/img": "push"}},
		{"the most specific path", authEntries{"r.io": "host", "r.io/org": "org"}, nil, authEntries{"r.io/org/img": "org"}},
		{"another registry does not count", authEntries{"r.io.evil": "x"}, authEntries{"r.io": "pull"}, authEntries{"r.io/org/img": "pull"}},
		{"anonymous at last", nil, nil, authEntries{}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			assert.Equal(t, tc.want, pushAuth(tc.push, tc.pull, "r.io/org/img:tag"))
		})
	}
}

func TestRepositoryOf(t *testing.T) {
	for image, want := range map[string]string{
		"localhost:5000/a/b:c": "localhost:5000/a/b", "127.0.0.1:5000/a": "127.0.0.1:5000/a", "r.io/a@sha256:1": "r.io/a",
		"fedora": "docker.io/library/fedora", "org/img:1": "docker.io/org/img", "localhost/a": "localhost/a",
	} {
		assert.Equal(t, want, repositoryOf(image), image)
	}
}
