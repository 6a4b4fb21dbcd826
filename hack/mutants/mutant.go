package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutant is a bug as a person might write it: one place of one file, replaced.
type mutant struct {
	name string
	// why is what goes wrong with it in a cluster.
	why string
	// file is relative to the repository's root.
	file string
	// before is in the file exactly once; after takes its place.
	before, after string
	// unseen is why the simulator, by its nature, does not see the bug; the unit
	// tests have to. Empty for bugs that it has to catch.
	unseen string
	// played is which schedules the simulator runs, see its flag -backend; empty for all.
	played string
	// known is a schedule that caught the bug before. It is tried first, where the
	// search takes a minute or more.
	known string
}

// table is all of them, in the order in which a sync meets their places.
func table() []mutant {
	var all []mutant
	for _, part := range [][]mutant{handlerMutants, syncMutants, planMutants, tidyMutants, executeMutants, adapterMutants, inputMutants, contentMutants,
		writtenMutants, peopleMutants, containerfileMutants, credentialMutants, refusalMutants, machineOSMutants, jobMutants} {
		all = append(all, part...)
	}
	return all
}

// mutated is the file with the bug in it. A mutant whose place is gone, or is not
// the only one of its kind, is stale.
func (m *mutant) mutated(root string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return "", fmt.Errorf("mutant %s: %w", m.name, err)
	}
	if n := strings.Count(string(content), m.before); n != 1 {
		return "", fmt.Errorf("mutant %s is stale: what it replaces is %d times in %s; adapt it to the code", m.name, n, m.file)
	}
	return strings.Replace(string(content), m.before, m.after, 1), nil
}

// overlay writes the mutated file and a file for go's -overlay flag into the
// directory, and returns the name of the latter.
func (m *mutant) overlay(root, directory string) (string, error) {
	text, err := m.mutated(root)
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return "", err
	}
	replacement := filepath.Join(directory, filepath.Base(m.file))
	if err := os.WriteFile(replacement, []byte(text), 0o600); err != nil {
		return "", err
	}
	content, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(directory, "overlay.json")
	return name, os.WriteFile(name, content, 0o600)
}
