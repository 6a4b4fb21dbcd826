package job

import _ "embed"

// scriptKey is the key of the script among the inputs; containerfileKey and proxyKey are
// those of the other ones that are not part of the build context.
const (
	scriptKey        = "build.sh"
	containerfileKey = "Containerfile"
	proxyKey         = "proxy"
)

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
