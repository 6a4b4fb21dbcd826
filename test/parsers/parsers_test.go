package parsers

import (
	"embed"
	"math/rand/v2"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

//go:embed corpus
var corpus embed.FS

const (
	base       = "quay.example.com/os@sha256:1111111111111111111111111111111111111111111111111111111111111111"
	extensions = "quay.example.com/extensions@sha256:2222222222222222222222222222222222222222222222222222222222222222"
	generated  = 10000
)

// texts are the corpus. Those of the directory refused are not to be accepted.
func texts(t testing.TB, directory string) map[string]string {
	t.Helper()
	entries, err := corpus.ReadDir(path.Join("corpus", directory))
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	result := map[string]string{}
	for _, entry := range entries {
		text, err := corpus.ReadFile(path.Join("corpus", directory, entry.Name()))
		require.NoError(t, err)
		result[entry.Name()] = string(text)
	}
	return result
}

// same checks that a text that we accept is read in the same way by the builder.
func same(t testing.TB, text string) bool {
	t.Helper()
	our, problem := ours(text)
	if problem != nil {
		return false
	}
	their, _, err := parse(text)
	require.NoError(t, err, "%q", text)
	require.Equal(t, their.Instructions, our.Instructions, "%q", text)
	return true
}

// sameCustom checks what becomes of custom content that is accepted: the builder reads the
// whole as we do, with all stages, and the last one is made from the MachineConfigs.
func sameCustom(t testing.TB, text string) bool {
	t.Helper()
	custom, problem := inputs.ParseCustom("worker", text)
	if problem != nil || !custom.Any() {
		return false
	}
	for _, packages := range []inputs.Packages{{}, {Kernel: inputs.KernelTypeRealtime}} {
		rendered, err := inputs.Recipe{Pool: "worker", BaseImage: base, ExtensionsImage: extensions, Packages: packages, Custom: custom}.Containerfile()
		require.NoError(t, err, "%q", text)
		our, problem := ours(rendered)
		require.Nil(t, problem, "%q", text)
		their, err := theirs(rendered)
		require.NoError(t, err, "%q", text)
		require.Equal(t, their, our, "%q", text)
		require.Equal(t, "configs", root(their.Stages), "%q", text)
	}
	return true
}

// root follows the last stage down, by names as a builder compares them.
func root(stages []stage) string {
	n := len(stages) - 1
	for before := n - 1; before >= 0; before-- {
		if stages[before].Name == stages[n].Base {
			n = before
		}
	}
	return stages[n].Name
}

// TestR03Corpus: what administrators write, and what parsers differ in.
func TestR03Corpus(t *testing.T) {
	for name, text := range texts(t, "accepted") {
		t.Run(name, func(t *testing.T) {
			_, problem := inputs.ParseCustom("worker", text)
			require.Nil(t, problem)
			require.True(t, sameCustom(t, text))
			require.True(t, same(t, text))
		})
	}
	for name, text := range texts(t, "refused") {
		t.Run(name, func(t *testing.T) {
			_, problem := inputs.ParseCustom("worker", text)
			require.NotNil(t, problem)
			same(t, text)
		})
	}
}

// TestR03Generated goes through texts of pieces that parsers differ in.
func TestR03Generated(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	read, accepted := 0, 0
	for range generated {
		text := generate(random)
		if same(t, text) {
			read++
		}
		if sameCustom(t, text) {
			accepted++
		}
	}
	t.Logf("of %d texts %d are read, and %d are accepted as custom content", generated, read, accepted)
	require.Greater(t, read, generated/5, "texts that are refused show little")
	require.Greater(t, accepted, generated/50, "texts that are refused show little")
}

// FuzzR03Parsers: whatever is accepted is read in the same way.
func FuzzR03Parsers(f *testing.F) {
	for _, directory := range []string{"accepted", "refused"} {
		for _, text := range texts(f, directory) {
			f.Add(text)
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		f.Add(generate(random))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10000 || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
			// No ConfigMap holds such text, and ParseCustom refuses that of a file.
			return
		}
		same(t, text)
		sameCustom(t, text)
	})
}
