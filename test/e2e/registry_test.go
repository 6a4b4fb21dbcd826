package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
)

// startRegistry serves images to anybody. They are files: a registry that keeps them in memory copies all
// that it has of a blob with each piece that comes, which was a quarter of the time of these tests. It gives the registry's host.
func startRegistry(t *testing.T) string {
	t.Helper()
	t.Setenv("OTEL_TRACES_EXPORTER", "none")
	config := &configuration.Configuration{Storage: configuration.Storage{"filesystem": {"rootdirectory": t.TempDir()}}}
	// Its log is of no use here, and goes to standard error whatever the configuration says.
	logrus.SetLevel(logrus.PanicLevel)
	server := httptest.NewServer(handlers.NewApp(context.Background(), config))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// pulled is an image as the registry has it.
type pulled struct {
	manifest, config []byte
	// layers are unpacked tar files, from the lowest up.
	layers [][]byte
}

// pull reads an image by its repository, with the registry's host, and digest.
func pull(t *testing.T, repository, digest string) pulled {
	t.Helper()
	host, name, _ := strings.Cut(repository, "/")
	get := func(kind, reference string) []byte {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/v2/"+name+"/"+kind+"/"+reference, nil)
		require.NoError(t, err)
		request.Header.Set("Accept", "application/vnd.docker.distribution.manifest.v2+json")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode, "%s %s", kind, reference)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return body
	}
	image := pulled{manifest: get("manifests", digest)}
	var manifest struct {
		Config struct{ Digest string }
		Layers []struct{ Digest string }
	}
	require.NoError(t, json.Unmarshal(image.manifest, &manifest))
	image.config = get("blobs", manifest.Config.Digest)
	for _, layer := range manifest.Layers {
		reader, err := gzip.NewReader(bytes.NewReader(get("blobs", layer.Digest)))
		require.NoError(t, err)
		unpacked, err := io.ReadAll(reader)
		require.NoError(t, err)
		image.layers = append(image.layers, unpacked)
	}
	return image
}

// labels are those of the image.
func (p pulled) labels(t *testing.T) map[string]string {
	t.Helper()
	var config struct {
		Config struct{ Labels map[string]string } `json:"config"`
	}
	require.NoError(t, json.Unmarshal(p.config, &config))
	return config.Config.Labels
}

// node is what a file system has at a path.
type node struct {
	// Type is f, d or l; hard links are files.
	Type     string
	Mode     int64
	UID, GID int
	// Hash is the SHA-256 of a file's content, Link the target of a symbolic link.
	Hash, Link string
}

// entry is what a layer has at a path, with its content.
type entry struct {
	*tar.Header
	content []byte
}

// entries lays the layers over each other: what a machine finds after unpacking all.
func (p pulled) entries(t *testing.T) map[string]entry {
	t.Helper()
	all := map[string]entry{}
	for _, layer := range p.layers {
		for reader := tar.NewReader(bytes.NewReader(layer)); ; {
			header, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			name := path.Clean("/" + header.Name)
			dir, base := path.Split(name)
			if removed, ok := strings.CutPrefix(base, ".wh."); ok {
				removed = path.Join(dir, removed)
				for other := range all {
					if base == ".wh..wh..opq" && strings.HasPrefix(other, dir) || other == removed || strings.HasPrefix(other, removed+"/") {
						delete(all, other)
					}
				}
				continue
			}
			if header.Typeflag == tar.TypeLink {
				// Each name of a file gets a copy: nothing that boots tells them apart.
				all[name] = all[path.Clean("/"+header.Linkname)]
				continue
			}
			content, err := io.ReadAll(reader)
			require.NoError(t, err)
			all[name] = entry{header, content}
		}
	}
	return all
}

// files are the entries by what tells them apart.
func (p pulled) files(t *testing.T) map[string]node {
	t.Helper()
	files := map[string]node{}
	for name, e := range p.entries(t) {
		n := node{Type: "f", Mode: e.Mode & 0o7777, UID: e.Uid, GID: e.Gid}
		switch e.Typeflag {
		case tar.TypeDir:
			n.Type = "d"
		case tar.TypeSymlink:
			n.Type, n.Mode, n.Link = "l", 0, e.Linkname
		default:
			sum := sha256.Sum256(e.content)
			n.Hash = hex.EncodeToString(sum[:])
		}
		files[name] = n
	}
	return files
}

// changes are the paths that differ from the base image; a path that is gone has an
// empty node.
func changes(base, image map[string]node) map[string]node {
	changed := map[string]node{}
	for name, entry := range image {
		if base[name] != entry {
			changed[name] = entry
		}
	}
	for name := range base {
		if _, ok := image[name]; !ok {
			changed[name] = node{}
		}
	}
	return changed
}
