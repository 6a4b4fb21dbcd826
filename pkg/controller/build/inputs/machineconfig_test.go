package inputs

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuildContext(t *testing.T) {
	config := []byte(`{"ignition":{"version":"3.4.0"},"storage":{}}`)
	files, problem := BuildContext("rendered-worker-1", config)
	require.Nil(t, problem)
	require.Len(t, files, 1)

	reader, err := gzip.NewReader(bytes.NewReader(files[ConfigFile]))
	require.NoError(t, err)
	unpacked, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Equal(t, config, unpacked, "the build gets the config as it is")
}

// TestH35BuildContextIsDeterministic: output that differed from run to run made
// objects churn.
func TestH35BuildContextIsDeterministic(t *testing.T) {
	config := []byte(`{"ignition":{"version":"3.4.0"}}`)
	first, problem := BuildContext("rendered-worker-1", config)
	require.Nil(t, problem)
	for range 100 {
		again, _ := BuildContext("rendered-worker-1", config)
		require.Equal(t, first, again)
	}
}

func TestBuildContextRefuses(t *testing.T) {
	const canary = "canary-credential"
	// Random characters do not compress below three quarters of their size.
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 2<<20)
	_, _ = random.Read(noise)
	for i := range noise {
		noise[i] = 'a' + noise[i]%26
	}
	tooLarge := append([]byte(`{"ignition":{"version":"3.4.0"},"x":"`+canary), append(noise, `"}`...)...)

	for name, test := range map[string]struct {
		reason string
		config []byte
		want   string
	}{
		"nothing":         {reason: "a MachineConfig without content", config: nil, want: "is empty"},
		"white space":     {reason: "the same, with a line break", config: []byte("\n"), want: "is empty"},
		"no JSON":         {reason: "the content is quoted nowhere", config: []byte(canary), want: "is not valid JSON"},
		"another form":    {reason: "JSON, but no object", config: []byte(`["` + canary + `"]`), want: "is not valid JSON of the expected form"},
		"no Ignition":     {reason: "an object of another kind", config: []byte(`{"key":"` + canary + `"}`), want: "ignition.version is missing"},
		"broken":          {reason: "cut off", config: []byte(`{"ignition":{"version":"3.4.0"`), want: "is not valid JSON"},
		"too large a one": {reason: "it does not fit into a Secret", config: tooLarge, want: "of which 1048576 fit into one Secret"},
	} {
		t.Run(name, func(t *testing.T) {
			files, problem := BuildContext("rendered-worker-1", test.config)
			require.Nil(t, files, test.reason)
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.String(), "MachineConfig rendered-worker-1, key spec.config: ", test.reason)
			require.Contains(t, problem.String(), test.want, test.reason)
			require.NotContains(t, problem.String(), canary, "content may be a credential")
		})
	}
}

// FuzzBuildContext: whatever the content, there is a context or a problem, and
// the context fits into a Secret.
func FuzzBuildContext(f *testing.F) {
	f.Add([]byte(`{"ignition":{"version":"3.4.0"}}`))
	f.Add([]byte(`{"ignition":null}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, config []byte) {
		files, problem := BuildContext("rendered-worker-1", config)
		require.NotEqual(t, files == nil, problem == nil)
		require.LessOrEqual(t, len(files[ConfigFile]), MaxInputBytes)
	})
}
