package inputs

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRegistriesOf(t *testing.T) {
	const canary = "canary-credential"
	for name, test := range map[string]struct {
		reason string
		kind   corev1.SecretType
		data   map[string]string
		want   []string
		fails  string
	}{
		"dockerconfigjson": {
			reason: "what 'oc create secret docker-registry' makes", kind: corev1.SecretTypeDockerConfigJson,
			data: map[string]string{".dockerconfigjson": `{"auths":{"b.example.com":{"auth":"eA=="},"a.example.com":{}}}`},
			want: []string{"a.example.com", "b.example.com"},
		},
		"dockercfg": {
			reason: "the legacy form works as it is", kind: corev1.SecretTypeDockercfg,
			data: map[string]string{".dockercfg": `{"a.example.com":{"auth":"eA=="}}`},
			want: []string{"a.example.com"},
		},
		"config.json": {
			reason: "the builder looks for this key first", kind: corev1.SecretTypeOpaque,
			data: map[string]string{"config.json": `{"auths":{"a.example.com":{}}}`, ".dockercfg": "broken"},
			want: []string{"a.example.com"},
		},
		"other keys": {
			reason: "a Secret of another purpose", kind: corev1.SecretTypeBasicAuth,
			data:  map[string]string{"username": "user", "password": canary},
			fails: `Secret push of type "kubernetes.io/basic-auth" has none of the keys config.json, .dockerconfigjson, .dockercfg`,
		},
		"no JSON": {
			reason: "the content is quoted nowhere", kind: corev1.SecretTypeDockerConfigJson,
			data:  map[string]string{".dockerconfigjson": canary},
			fails: "Secret push, key .dockerconfigjson: is not valid JSON",
		},
		"entry is no object": {
			reason: "the builder fails on it", kind: corev1.SecretTypeDockerConfigJson,
			data:  map[string]string{".dockerconfigjson": `{"auths":{"a.example.com":"` + canary + `"}}`},
			fails: "is not valid JSON",
		},
		"no entry": {
			reason: "there is nothing to log in with", kind: corev1.SecretTypeDockerConfigJson,
			data:  map[string]string{".dockerconfigjson": `{"auths":{}}`},
			fails: "has no entry for any registry",
		},
		"legacy content under the new key": {
			reason: "a map without auths has no entries", kind: corev1.SecretTypeDockerConfigJson,
			data:  map[string]string{".dockerconfigjson": `{"a.example.com":{"auth":"` + canary + `"}}`},
			fails: "has no entry for any registry",
		},
	} {
		t.Run(name, func(t *testing.T) {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "push"}, Type: test.kind, Data: map[string][]byte{}}
			for key, value := range test.data {
				secret.Data[key] = []byte(value)
			}
			got, problem := RegistriesOf(secret)
			if test.fails == "" {
				require.Nil(t, problem, test.reason)
				require.Equal(t, test.want, got, test.reason)
				return
			}
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.String(), test.fails, test.reason)
			require.NotContains(t, problem.String(), canary, "content is a credential")
		})
	}
}

func TestCovers(t *testing.T) {
	const repository = "images.example.com:5000/org/repo"
	for name, test := range map[string]struct {
		reason, entry string
		want          bool
	}{
		"host":            {reason: "the usual entry", entry: "images.example.com:5000", want: true},
		"slash":           {reason: "a slash at the end means nothing", entry: "images.example.com:5000/", want: true},
		"repository":      {reason: "an entry for the very repository", entry: repository, want: true},
		"organisation":    {reason: "an entry for a part of the registry", entry: "images.example.com:5000/org", want: true},
		"legacy URL":      {reason: "how old clients wrote entries", entry: "https://images.example.com:5000/v1/", want: true},
		"http":            {reason: "the scheme does not matter", entry: "http://images.example.com:5000", want: true},
		"pattern":         {reason: "a label may be a star", entry: "*.example.com:5000", want: true},
		"other pattern":   {reason: "a star is one label", entry: "*.images.example.com:5000", want: false},
		"port is missing": {reason: "another port is another registry", entry: "images.example.com", want: false},
		"prefix of name":  {reason: "org is not or", entry: "images.example.com:5000/or", want: false},
		"other host":      {reason: "another registry", entry: "quay.io", want: false},
		"empty":           {reason: "no entry", entry: "", want: false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, Covers([]string{test.entry}, repository), test.reason)
		})
	}
	require.False(t, Covers(nil, repository), "no entries cover nothing")
}

// FuzzRegistriesOf: whatever is in a Secret, there are entries or a problem.
func FuzzRegistriesOf(f *testing.F) {
	f.Add(".dockerconfigjson", []byte(`{"auths":{"a":{}}}`))
	f.Add(".dockercfg", []byte(`{"a":{}}`))
	f.Add("config.json", []byte(`{"auths":null}`))
	f.Fuzz(func(t *testing.T, key string, content []byte) {
		registries, problem := RegistriesOf(&corev1.Secret{Data: map[string][]byte{key: content}})
		require.NotEqual(t, len(registries) == 0, problem == nil)
	})
}
