package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/devcluster/playednode"
)

// TestHostBuilder: a script has the pod's files and variables, and is told by its exit code and its message.
func TestHostBuilder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a PID namespace needs root")
	}
	for name, test := range map[string]struct {
		reason, script string
		code           int
		message        string
	}{
		"succeeds":   {reason: "the message has the digest", script: `cat "$MACHINE_OS_ROOT/credentials/push/.dockerconfigjson" >"$TERMINATION_LOG"`, message: "secret of r/os:infra-1"},
		"fails":      {reason: "the message says why", script: `printf no >"$TERMINATION_LOG"; exit 20`, code: 20, message: "no"},
		"no message": {reason: "the code alone tells", script: `exit 30`, code: 30},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := &hostBuilder{dir: filepath.Join(dir, "jobs"), logs: filepath.Join(dir, "logs")}
			code, message, err := b.build(t.Context(), &playednode.Container{
				Env: map[string]string{"OUTPUT": "r/os:infra-1"},
				Files: map[string][]byte{
					inContainer + "/inputs/build.sh": []byte("echo said\n" + test.script), inContainer + "/credentials/push/.dockerconfigjson": []byte("secret of r/os:infra-1"),
				},
			})
			require.NoError(t, err)
			require.Equal(t, test.code, code, test.reason)
			require.Equal(t, test.message, message, test.reason)
			require.NoDirExists(t, filepath.Join(b.dir, "infra-1"), "credentials do not stay")
			log, err := os.ReadFile(filepath.Join(b.logs, "infra-1.log"))
			require.NoError(t, err)
			require.Equal(t, "said\n", string(log))
		})
	}
}
