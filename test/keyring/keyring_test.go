package keyring

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/credentialprovider"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// The keyring logs every entry that it skips.
func TestMain(m *testing.M) {
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"logtostderr": "false", "alsologtostderr": "false", "stderrthreshold": "FATAL"} {
		if err := flags.Set(name, value); err != nil {
			panic(err)
		}
	}
	klog.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// tag is what builds push with: the keyring is asked with it.
const tag = ":machine-os-worker-0123456789-1"

var (
	hosts = []string{
		"quay.io", "registry.example.com", "registry.example.com:5000", "a.b.registry.example.com", "localhost", "localhost:5000",
		"docker.io", "index.docker.io", "registry-1.docker.io", "10.0.0.1", "10.0.0.1:443", "registry:5000", "xn--bcher-kva.example",
	}
	paths = []string{"/os", "/acme/os", "/acme/team/os", "/acme/os-2", "/v1/os", "/v2/acme/os"}
	// forms are how entries are written; H is the host, P the path, and D the directory that it is in.
	forms = []string{
		"H", "H/", "HP", "HP/", "HD", "HD/", "https://H", "http://H", "https://H/", "https://H/v1/", "https://H/v2/", "https://H/v1", "H/v1/", "H/v2/D", "https://H/v1P", "https://HP",
		"ftp://H", "docker://HP", "//H", "*", "*.*", "*.io", "*.example.com", "*.example.com:5000", "registry.*.com", "r*.example.com", "[a-r]*.example.com", "[.example.com", "H:443", "H:",
		"user@H", "https://user:secret@H", "H?q", "H#f", "H%2fos", "HP%20", "H ", " H", "", "/", "https://", "H/./os", "H//os", "H/o", "HP:", "HPx", "H/v3/", "https://index.docker.io/v1/", "index.docker.io", "docker.io",
	}
)

func entryOf(form, host, path string) string {
	return strings.NewReplacer("H", host, "P", path, "D", filepath.Dir(path)).Replace(form)
}

// login makes entries that tell apart which one was chosen.
func login(user string) json.RawMessage {
	return json.RawMessage(`{"auth":"` + base64.StdEncoding.EncodeToString([]byte(user+":password")) + `"}`)
}

const noLogin = `{"auth":"Og=="}`

func secretWith(t testing.TB, entries map[string]json.RawMessage) *corev1.Secret {
	t.Helper()
	content, err := json.Marshal(map[string]any{"auths": entries})
	require.NoError(t, err)
	return &corev1.Secret{Data: map[string][]byte{corev1.DockerConfigJsonKey: content}}
}

// chosen is the user name of the entry that a builder logs in with.
func chosen(t testing.TB, entries []string, image string) (user string, found bool) {
	t.Helper()
	config := credentialprovider.DockerConfig{}
	for i, entry := range entries {
		config[entry] = credentialprovider.DockerConfigEntry{Username: strconv.Itoa(i), Password: "password"}
	}
	keyring := credentialprovider.BasicDockerKeyring{}
	keyring.Add(nil, config)
	logins, found := keyring.Lookup(image)
	if !found || len(logins) == 0 {
		return "", false
	}
	return logins[0].Username, true
}

func serve(t testing.TB, entry, repository string) bool {
	t.Helper()
	credentials, problem := inputs.ReadCredentials(secretWith(t, map[string]json.RawMessage{entry: login("0")}))
	require.Nil(t, problem)
	problem, warning := credentials.CheckPush(repository, inputs.Place{})
	require.Nil(t, warning)
	return problem == nil
}

// TestR10TheKeyringAgrees: for every form of an entry and every form of a repository.
func TestR10TheKeyringAgrees(t *testing.T) {
	pairs, served := 0, 0
	for _, host := range hosts {
		for _, path := range paths {
			for _, form := range forms {
				// The entry is of the repository's host, and of the next one.
				for _, of := range []string{host, hosts[pairs%len(hosts)]} {
					entry, repository := entryOf(form, of, path), host+path
					_, want := chosen(t, []string{entry}, repository+tag)
					require.Equal(t, want, serve(t, entry, repository), "entry %q, repository %q", entry, repository)
					pairs++
					if want {
						served++
					}
				}
			}
		}
	}
	require.Greater(t, pairs, 300)
	require.Greater(t, served, pairs/5, "both answers are common")
	require.Less(t, served, pairs*4/5, "both answers are common")
}

// TestR10TheKeyringChoosesTheSame: of several entries, the same one counts.
func TestR10TheKeyringChoosesTheSame(t *testing.T) {
	const repository = "registry.example.com/acme/team/os"
	all := []string{
		"registry.example.com", "https://registry.example.com/v1/", "registry.example.com/acme", "registry.example.com/acme/", "registry.example.com/acme/team", "registry.example.com/acme/team/os", "registry.example.com/ac",
		"*.example.com", "*.*.com", "registry.*.com", "r*.example.com/acme", "registry.example.com:443", "quay.io", "index.docker.io",
	}
	for chosenFrom := 1; chosenFrom < 1<<len(all); chosenFrom += 7 {
		var entries []string
		for i, entry := range all {
			if chosenFrom&(1<<i) != 0 {
				entries = append(entries, entry)
			}
		}
		// Two forms of one place are chosen from at random.
		if chosenFrom&3 == 3 {
			continue
		}
		user, found := chosen(t, entries, repository+tag)
		only, others := map[string]json.RawMessage{}, map[string]json.RawMessage{}
		for i, entry := range entries {
			only[entry], others[entry] = json.RawMessage(noLogin), login(strconv.Itoa(i))
			if found && user == strconv.Itoa(i) {
				only[entry], others[entry] = login(user), json.RawMessage(noLogin)
			}
		}
		require.Equal(t, found, check(t, only, repository), "%v: %s has the one login", entries, user)
		require.False(t, check(t, others, repository) && found, "%v: all but %s have a login", entries, user)
	}
}

func check(t testing.TB, entries map[string]json.RawMessage, repository string) bool {
	t.Helper()
	credentials, problem := inputs.ReadCredentials(secretWith(t, entries))
	require.Nil(t, problem)
	problem, _ = credentials.CheckPush(repository, inputs.Place{})
	return problem == nil
}

// FuzzR10TheKeyringAgrees: whatever an entry is called.
func FuzzR10TheKeyringAgrees(f *testing.F) {
	for i, form := range forms {
		f.Add(entryOf(form, hosts[i%len(hosts)], paths[i%len(paths)]), hosts[i%len(hosts)]+paths[i%len(paths)])
	}
	f.Fuzz(func(t *testing.T, entry, pullspec string) {
		repository, err := inputs.ParseRepository(pullspec)
		// JSON has no other texts, and a tag is the build's to decide.
		if err != nil || strings.ToValidUTF8(entry, "") != entry || strings.Contains(entry, ":machine-os") || strings.Contains(entry, ":m") {
			return
		}
		_, want := chosen(t, []string{entry}, repository+tag)
		require.Equal(t, want, serve(t, entry, repository), "entry %q, repository %q", entry, repository)
	})
}

// FuzzR11TheKeyringReadsTheSame: of a file, the same is refused, and the same has a login.
func FuzzR11TheKeyringReadsTheSame(f *testing.F) {
	for _, entry := range []string{
		`{}`, `null`, `[]`, `"x"`, `1`, noLogin, string(login("u")), `{"username":"u","password":"p"}`, `{"Username":"u","PASSWORD":"p"}`, `{"username":"u"}`, `{"password":"p"}`, `{"email":"e"}`,
		`{"auth":"x"}`, `{"auth":"eA=="}`, `{"auth":"dTpw "}`, `{"auth":"dTpw\n"}`, `{"auth":"dTpwcA"}`, `{"auth":1}`, `{"username":1}`, `{"auth":null}`, `{"identitytoken":{}}`, `{"auth":"dTo=","identitytoken":"t"}`, `{"auth":"dTpw","auth":""}`,
	} {
		f.Add([]byte(`{"auths":{"quay.io":` + entry + `}}`))
		f.Add([]byte(`{"AUTHS":{"quay.io":` + entry + `,"gcr.io":` + string(login("u")) + `},"credsStore":"x"}`))
		f.Add([]byte(`{"quay.io":` + entry + `}`))
	}
	file := filepath.Join(f.TempDir(), "config.json")
	f.Fuzz(func(t *testing.T, content []byte) {
		require.NoError(t, os.WriteFile(file, content, 0o600))
		modern, err := credentialprovider.ReadSpecificDockerConfigJSONFile(file)
		requireSame(t, modern, err, content, corev1.DockerConfigJsonKey)
		legacy, err := credentialprovider.ReadDockerConfigFileFromBytes(content)
		requireSame(t, legacy, err, content, corev1.DockerConfigKey)
	})
}

// requireSame compares what is made of the content of a key. Where there is a login for a
// builder, there is none of our problems, and the other way round.
func requireSame(t *testing.T, config credentialprovider.DockerConfig, err error, content []byte, key string) {
	t.Helper()
	const repository = "quay.io/acme/os"
	credentials, problem := inputs.ReadCredentials(&corev1.Secret{Data: map[string][]byte{key: content}})
	if err != nil {
		require.NotNil(t, problem, "builders refuse the file: %s", content)
		return
	}
	keyring := credentialprovider.BasicDockerKeyring{}
	keyring.Add(nil, config)
	logins, _ := keyring.Lookup(repository + tag)
	every, some := len(logins) > 0, false
	for _, login := range logins {
		has := login.Username != "" && login.Password != ""
		every, some = every && has, some || has
	}
	var warning *inputs.Problem
	if problem == nil {
		problem, warning = credentials.CheckPush(repository, inputs.Place{})
	}
	switch {
	case every:
		require.Nil(t, problem, "%s", content)
		require.Nil(t, warning, "%s", content)
	case !some:
		require.False(t, problem == nil && warning == nil, "there is no login in %s", content)
	}
}
