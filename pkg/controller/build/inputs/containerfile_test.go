package inputs

import (
	"flag"
	"os"
	"path/filepath"
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

func TestContainerfileGolden(t *testing.T) {
	got := Containerfile(testBase)
	golden := filepath.Join("testdata", "Containerfile")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run the test with -update if the change is meant: it makes every pool build anew")
}

// TestH39ContainerfileParses: escaping in the template broke builds.
func TestH39ContainerfileParses(t *testing.T) {
	got := Containerfile(testBase)
	require.Equal(t, []string{"FROM", "COPY", "RUN", "FROM", "RUN", "RUN"}, instructions(t, got))
	require.NotContains(t, got, "<<", "the OpenShift builder loses the bodies of heredocs")
	require.Less(t, len(got), 60000, "the Build API's limit of an inline Dockerfile")
	require.Equal(t, 2, strings.Count(got, testBase), "both stages are of the base image")
}

// FuzzContainerfile: no base image that is accepted changes the structure of
// the Containerfile.
func FuzzContainerfile(f *testing.F) {
	for _, seed := range hostileTexts() {
		f.Add(seed)
		f.Add("quay.io/org/os" + seed)
		f.Add("quay.io/org/os:" + seed)
	}
	f.Add(testBase)
	f.Fuzz(func(t *testing.T, pullspec string) {
		base, err := ParseBaseImage(pullspec)
		if err != nil {
			return
		}
		require.Equal(t, instructions(t, Containerfile(testBase)), instructions(t, Containerfile(base)))
		again, err := ParseBaseImage(base)
		require.NoError(t, err)
		require.Equal(t, base, again, "what is accepted re-parses to itself")
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
