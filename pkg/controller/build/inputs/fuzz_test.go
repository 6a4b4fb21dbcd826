package inputs

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireMessage checks what a condition can hold.
func requireMessage(t testing.TB, problem Problem) {
	t.Helper()
	require.NotContains(t, problem.Text, "\n")
	require.Less(t, len(problem.Text), 1000)
}

// FuzzRecipe: no value changes the list of instructions.
func FuzzRecipe(f *testing.F) {
	for _, hostile := range hostileTexts() {
		if len(hostile) > 1000 {
			continue
		}
		f.Add(hostile, "rendered-worker-1", "f", testBase, testExtensions)
		f.Add("worker", hostile, hostile, "quay.io/os"+hostile, testExtensions)
		f.Add("worker", "rendered-worker-1", "f", "quay.io/os:"+hostile, "quay.io/extensions:"+hostile)
	}
	f.Fuzz(func(t *testing.T, pool, config, fingerprint, base, extensions string) {
		for _, recipe := range []Recipe{
			{Pool: pool, RenderedConfig: config, Fingerprint: fingerprint, BaseImage: base},
			{Pool: pool, RenderedConfig: config, Fingerprint: fingerprint, BaseImage: base, ExtensionsImage: extensions, Packages: Packages{Kernel: KernelTypeRealtime, Extensions: ExtensionNames()}},
		} {
			text, err := recipe.Containerfile()
			if err != nil {
				require.NotErrorIs(t, err, errStructure, "the second line of defence was needed")
				continue
			}
			requireStructure(t, recipe, text)
		}
	})
}

// FuzzParseCustom: what is accepted is in its place between ours, and ours are the same.
func FuzzParseCustom(f *testing.F) {
	f.Add("FROM configs AS final\nRUN true\n")
	f.Add("FROM configs\nRUN <<A <<-B\na\nA\n\tb\n\tB\n")
	f.Add("FROM a AS b\nFROM configs\nCOPY --from=b /a /b\n")
	f.Add("FROM configs\nRUN true \\\n#\n\n\\")
	f.Add("FROM configs\nONBUILD RUN <<A\nA\n")
	f.Add("FROM configs\nLABEL a=\"b\nUSER root\n")
	for _, hostile := range hostileTexts() {
		if len(hostile) < 1000 {
			f.Add("FROM configs\nRUN true" + hostile)
			f.Add(hostile + "\nFROM configs")
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, problem := ParseCustom("worker", text)
		if problem != nil {
			requireMessage(t, *problem)
			require.False(t, got.Any())
			return
		}
		recipe := Recipe{Pool: "worker", BaseImage: testBase, Custom: got}
		rendered, err := recipe.Containerfile()
		require.NoError(t, err)
		requireStructure(t, recipe, rendered)
		again, problem := ParseCustom("worker", got.Text())
		require.Nil(t, problem)
		require.Equal(t, got, again, "what is accepted re-parses to itself")
	})
}

// FuzzParsePackages: there are packages of the lists, or problems.
func FuzzParsePackages(f *testing.F) {
	f.Add("realtime", "usbguard", "ipsec")
	for _, hostile := range hostileTexts() {
		f.Add(hostile, "usbguard", "usbguard"+hostile)
	}
	f.Fuzz(func(t *testing.T, kernel, first, second string) {
		packages, problems := ParsePackages("c", kernel, []string{first, second})
		for _, problem := range problems {
			requireMessage(t, problem)
		}
		if len(problems) > 0 {
			require.False(t, packages.Any())
			return
		}
		require.Contains(t, kernelTypes, packages.kernel())
		require.Subset(t, ExtensionNames(), packages.Extensions)
		for _, name := range packages.Names() {
			require.Regexp(t, `^[A-Za-z0-9-]+$`, name)
		}
	})
}

// FuzzParseTrustBundle: nothing but certificates comes out, and all that are in it.
func FuzzParseTrustBundle(f *testing.F) {
	first := certificate(f, "fuzz")
	for _, seed := range []string{first, strings.TrimSpace(first) + first, strings.ReplaceAll(first, "\n", "\r\n"), "-----BEGIN CERTIFICATE-----", "# " + first, "-----END X-----", "\u2014\u2014BEGIN CERTIFICATE\u2014\u2014"} {
		f.Add([]byte(seed))
	}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, bundle []byte) {
		certificates, problem := ParseTrustBundle(bundle)
		if problem != nil {
			requireMessage(t, *problem)
			require.Nil(t, certificates)
			return
		}
		for rest := certificates; len(rest) > 0; {
			var block *pem.Block
			block, rest = pem.Decode(rest)
			require.NotNil(t, block)
			require.Equal(t, "CERTIFICATE", block.Type)
			require.Empty(t, block.Headers)
		}
		again, problem := ParseTrustBundle(certificates)
		require.Nil(t, problem)
		require.True(t, bytes.Equal(certificates, again), "what is accepted re-parses to itself")
		if bytes.ContainsRune(bundle, '#') {
			// Something may be commented out.
			return
		}
		require.Equal(t, bytes.Count(bundle, []byte("-----BEGIN ")), bytes.Count(certificates, []byte("-----BEGIN ")), "nothing is dropped")
	})
}
