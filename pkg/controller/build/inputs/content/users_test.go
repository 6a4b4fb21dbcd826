package content

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseUsers(t *testing.T) {
	content := parsed(t, `"passwd":{"users":[{"name":"core","sshAuthorizedKeys":["ssh-ed25519 A","ssh-ed25519 B"]},{"name":"gone","shouldExist":false,"sshAuthorizedKeys":["x"]}]}`)
	require.Len(t, content.Users, 1, "a user that is not to exist has no keys")
	user := content.Users[0]
	require.Equal(t, "core", user.Name)
	require.Equal(t, 2, user.Keys)
	require.Equal(t, "ssh-ed25519 A\nssh-ed25519 B\n", string(user.authorized), "one key a line, as Ignition writes them")
	require.Equal(t, hashOf("ssh-ed25519 A\nssh-ed25519 B\n"), user.Hash)
	require.NotContains(t, string(content.toApply), "passwd", "the keys travel by themselves")
}
