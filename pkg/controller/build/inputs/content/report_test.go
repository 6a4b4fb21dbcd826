package content

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWarningAndRefusal(t *testing.T) {
	require.Empty(t, Warning("c", nil), "no findings, no words")
	require.Nil(t, Refusal("c", nil))

	findings := []Finding{{"/etc/a", PrivateKey}, {"/etc/b", RegistryCredentials}}
	require.Equal(t, "MachineConfig c puts into the image what looks like a credential: /etc/a (private key), /etc/b (registry credentials); whoever may pull the image can read it: have it written below /var, which is left to the node", Warning("c", findings))
	require.Equal(t, `MachineConfig c, key spec.config: puts into the image what looks like a credential: /etc/a (private key), /etc/b (registry credentials); have it written below /var, which is left to the node, or set rejectCredentials to "false" in ConfigMap machine-os-builder-config`, Refusal("c", findings).String())

	var many []Finding
	for i := range 1000 {
		many = append(many, Finding{fmt.Sprintf("/etc/%d\n%s", i, strings.Repeat("x", 1000)), PasswordHash})
	}
	message := Warning("c", many)
	require.Contains(t, message, "and 990 more", "a condition holds so much")
	require.Less(t, len(message), 2000)
	require.NotContains(t, message, "\n")
}

func TestDiff(t *testing.T) {
	const before = `"storage":{"files":[{"path":"/etc/same","contents":{"source":"data:,x"}},{"path":"/etc/content","contents":{"source":"data:,x"}},{"path":"/etc/mode","mode":384},
			{"path":"/etc/owner","contents":{"source":"data:,x"}},{"path":"/etc/gone"},{"path":"/etc/kind"},{"path":"/etc/behind","contents":{"source":"data:,x"}}],
			"links":[{"path":"/etc/target","target":"a"}]},
		"systemd":{"units":[{"name":"a.service","enabled":true},{"name":"b.service"},{"name":"c.service","contents":"[Unit]\n","dropins":[{"name":"x.conf","contents":"[Unit]\n"}]}]}`
	const after = `"storage":{"files":[{"path":"/etc/same","contents":{"source":"data:;base64,eA=="}},{"path":"/etc/content","contents":{"source":"data:,` + canary + `"}},{"path":"/etc/mode","mode":420},
			{"path":"/etc/owner","user":{"name":"core"},"overwrite":true,"contents":{"source":"data:,x"}},{"path":"/etc/new"},{"path":"/etc/behind","append":[{"source":"data:,x"}]}],
			"directories":[{"path":"/etc/kind"}],"links":[{"path":"/etc/target","target":"b"}]},
		"systemd":{"units":[{"name":"a.service","enabled":false},{"name":"b.service","mask":true},{"name":"c.service","contents":"[Unit]\n"}]}`
	changes := Diff(parsed(t, before).Entries, parsed(t, after).Entries)
	require.Equal(t, []Change{
		{Path: "/etc/behind", Kind: KindFile, Action: Changed, What: []string{"content"}},
		{Path: "/etc/content", Kind: KindFile, Action: Changed, What: []string{"content"}},
		{Path: "/etc/gone", Kind: KindFile, Action: Removed},
		{Path: "/etc/kind", Kind: KindDirectory, Action: Changed, What: []string{"kind", "mode"}},
		{Path: "/etc/mode", Kind: KindFile, Action: Changed, What: []string{"mode"}},
		{Path: "/etc/new", Kind: KindFile, Action: Added},
		{Path: "/etc/owner", Kind: KindFile, Action: Changed, What: []string{"owner", "overwrite"}},
		{Path: "/etc/systemd/system/a.service", Kind: KindUnit, Action: Changed, What: []string{"enablement"}},
		{Path: "/etc/systemd/system/b.service", Kind: KindUnit, Action: Added},
		{Path: "/etc/systemd/system/c.service.d/x.conf", Kind: KindDropIn, Action: Removed},
		{Path: "/etc/target", Kind: KindLink, Action: Changed, What: []string{"target"}},
	}, changes, "the same content in another encoding is no change")
	require.NotContains(t, fmt.Sprint(changes), canary, "how content differs is not told")
	require.Empty(t, Diff(parsed(t, after).Entries, parsed(t, after).Entries))
}
