package buildrunner

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner/isolate"
)

// passedOn are the variables of our own environment that a build may see.
var passedOn = []string{"PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}

func (b *Buildah) storageArgs(root string) []string {
	return []string{b.opts.Command, "--storage-driver", "vfs", "--root", root, "--runroot", root + ".run"}
}

func (b *Buildah) buildStorageArgs(space *workspace) []string {
	return append(b.storageArgs(filepath.Join(space.dir, "storage")), "--storage-opt", "vfs.imagestore="+b.storageDir())
}

// run runs buildah for a build.
func (b *Buildah) run(ctx context.Context, space *workspace, args []string, more ...string) error {
	env := []string{"HOME=" + space.dir, "TMPDIR=" + filepath.Join(space.dir, "tmp"), "LANG=C.UTF-8"}
	for _, name := range passedOn {
		if value, found := os.LookupEnv(name); found {
			env = append(env, name+"="+value)
		}
	}
	return isolate.Run(ctx, isolate.Command{Args: append(args, more...), Dir: space.dir, Env: env, Log: space.log})
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
