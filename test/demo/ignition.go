package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// The part of Ignition's config format that the demo uses, version 3.4.

type ignitionConfig struct {
	Ignition struct {
		Version string `json:"version"`
	} `json:"ignition"`
	Passwd struct {
		Users []ignitionUser `json:"users,omitempty"`
	} `json:"passwd"`
	Storage struct {
		Files []ignitionFile `json:"files,omitempty"`
	} `json:"storage"`
	Systemd struct {
		Units []ignitionUnit `json:"units,omitempty"`
	} `json:"systemd"`
}

type ignitionUser struct {
	Name              string   `json:"name"`
	SSHAuthorizedKeys []string `json:"sshAuthorizedKeys,omitempty"`
}

type ignitionFile struct {
	Path      string           `json:"path"`
	Overwrite bool             `json:"overwrite"`
	Mode      int64            `json:"mode"`
	User      *ignitionOwner   `json:"user,omitempty"`
	Contents  ignitionResource `json:"contents"`
}

type ignitionOwner struct {
	Name string `json:"name"`
}

type ignitionResource struct {
	Compression string `json:"compression,omitempty"`
	Source      string `json:"source"`
}

type ignitionUnit struct {
	Name     string           `json:"name"`
	Enabled  *bool            `json:"enabled,omitempty"`
	Mask     bool             `json:"mask,omitempty"`
	Contents string           `json:"contents,omitempty"`
	Dropins  []ignitionDropin `json:"dropins,omitempty"`
}

type ignitionDropin struct {
	Name     string `json:"name"`
	Contents string `json:"contents"`
}

// inline is a resource with its content in the config, as the Machine Config Operator writes them.
func inline(content string) ignitionResource {
	return ignitionResource{Source: "data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(content))}
}

// inlinePlain is the same without base64, as people write them.
func inlinePlain(content string) ignitionResource {
	return ignitionResource{Source: "data:," + url.PathEscape(content)}
}

// inlineCompressed is the same with gzip, as tools that generate configs write large files.
func inlineCompressed(content string) ignitionResource {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	// Neither call fails: a bytes.Buffer takes all.
	_, _ = w.Write([]byte(content))
	_ = w.Close()
	return ignitionResource{Compression: "gzip", Source: "data:;base64," + base64.StdEncoding.EncodeToString(packed.Bytes())}
}

// content is what a resource puts on the disk.
func (r ignitionResource) content() ([]byte, error) {
	header, data, found := strings.Cut(strings.TrimPrefix(r.Source, "data:"), ",")
	if !found || !strings.HasPrefix(r.Source, "data:") {
		return nil, errors.New("could not decode resource: it is not a data URL")
	}
	text, err := url.PathUnescape(data)
	if err != nil {
		return nil, fmt.Errorf("could not decode resource: %w", err)
	}
	content := []byte(text)
	if strings.HasSuffix(header, ";base64") {
		if content, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fmt.Errorf("could not decode resource: %w", err)
		}
	}
	if r.Compression != "gzip" {
		return content, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("could not decompress resource: %w", err)
	}
	if content, err = io.ReadAll(reader); err != nil {
		return nil, fmt.Errorf("could not decompress resource: %w", err)
	}
	return content, nil
}
