package baseos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	packages     = "jq,systemd"
	ignitionPath = "usr/lib/dracut/modules.d/30ignition/ignition"
	ignitionMain = "github.com/coreos/ignition/v2/internal"

	// fetchBlkid gets the headers and the static library that Ignition is built with, from the suite it will run on. Without the link
	// to the shared library the linker takes the static one, and Ignition runs wherever the libc fits.
	fetchBlkid = `set -e
mkdir /tmp/blkid
cd /tmp/blkid
apt-get -qq update
apt-get -qq -o APT::Sandbox::User=root download libblkid-dev
dpkg-deb -x libblkid-dev_*.deb .
find . -name 'libblkid.so*' -delete`

	// customize adds what RHCOS has and a fresh Debian lacks.
	customize = `set -e
useradd --create-home --uid 1000 --shell /bin/bash core
mkdir -p /usr/lib/dracut/modules.d/30ignition`

	// cleanup drops what a base image has no use for, and what debootstrap copied from this machine.
	cleanup = `set -e
rm -rf /tmp/* /var/tmp/* /run/* /var/cache/apt/* /var/lib/apt/lists/* /var/log/*.log /var/log/apt
rm -rf /usr/share/doc/* /usr/share/man/* /usr/share/info/* /usr/share/locale/* /usr/share/lintian
rm -f /etc/resolv.conf /etc/hostname
: > /etc/machine-id
: > /etc/hosts
: > /etc/resolv.conf`
)

// makeRootfs installs a root file system and packs it up. The tarball appears complete or not at all.
func (opts Options) makeRootfs(ctx context.Context, i image, tarball string) (err error) {
	work := filepath.Join(opts.CacheDir, "work")
	// Left behind by a run that was killed. Its mounts went with its mount namespace, so this removes nothing but files.
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("could not remove left-over work: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	root := filepath.Join(work, "root")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("could not make work directory: %w", err)
	}

	debootstrap := []string{"debootstrap", "--variant=minbase"}
	if i.include != "" {
		debootstrap = append(debootstrap, "--include="+i.include)
	}
	debootstrap = append(debootstrap, opts.Suite, root)
	if opts.Mirror != "" {
		debootstrap = append(debootstrap, opts.Mirror)
	}
	if err := opts.run(ctx, opts.Log, nil, debootstrap...); err != nil {
		return fmt.Errorf("could not install %s: %w", opts.Suite, err)
	}
	if err := i.fill(ctx, root, work); err != nil {
		return err
	}
	if err := opts.inRoot(ctx, root, cleanup); err != nil {
		return fmt.Errorf("could not clean up: %w", err)
	}
	packed := filepath.Join(work, "rootfs.tar.gz")
	// Capabilities of programs are attributes of files.
	pack := []string{"tar", "--directory", root, "--numeric-owner", "--xattrs", "--xattrs-include=security.capability", "--create", "--gzip", "--file", packed, "."}
	if err := opts.run(ctx, opts.Log, nil, pack...); err != nil {
		return fmt.Errorf("could not pack: %w", err)
	}
	if err := os.Rename(packed, tarball); err != nil {
		return fmt.Errorf("could not keep the result: %w", err)
	}
	return nil
}

// fillBaseOS adds what a base OS image has besides its packages.
func (opts Options) fillBaseOS(ctx context.Context, root, work string) error {
	if err := opts.inRoot(ctx, root, fetchBlkid); err != nil {
		return fmt.Errorf("could not fetch what Ignition is built with: %w", err)
	}
	if err := opts.buildIgnition(ctx, root, work); err != nil {
		return fmt.Errorf("could not build Ignition %s: %w", opts.IgnitionVersion, err)
	}
	if err := opts.inRoot(ctx, root, customize); err != nil {
		return fmt.Errorf("could not customize: %w", err)
	}
	if err := copyFile(filepath.Join(work, "bin", "internal"), filepath.Join(root, ignitionPath)); err != nil {
		return fmt.Errorf("could not install Ignition: %w", err)
	}
	return nil
}

func (opts Options) inRoot(ctx context.Context, root, script string) error {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", "TMPDIR=/tmp"}
	return opts.run(ctx, opts.Log, env, "chroot", root, "/bin/sh", "-c", script)
}

// buildIgnition installs Ignition's main package to <work>/bin/internal.
func (opts Options) buildIgnition(ctx context.Context, root, work string) error {
	blkid := filepath.Join(root, "tmp", "blkid", "usr")
	libraries, err := filepath.Glob(filepath.Join(blkid, "lib", "*", "libblkid.a"))
	if err != nil || len(libraries) != 1 {
		return fmt.Errorf("could not find libblkid.a: got %v", libraries)
	}
	env := []string{
		"GOBIN=" + filepath.Join(work, "bin"),
		"CGO_ENABLED=1",
		"CGO_CFLAGS=-I" + filepath.Join(blkid, "include"),
		"CGO_LDFLAGS=-L" + filepath.Dir(libraries[0]),
		// Flags and workspaces of whoever calls us have no place in the build of another module.
		"GOFLAGS=", "GOWORK=off",
	}
	if _, err := fmt.Fprintf(opts.Log, "Building Ignition %s\n", opts.IgnitionVersion); err != nil {
		return err
	}
	linker := "-s -w -X github.com/coreos/ignition/v2/internal/version.Raw=" + opts.IgnitionVersion
	return opts.run(ctx, opts.Log, env, "go", "install", "-trimpath", "-ldflags", linker, ignitionMain+"@"+opts.IgnitionVersion)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return errors.Join(err, source.Close())
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, source.Close(), target.Close())
}
