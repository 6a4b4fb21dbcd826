package inputs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePackages(t *testing.T) {
	for name, test := range map[string]struct {
		reason, kernel string
		extensions     []string
		want           Packages
		packages       []string
		problems       []string
	}{
		"nothing":     {reason: "most configs ask for nothing"},
		"default":     {reason: "the render controller writes the default out", kernel: "default", extensions: []string{}},
		"realtime":    {reason: "a kernel of the documentation", kernel: "realtime", want: Packages{Kernel: "realtime"}},
		"64k pages":   {reason: "a kernel of the documentation", kernel: "64k-pages", want: Packages{Kernel: "64k-pages"}},
		"extensions":  {reason: "order and repetition do not make another image", extensions: []string{"usbguard", "ipsec", "usbguard"}, want: Packages{Extensions: []string{"ipsec", "usbguard"}}, packages: []string{"NetworkManager-libreswan", "libreswan", "usbguard"}},
		"every one":   {reason: "all of them together", extensions: ExtensionNames(), want: Packages{Extensions: ExtensionNames()}, packages: []string{"NetworkManager-libreswan", "fence-agents-all", "kata-containers", "kernel-devel", "kernel-headers", "krb5-workstation", "libkadm5", "libreswan", "pacemaker", "pcs", "sysstat", "usbguard"}},
		"bad kernel":  {reason: "the message has the valid names", kernel: "rt", problems: []string{`MachineConfig c, key spec.kernelType: there is no kernel type "rt"; valid ones are default, realtime, 64k-pages`}},
		"bad names":   {reason: "all are told at once", extensions: []string{"vim", "ipsec", "tmux"}, problems: []string{`MachineConfig c, key spec.extensions: there is no extension "tmux", "vim"; valid ones are ipsec, kerberos, kernel-devel, sandboxed-containers, sysstat, two-node-ha, usbguard`}},
		"both":        {reason: "all problems are told at once", kernel: "rt", extensions: []string{"vim"}, problems: []string{"spec.kernelType", "spec.extensions"}},
		"hostile":     {reason: "a message is one line", extensions: []string{"x\nRUN true", strings.Repeat("é", 1<<20)}, problems: []string{`"x\nRUN true"`}},
		"empty name":  {reason: "an empty name is no extension", extensions: []string{""}, problems: []string{`there is no extension ""`}},
		"upper case":  {reason: "names are what they are", extensions: []string{"IPsec"}, problems: []string{`"IPsec"`}},
		"wasm":        {reason: "upstream has removed it", extensions: []string{"wasm"}, problems: []string{`there is no extension "wasm"`}},
		"kernel name": {reason: "an extension is not a package", extensions: []string{"libreswan"}, problems: []string{`"libreswan"`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := ParsePackages("c", test.kernel, test.extensions)
			require.Equal(t, test.want, got, test.reason)
			require.Equal(t, test.packages, got.Names(), test.reason)
			require.Equal(t, len(test.packages) > 0 || test.want.Kernel != "", got.Any())
			require.Len(t, problems, len(test.problems), test.reason)
			for i, want := range test.problems {
				require.Contains(t, problems[i].String(), want, test.reason)
				require.NotContains(t, problems[i].String(), "\n")
				require.Less(t, len(problems[i].String()), 1000)
			}
		})
	}
}

func TestChooseExtensionsImage(t *testing.T) {
	some := Packages{Extensions: []string{"usbguard"}}
	for name, test := range map[string]struct {
		reason, config, controller string
		packages                   Packages
		want, fails                string
	}{
		"no packages": {reason: "a bad pullspec that is not used does no harm", controller: "bad image"},
		"controller":  {reason: "the release's own", controller: testExtensions, packages: some, want: testExtensions},
		"config":      {reason: "a config may have its own", config: testExtensions, controller: testBase, packages: some, want: testExtensions},
		"tag":         {reason: "next to a digest a tag is ignored", config: "quay.io/org/extensions:1" + testBase[len("quay.io/org/os"):], packages: some, want: "quay.io/org/extensions" + testBase[len("quay.io/org/os"):]},
		"none":        {reason: "both objects are named", packages: some, fails: "ControllerConfig machine-config-controller, key spec.baseOSExtensionsContainerImage: is empty, but MachineConfig c asks for extensions or another kernel"},
		"bad config":  {reason: "the object to mend is named", config: "bad image", controller: testExtensions, packages: some, fails: `MachineConfig c, key spec.baseOSExtensionsContainerImage: "bad image": is not a valid image pullspec`},
		"bad":         {reason: "the object to mend is named", controller: "extensions", packages: some, fails: `ControllerConfig machine-config-controller, key spec.baseOSExtensionsContainerImage: "extensions": does not begin with the registry's host name`},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := ChooseExtensionsImage("c", test.config, test.controller, test.packages)
			require.Equal(t, test.want, got, test.reason)
			require.Equal(t, test.fails != "", problem != nil, test.reason)
			if problem != nil {
				require.Contains(t, problem.String(), test.fails, test.reason)
			}
		})
	}
}

// TestR35ExtensionsAreUpstreams: what nodes of today do for an extension, a list of its
// packages does not tell.
func TestR35ExtensionsAreUpstreams(t *testing.T) {
	require.NotEmpty(t, ExtensionsVersion)
	for name, test := range map[string]struct {
		reason, arguments string
		extensions        []string
	}{
		"ipsec":    {reason: "releases before have no openvswitch3.5-ipsec, so it may be missing", extensions: []string{"ipsec"}, arguments: "default @ipsec NetworkManager-libreswan libreswan +openvswitch3.5-ipsec"},
		"usbguard": {reason: "the script knows by the name what belongs to it", extensions: []string{"usbguard"}, arguments: "default @usbguard usbguard"},
		"several":  {reason: "what may be missing comes last", extensions: []string{"sysstat", "ipsec"}, arguments: "default @ipsec @sysstat NetworkManager-libreswan libreswan sysstat +openvswitch3.5-ipsec"},
	} {
		t.Run(name, func(t *testing.T) {
			packages, problems := ParsePackages("c", "", test.extensions)
			require.Empty(t, problems)
			text, err := Recipe{Pool: "worker", BaseImage: testBase, ExtensionsImage: testExtensions, Packages: packages}.Containerfile()
			require.NoError(t, err)
			require.Contains(t, text, "packages.sh "+test.arguments+"\n", test.reason)
		})
	}
	files := ScriptFiles()
	require.Equal(t, "d /var/log/usbguard 0755 root root - -\n", string(files["tmpfiles-usbguard"]), "a directory below /var of the image does not reach a machine")
	require.Equal(t, "d /var/lib/ipsec 0700 root root - -\nd /var/lib/ipsec/nss 0700 root root - -\n", string(files["tmpfiles-ipsec"]))
	require.Equal(t, "/usr/lib/tmpfiles.d/usbguard.conf\n", string(files["without-usbguard"]), "the package's own line differs")
	require.Len(t, files, 3)
	for name, extension := range extensionTable {
		for _, packages := range [][]string{extension.packages, extension.newer} {
			for _, one := range packages {
				require.Equal(t, safe(one), one, "a package of %s is a word of a command", name)
			}
		}
	}
}
