package content

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"

	"github.com/coreos/ignition/v2/config/util"
	"github.com/coreos/ignition/v2/config/v3_5/types"
	"github.com/vincent-petithory/dataurl"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// read hashes and looks through the content of a file as Ignition would write it.
// Compressed content is streamed: what unpacks to gigabytes takes no memory.
func (f *filter) read(entry *Entry, resources []types.Resource) *inputs.Problem {
	if len(resources) == 0 {
		return nil
	}
	where := "spec.config.storage.files[" + shortText(entry.Path) + "]"
	content, scan := sha256.New(), &scanner{}
	kept, done := f.forBuilder(entry.Path)
	for _, resource := range resources {
		source, problem := f.decode(where, resource)
		if problem != nil {
			return problem
		}
		stated := newStatedHash(resource)
		written, err := io.Copy(io.MultiWriter(content, scan, stated, kept), io.LimitReader(source, f.budget+1))
		entry.Size += written
		f.budget -= written
		switch {
		case f.budget < 0:
			return f.problem("spec.config", "has files of more than %s, %s among them; put large content into the base image or a container", size(MaxContentBytes), shortText(entry.Path))
		case err != nil:
			return f.problem(where, "has content that is not valid gzip, though compression says so")
		case !stated.holds():
			return f.problem(where, "has content whose %s is not the one that verification.hash states; correct either of both, or leave the hash out", stated.function)
		}
	}
	done()
	f.finish(entry, content.Sum(nil), scan)
	return nil
}

// readText does the same for text in the config itself, which is as large as it is.
func (f *filter) readText(entry *Entry, text string) {
	sum := sha256.Sum256([]byte(text))
	scan := &scanner{}
	_, _ = scan.Write([]byte(text))
	entry.Size = int64(len(text))
	f.finish(entry, sum[:], scan)
}

// statedHash compares content with the hash that the config states for it, as Ignition
// does: of what is on the disk in the end, whatever the compression.
type statedHash struct {
	hash.Hash
	function, sum string
}

func newStatedHash(resource types.Resource) statedHash {
	// Parsing has found that the hash is of one of the two functions.
	function, sum, err := resource.Verification.HashParts()
	if err != nil || sum == "" {
		return statedHash{Hash: sha256.New()}
	}
	if function == "sha512" {
		return statedHash{Hash: sha512.New(), function: "SHA-512", sum: sum}
	}
	return statedHash{Hash: sha256.New(), function: "SHA-256", sum: sum}
}

func (s statedHash) holds() bool {
	return s.sum == "" || strings.EqualFold(s.sum, hex.EncodeToString(s.Sum(nil)))
}

func (f *filter) finish(entry *Entry, sum []byte, scan *scanner) {
	entry.Hash = hex.EncodeToString(sum)
	f.content.Findings = append(f.content.Findings, scan.findings(entry.Path)...)
}

// decode gives the content of a resource.
func (f *filter) decode(where string, resource types.Resource) (io.Reader, *inputs.Problem) {
	if util.NilOrEmpty(resource.Source) {
		return bytes.NewReader(nil), nil
	}
	data, err := decodeDataURL(*resource.Source)
	switch {
	case errors.Is(err, errRemote):
		return nil, f.problem(where, "has content at another place, but a build fetches none; put it into the MachineConfig as a data URL")
	case err != nil:
		return nil, f.problem(where, "has content that is not a valid data URL")
	}
	if util.NilOrEmpty(resource.Compression) {
		return bytes.NewReader(data), nil
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, f.problem(where, "has content that is not valid gzip, though compression says so")
	}
	return unpacked, nil
}

var errRemote = errors.New("not a data URL")

// decodeDataURL decodes with the library that Ignition does it with.
func decodeDataURL(source string) ([]byte, error) {
	scheme, rest, _ := strings.Cut(source, ":")
	if !strings.EqualFold(scheme, "data") {
		return nil, errRemote
	}
	decoded, err := dataurl.DecodeString("data:" + rest)
	if err != nil {
		return nil, err
	}
	return decoded.Data, nil
}
