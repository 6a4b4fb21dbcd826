package job

import (
	_ "embed"
	"strings"
)

// Keys of the inputs that are not part of the build context.
const (
	scriptKey        = "build.sh"
	containerfileKey = "Containerfile"
	proxyKey         = "proxy"
	// registryCAPrefix comes before the host of a registry, in which two dots stand for the
	// colon that a key cannot have.
	registryCAPrefix = "registry-ca."
)

// isSurroundings tells keys of what a build runs in, and no image has: it may change while
// the build is at work, or before it is asked for once more.
func isSurroundings(key string) bool {
	return key == proxyKey || strings.HasPrefix(key, registryCAPrefix)
}

//go:embed assets/build.sh
var script []byte

// The script's exit codes, see README.md.
const (
	exitInputs     = 10
	exitPull       = 11
	exitImage      = 12
	exitBuild      = 20
	exitPush       = 30
	exitSpace      = 40
	exitMemory     = 41
	exitKilled     = 137
	exitTerminated = 143
)
