package inputs

import (
	"flag"
	"strings"
	"testing"

	"github.com/openshift/imagebuilder/dockerfile/parser"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testBase = "quay.io/org/os@sha256:1111111111111111111111111111111111111111111111111111111111111111"

// instructions parses a Containerfile and returns the names of its instructions.
func instructions(t testing.TB, containerfile string) []string {
	t.Helper()
	result, err := parser.Parse(strings.NewReader(containerfile))
	require.NoError(t, err)
	var names []string
	for _, node := range result.AST.Children {
		names = append(names, strings.ToUpper(node.Value))
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
