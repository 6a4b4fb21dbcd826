package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// needed are the controllers that a kubelet cannot do without.
var needed = []string{"cpu", "cpuset", "memory", "pids"}

// hierarchies are the mount points of the hierarchies of cgroups: several of version 1, or the one of version 2, or both.
type hierarchies struct {
	dirs []string
	// unified says that it is version 2 that has the controllers. Where both are, those of version 1 have them.
	unified bool
}

func findHierarchies() (*hierarchies, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("could not look for cgroups: %w", err)
	}
	defer file.Close()
	var first, second []string
	have := map[string]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(kind) < 3 {
			continue
		}
		switch kind[0] {
		case "cgroup":
			first = append(first, fields[4])
			for _, controller := range strings.Split(kind[2], ",") {
				have[controller] = true
			}
		case "cgroup2":
			second = append(second, fields[4])
		}
	}
	// Runc puts processes into the one of version 2 as well where it has no controllers.
	h := &hierarchies{dirs: append(first, second...)}
	if !have["memory"] && len(second) > 0 {
		h.dirs, h.unified = second[:1], true
		content, err := os.ReadFile(filepath.Join(second[0], "cgroup.controllers"))
		if err != nil {
			return nil, fmt.Errorf("could not look for cgroup controllers: %w", err)
		}
		for _, controller := range strings.Fields(string(content)) {
			have[controller] = true
		}
	}
	missing := slices.DeleteFunc(slices.Clone(needed), func(c string) bool { return have[c] })
	if len(missing) > 0 {
		return nil, fmt.Errorf("a kubelet needs cgroup controllers that are not there: %s", strings.Join(missing, ", "))
	}
	return h, nil
}

func (h *hierarchies) create(name string) error {
	for _, dir := range h.dirs {
		cgroup := filepath.Join(dir, name)
		if h.unified {
			enable := "+" + strings.Join(needed, " +")
			if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(enable), 0o644); err != nil {
				return fmt.Errorf("could not turn on cgroup controllers: %w", err)
			}
		}
		if err := os.Mkdir(cgroup, 0o755); err != nil {
			return fmt.Errorf("could not make a cgroup: %w", err)
		}
		// In version 1 no process can be in one that does not say which processors and memory are its.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			content, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				continue // another controller's
			}
			if err := os.WriteFile(filepath.Join(cgroup, file), content, 0o644); err != nil {
				return fmt.Errorf("could not set up cgroup %s: %w", cgroup, err)
			}
		}
	}
	return nil
}

// remove ends whatever is in the cgroups, and removes them from the leaves up. Nobody but a node uses their name.
func (h *hierarchies) remove(name string) error {
	deadline := time.Now().Add(removeTimeout)
	for {
		var errs []error
		for _, dir := range h.dirs {
			errs = append(errs, removeCgroup(filepath.Join(dir, name)))
		}
		err := errors.Join(errs...)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("could not remove cgroups: %w", err)
		}
		time.Sleep(removeInterval)
	}
}

func removeCgroup(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	errs := []error{err}
	slices.Reverse(dirs) // children first
	for _, dir := range dirs {
		killAll(filepath.Join(dir, "cgroup.procs"))
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func killAll(procs string) {
	content, err := os.ReadFile(procs)
	if err != nil {
		return
	}
	for _, field := range strings.Fields(string(content)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone
		}
	}
}
