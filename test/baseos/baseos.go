package baseos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner/isolate"
)

// Options of Ensure. Suite, Mirror and IgnitionVersion have defaults.
type Options struct {
	// CacheDir keeps the root file system and the image storage between runs.
	CacheDir string
	// Repository to push to, registry/path without a tag.
	Repository string
	// AuthFile has the credentials for the push; empty pushes anonymously.
	AuthFile string
	// Log receives what the tools print. Nil drops it.
	Log io.Writer
	// Making, if any, is called before a root file system is made that the cache lacks.
	Making func()

	// Suite of Debian. Default: the one this machine runs, since Ignition is linked against its libc; bookworm where that is unknown.
	Suite string
	// Mirror of Debian. Default: the one this machine's apt uses for the suite, else debootstrap's own.
	Mirror string
	// IgnitionVersion is the version of Ignition's module.
	IgnitionVersion string
}

const (
	defaultSuite           = "bookworm"
	defaultIgnitionVersion = "v2.24.0"
	lockInterval           = 200 * time.Millisecond
)

// MissingPackages names the Debian packages that Ensure needs and this machine lacks.
func MissingPackages() []string {
	var missing []string
	for _, tool := range []struct{ command, pkg string }{
		{"debootstrap", "debootstrap"}, {"buildah", "buildah"}, {"gcc", "gcc"}, {"tar", "tar"}, {"gzip", "gzip"},
	} {
		if _, err := exec.LookPath(tool.command); err != nil {
			missing = append(missing, tool.pkg)
		}
	}
	if _, err := os.Stat("/usr/include/stdlib.h"); err != nil {
		missing = append(missing, "libc6-dev")
	}
	return missing
}

// Ensure makes the base OS image unless it is in the cache, pushes it, and gives its pullspec by digest.
func Ensure(ctx context.Context, opts Options) (pullspec string, err error) {
	opts, err = opts.withDefaults()
	if err != nil {
		return "", err
	}
	return opts.ensure(ctx, image{
		name: "base-os", tarball: "rootfs", include: packages,
		recipe: []string{opts.Suite, packages, opts.IgnitionVersion, customize, cleanup, ignitionPath},
		fill:   opts.fillBaseOS,
	})
}

// EnsureBuilder does the same with an image that has buildah, for Jobs that build as root or as the user 1000.
func EnsureBuilder(ctx context.Context, opts Options) (pullspec string, err error) {
	opts, err = opts.withDefaults()
	if err != nil {
		return "", err
	}
	return opts.ensure(ctx, image{
		name: "builder", tarball: "builder",
		recipe: []string{opts.Suite, installBuildah, cleanup},
		fill:   opts.fillBuilder,
	})
}

// image is one to make.
type image struct {
	name string
	// tarball is how the name of its root file system begins in the cache.
	tarball string
	// include are packages that it has from the start, with commas.
	include string
	// recipe is all that decides what is in it, but for the state of the mirror.
	recipe []string
	// fill turns a fresh root file system into that of the image; it has a directory for itself.
	fill func(ctx context.Context, root, work string) error
}

// ensure is for one image what Ensure is.
func (opts Options) ensure(ctx context.Context, i image) (pullspec string, err error) {
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("could not make image %s: it needs root, to install a root file system", i.name)
	}
	if missing := MissingPackages(); len(missing) > 0 {
		return "", fmt.Errorf("could not make image %s: missing %s (on Debian: apt-get install %s)",
			i.name, strings.Join(missing, ", "), strings.Join(missing, " "))
	}
	if err := os.MkdirAll(opts.CacheDir, 0o755); err != nil {
		return "", fmt.Errorf("could not make cache directory: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(opts.CacheDir, "lock"))
	if err != nil {
		return "", fmt.Errorf("could not lock cache directory: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()

	tarball := filepath.Join(opts.CacheDir, i.tarball+"-"+opts.tag(i)+".tar.gz")
	if _, statErr := os.Stat(tarball); errors.Is(statErr, os.ErrNotExist) {
		if opts.Making != nil {
			opts.Making()
		}
		if err := opts.makeRootfs(ctx, i, tarball); err != nil {
			return "", fmt.Errorf("could not make root file system of image %s: %w", i.name, err)
		}
	}
	digest, err := opts.publish(ctx, i, tarball)
	if err != nil {
		return "", fmt.Errorf("could not publish image %s: %w", i.name, err)
	}
	return opts.Repository + "@" + digest, nil
}

func (opts Options) withDefaults() (Options, error) {
	if opts.CacheDir == "" || opts.Repository == "" {
		return opts, errors.New("could not make an image: CacheDir and Repository are needed")
	}
	var err error
	if opts.CacheDir, err = filepath.Abs(opts.CacheDir); err != nil {
		return opts, fmt.Errorf("could not find cache directory: %w", err)
	}
	if opts.Log == nil {
		opts.Log = io.Discard
	}
	if opts.IgnitionVersion == "" {
		opts.IgnitionVersion = defaultIgnitionVersion
	}
	if opts.Suite == "" {
		opts.Suite = hostSuite("/etc/os-release")
	}
	if opts.Mirror == "" {
		opts.Mirror = hostMirror("/etc/apt", opts.Suite)
	}
	return opts, nil
}

// tag names an image by its recipe.
func (opts Options) tag(i image) string {
	sum := sha256.Sum256([]byte(strings.Join(i.recipe, "\x00")))
	return fmt.Sprintf("%s-%s-%s", opts.Suite, runtime.GOARCH, hex.EncodeToString(sum[:6]))
}

// publish imports the tarball as an image, unless that was done before, and pushes it.
func (opts Options) publish(ctx context.Context, i image, tarball string) (string, error) {
	storage := filepath.Join(opts.CacheDir, "storage")
	local := "localhost/" + i.name + ":" + opts.tag(i)
	buildah := func(log io.Writer, args ...string) error {
		args = append([]string{"buildah", "--storage-driver", "vfs", "--root", storage, "--runroot", storage + ".run"}, args...)
		return opts.run(ctx, log, nil, args...)
	}
	if err := buildah(io.Discard, "inspect", "--type", "image", local); err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		container := i.name + "-" + filepath.Base(tarball)
		// Left behind by a run that was killed here; usually there is none.
		_ = buildah(io.Discard, "rm", container)
		steps := [][]string{
			{"from", "--name", container, "scratch"},
			{"add", "--quiet", container, tarball, "/"},
			{"config", "--cmd", "/bin/bash", "--label", "org.opencontainers.image.title=" + i.name, container},
			{"commit", "--quiet", "--rm", "--format", "docker", container, local},
		}
		for _, step := range steps {
			if err := buildah(opts.Log, step...); err != nil {
				return "", fmt.Errorf("could not import root file system: %w", err)
			}
		}
	}
	digestFile := filepath.Join(opts.CacheDir, "digest")
	push := []string{"push", "--digestfile", digestFile}
	if opts.AuthFile != "" {
		push = append(push, "--authfile", opts.AuthFile)
	}
	if isLoopback(opts.Repository) {
		push = append(push, "--tls-verify=false")
	}
	if err := buildah(opts.Log, append(push, local, "docker://"+opts.Repository+":"+opts.tag(i))...); err != nil {
		return "", fmt.Errorf("could not push: %w", err)
	}
	digest, err := os.ReadFile(digestFile)
	if err != nil {
		return "", fmt.Errorf("could not read digest: %w", err)
	}
	return strings.TrimSpace(string(digest)), nil
}

// run runs a tool such that nothing of it is left when ctx ends. More environment comes on top of our own.
func (opts Options) run(ctx context.Context, log io.Writer, env []string, args ...string) error {
	return isolate.Run(ctx, isolate.Command{Args: args, Dir: opts.CacheDir, Env: append(os.Environ(), env...), Log: log})
}

func isLoopback(repository string) bool {
	host, _, _ := strings.Cut(repository, "/")
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// lock keeps two processes from using the same cache at the same time.
func lock(ctx context.Context, path string) (unlock func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-time.After(lockInterval):
		}
	}
}
