package inputs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVolumes(t *testing.T) {
	require.Empty(t, Entitled{}.Volumes(), "most clusters have nothing of it")
	require.Equal(t, []Volume{
		{Name: "etc-pki-entitlement", Path: "/etc/pki/entitlement"},
		{Name: "etc-yum-repos-d", ConfigMap: true, Path: "/etc/yum.repos.d"},
		{Name: "etc-pki-rpm-gpg", Path: "/etc/pki/rpm-gpg"},
	}, Entitled{Entitlement: true, Repositories: true, SigningKeys: true}.Volumes())
}

func TestCheckRepositories(t *testing.T) {
	some := Packages{Extensions: []string{"usbguard"}}
	for name, test := range map[string]struct {
		reason   string
		entitled Entitled
		packages Packages
		keys     []string
		fails    bool
	}{
		"no repositories": {reason: "the build can write its own", packages: some},
		"no packages":     {reason: "the build needs no repository", entitled: Entitled{Repositories: true}},
		"conflict":        {reason: "a volume is read-only", entitled: Entitled{Repositories: true}, packages: some, keys: []string{"redhat.repo"}, fails: true},
		"solved":          {reason: "the administrator has added it", entitled: Entitled{Repositories: true}, packages: some, keys: []string{"redhat.repo", "coreos-extensions.repo"}},
	} {
		t.Run(name, func(t *testing.T) {
			problem := test.entitled.CheckRepositories(test.packages, test.keys)
			require.Equal(t, test.fails, problem != nil, test.reason)
			if test.fails {
				require.Contains(t, problem.String(), "ConfigMap etc-yum-repos-d, key coreos-extensions.repo: is missing", test.reason)
			}
		})
	}
	for line := range strings.Lines(ExtensionsRepository) {
		require.Contains(t, string(Scripts()["packages.sh"]), strings.TrimRight(strings.TrimSuffix(line, "\n"), "/")[:7], "both definitions say the same")
	}
}
