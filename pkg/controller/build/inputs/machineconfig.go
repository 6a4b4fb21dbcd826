package inputs

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"sync"
)

// MaxInputBytes is what the data of one Secret may add up to (1 MiB), see
// MaxSecretSize in the Kubernetes core API.
const MaxInputBytes = 1 << 20

// MachineConfigObject is how messages name a rendered MachineConfig.
func MachineConfigObject(name string) string { return "MachineConfig " + name }

// BuildContext makes the files of the build context from the spec.config of
// the rendered MachineConfig of that name. The result is deterministic.
func BuildContext(name string, config []byte) (map[string][]byte, *Problem) {
	problem := func(format string, args ...any) *Problem {
		return &Problem{Object: MachineConfigObject(name), Key: "spec.config", Text: fmt.Sprintf(format, args...)}
	}

	var ignition struct {
		Ignition struct {
			Version string `json:"version"`
		} `json:"ignition"`
	}
	if len(bytes.TrimSpace(config)) == 0 {
		return nil, problem("is empty; expected an Ignition config")
	}
	if err := json.Unmarshal(config, &ignition); err != nil {
		// The error of a decoder may quote the content, and the content may be
		// a credential.
		return nil, problem("is not an Ignition config: it is not valid JSON of the expected form")
	}
	if ignition.Ignition.Version == "" {
		return nil, problem("is not an Ignition config: ignition.version is missing")
	}

	packed := compress(config)
	if len(packed) > MaxInputBytes {
		return nil, problem("is too large to build from: %d bytes, %d after compression, of which %d fit into one Secret; make the config smaller",
			len(config), len(packed), MaxInputBytes)
	}
	return map[string][]byte{ConfigFile: packed}, nil
}

// compressors are kept for the next build: each takes most of a megabyte.
var compressors = sync.Pool{New: func() any {
	// The level is valid.
	w, _ := gzip.NewWriterLevel(nil, gzip.BestCompression)
	return w
}}

// compress leaves the header's time and name empty, so equal content gives
// equal bytes.
func compress(content []byte) []byte {
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	var packed bytes.Buffer
	w.Reset(&packed)
	// A bytes.Buffer takes all.
	_, _ = w.Write(content)
	_ = w.Close()
	return packed.Bytes()
}
