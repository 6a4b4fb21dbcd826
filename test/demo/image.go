package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// image is an image as skopeo lays it out in a directory: a manifest, and blobs named by their hash.
type image struct {
	dir    string
	layers []string
	labels map[string]string
}

// imageFile is what an image has at a path.
type imageFile struct {
	mode    int64
	uid     int
	link    string
	content []byte
}

func openImage(dir string) (image, error) {
	img := image{dir: dir}
	var manifest struct {
		Config struct{ Digest string }
		Layers []struct{ Digest string }
	}
	if err := img.decode("manifest.json", &manifest); err != nil {
		return img, err
	}
	var config struct {
		Config struct{ Labels map[string]string } `json:"config"`
	}
	if err := img.decode(blob(manifest.Config.Digest), &config); err != nil {
		return img, err
	}
	img.labels = config.Config.Labels
	for _, layer := range manifest.Layers {
		img.layers = append(img.layers, blob(layer.Digest))
	}
	return img, nil
}

func blob(digest string) string { return strings.TrimPrefix(digest, "sha256:") }

func (img image) decode(name string, into any) error {
	content, err := os.ReadFile(filepath.Join(img.dir, filepath.Base(name)))
	if err != nil {
		return fmt.Errorf("could not read image: %w", err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("could not decode %s of image: %w", name, err)
	}
	return nil
}

// readContent is how much of a file is of interest.
type readContent func(content io.Reader) ([]byte, error)

// files reads those that are asked for, from the lowest layer up: what a node would find after unpacking all of them.
func (img image) files(wanted func(path string) bool, read readContent) (map[string]imageFile, error) {
	files := map[string]imageFile{}
	for _, layer := range img.layers {
		if err := img.readLayer(layer, wanted, read, files); err != nil {
			return nil, fmt.Errorf("could not read layer %s: %w", layer, err)
		}
	}
	return files, nil
}

func (img image) readLayer(name string, wanted func(path string) bool, read readContent, files map[string]imageFile) (err error) {
	file, err := os.Open(filepath.Join(img.dir, filepath.Base(name)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffered := bufio.NewReader(file)
	var content io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return err
		}
		content = unpacked
	}
	return applyLayer(tar.NewReader(content), wanted, read, files)
}

// applyLayer lays one layer over the files below it.
func applyLayer(layer *tar.Reader, wanted func(path string) bool, read readContent, files map[string]imageFile) error {
	for {
		header, err := layer.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path.Clean("/"+header.Name), "/")
		dir, base := path.Split(name)
		switch {
		case base == whiteoutOpaque:
			removeBelow(files, dir)
		case strings.HasPrefix(base, whiteoutPrefix):
			removed := dir + strings.TrimPrefix(base, whiteoutPrefix)
			delete(files, removed)
			removeBelow(files, removed+"/")
		case header.Typeflag != tar.TypeDir && wanted(name):
			content, err := read(layer)
			if err != nil {
				return err
			}
			entry := imageFile{mode: header.Mode & 0o7777, uid: header.Uid, content: content}
			if header.Typeflag == tar.TypeSymlink {
				entry.link = header.Linkname
			}
			files[name] = entry
		}
	}
}

func removeBelow(files map[string]imageFile, dir string) {
	for name := range files {
		if strings.HasPrefix(name, dir) {
			delete(files, name)
		}
	}
}
