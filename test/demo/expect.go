package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

const (
	unitDir    = "etc/systemd/system/"
	presetFile = "etc/systemd/system-preset/20-ignition.preset"
)

// expectation is something that a config says about the image.
type expectation struct {
	// what the config calls it.
	what string
	// path in the image, without a leading slash.
	path string
	// mode to be found, unless negative.
	mode int64
	// content to be found, whole or, if partial, as a line.
	content []byte
	partial bool
	// link is the target of a symbolic link.
	link string
	// ownedByRoot is the opposite of having an owner of its own.
	ownedByRoot bool
}

// expectations lists all that a config says about files and units, from the text of the config, as Ignition would read it.
func expectations(raw []byte) ([]expectation, error) {
	var config ignitionConfig
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, fmt.Errorf("could not decode config: %w", err)
	}
	var all []expectation
	for _, file := range config.Storage.Files {
		content, err := file.Contents.content()
		if err != nil {
			return nil, fmt.Errorf("could not decode file %s: %w", file.Path, err)
		}
		what := "file"
		if file.Contents.Compression != "" {
			what += ", " + file.Contents.Compression
		}
		if file.User != nil {
			what += ", of user " + file.User.Name
		}
		all = append(all, expectation{
			what: what, path: strings.TrimPrefix(file.Path, "/"), mode: file.Mode, content: content, ownedByRoot: file.User == nil,
		})
	}
	for _, user := range config.Passwd.Users {
		// The base image has the user, with a home outside of /var. On RHCOS the node's daemon writes them.
		keys := strings.Join(user.SSHAuthorizedKeys, "\n") + "\n"
		all = append(all, expectation{
			what: "ssh keys of " + user.Name, path: "home/" + user.Name + "/.ssh/authorized_keys.d/ignition", mode: 0o600, content: []byte(keys),
		})
	}
	for _, unit := range config.Systemd.Units {
		all = append(all, unitExpectations(unit)...)
	}
	return all, nil
}

func unitExpectations(unit ignitionUnit) []expectation {
	var all []expectation
	if unit.Mask {
		all = append(all, expectation{what: "unit, masked", path: unitDir + unit.Name, mode: -1, link: "/dev/null", ownedByRoot: true})
	}
	if unit.Contents != "" {
		all = append(all, expectation{what: "unit", path: unitDir + unit.Name, mode: 0o644, content: []byte(unit.Contents), ownedByRoot: true})
	}
	for _, dropin := range unit.Dropins {
		path := unitDir + unit.Name + ".d/" + dropin.Name
		all = append(all, expectation{what: "drop-in", path: path, mode: 0o644, content: []byte(dropin.Contents), ownedByRoot: true})
	}
	if unit.Enabled != nil && *unit.Enabled {
		line := []byte("enable " + unit.Name)
		all = append(all, expectation{what: "unit enabled", path: presetFile, mode: 0o644, content: line, partial: true, ownedByRoot: true})
	}
	return all
}

// check compares with what is in the image.
func (e expectation) check(files map[string]imageFile) error {
	file, found := files[e.path]
	if !found {
		return fmt.Errorf("/%s is not in the image", e.path)
	}
	return e.compare(file)
}

func (e expectation) compare(file imageFile) error {
	switch {
	case file.link != e.link:
		return fmt.Errorf("/%s links to %q, not to %q", e.path, file.link, e.link)
	case e.mode >= 0 && file.mode != e.mode:
		return fmt.Errorf("/%s has mode %04o, not %04o", e.path, file.mode, e.mode)
	case e.ownedByRoot != (file.uid == 0):
		return fmt.Errorf("/%s belongs to uid %d", e.path, file.uid)
	case e.partial && !hasLine(file.content, e.content):
		return fmt.Errorf("/%s has no line %q", e.path, e.content)
	case !e.partial && !bytes.Equal(file.content, e.content):
		return fmt.Errorf("/%s has %d bytes of other content than the config's %d", e.path, len(file.content), len(e.content))
	}
	return nil
}

func hasLine(content, line []byte) bool {
	for each := range bytes.Lines(content) {
		if bytes.Equal(bytes.TrimSpace(each), line) {
			return true
		}
	}
	return false
}
