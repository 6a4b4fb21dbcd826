package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/openshift/machine-config-operator/test/baseos"
	"github.com/openshift/machine-config-operator/test/program"
)

const osRelease = "/etc/os-release"

// checkMachine says in one sentence what is needed where the demo cannot run.
func checkMachine() error {
	content, err := os.ReadFile(osRelease)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("could not read %s: %w", osRelease, err)
	}
	if err := checkRequirements(os.Geteuid(), string(content)); err != nil {
		return err
	}
	// A root shell that was opened with su may lack the directory of debootstrap.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		return fmt.Errorf("could not extend PATH: %w", err)
	}
	return nil
}

func checkRequirements(uid int, release string) error {
	const needed = "The demo needs Debian, and root, because it installs packages and builds OS images with buildah"
	id, name := "", "an unknown system"
	for line := range strings.Lines(release) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch value = strings.Trim(value, `"'`); key {
		case "ID":
			id = value
		case "PRETTY_NAME":
			name = value
		}
	}
	switch {
	case id != "debian" && uid != 0:
		return fmt.Errorf("%s; this is %s, and you are uid %d", needed, name, uid)
	case id != "debian":
		return fmt.Errorf("%s; this is %s", needed, name)
	case uid != 0:
		return fmt.Errorf("%s; you are uid %d: run it again as root", needed, uid)
	}
	return nil
}

// missingPackages are the Debian packages that the demo needs and this machine lacks.
func missingPackages() []string {
	missing := baseos.MissingPackages()
	for _, tool := range []struct{ command, pkg string }{{"buildah", "buildah"}, {"skopeo", "skopeo"}} {
		if _, err := exec.LookPath(tool.command); err != nil {
			missing = append(missing, tool.pkg)
		}
	}
	for _, file := range []struct{ path, pkg string }{
		{"/etc/containers/policy.json", "golang-github-containers-common"},
		{"/etc/ssl/certs/ca-certificates.crt", "ca-certificates"},
	} {
		if _, err := os.Stat(file.path); err != nil {
			missing = append(missing, file.pkg)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

func (d *demo) installPackages(ctx context.Context) error {
	missing := missingPackages()
	if len(missing) == 0 {
		d.show.say("nothing is missing")
		return nil
	}
	d.show.say("missing: %s", strings.Join(missing, " "))
	install := append([]string{"install", "--yes", "--no-install-recommends"}, missing...)
	for _, args := range [][]string{{"update"}, install} {
		err := d.runLogged(ctx, logPackages, program.Program{
			// Another apt may be at work on a machine that has just booted.
			Args: append([]string{"apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=120"}, args...),
			Env:  []string{"DEBIAN_FRONTEND=noninteractive"},
		})
		if err != nil {
			return fmt.Errorf("could not install %s: %w", strings.Join(missing, ", "), err)
		}
	}
	if still := missingPackages(); len(still) > 0 {
		return fmt.Errorf("could not install %s: apt-get succeeded, but they are still missing", strings.Join(still, ", "))
	}
	return nil
}
