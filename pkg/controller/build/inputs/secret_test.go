package inputs

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// canary stands for what must not be in any message.
const canary = "canary-credential"

func credentialSecret(kind corev1.SecretType, data map[string]string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "push"}, Type: kind, Data: map[string][]byte{}}
	for key, value := range data {
		secret.Data[key] = []byte(value)
	}
	return secret
}

// login is an entry that a builder can log in with.
func login() string {
	return `{"auth":"` + base64.StdEncoding.EncodeToString([]byte("user:"+canary)) + `"}`
}

// checkedPush is what is wrong, or may be, with a Secret to push to the repository with.
func checkedPush(t *testing.T, secret *corev1.Secret, repository string) (problem, warning *Problem) {
	t.Helper()
	credentials, problem := ReadCredentials(secret)
	if problem == nil {
		problem, warning = credentials.CheckPush(repository, testPlace)
	}
	for _, p := range []*Problem{problem, warning} {
		if p != nil {
			require.NotContains(t, p.String(), canary, "content is a credential")
			requireMessage(t, *p)
		}
	}
	return problem, warning
}

func TestReadCredentials(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		kind   corev1.SecretType
		data   map[string]string
		want   string
		fails  string
	}{
		"dockerconfigjson": {
			reason: "what 'oc create secret docker-registry' makes", kind: corev1.SecretTypeDockerConfigJson,
			data: map[string]string{".dockerconfigjson": `{"auths":{"b.example.com":` + login() + `,"a.example.com":{}}}`},
			want: `"a.example.com", "b.example.com"`,
		},
		"dockercfg": {
			reason: "the legacy form works as it is", kind: corev1.SecretTypeDockercfg,
			data: map[string]string{".dockercfg": `{"a.example.com":` + login() + `}`},
			want: `"a.example.com"`,
		},
		"config.json": {
			reason: "the builder looks for this key first", kind: corev1.SecretTypeOpaque,
			data: map[string]string{"config.json": `{"auths":{"a.example.com":{}}}`, ".dockercfg": "broken"},
			want: `"a.example.com"`,
		},
		"the first key is broken": {
			reason: "the builder goes on to the next one", kind: corev1.SecretTypeOpaque,
			data: map[string]string{"config.json": canary, ".dockerconfigjson": `{"auths":{"a.example.com":` + login() + `}}`},
			want: `"a.example.com"`,
		},
		"other keys": {
			reason: "a Secret of another purpose", kind: corev1.SecretTypeBasicAuth,
			data:  map[string]string{"username": "user", "password": canary},
			fails: `Secret push of type "kubernetes.io/basic-auth" has none of the keys config.json, .dockerconfigjson, .dockercfg (it has password, username)`,
		},
		"no JSON": {
			reason: "the content is quoted nowhere", kind: corev1.SecretTypeDockerConfigJson,
			data:  map[string]string{".dockerconfigjson": canary},
			fails: "Secret push, key .dockerconfigjson: is not valid JSON",
		},
		"base64 in base64": {
			reason: "data and stringData are easily mistaken", kind: corev1.SecretTypeOpaque,
			data:  map[string]string{".dockerconfigjson": base64.StdEncoding.EncodeToString([]byte(`{"auths":{"a.example.com":` + login() + `}}`))},
			fails: "encoded once more than the Secret needs",
		},
		"no entry": {
			reason: "there is nothing to log in with", kind: corev1.SecretTypeDockerConfigJson,
			data:  map[string]string{".dockerconfigjson": `{"auths":{}}`},
			fails: "has no entry for any registry",
		},
		"entries in another key": {
			reason: "whoever looks finds an entry, so why it does not count is said", kind: corev1.SecretTypeOpaque,
			data:  map[string]string{"config.json": `{"auths":{}}`, ".dockerconfigjson": `{"auths":{"a.example.com":` + login() + `}}`},
			fails: "Secret push, key config.json: has no entry for any registry (the key .dockerconfigjson is not read next to it)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := ReadCredentials(credentialSecret(test.kind, test.data))
			if test.fails == "" {
				require.Nil(t, problem, test.reason)
				require.Equal(t, test.want, got.Registries(), test.reason)
				return
			}
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.String(), test.fails, test.reason)
			require.NotContains(t, problem.String(), canary, "content is a credential")
		})
	}
}

// TestR10TheKeyringsRule: which entry serves a repository. The module test compares the
// rule with the keyring's own.
func TestR10TheKeyringsRule(t *testing.T) {
	const repository = "images.example.com:5000/org/repo"
	const hub = "docker.io/acme/os"
	for name, test := range map[string]struct {
		reason, entry, repository string
		want                      bool
	}{
		"host":             {reason: "the usual entry", entry: "images.example.com:5000", repository: repository, want: true},
		"slash":            {reason: "a slash at the end means nothing", entry: "images.example.com:5000/", repository: repository, want: true},
		"repository":       {reason: "an entry for the very repository", entry: repository, repository: repository, want: true},
		"organisation":     {reason: "an entry for a part of the registry", entry: "images.example.com:5000/org", repository: repository, want: true},
		"v1":               {reason: "how old clients wrote entries", entry: "https://images.example.com:5000/v1/", repository: repository, want: true},
		"v2":               {reason: "how newer ones do", entry: "https://images.example.com:5000/v2/", repository: repository, want: true},
		"v1 without slash": {reason: "the keyring takes it for a path", entry: "https://images.example.com:5000/v1", repository: repository, want: false},
		"v1 and a path":    {reason: "only the version is dropped", entry: "images.example.com:5000/v1/org", repository: repository, want: true},
		"v3":               {reason: "there is no such version", entry: "images.example.com:5000/v3/", repository: repository, want: false},
		"http":             {reason: "the scheme does not matter", entry: "http://images.example.com:5000", repository: repository, want: true},
		"other scheme":     {reason: "it is read as a host name", entry: "docker://images.example.com:5000", repository: repository, want: false},
		"pattern":          {reason: "a label may be a star", entry: "*.example.com:5000", repository: repository, want: true},
		"part of a label":  {reason: "a star may be a part of a label", entry: "im*s.example.com:5000", repository: repository, want: true},
		"question mark":    {reason: "patterns are those of file names", entry: "image?.example.com:5000", repository: repository, want: false},
		"other pattern":    {reason: "a star is one label", entry: "*.images.example.com:5000", repository: repository, want: false},
		"pattern of ports": {reason: "ports have no patterns", entry: "images.example.com:*", repository: repository, want: false},
		"pattern and path": {reason: "paths have none, and are compared", entry: "*.example.com:5000/org", repository: repository, want: true},
		"port is missing":  {reason: "another port is another registry", entry: "images.example.com", repository: repository, want: false},
		"prefix of name":   {reason: "the keyring compares letters, not parts", entry: "images.example.com:5000/or", repository: repository, want: true},
		"longer path":      {reason: "an entry for another repository", entry: repository + "/more", repository: repository, want: false},
		"upper case":       {reason: "letters are compared as they are", entry: "Images.example.com:5000", repository: repository, want: false},
		"user in the URL":  {reason: "it is no part of the host", entry: "https://user:" + canary + "@images.example.com:5000", repository: repository, want: true},
		"other host":       {reason: "another registry", entry: "quay.io", repository: repository, want: false},
		"empty":            {reason: "no entry", entry: "", repository: repository, want: false},
		"no URL":           {reason: "the keyring skips it", entry: "images.example.com:port", repository: repository, want: false},

		"Docker Hub as kubectl writes it": {reason: "the default of --docker-server", entry: "https://index.docker.io/v1/", repository: hub, want: true},
		"Docker Hub, v2":                  {reason: "the same host", entry: "https://index.docker.io/v2/", repository: hub, want: true},
		"Docker Hub, host":                {reason: "without scheme and path", entry: "index.docker.io", repository: hub, want: true},
		"Docker Hub, short":               {reason: "as podman login writes it", entry: "docker.io", repository: hub, want: true},
		"Docker Hub, organisation":        {reason: "a path of the canonical host", entry: "docker.io/acme", repository: hub, want: true},
		"Docker Hub, old and path":        {reason: "the default entry has no path", entry: "index.docker.io/acme", repository: hub, want: false},
		"Docker Hub, token":               {reason: "what docker login leaves next to the entry", entry: "https://index.docker.io/v1/access-token", repository: hub, want: false},
		"Docker Hub, real host":           {reason: "the keyring does not know this name", entry: "registry-1.docker.io", repository: hub, want: false},
		"localhost":                       {reason: "no dot: the keyring takes it for Docker Hub", entry: "index.docker.io", repository: "localhost/os", want: true},
	} {
		t.Run(name, func(t *testing.T) {
			secret := credentialSecret(corev1.SecretTypeDockerConfigJson, map[string]string{".dockerconfigjson": `{"auths":{"` + test.entry + `":` + login() + `}}`})
			problem, _ := checkedPush(t, secret, test.repository)
			if test.want {
				require.Nil(t, problem, test.reason)
				return
			}
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.Text, "has no entry for "+test.repository, test.reason)
			require.Contains(t, problem.Text, "It has ", "whoever looks sees the entry")
		})
	}
}

// TestR10TheMostSpecificEntryCounts: even if there is nothing in it.
func TestR10TheMostSpecificEntryCounts(t *testing.T) {
	for name, test := range map[string]struct{ reason, auths, fails string }{
		"empty organisation": {reason: "the registry's entry is not looked at", auths: `{"quay.io":` + login() + `,"quay.io/acme":{"auth":"Og=="}}`, fails: `the entry "quay.io/acme", which serves quay.io/acme/os, gives a build no login: its user name and password are empty or not there; "quay.io" has a login, but the most specific entry is the one that counts`},
		"empty registry":     {reason: "it is not looked at", auths: `{"quay.io":{"auth":"Og=="},"quay.io/acme":` + login() + `}`},
		"host before star":   {reason: "by the letters, backwards, a name comes before a star", auths: `{"*.io":{"auth":"Og=="},"quay.io":` + login() + `}`},
		"same place twice":   {reason: "the keyring takes any of the two", auths: `{"quay.io":` + login() + `,"https://quay.io/v2/":{"auth":"Og=="}}`, fails: `the entry "https://quay.io/v2/"`},
	} {
		t.Run(name, func(t *testing.T) {
			problem, _ := checkedPush(t, credentialSecret(corev1.SecretTypeDockerConfigJson, map[string]string{".dockerconfigjson": `{"auths":` + test.auths + `}`}), "quay.io/acme/os")
			if test.fails == "" {
				require.Nil(t, problem, test.reason)
				return
			}
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.Text, test.fails, test.reason)
		})
	}
}

// TestR11EntriesWithoutALogin: what a builder cannot log in with is told before a build.
func TestR11EntriesWithoutALogin(t *testing.T) {
	encoded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	const store = "the credentials store of the computer on which somebody logged in"
	for name, test := range map[string]struct{ reason, file, fails, warns string }{
		"login":               {reason: "the usual entry", file: `{"auths":{"quay.io":` + login() + `}}`},
		"user and password":   {reason: "they need not be encoded", file: `{"auths":{"quay.io":{"username":"u","password":"` + canary + `"}}}`},
		"without padding":     {reason: "the keyring takes it", file: `{"auths":{"quay.io":{"auth":"` + strings.TrimRight(encoded("user:pass"), "=") + `"}}}`},
		"other letters":       {reason: "names of fields count in any case", file: `{"auths":{"quay.io":{"Username":"u","PASSWORD":"` + canary + `"}}}`},
		"auth before others":  {reason: "auth replaces what stands next to it", file: `{"auths":{"quay.io":{"username":"","password":"","auth":"` + encoded("u:"+canary) + `"}}}`},
		"colon in a password": {reason: "the first one ends the user", file: `{"auths":{"quay.io":{"auth":"` + encoded("u:p:"+canary) + `"}}}`},
		"other's store":       {reason: "this entry has its login in the file", file: `{"auths":{"quay.io":` + login() + `,"gcr.io":{}},"credHelpers":{"gcr.io":"gcloud"}}`},
		"login and store":     {reason: "the login is in the file all the same", file: `{"auths":{"quay.io":` + login() + `},"credsStore":"desktop"}`},
		"token and login":     {reason: "the login is enough", file: `{"auths":{"quay.io":{"auth":"` + encoded("u:"+canary) + `","identitytoken":"` + canary + `"}}}`},

		"bare":       {reason: "pushing may need no login", file: `{"auths":{"quay.io":{}}}`, warns: `the entry "quay.io", which serves quay.io/acme/os, gives a build no login: there is nothing in it`},
		"null":       {reason: "the same", file: `{"auths":{"quay.io":null}}`, warns: "there is nothing in it"},
		"empty name": {reason: "there is no store without a name", file: `{"auths":{"quay.io":{}},"credsStore":""}`, warns: "there is nothing in it"},

		"store":                  {reason: "what docker login leaves on a desktop", file: `{"auths":{"quay.io":{}},"credsStore":"desktop"}`, fails: store},
		"store, no entries":      {reason: "older clients leave none", file: `{"auths":{},"credsStore":"osxkeychain"}`, fails: "names a credentials store (credsStore)"},
		"store, no auths":        {reason: "nor auths", file: `{"credsStore":"osxkeychain"}`, fails: "names a credentials store (credsStore)"},
		"helper":                 {reason: "the store of one registry", file: `{"auths":{"quay.io":{}},"credHelpers":{"quay.io":"pass"}}`, fails: store},
		"helper, no entry":       {reason: "whoever looks sees the name of the registry", file: `{"auths":{"gcr.io":` + login() + `},"credHelpers":{"quay.io":"pass"}}`, fails: "but the name of a program (credHelpers)"},
		"helpers only":           {reason: "the same without any entry", file: `{"credHelpers":{"quay.io":"pass"}}`, fails: "but the name of a program (credHelpers)"},
		"helpers for others":     {reason: "there is nothing for the repository", file: `{"credHelpers":{"gcr.io":"gcloud"}}`, fails: "has no entry for quay.io/acme/os"},
		"identity token":         {reason: "the keyring does not know it", file: `{"auths":{"quay.io":{"auth":"` + encoded("00000000:") + `","identitytoken":"` + canary + `"}}}`, fails: "it has a token in place of a password"},
		"registry token":         {reason: "nor this one", file: `{"auths":{"quay.io":{"registrytoken":"` + canary + `"}}}`, fails: "it has a token in place of a password"},
		"empty strings":          {reason: "a script without its variables", file: `{"auths":{"quay.io":{"username":"","password":"","auth":""}}}`, fails: "its user name and password are empty or not there"},
		"empty auth":             {reason: "a field, and nothing in it", file: `{"auths":{"quay.io":{"auth":""}}}`, fails: "its user name and password are empty or not there"},
		"a colon":                {reason: "two empty strings, encoded", file: `{"auths":{"quay.io":{"auth":"Og=="}}}`, fails: "its user name and password are empty or not there"},
		"no password":            {reason: "half a login is none", file: `{"auths":{"quay.io":{"auth":"` + encoded(canary+":") + `"}}}`, fails: "its password is empty"},
		"no user":                {reason: "half a login is none", file: `{"auths":{"quay.io":{"auth":"` + encoded(":"+canary) + `"}}}`, fails: "its user name is empty"},
		"user only":              {reason: "the same without encoding", file: `{"auths":{"quay.io":{"username":"` + canary + `"}}}`, fails: "its password is empty"},
		"auth empties the rest":  {reason: "auth replaces what stands next to it", file: `{"auths":{"quay.io":{"username":"u","password":"` + canary + `","auth":"Og=="}}}`, fails: "its user name and password are empty"},
		"e-mail only":            {reason: "it is no login", file: `{"auths":{"quay.io":{"email":"a@example.com"}}}`, fails: "it has an e-mail address, and neither a user name nor a password"},
		"other fields":           {reason: "nobody reads them", file: `{"auths":{"quay.io":{"token":"` + canary + `"}}}`, fails: "its user name and password are empty or not there"},
		"no base64":              {reason: "builders refuse the file", file: `{"auths":{"quay.io":{"auth":"` + canary + `!"}}}`, fails: `the entry "quay.io" has an auth that is not base64, and builders refuse the whole file for that`},
		"a blank behind base64":  {reason: "the keyring does not take it", file: `{"auths":{"quay.io":{"auth":"` + encoded("u:pp") + ` "}}}`, fails: "an auth that is not base64"},
		"base64 without a colon": {reason: "a token is no login", file: `{"auths":{"quay.io":{"auth":"` + encoded(canary) + `"}}}`, fails: "not base64 of a user name, a colon and a password"},
		"base64 twice":           {reason: "as people encode again what is encoded", file: `{"auths":{"quay.io":{"auth":"` + encoded(encoded("u:"+canary)) + `"}}}`, fails: "not base64 of a user name, a colon and a password"},
		"another's base64":       {reason: "one bad entry makes the file useless", file: `{"auths":{"quay.io":` + login() + `,"gcr.io":{"auth":"` + canary + `!"}}}`, fails: `the entry "gcr.io" has an auth that is not base64`},
		"no object":              {reason: "builders refuse the file", file: `{"auths":{"quay.io":"` + canary + `"}}`, fails: `the entry "quay.io" is no object`},
		"a number":               {reason: "builders refuse the file", file: `{"auths":{"quay.io":{"username":"u","password":1234}}}`, fails: `the entry "quay.io" has a username, password, email or auth that is no text`},
		"auths is a list":        {reason: "builders refuse the file", file: `{"auths":[]}`, fails: "auths is not an object"},
		"a list":                 {reason: "builders refuse the file", file: `[]`, fails: "but other JSON"},
		"user in the name":       {reason: "a name may hold a password", file: `{"auths":{"https://user:` + canary + `@quay.io":{"auth":"Og=="}}}`, fails: `the entry "https://`},
	} {
		t.Run(name, func(t *testing.T) {
			problem, warning := checkedPush(t, credentialSecret(corev1.SecretTypeDockerConfigJson, map[string]string{".dockerconfigjson": test.file}), "quay.io/acme/os")
			if test.fails != "" {
				require.NotNil(t, problem, test.reason)
				require.Contains(t, problem.Text, test.fails, test.reason)
				require.Contains(t, problem.Text, "oc create secret docker-registry push", "the way out")
				return
			}
			require.Nil(t, problem, test.reason)
			if test.warns == "" {
				require.Nil(t, warning, test.reason)
				return
			}
			require.NotNil(t, warning, test.reason)
			require.Contains(t, warning.Text, test.warns, test.reason)
		})
	}
}

// TestR11PullingGoesBeforeTheNodes: an entry without a login is in the way of the node's
// own credentials, and none is not.
func TestR11PullingGoesBeforeTheNodes(t *testing.T) {
	for name, test := range map[string]struct {
		reason, auths string
		fails, warns  bool
	}{
		"none for the base": {reason: "the node's own may do", auths: `{"gcr.io":{"auth":"Og=="}}`},
		"login":             {reason: "the usual entry", auths: `{"quay.io":` + login() + `}`},
		"empty":             {reason: "pulling would be anonymous", auths: `{"quay.io":{"auth":"Og=="}}`, fails: true},
		"bare":              {reason: "anonymous may be meant", auths: `{"quay.io":{}}`, warns: true},
	} {
		t.Run(name, func(t *testing.T) {
			credentials, problem := ReadCredentials(credentialSecret("", map[string]string{".dockerconfigjson": `{"auths":` + test.auths + `}`}))
			require.Nil(t, problem)
			problem, warning := credentials.CheckPull(testBase)
			require.Equal(t, test.fails, problem != nil, test.reason)
			require.Equal(t, test.warns, warning != nil, test.reason)
		})
	}
}

// TestR12TheOtherKeysFormat: what is said agrees with what stands there.
func TestR12TheOtherKeysFormat(t *testing.T) {
	const modern, legacy = "format of the key .dockerconfigjson in a Secret of type kubernetes.io/dockerconfigjson", "format of the key .dockercfg in a Secret of type kubernetes.io/dockercfg"
	for name, test := range map[string]struct{ reason, key, file, fails string }{
		"auths under .dockercfg":              {reason: "the builder takes auths for the name of a registry", key: ".dockercfg", file: `{"auths":{"quay.io":` + login() + `}}`, fails: modern},
		"auths and more under .dockercfg":     {reason: "a whole file of docker's", key: ".dockercfg", file: `{"auths":{"quay.io":` + login() + `},"credsStore":"x","HttpHeaders":{"a":"b"}}`, fails: modern},
		"auths without login, .dockercfg":     {reason: "the format is what is wrong first", key: ".dockercfg", file: `{"auths":{"quay.io":{}}}`, fails: modern},
		"map under .dockerconfigjson":         {reason: "the builder finds no auths", key: ".dockerconfigjson", file: `{"quay.io":` + login() + `}`, fails: legacy},
		"map under config.json":               {reason: "the same format", key: "config.json", file: `{"quay.io":` + login() + `}`, fails: legacy},
		"map of name and password":            {reason: "an entry need not have auth", key: ".dockerconfigjson", file: `{"quay.io":{"username":"u","password":"` + canary + `"}}`, fails: legacy},
		"map next to empty auths":             {reason: "they are not read", key: ".dockerconfigjson", file: `{"auths":{},"quay.io":` + login() + `}`, fails: legacy},
		"auths in auths":                      {reason: "a file in place of its entries", key: ".dockerconfigjson", file: `{"auths":{"auths":{"quay.io":` + login() + `}}}`, fails: "holds auths within auths"},
		"a registry named auths":              {reason: "it is one in this format", key: ".dockercfg", file: `{"auths":` + login() + `,"quay.io":` + login() + `}`},
		"modern under .dockerconfigjson":      {reason: "as it should be", key: ".dockerconfigjson", file: `{"auths":{"quay.io":` + login() + `}}`},
		"legacy under .dockercfg":             {reason: "as it should be", key: ".dockercfg", file: `{"quay.io":` + login() + `}`},
		"legacy with a store":                 {reason: "the store's name is no entry", key: ".dockercfg", file: `{"quay.io":` + login() + `,"credsStore":"x"}`, fails: `the entry "credsStore" is no object`},
		"nothing at all":                      {reason: "there is no format to tell", key: ".dockerconfigjson", file: `{}`, fails: "has no entry for any registry"},
		"nothing at all in the legacy format": {reason: "nor here", key: ".dockercfg", file: `{}`, fails: "has no entry for any registry"},
	} {
		t.Run(name, func(t *testing.T) {
			problem, _ := checkedPush(t, credentialSecret(corev1.SecretTypeOpaque, map[string]string{test.key: test.file}), "quay.io/acme/os")
			if test.fails == "" {
				require.Nil(t, problem, test.reason)
				return
			}
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.Text, test.fails, test.reason)
			require.Equal(t, test.key, problem.Key)
		})
	}
}

// TestLoginFor: who asks a registry logs in as the builder does.
func TestLoginFor(t *testing.T) {
	const own, other = `{"auth":"b3duOnBhc3M6d29yZA=="}`, `{"username":"other","password":"word"}`
	for name, test := range map[string]struct{ reason, key, file, user, password string }{
		"of the registry":   {reason: "the usual case", key: ".dockerconfigjson", file: `{"auths":{"quay.io":` + own + `}}`, user: "own", password: "pass:word"},
		"the most specific": {reason: "as in the keyring", key: ".dockerconfigjson", file: `{"auths":{"quay.io":` + own + `,"quay.io/acme":` + other + `}}`, user: "other", password: "word"},
		"legacy":            {reason: "the other format", key: ".dockercfg", file: `{"quay.io":` + own + `}`, user: "own", password: "pass:word"},
		"names in any case": {reason: "as they are read", key: "config.json", file: `{"Auths":{"https://quay.io/v1/":` + own + `}}`, user: "own", password: "pass:word"},
		"of others":         {reason: "they are for others only", key: ".dockerconfigjson", file: `{"auths":{"quay.example":` + own + `}}`},
		"without a login":   {reason: "there is none to take", key: ".dockerconfigjson", file: `{"auths":{"quay.io":{}}}`},
		"not to be read":    {reason: "builders would refuse it", key: ".dockerconfigjson", file: `{`},
	} {
		t.Run(name, func(t *testing.T) {
			user, password := LoginFor(credentialSecret(corev1.SecretTypeOpaque, map[string]string{test.key: test.file}), "quay.io/acme/os:worker-1")
			require.Equal(t, test.user, user, test.reason)
			require.Equal(t, test.password, password, test.reason)
		})
	}
}

// FuzzReadCredentials: whatever is in a Secret, there are entries or a problem.
func FuzzReadCredentials(f *testing.F) {
	f.Add(".dockerconfigjson", []byte(`{"auths":{"a":{}}}`))
	f.Add(".dockercfg", []byte(`{"a":{}}`))
	f.Add("config.json", []byte(`{"auths":null,"credHelpers":{"a":""}}`))
	f.Add("\n", []byte("0"))
	f.Fuzz(func(t *testing.T, key string, content []byte) {
		credentials, problem := ReadCredentials(&corev1.Secret{Data: map[string][]byte{key: content}})
		if problem != nil {
			requireMessage(t, *problem)
			return
		}
		problem, _ = credentials.CheckPush("quay.io/acme/os", testPlace)
		if problem != nil {
			requireMessage(t, *problem)
		}
	})
}

// testPlace is where the repository is written that tests push to.
var testPlace = Place{Object: ConfigMapObject, Key: constants.FinalImagePullspecKey}
