package buildrunner

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner/isolate"
)

// passedOn are the variables of our own environment that a build may see.
var passedOn = []string{"PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}

// findDriver finds how images are stored. With vfs, each step of a build copies the whole file system of its base, which takes
// several times as long as the step; overlay needs a kernel and a directory that let it. The builder of Jobs asks in the same way.
func (b *Buildah) findDriver() string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	args := append(b.argsOf("overlay", b.storageDir()), "info")
	if err := isolate.Run(ctx, isolate.Command{Args: args, Dir: b.opts.Dir, Env: env(b.opts.Dir, os.TempDir()), Log: io.Discard}); err != nil {
		return "vfs"
	}
	return "overlay"
}

func (b *Buildah) argsOf(driver, root string) []string {
	return []string{b.opts.Command, "--storage-driver", driver, "--root", root, "--runroot", root + ".run"}
}

func (b *Buildah) storageArgs(root string) []string { return b.argsOf(b.driver, root) }

func (b *Buildah) buildStorageArgs(space *workspace) []string {
	return append(b.storageArgs(filepath.Join(space.dir, "storage")), "--storage-opt", b.driver+".imagestore="+b.storageDir())
}

// run runs buildah for a build.
func (b *Buildah) run(ctx context.Context, space *workspace, args []string, more ...string) error {
	return isolate.Run(ctx, isolate.Command{
		Args: append(args, more...), Dir: space.dir, Env: env(space.dir, filepath.Join(space.dir, "tmp")), Log: space.log,
	})
}

func env(home, tmp string) []string {
	env := []string{"HOME=" + home, "TMPDIR=" + tmp, "LANG=C.UTF-8"}
	for _, name := range passedOn {
		if value, found := os.LookupEnv(name); found {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// tlsArgs turns TLS off for registries on this machine's loopback, and only if there is no other registry among the images.
func tlsArgs(images ...string) []string {
	seen := false
	for _, image := range images {
		if image == "" {
			continue
		}
		seen = true
		host, _, _ := strings.Cut(repositoryOf(image), "/")
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil
		}
	}
	if !seen {
		return nil
	}
	return []string{"--tls-verify=false"}
}
