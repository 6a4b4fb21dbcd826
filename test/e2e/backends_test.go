package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// asJob has the script of the Job backend make the image that the job is of, here in place of
// in a pod.
func (b *builds) asJob(t *testing.T, job buildrunner.Job) pulled {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, content, 0o644))
	}
	script, err := os.ReadFile(filepath.Join(root, "pkg/controller/build/imagebuilder/job/assets/build.sh"))
	require.NoError(t, err)
	write("inputs/build.sh", script)
	write("inputs/Containerfile", job.Dockerfile)
	for _, source := range job.Sources {
		write("inputs/"+source.Path, source.Data)
	}
	write("credentials/push/.dockerconfigjson", []byte(`{"auths":{"unused.example.com":{"auth":"`+encoded("user:"+canary)+`"}}}`))
	write("inputs/proxy", []byte("HTTPS_PROXY=http://user:"+canary+"@proxy.example.com:3128\nNO_PROXY="+b.host+"\n"))
	for _, volume := range []string{"memory", "storage"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, volume), 0o755))
	}
	repository := fmt.Sprintf("%s/org/job-%d", b.host, b.count.Add(1))
	sum := sha256.Sum256(job.Dockerfile)
	// What it mounts goes with its mount namespace.
	command := exec.CommandContext(t.Context(), "unshare", "--mount", "/bin/sh", filepath.Join(dir, "inputs/build.sh"))
	command.Env = append(os.Environ(), "MACHINE_OS_ROOT="+dir, "TERMINATION_LOG="+filepath.Join(dir, "message"),
		"OUTPUT="+repository+":latest", "CONTAINERFILE_SHA256="+hex.EncodeToString(sum[:]), "IMAGES="+strings.Join(job.Images, " "), "VOLUMES=")
	command.Stdout, command.Stderr = t.Output(), t.Output()
	require.NoError(t, command.Run())
	text, err := os.ReadFile(filepath.Join(dir, "message"))
	require.NoError(t, err)
	var message struct{ Digest string }
	require.NoError(t, json.Unmarshal(text, &message))
	return pull(t, repository, message.Digest)
}

// requireSame checks that the image which the Job backend makes of the job is this one, and that
// it has nothing of what its pod knows: credentials, and the proxy's password.
func (b *builds) requireSame(t *testing.T, byBuild pulled, job buildrunner.Job) {
	t.Helper()
	byJob := b.asJob(t, job)
	require.Equal(t, byBuild.files(t), byJob.files(t), "path by path")
	require.Equal(t, byBuild.labels(t), byJob.labels(t))
	for i, haystack := range append([][]byte{byJob.manifest, byJob.config}, byJob.layers...) {
		for _, form := range forms(canary) {
			require.False(t, bytes.Contains(haystack, form), "part %d of the image has a credential, as %q", i, form)
		}
	}
}
