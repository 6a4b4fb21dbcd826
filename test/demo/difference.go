package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const (
	// smallFile is how much of a file is kept to show what changed in it.
	smallFile = 4 << 10
	// longestLine is how much of a line people compare.
	longestLine = 80
)

// ownToContainers are files that a container has of its own while a step runs.
var ownToContainers = map[string]bool{"etc/hostname": true, "etc/hosts": true, "etc/resolv.conf": true, "run/.containerenv": true}

// difference is a path that two images do not have in common, or not alike.
type difference struct {
	sign byte
	path string
	// lines are those that a small text lost and won.
	lines []string
}

// smallOrSum reads a small file, and the hash of another: whole images do not belong in memory.
func smallOrSum(content io.Reader) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(content, smallFile+1))
	if err != nil || len(head) <= smallFile {
		return head, err
	}
	hash := sha256.New()
	hash.Write(head)
	if _, err := io.Copy(hash, content); err != nil {
		return nil, err
	}
	return hash.Sum([]byte("large ")), nil
}

// compareImages lists what is new, changed and gone from one image to the next, by path.
func compareImages(before, after map[string]imageFile) []difference {
	paths := map[string]bool{}
	for _, files := range []map[string]imageFile{before, after} {
		for path := range files {
			paths[path] = !ownToContainers[path]
		}
	}
	var all []difference
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		old, had := before[path]
		next, has := after[path]
		switch {
		case !paths[path] || had && has && old.equal(next):
		case !had:
			all = append(all, difference{sign: '+', path: path})
		case !has:
			all = append(all, difference{sign: '-', path: path})
		default:
			all = append(all, difference{sign: '~', path: path, lines: changedLines(old.content, next.content)})
		}
	}
	return all
}

func (f imageFile) equal(other imageFile) bool {
	return f.mode == other.mode && f.uid == other.uid && f.link == other.link && bytes.Equal(f.content, other.content)
}

// changedLines are the lines that only one of two texts has; none where they are too long to be read.
func changedLines(before, after []byte) []string {
	only := func(sign string, text, other []byte) []string {
		var lines []string
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); !hasLine(other, []byte(line)) {
				lines = append(lines, sign+" "+line)
			}
		}
		return lines
	}
	lines := append(only("-", before, after), only("+", after, before)...)
	for _, line := range lines {
		if len(line) > longestLine {
			return nil
		}
	}
	return lines
}

// showDifference tells what came of the changed config and of the custom content.
func (d *demo) showDifference(before, after image, config []expectation) error {
	var files [2]map[string]imageFile
	for i, img := range []image{before, after} {
		var err error
		if files[i], err = img.files(func(string) bool { return true }, smallOrSum); err != nil {
			return err
		}
	}
	origins := map[string]string{}
	for _, e := range config {
		origins[e.path] = "config"
	}
	seen := map[string]byte{}
	for _, change := range compareImages(files[0], files[1]) {
		origin := origins[change.path]
		if origin == "" {
			origin = "custom content"
		}
		d.show.say("  %c  %-46s %s", change.sign, "/"+change.path, origin)
		for _, line := range change.lines {
			d.show.say("         %s", line)
		}
		seen["/"+change.path] = change.sign
	}
	for path, sign := range changesToSee {
		if seen[path] != sign {
			return fmt.Errorf("the second image should have %c %s", sign, path)
		}
	}
	return nil
}

// changesToSee are what the changed config and the custom content make, each in its own way.
var changesToSee = map[string]byte{
	motdPath:                                   '+',
	"/etc/sysctl.d/90-worker.conf":             '~',
	"/etc/issue.d/50-support.issue":            '+',
	"/etc/update-motd.d/10-uname":              '-',
	"/etc/modprobe.d/50-unused-protocols.conf": '+',
}
