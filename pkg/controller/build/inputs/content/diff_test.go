package content

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDiff(t *testing.T) {
	const before = `"storage":{"files":[{"path":"/etc/same","contents":{"source":"data:,x"}},{"path":"/etc/content","contents":{"source":"data:,x"}},{"path":"/etc/mode","mode":384},
			{"path":"/etc/owner","contents":{"source":"data:,x"}},{"path":"/etc/gone"},{"path":"/etc/kind"},{"path":"/etc/behind","contents":{"source":"data:,x"}}],
			"links":[{"path":"/etc/target","target":"a"}]},
		"systemd":{"units":[{"name":"a.service","enabled":true},{"name":"b.service"},{"name":"c.service","contents":"[Unit]\n","dropins":[{"name":"x.conf","contents":"[Unit]\n"}]}]}`
	const after = `"storage":{"files":[{"path":"/etc/same","contents":{"source":"data:;base64,eA=="}},{"path":"/etc/content","contents":{"source":"data:,` + canary + `"}},{"path":"/etc/mode","mode":420},
			{"path":"/etc/owner","user":{"name":"core"},"overwrite":true,"contents":{"source":"data:,x"}},{"path":"/etc/new"},{"path":"/etc/behind","append":[{"source":"data:,x"}]}],
			"directories":[{"path":"/etc/kind"}],"links":[{"path":"/etc/target","target":"b"}]},
		"systemd":{"units":[{"name":"a.service","enabled":false},{"name":"b.service","mask":true},{"name":"c.service","contents":"[Unit]\n"}]}`
	changes := Diff(parsed(t, before), parsed(t, after))
	require.Equal(t, []Change{
		{Path: "/etc/behind", Kind: KindFile, Action: Changed, What: []string{"content", "overwrite"}},
		{Path: "/etc/content", Kind: KindFile, Action: Changed, What: []string{"content"}},
		{Path: "/etc/gone", Kind: KindFile, Action: Removed},
		{Path: "/etc/kind", Kind: KindDirectory, Action: Changed, What: []string{"kind", "mode"}},
		{Path: "/etc/mode", Kind: KindFile, Action: Changed, What: []string{"mode"}},
		{Path: "/etc/new", Kind: KindFile, Action: Added},
		{Path: "/etc/owner", Kind: KindFile, Action: Changed, What: []string{"owner"}},
		{Path: "/etc/systemd/system/a.service", Kind: KindUnit, Action: Changed, What: []string{"enablement"}},
		{Path: "/etc/systemd/system/b.service", Kind: KindUnit, Action: Added},
		{Path: "/etc/systemd/system/c.service.d/x.conf", Kind: KindDropIn, Action: Removed},
		{Path: "/etc/target", Kind: KindLink, Action: Changed, What: []string{"target"}},
	}, changes, "the same content in another encoding is no change")
	require.NotContains(t, fmt.Sprint(changes), canary, "how content differs is not told")
	require.Empty(t, Diff(parsed(t, after), parsed(t, after)))
}
