package buildrunner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
	"k8s.io/apimachinery/pkg/types"
)

// needBuildah skips where no image can be made.
func needBuildah(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: buildah's chroot isolation does")
	}
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("needs buildah in PATH")
	}
}

// startRegistry gives the address of a registry that wants user and password.
func startRegistry(t *testing.T, user, password string) string {
	t.Helper()
	// The registry would look for a collector of traces on this machine.
	t.Setenv("OTEL_TRACES_EXPORTER", "none")
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	htpasswd := filepath.Join(t.TempDir(), "htpasswd")
	require.NoError(t, os.WriteFile(htpasswd, []byte(user+":"+string(hash)+"\n"), 0o600))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	config := &configuration.Configuration{
		Storage: configuration.Storage{"filesystem": {"rootdirectory": t.TempDir()}},
		Auth:    configuration.Auth{"htpasswd": configuration.Parameters{"realm": "test", "path": htpasswd}},
	}
	config.HTTP.Addr = address
	config.Log.Level = "error"
	config.Log.AccessLog.Disabled = true
	ctx, cancel := context.WithCancel(context.Background())
	server, err := registry.NewRegistry(ctx, config)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ListenAndServe()
	}()
	t.Cleanup(func() {
		assert.NoError(t, server.Shutdown(context.Background()))
		cancel()
		<-done
	})
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + address + "/v2/")
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusUnauthorized
	}, 10*time.Second, 10*time.Millisecond)
	return address
}

func authFor(t *testing.T, address, user, password string) []byte {
	t.Helper()
	entries, err := parseAuth(fmt.Appendf(nil, `{%q:{"username":%q,"password":%q}}`, address, user, password))
	require.NoError(t, err)
	encoded, err := entries.encode()
	require.NoError(t, err)
	return encoded
}

func fetch(t *testing.T, url, accept string) []byte {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	request.SetBasicAuth("user", "secret")
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode, string(body))
	return body
}

func TestBuildah(t *testing.T) {
	needBuildah(t)
	address := startRegistry(t, "user", "secret")
	dir := t.TempDir()
	executor, err := NewBuildah(BuildahOptions{Dir: dir, RetryDelay: time.Millisecond})
	require.NoError(t, err)
	good, bad := authFor(t, address, "user", "secret"), authFor(t, address, "user", "wrong")

	run := func(t *testing.T, ctx context.Context, job Job) (Result, string, error) {
		var log bytes.Buffer
		job.Name, job.Namespace, job.UID = "b", "ns", types.UID(strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")))
		job.Log, job.OnRunning = &log, func() {}
		result, err := executor.Execute(ctx, job)
		left, readErr := os.ReadDir(filepath.Join(dir, "builds"))
		require.NoError(t, readErr)
		require.Empty(t, left, "storage and credentials of a build go with it")
		return result, log.String(), err
	}
	requireReason := func(t *testing.T, err error, reason buildv1.StatusReason) {
		t.Helper()
		var failure *Failure
		require.ErrorAs(t, err, &failure)
		require.Equal(t, reason, failure.Reason, err.Error())
	}
	base := address + "/org/base"

	t.Run("pushes", func(t *testing.T) {
		result, log, err := run(t, t.Context(), Job{
			Dockerfile: []byte("FROM scratch\nCOPY in/file /etc/file\nLABEL a=\"b c\"\n"),
			Sources:    []SourceFile{{Path: "in/file", Data: []byte("old")}, {Path: "in/file", Data: []byte("new")}},
			Output:     base, PushAuth: good, SingleLayer: true,
		})
		require.NoError(t, err, log)
		require.Regexp(t, "^sha256:[0-9a-f]{64}$", result.Digest)
		var manifest struct {
			MediaType string
			Layers    []struct{ Digest string }
			Config    struct{ Digest string }
		}
		raw := fetch(t, "http://"+address+"/v2/org/base/manifests/"+result.Digest, "*/*")
		require.NoError(t, json.Unmarshal(raw, &manifest))
		assert.Contains(t, manifest.MediaType, "docker.distribution.manifest.v2")
		assert.Len(t, manifest.Layers, 1)
		config := fetch(t, "http://"+address+"/v2/org/base/blobs/"+manifest.Config.Digest, "*/*")
		assert.Contains(t, string(config), `"a":"b c"`)
	})
	t.Run("builds on what was pushed", func(t *testing.T) {
		result, log, err := run(t, t.Context(), Job{
			Dockerfile: []byte("FROM " + base + " AS x\nFROM scratch\nCOPY --from=x /etc/file /file\n"),
			Images:     []string{base}, Output: address + "/org/other:1", PullAuth: good, PushAuth: good,
		})
		require.NoError(t, err, log)
		require.NotEmpty(t, result.Digest)
	})
	t.Run("needs its own credentials for a base that is in the storage", func(t *testing.T) {
		_, log, err := run(t, t.Context(), Job{Dockerfile: []byte("FROM " + base + "\n"), Images: []string{base}, PullAuth: bad})
		requireReason(t, err, buildv1.StatusReasonPullBuilderImageFailed)
		assert.Contains(t, log, "retrying")
	})
	t.Run("fails in buildah", func(t *testing.T) {
		_, log, err := run(t, t.Context(), Job{Dockerfile: []byte("FROM scratch\nCOPY missing /\n")})
		requireReason(t, err, buildv1.StatusReasonDockerBuildFailed)
		assert.Contains(t, log, "missing")
	})
	t.Run("replaces the inline Dockerfile", func(t *testing.T) {
		_, log, err := run(t, t.Context(), Job{
			Dockerfile: []byte("FROM scratch\nCOPY missing /\n"),
			Sources:    []SourceFile{{Path: "Dockerfile", Data: []byte("FROM scratch\nCOPY Dockerfile /\n")}},
		})
		require.NoError(t, err, log)
	})
	t.Run("understands heredocs in what replaces it", func(t *testing.T) {
		_, log, err := run(t, t.Context(), Job{
			Dockerfile: []byte("FROM scratch\n"), LateImages: []string{base}, PullAuth: good,
			Sources: []SourceFile{{Path: "Dockerfile", Data: []byte("FROM " + base + "\nCOPY <<E /etc/heredoc\ntext\nE\nFROM scratch\nCOPY --from=0 /etc/heredoc /\n")}},
			Volumes: []Volume{{Destination: "/etc/volume", Files: []SourceFile{{Path: "key", Data: []byte("x")}}}},
		})
		require.NoError(t, err, log)
	})
	t.Run("fails in the build when that cannot be pulled", func(t *testing.T) {
		_, _, err := run(t, t.Context(), Job{
			Sources: []SourceFile{{Path: "Dockerfile", Data: []byte("FROM " + base + "\n")}}, LateImages: []string{base}, PullAuth: bad,
		})
		requireReason(t, err, buildv1.StatusReasonDockerBuildFailed)
	})
	t.Run("stays in its context", func(t *testing.T) {
		_, _, err := run(t, t.Context(), Job{Sources: []SourceFile{{Path: "../escaped", Data: []byte("x")}}})
		requireReason(t, err, buildv1.StatusReasonDockerBuildFailed)
	})
	t.Run("fails to push", func(t *testing.T) {
		_, _, err := run(t, t.Context(), Job{Dockerfile: []byte("FROM scratch\nCOPY Dockerfile /\n"), Output: base, PushAuth: bad})
		requireReason(t, err, buildv1.StatusReasonPushImageToRegistryFailed)
	})
}

// playedBuildah is an executor whose buildah does what a script says when it is asked about storage.
func playedBuildah(t *testing.T, info string) *Buildah {
	t.Helper()
	dir := t.TempDir()
	script := filepath.Join(dir, "buildah")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n[ \"$7\" != info ] || "+info+"\nexec buildah \"$@\"\n"), 0o755))
	executor, err := NewBuildah(BuildahOptions{Dir: filepath.Join(dir, "state"), Command: script, PushTries: 1})
	require.NoError(t, err)
	return executor
}

func TestStorageDriver(t *testing.T) {
	needBuildah(t)
	for want, test := range map[string]struct{ reason, info string }{
		"overlay": {reason: "the machine lets it, and steps copy nothing", info: "exit 0"},
		"vfs":     {reason: "a kernel or a file system on which overlay cannot be mounted", info: "exit 1"},
	} {
		t.Run(want, func(t *testing.T) {
			require.Equal(t, want, playedBuildah(t, test.info).driver, test.reason)
		})
	}
}

// TestWithoutOverlay builds an image, and one on it, where there is no overlay. TestBuildah takes what the machine has.
func TestWithoutOverlay(t *testing.T) {
	needBuildah(t)
	address := startRegistry(t, "user", "secret")
	auth, base := authFor(t, address, "user", "secret"), address+"/org/base"
	executor := playedBuildah(t, "exit 1")
	for _, job := range []Job{
		{UID: "base", Dockerfile: []byte("FROM scratch\nCOPY Dockerfile /base\n")},
		{UID: "derived", Dockerfile: []byte("FROM " + base + "\nCOPY Dockerfile /derived\n"), Images: []string{base}, PullAuth: auth},
	} {
		job.Output, job.PushAuth, job.Log, job.OnRunning = base, auth, t.Output(), func() {}
		result, err := executor.Execute(t.Context(), job)
		require.NoError(t, err, job.UID)
		require.NotEmpty(t, result.Digest)
	}
}

// TestKill proves that the end of a context ends processes that left the process group.
func TestKill(t *testing.T) {
	needBuildah(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "buildah")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n[ \"$7\" != info ] || exit 1\necho started >&2\nsetsid sleep 86399 &\nwait\n"), 0o755))
	executor, err := NewBuildah(BuildahOptions{Dir: filepath.Join(dir, "state"), Command: script})
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	started := writerFunc(func(data []byte) (int, error) {
		cancel()
		return len(data), nil
	})
	_, err = executor.Execute(ctx, Job{UID: "kill", Dockerfile: []byte("FROM scratch\n"), Log: started, OnRunning: func() {}})
	var failure *Failure
	require.ErrorAs(t, err, &failure)
	require.ErrorIs(t, err, context.Canceled)
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, command := range commands {
		// Processes come and go while we look.
		if content, err := os.ReadFile(command); err == nil {
			assert.NotContains(t, string(content), "86399")
		}
	}
}

type writerFunc func(data []byte) (int, error)

func (w writerFunc) Write(data []byte) (int, error) { return w(data) }
