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

// TestR13PullspecsInAnyForm: what is meant is taken in its canonical form, and what is wrong
// is called by its name.
func TestR13PullspecsInAnyForm(t *testing.T) {
	for name, test := range map[string]struct{ reason, pullspec, want, fails string }{
		"canonical":          {reason: "as it is", pullspec: "docker.io/acme/os", want: "docker.io/acme/os"},
		"with a tag":         {reason: "the tag is the build's to decide", pullspec: "docker.io/acme/os:latest", want: "docker.io/acme/os"},
		"old host":           {reason: "the same registry", pullspec: "index.docker.io/acme/os", want: "docker.io/acme/os"},
		"old host and tag":   {reason: "the same", pullspec: "index.docker.io/acme/os:v1", want: "docker.io/acme/os"},
		"Docker's own":       {reason: "if it is meant", pullspec: "docker.io/library/os", want: "docker.io/library/os"},
		"localhost":          {reason: "the one host without a dot", pullspec: "localhost/os", want: "localhost/os"},
		"port":               {reason: "a port makes it a host", pullspec: "registry:5000/os", want: "registry:5000/os"},
		"no organisation":    {reason: "nobody can push to Docker's own repositories", pullspec: "docker.io/os", fails: "means docker.io/library/os, which belongs to Docker: the organisation is missing"},
		"no org, old host":   {reason: "the same", pullspec: "index.docker.io/os:v1", fails: "means docker.io/library/os"},
		"only a host":        {reason: "it does begin with the host", pullspec: "quay.io", fails: "is a registry's host name, and the repository there is missing"},
		"host and port":      {reason: "the same", pullspec: "quay.io:443", fails: "is a registry's host name, and the repository there is missing"},
		"short host":         {reason: "it is said why it is no host", pullspec: "registry/acme/os", fails: `does not begin with the registry's host name: "registry" has neither a dot nor a port`},
		"organisation first": {reason: "the same", pullspec: "acme/os", fails: "does not begin with the registry's host name"},
		"short":              {reason: "there is no host at all", pullspec: "os", fails: "does not begin with the registry's host name"},
		"https":              {reason: "as it is copied from a browser", pullspec: "https://quay.io/acme/os", fails: `it begins with "https://"; leave that out`},
		"docker transport":   {reason: "as skopeo wants it", pullspec: "docker://quay.io/acme/os", fails: `it begins with "docker://"; leave that out`},
		"slash at the end":   {reason: "a directory is no repository", pullspec: "quay.io/acme/os/", fails: "it ends with a slash"},
		"host and slash":     {reason: "the repository is missing", pullspec: "quay.io/", fails: "it ends with a slash"},
		"slash first":        {reason: "a variable was empty", pullspec: "/acme/os", fails: "it begins with a slash"},
		"two slashes":        {reason: "a variable was empty", pullspec: "quay.io//os", fails: "it has nothing between two slashes"},
		"colon at the end":   {reason: "a variable was empty", pullspec: "quay.io/acme/os:", fails: "it ends with a colon, and no tag follows"},
		"blank":              {reason: "a slip of the keyboard", pullspec: "quay.io/acme/ os", fails: "it contains a blank"},
		"quotes":             {reason: "YAML in YAML", pullspec: `"quay.io/acme/os"`, fails: "it contains a quotation mark"},
		"upper case":         {reason: "repositories have none", pullspec: "quay.io/Acme/os", fails: "must be lowercase"},
		"short digest":       {reason: "it is no digest", pullspec: "quay.io/acme/os@sha256:abc", fails: "what follows @ is not a digest"},
		"digest":             {reason: "what is pushed has one of its own", pullspec: "quay.io/acme/os@sha256:" + strings.Repeat("a", 64), fails: "the digest is the build's to decide"},
		"empty":              {reason: "nothing is no pullspec", pullspec: "", fails: "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRepository(test.pullspec)
			if test.fails != "" {
				require.ErrorContains(t, err, test.fails, test.reason)
				return
			}
			require.NoError(t, err, test.reason)
			require.Equal(t, test.want, got, test.reason)
		})
	}
	for pullspec, want := range map[string]string{
		"docker.io/fedora:43":                "docker.io/library/fedora:43",
		"index.docker.io/acme/os:1":          "docker.io/acme/os:1",
		"index.docker.io/fedora" + aDigest(): "docker.io/library/fedora" + aDigest(),
	} {
		got, err := ParseBaseImage(pullspec)
		require.NoError(t, err, "pulling from Docker's own repositories is common")
		require.Equal(t, want, got)
	}
}

func aDigest() string { return "@sha256:" + strings.Repeat("a", 64) }

func TestRegistryOf(t *testing.T) {
	require.Equal(t, "registry.example.com:5000", RegistryOf("registry.example.com:5000/org/repo"), "the port is part of the host")
	require.Empty(t, RegistryOf("no pullspec"))
}
