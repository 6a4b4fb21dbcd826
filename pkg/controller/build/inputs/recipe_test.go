package inputs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

const testExtensions = "quay.example.com/org/extensions@sha256:2222222222222222222222222222222222222222222222222222222222222222"

var (
	plainInstructions = []string{"FROM", "COPY", "FROM", "RUN", "FROM", "LABEL", "COPY", "RUN", "LABEL", "RUN"}
	withPackages      = []string{"FROM", "COPY", "FROM", "RUN", "FROM", "FROM", "LABEL", "RUN", "COPY", "RUN", "LABEL", "RUN"}
)

// recipes is the matrix of the golden files.
func recipes() map[string]Recipe {
	plain := Recipe{
		Pool: "worker", RenderedConfig: "rendered-worker-0123456789abcdef0123456789abcdef", Fingerprint: strings.Repeat("f", 64),
		BaseImage: testBase, ExtensionsImage: testExtensions,
	}
	matrix := map[string]Recipe{}
	for packagesName, packages := range map[string]Packages{
		"": {}, "-realtime": {Kernel: KernelTypeRealtime}, "-64k": {Kernel: KernelType64kPages},
		"-extensions": {Extensions: []string{"kerberos", "usbguard"}},
		"-everything": {Kernel: KernelTypeRealtime, Extensions: ExtensionNames()},
	} {
		for customName, text := range map[string]string{
			"": "", "-custom": "FROM configs AS final\nRUN rpm-ostree install tree && \\\n    ostree container commit\n",
			"-heredoc": "FROM quay.example.com/tool AS tool\nFROM configs AS final\nRUN <<EOF\necho hello >/etc/hello\nEOF\nCOPY --from=tool /tool /usr/bin/tool",
		} {
			recipe := plain
			recipe.Packages, recipe.Custom = packages, custom(text)
			matrix["worker"+packagesName+customName] = recipe
		}
	}
	tagged := plain
	tagged.BaseImage = "quay.example.com:5000/org/os:4.20"
	matrix["worker-tag"] = tagged
	return matrix
}

func TestH39ContainerfileParses(t *testing.T) {
	matrix := recipes()
	for name, recipe := range matrix {
		got, err := recipe.Containerfile()
		require.NoError(t, err, name)
		golden := filepath.Join("testdata", "containerfiles", name)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), got, "run the test with -update if the change is meant: it makes every pool build anew")
		requireStructure(t, recipe, got)
	}
	files, err := os.ReadDir(filepath.Join("testdata", "containerfiles"))
	require.NoError(t, err)
	require.Len(t, files, len(matrix), "a golden file that nothing makes any more")
}

// requireStructure checks that the instructions are the template's, with the custom
// ones in their place.
func requireStructure(t testing.TB, recipe Recipe, text string) {
	t.Helper()
	want := slices.Clone(plainInstructions)
	if recipe.Packages.Any() {
		want = slices.Clone(withPackages)
	}
	if recipe.Custom.Any() {
		theirs := instructions(t, recipe.Custom.Text())
		if !slices.Contains(theirs, "FROM") {
			theirs = append([]string{"FROM"}, theirs...)
		}
		first := slices.Index(theirs, "FROM")
		want = slices.Concat(theirs[:first], slices.Insert(want, len(want)-2, theirs[first:]...))
	}
	require.Equal(t, want, instructions(t, text))
	if !recipe.Custom.Any() {
		require.NotContains(t, text, "<<", "buildah before 1.33 knows no heredocs")
	}
}

// TestRecipeLabels: labels are instructions, since a Build that gets its
// Containerfile from a Secret loses those of its own.
func TestRecipeLabels(t *testing.T) {
	text, err := recipes()["worker"].Containerfile()
	require.NoError(t, err)
	for _, label := range []string{
		`org.opencontainers.image.base.name="quay.io/org/os"`,
		`org.opencontainers.image.base.digest="sha256:1111111111111111111111111111111111111111111111111111111111111111"`,
		`org.opencontainers.image.title="machine-os-worker"`,
		`org.opencontainers.image.version="rendered-worker-0123456789abcdef0123456789abcdef"`,
		`machineconfiguration.openshift.io/pool="worker"`,
		`machineconfiguration.openshift.io/rendered-config="rendered-worker-0123456789abcdef0123456789abcdef"`,
		`machineconfiguration.openshift.io/fingerprint="` + strings.Repeat("f", 64) + `"`,
	} {
		require.Contains(t, text, label)
	}
	tagged, err := recipes()["worker-tag"].Containerfile()
	require.NoError(t, err)
	require.Contains(t, tagged, `org.opencontainers.image.base.name="quay.example.com:5000/org/os:4.20"`, "without a digest the tag says which one")
	require.NotContains(t, text, "created", "a time would make the image another one each time")
}

// TestRecipeRefuses: what was not checked before is not rendered.
func TestRecipeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		recipe Recipe
		want   string
	}{
		"no base":            {reason: "there is nothing to build on", recipe: Recipe{}, want: "base image"},
		"bad base":           {reason: "it would be an instruction", recipe: Recipe{BaseImage: "quay.io/os\nRUN true"}, want: "base image"},
		"no extensions":      {reason: "packages need an image", recipe: Recipe{BaseImage: testBase, Packages: Packages{Kernel: KernelTypeRealtime}}, want: "extensions image"},
		"changed by a value": {reason: "the result is counted", recipe: Recipe{BaseImage: testBase, Custom: Custom{body: "FROM configs\nRUN true\n", instructions: 1}}, want: "changed its structure"},
		"swallowed":          {reason: "the result is counted", recipe: Recipe{BaseImage: testBase, Custom: Custom{body: "FROM configs\nRUN true \\", instructions: 2}}, want: "changed its structure"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := test.recipe.Containerfile()
			require.ErrorContains(t, err, test.want, test.reason)
			require.Empty(t, text)
		})
	}
}

// TestRecipeIsProofAgainstHostileValues puts every hostile text into every input:
// it is refused, or the instructions stay the same.
func TestRecipeIsProofAgainstHostileValues(t *testing.T) {
	matrix := recipes()
	for _, hostile := range append(hostileTexts(), `"`+"\nRUN true #", "a\\\nRUN b", "{{ .Pool }}", "a b=\"c\"", "\u2029", "\x1b[2J", "EOF\nRUN true") {
		for input, set := range map[string]func(*Recipe){
			"pool":        func(r *Recipe) { r.Pool = hostile },
			"config":      func(r *Recipe) { r.RenderedConfig = hostile },
			"fingerprint": func(r *Recipe) { r.Fingerprint = hostile },
			"base":        func(r *Recipe) { r.BaseImage = hostile },
			"base tag":    func(r *Recipe) { r.BaseImage = "quay.io/os:" + hostile },
			"extensions":  func(r *Recipe) { r.ExtensionsImage = "quay.io/os" + hostile },
			"kernel": func(r *Recipe) {
				packages, problems := ParsePackages("c", hostile, nil)
				require.NotEmpty(t, problems)
				r.Packages = packages
			},
			"names": func(r *Recipe) {
				packages, problems := ParsePackages("c", "", []string{hostile, "usbguard" + hostile})
				require.NotEmpty(t, problems)
				r.Packages = packages
			},
			"custom": func(r *Recipe) { r.Custom, _ = ParseCustom("worker", hostile) },
			"custom end": func(r *Recipe) {
				r.Custom, _ = ParseCustom("worker", "FROM configs\nRUN true "+hostile)
			},
			"trust bundle": func(*Recipe) {
				certificates, _ := ParseTrustBundle([]byte(hostile))
				require.Empty(t, certificates)
			},
		} {
			for _, recipe := range []Recipe{matrix["worker"], matrix["worker-everything-custom"]} {
				set(&recipe)
				text, err := recipe.Containerfile()
				if err != nil {
					require.Empty(t, text)
					continue
				}
				require.NotEqual(t, "base", input, "%q is no pullspec", hostile)
				requireStructure(t, recipe, text)
			}
		}
	}
}

func TestScripts(t *testing.T) {
	for name, script := range Scripts() {
		require.True(t, strings.HasPrefix(string(script), "#!/bin/sh\n"), name)
		require.Contains(t, string(script), "set -eu\n", "%s ends at the first error", name)
	}
	containerfile, err := recipes()["worker-everything"].Containerfile()
	require.NoError(t, err)
	for _, name := range scriptNames {
		require.Contains(t, containerfile, "/inputs/"+name)
	}
}

// stages are the images and names of all stages.
func stages(t testing.TB, text string) []string {
	t.Helper()
	file, err := containerfile.Parse(text)
	require.Nil(t, err)
	var found []string
	for _, instruction := range file.Instructions {
		if instruction.Name == "from" {
			found = append(found, strings.Join(instruction.Args, " "))
		}
	}
	return found
}

func TestRecipeStages(t *testing.T) {
	for name, want := range map[string][]string{
		"worker":                 {testBase + " AS machine-os-base", testBase + " AS inputs", testBase + " AS configs"},
		"worker-realtime":        {testBase + " AS machine-os-base", testBase + " AS inputs", testExtensions + " AS extensions", testBase + " AS configs"},
		"worker-realtime-custom": {testBase + " AS machine-os-base", testBase + " AS inputs", testExtensions + " AS extensions", testBase + " AS configs", "configs AS final"},
	} {
		text, err := recipes()[name].Containerfile()
		require.NoError(t, err)
		require.Equal(t, want, stages(t, text), "the last stage is the image")
	}
}
