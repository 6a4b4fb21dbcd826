package content

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

const (
	// MaxPieceBytes is how much of an archive goes into one Secret (900 KiB). A
	// Secret holds 1 MiB, see MaxSecretSize in the Kubernetes core API.
	MaxPieceBytes = 900 << 10

	// MaxArchiveBytes bounds a whole archive, compressed (8 MiB).
	MaxArchiveBytes = 8 << 20
)

// Archive is what a build reads, packed up.
type Archive struct {
	// Pieces are the parts of a gzipped tar file, in order, each of at most
	// MaxPieceBytes and at least one. They belong into Secrets.
	Pieces []Piece
	// Files lists what is in it, sorted by name.
	Files []PackedFile
	// Size is the number of bytes, compressed.
	Size int64
}

// Piece is a file of the build context.
type Piece struct {
	// Name is a valid key of a Secret, unique among the pieces.
	Name string
	Data []byte
}

// PackedFile is a file in an archive, before compression.
type PackedFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Mode int64  `json:"mode"`
}

// file is a PackedFile with its content.
type file struct {
	name string
	mode int64
	data []byte
}

const (
	publicMode  = 0o644
	privateMode = 0o600
)

// Pack makes the archive for a build of the rendered MachineConfig: its content as
// Parse returned it, and the certificates that inputs.ParseTrustBundle returned.
// Equal input makes equal bytes. The problem tells of an archive that is larger
// than MaxArchiveBytes.
func Pack(config *mcfgv1.MachineConfig, content *Content, trustBundle []byte) (*Archive, *inputs.Problem) {
	object := inputs.MachineConfigObject(config.Name)
	files := append([]file{{"ignition.json", privateMode, content.toApply}}, content.forBuilder...)
	for name, lines := range map[string][]string{
		"enable": content.enabled(), "disable": content.disabledInstances(), "derive": content.derivations, "preset-files": content.presetFiles,
	} {
		if len(lines) > 0 {
			files = append(files, file{name, publicMode, []byte(strings.Join(lines, "\n") + "\n")})
		}
	}
	if content.presets != "" {
		files = append(files, file{"presets", publicMode, []byte(content.presets)})
	}
	if len(content.apart.config) > 0 {
		files = append(files, file{"mounted.json", privateMode, content.apart.config}, file{"mounted.paths", publicMode, []byte(content.apart.paths)})
	}
	if content.apart.owners != "" {
		files = append(files, file{"mounted.owners", publicMode, []byte(content.apart.owners)})
	}
	if len(trustBundle) > 0 {
		files = append(files, file{"trust-bundle.pem", publicMode, trustBundle})
	}
	for _, user := range content.Users {
		files = append(files, file{"ssh/" + user.Name, privateMode, user.authorized})
	}
	for _, ours := range []map[string][]byte{inputs.Scripts(), inputs.ScriptFiles()} {
		for name, text := range ours {
			files = append(files, file{name, publicMode, text})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })

	archive := &Archive{}
	total, err := archive.write(files, limits{piece: MaxPieceBytes, archive: MaxArchiveBytes})
	if err != nil {
		return nil, &inputs.Problem{Object: object, Text: "cannot be packed"}
	}
	if archive.Size > MaxArchiveBytes {
		return nil, &inputs.Problem{Object: object, Key: "spec.config", Text: fmt.Sprintf(
			"is too large to build from: %s, and %s after compression, of which a build can have %s; make the config smaller, or put large content into the base image",
			size(total), size(archive.Size), size(MaxArchiveBytes))}
	}
	return archive, nil
}

// limits are in bytes, compressed.
type limits struct{ piece, archive int }

// compressors are kept for the next archive: each takes most of a megabyte.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// write streams the files through tar and gzip into pieces. It returns the number
// of bytes before compression. Times and owners are left at zero.
func (a *Archive) write(files []file, bounds limits) (total int64, err error) {
	compressor := compressors.Get().(*gzip.Writer)
	defer compressors.Put(compressor)
	compressor.Reset(pieceWriter{a, bounds})
	packer := tar.NewWriter(compressor)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), Format: tar.FormatUSTAR}
		if err := packer.WriteHeader(header); err != nil {
			return 0, err
		}
		if _, err := packer.Write(f.data); err != nil {
			return 0, err
		}
		total += header.Size
		a.Files = append(a.Files, PackedFile{Name: f.name, Size: header.Size, Mode: f.mode})
	}
	return total, errors.Join(packer.Close(), compressor.Close())
}

// pieceWriter cuts what is written into pieces. Beyond the limit it only counts, so
// that the figure can be told without holding the bytes.
type pieceWriter struct {
	archive *Archive
	limits  limits
}

func (w pieceWriter) Write(p []byte) (int, error) {
	a := w.archive
	a.Size += int64(len(p))
	if a.Size > int64(w.limits.archive) {
		a.Pieces = nil
		return len(p), nil
	}
	for rest := p; len(rest) > 0; {
		if last := len(a.Pieces) - 1; last < 0 || len(a.Pieces[last].Data) == w.limits.piece {
			a.Pieces = append(a.Pieces, Piece{Name: fmt.Sprintf("%s.%02d", inputs.Archive, len(a.Pieces))})
		}
		piece := &a.Pieces[len(a.Pieces)-1]
		n := min(len(rest), w.limits.piece-len(piece.Data))
		piece.Data = append(piece.Data, rest[:n]...)
		rest = rest[n:]
	}
	return len(p), nil
}

// Join gives the archive back whole, for those who look into it.
func (a *Archive) Join() []byte {
	var whole bytes.Buffer
	for _, piece := range a.Pieces {
		whole.Write(piece.Data)
	}
	return whole.Bytes()
}
