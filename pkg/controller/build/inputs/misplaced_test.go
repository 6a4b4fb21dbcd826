package inputs

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// TestR21BinaryDataIsNamed: whatever made a client put a value into binaryData is told,
// with the line and the way out, and never passes for a key that is not there.
func TestR21BinaryDataIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		binary []byte
		says   string
	}{
		"Latin-1":            {reason: "an accented letter in a comment, by an old editor", binary: []byte("FROM configs\n# d\xe9j\xe0 vu\n"), says: "the byte 0xe9 in line 2 is not UTF-8; save the file as UTF-8"},
		"first byte":         {reason: "the very first one", binary: []byte("\x80"), says: "the byte 0x80 in line 1 is not UTF-8"},
		"cut in a character": {reason: "a file that was cut off", binary: []byte("a\n\xc3"), says: "the byte 0xc3 in line 2"},
		"surrogate":          {reason: "encoded by a broken program", binary: []byte("\xed\xa0\x80"), says: "the byte 0xed in line 1"},
		"UTF-16":             {reason: "what Windows calls Unicode", binary: []byte("\xff\xfeF\x00R\x00"), says: "it is UTF-16"},
		"UTF-16, big endian": {reason: "the other order", binary: []byte("\xfe\xff\x00F"), says: "it is UTF-16"},
		"gzip":               {reason: "somebody saved space", binary: []byte{0x1f, 0x8b, 8, 0}, says: "it is compressed with gzip"},
		"text":               {reason: "written by hand, in base64", binary: []byte("FROM configs AS final\nRUN true\n"), says: "move it from binaryData to data"},
		"text with NUL":      {reason: "that is UTF-8, too", binary: []byte("a\x00b"), says: "move it from binaryData to data"},
		"replacement":        {reason: "the character that stands for a broken one is none", binary: []byte("\uFFFD\n\xff"), says: "the byte 0xff in line 2"},
		"empty":              {reason: "there is nothing to say where it is broken", says: "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			custom, problem := ReadCustom("worker", &corev1.ConfigMap{BinaryData: map[string][]byte{"worker": test.binary}})
			require.False(t, custom.Any())
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.String(), CustomObject+", key worker: is binary data (binaryData)")
			require.Contains(t, problem.Text, test.says, test.reason)

			for _, key := range KnownKeys() {
				data := settings(nil)
				delete(data, key)
				_, problems := ReadSettings(&corev1.ConfigMap{Data: data, BinaryData: map[string][]byte{key: test.binary}})
				require.Len(t, problems, 1, "the key is there, so it is not missing")
				require.Equal(t, key, problems[0].Key)
				require.Contains(t, problems[0].Text, test.says, test.reason)
			}
		})
	}
}

// TestR21OtherKeysStayAsTheyAre: binary data of a key that does not count changes nothing.
func TestR21OtherKeysStayAsTheyAre(t *testing.T) {
	binary := map[string][]byte{"infra": {0xff}, "logo.png": {0x89}}
	custom, problem := ReadCustom("worker", &corev1.ConfigMap{Data: map[string]string{"worker": "FROM configs\nRUN true\n"}, BinaryData: binary})
	require.Nil(t, problem)
	require.True(t, custom.Any())
	custom, problem = ReadCustom("worker", nil)
	require.Nil(t, problem)
	require.False(t, custom.Any())

	got, problems := ReadSettings(&corev1.ConfigMap{Data: settings(nil), BinaryData: binary})
	require.Empty(t, problems)
	want, _ := ParseSettings(settings(nil))
	require.Equal(t, want, got)

	_, problems = ReadSettings(&corev1.ConfigMap{
		Data:       settings(map[string]*string{constants.FinalImagePullspecKey: text("os"), constants.FinalImagePushSecretKey: nil}),
		BinaryData: map[string][]byte{constants.MaxAttemptsKey: {0xff}, constants.FinalImagePushSecretKey: {0xff}},
	})
	var keys []string
	for _, p := range problems {
		keys = append(keys, p.Key)
	}
	require.Equal(t, []string{constants.FinalImagePushSecretKey, constants.FinalImagePullspecKey, constants.MaxAttemptsKey}, keys, "all problems at once, in the order of the documentation")
}

// TestR22KeysThatMeanNothing: whatever is written under a name that nobody looks up is
// named, with the names that there are.
func TestR22KeysThatMeanNothing(t *testing.T) {
	pools := []string{"worker", "master", "infra", "edge-gpu"}
	for name, test := range map[string]struct {
		reason, key string
		// says is how the key is named; empty for one that is a pool's.
		says string
	}{
		"a pool":          {reason: "its text", key: "worker"},
		"another pool":    {reason: "its text", key: "edge-gpu"},
		"a file's name":   {reason: "what --from-file makes", key: "Containerfile", says: "Containerfile; "},
		"Dockerfile":      {reason: "what --from-file makes", key: "Dockerfile", says: "Dockerfile; "},
		"upper case":      {reason: "names of pools are in lower case", key: "Worker", says: "Worker (is worker meant?)"},
		"with an ending":  {reason: "what --from-file makes", key: "worker.Containerfile", says: "worker.Containerfile (is worker meant?)"},
		"with a start":    {reason: "somebody's custom", key: "Containerfile.infra", says: "Containerfile.infra (is infra meant?)"},
		"with a dash":     {reason: "somebody's custom", key: "worker-containerfile", says: "worker-containerfile (is worker meant?)"},
		"swapped letters": {reason: "a slip of the keyboard", key: "wroker", says: "wroker (is worker meant?)"},
		"plural":          {reason: "a slip of the mind", key: "workers", says: "workers (is worker meant?)"},
		"other mark":      {reason: "a slip of the mind", key: "edge_gpu", says: "edge_gpu (is edge-gpu meant?)"},
		"unlike any":      {reason: "a pool that was deleted", key: "storage", says: "storage; "},
	} {
		t.Run(name, func(t *testing.T) {
			for _, configMap := range []*corev1.ConfigMap{
				{Data: map[string]string{test.key: "FROM configs\n"}},
				{BinaryData: map[string][]byte{test.key: {0xff}}},
			} {
				problem := IgnoredCustom(configMap, pools)
				if test.says == "" {
					require.Nil(t, problem, test.reason)
					continue
				}
				require.NotNil(t, problem, test.reason)
				require.Contains(t, problem.String(), CustomObject+" has keys that are the name of no MachineConfigPool and are ignored: "+test.says, test.reason)
				require.Contains(t, problem.Text, "the pools are edge-gpu, infra, master, worker")
			}
		})
	}
	require.Nil(t, IgnoredCustom(&corev1.ConfigMap{}, pools), "an empty ConfigMap ignores nothing")
	require.Contains(t, IgnoredCustom(&corev1.ConfigMap{Data: map[string]string{"a": ""}}, nil).Text, "there are no pools")

	require.Nil(t, IgnoredRepositories(&corev1.ConfigMap{Data: map[string]string{"a.repo": ""}, BinaryData: map[string][]byte{"b.repo": nil}}))
	require.Contains(t, IgnoredRepositories(&corev1.ConfigMap{Data: map[string]string{"a.repo": "", "redhat.conf": ""}, BinaryData: map[string][]byte{"b": nil}}).String(),
		"ConfigMap etc-yum-repos-d has keys that dnf does not read: b, redhat.conf; ")
	require.Nil(t, IgnoredSettings(&corev1.ConfigMap{Data: settings(nil)}))
	require.Contains(t, IgnoredSettings(&corev1.ConfigMap{Data: settings(nil), BinaryData: map[string][]byte{"logo": {0xff}}}).String(), "has keys that mean nothing and are ignored: logo; the known ones are ")
}

// TestKeysOfFilesAreOneLine: an API server takes no key with a line break in it, and the file
// that render-build is given may have one.
func TestKeysOfFilesAreOneLine(t *testing.T) {
	const odd = "a\nb"
	data := map[string]string{odd: "x"}
	_, credentials := ReadCredentials(&corev1.Secret{Data: map[string][]byte{odd: nil}})
	for reason, problem := range map[string]*Problem{
		"settings":     IgnoredSettings(&corev1.ConfigMap{Data: data}),
		"custom":       IgnoredCustom(&corev1.ConfigMap{Data: data}, []string{"worker"}),
		"repositories": IgnoredRepositories(&corev1.ConfigMap{Data: data}),
		"credentials":  credentials,
	} {
		require.NotNil(t, problem, reason)
		require.NotContains(t, problem.Text, "\n", reason)
		require.Contains(t, problem.Text, "a_b", reason)
	}
}
