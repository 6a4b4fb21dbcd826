package inputs

import (
	"flag"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testBase = "quay.io/org/os@sha256:1111111111111111111111111111111111111111111111111111111111111111"

// instructions parses a Containerfile and returns the names of its instructions.
func instructions(t testing.TB, text string) []string {
	t.Helper()
	file, err := containerfile.Parse(text)
	require.Nil(t, err)
	var names []string
	for _, instruction := range file.Instructions {
		names = append(names, strings.ToUpper(instruction.Name))
	}
	return names
}

// FuzzParseBaseImage: what is accepted to build on re-parses to itself, and leaves
// the instructions as they are.
func FuzzParseBaseImage(f *testing.F) {
	for _, seed := range hostileTexts() {
		f.Add(seed)
		f.Add("quay.io/org/os" + seed)
		f.Add("quay.io/org/os:" + seed)
	}
	f.Add(testBase)
	want, err := Recipe{Pool: "worker", BaseImage: testBase}.Containerfile()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, pullspec string) {
		base, err := ParseBaseImage(pullspec)
		if err != nil {
			return
		}
		again, err := ParseBaseImage(base)
		require.NoError(t, err)
		require.Equal(t, base, again, "what is accepted re-parses to itself")
		text, err := Recipe{Pool: "worker", BaseImage: base}.Containerfile()
		require.NoError(t, err)
		require.Equal(t, instructions(t, want), instructions(t, text))
	})
}

// FuzzParseRepository: what is accepted to push to re-parses to itself and has
// neither tag nor digest.
func FuzzParseRepository(f *testing.F) {
	for _, seed := range hostileTexts() {
		f.Add(seed)
		f.Add("quay.io/org/os" + seed)
	}
	f.Fuzz(func(t *testing.T, pullspec string) {
		repository, err := ParseRepository(pullspec)
		if err != nil {
			return
		}
		again, err := ParseRepository(repository)
		require.NoError(t, err)
		require.Equal(t, repository, again)
		require.NotContains(t, repository, "@")
		tagged, err := ParseRepository(repository + ":tag")
		require.NoError(t, err)
		require.Equal(t, repository, tagged)
	})
}

// hostileTexts are values that have broken the structure of generated files
// elsewhere.
func hostileTexts() []string {
	return []string{
		"\nRUN rm -rf /", "\r\nRUN true", "\x00", "\u2028RUN true", "\\", " \\\nRUN true", "# escape=`", "#\nsyntax=x",
		"<<EOF\nEOF", "$(true)", "${HOME}", "`true`", `"`, `'`, "\xff\xfe", " AS configs", ":tag AS other", strings.Repeat("a", 1<<20),
	}
}

func TestParseBaseImage(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for name, test := range map[string]struct {
		reason, pullspec, want string
		fails                  string
	}{
		"digest":         {reason: "how releases name their OS image", pullspec: "quay.io/org/os" + digest, want: "quay.io/org/os" + digest},
		"tag":            {reason: "a custom OS image may have a tag only", pullspec: "quay.io/org/os:4.20", want: "quay.io/org/os:4.20"},
		"tag and digest": {reason: "the builder would pull by the tag", pullspec: "quay.io/org/os:4.20" + digest, want: "quay.io/org/os" + digest},
		"port":           {reason: "registries have ports", pullspec: "localhost:5000/os", want: "localhost:5000/os"},
		"short":          {reason: "short names are ambiguous", pullspec: "os:4.20", fails: "does not begin with the registry's host name"},
		"empty":          {reason: "nothing is no image", pullspec: "", fails: "is not a valid image pullspec"},
		"bad digest":     {reason: "a digest has 64 digits", pullspec: "quay.io/org/os@sha256:abc", fails: "is not a valid image pullspec"},
		"newline":        {reason: "it would begin another instruction", pullspec: "quay.io/org/os\nRUN true", fails: "is not a valid image pullspec"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseBaseImage(test.pullspec)
			if test.fails != "" {
				require.ErrorContains(t, err, test.fails, test.reason)
				return
			}
			require.NoError(t, err, test.reason)
			require.Equal(t, test.want, got, test.reason)
			again, err := ParseBaseImage(got)
			require.NoError(t, err)
			require.Equal(t, got, again, "what is accepted re-parses to itself")
		})
	}
}

func TestRegistryOf(t *testing.T) {
	require.Equal(t, "registry.example.com:5000", RegistryOf("registry.example.com:5000/org/repo"), "the port is part of the host")
	require.Empty(t, RegistryOf("no pullspec"))
}
