package baseos

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

const applyDockerfile = `FROM %[1]s AS extract
COPY in/config.json.gz /tmp/config.json.gz
RUN mkdir /out && gzip -dc /tmp/config.json.gz > /out/config.json
FROM %[1]s
RUN --mount=type=bind,from=extract,source=/out,target=/run/config \
    mkdir /run/apply && \
    ln -s /usr/lib/dracut/modules.d/30ignition/ignition /run/apply/ignition-apply && \
    /run/apply/ignition-apply --ignore-unsupported /run/config/config.json && \
    rm -r /run/apply
RUN set -ex; \
    test "$(cat /etc/plain)" = plain; test "$(stat -c %%a /etc/plain)" = 600; \
    test "$(cat /etc/sysctl.d/99-x.conf)" = zipped; test "$(stat -c %%U /etc/owned)" = core; \
    grep -q 'enable demo.service' /etc/systemd/system-preset/20-ignition.preset; \
    test -f /etc/systemd/system/demo.service; test -f /etc/systemd/system/demo.service.d/10-x.conf; \
    test "$(readlink /etc/systemd/system/masked.service)" = /dev/null; \
    test ! -e /run/config; test -z "$(ls /tmp)"; systemctl preset demo.service
`

func config() string {
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, _ = writer.Write([]byte("zipped"))
	_ = writer.Close()
	return `{"ignition": {"version": "3.4.0"},
"passwd": {"users": [{"name": "core", "sshAuthorizedKeys": ["ssh-ed25519 AAAA core"]}]},
"storage": {"files": [
  {"path": "/etc/plain", "mode": 384, "contents": {"source": "data:;base64,` + base64.StdEncoding.EncodeToString([]byte("plain")) + `"}},
  {"path": "/etc/owned", "mode": 420, "user": {"name": "core"}, "contents": {"source": "data:,x"}},
  {"path": "/etc/sysctl.d/99-x.conf", "mode": 420, "overwrite": true, "contents": {"compression": "gzip",
   "source": "data:;base64,` + base64.StdEncoding.EncodeToString(zipped.Bytes()) + `"}}]},
"systemd": {"units": [
  {"name": "demo.service", "enabled": true, "contents": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
   "dropins": [{"name": "10-x.conf", "contents": "[Service]\nNice=1\n"}]},
  {"name": "masked.service", "mask": true}]}}`
}

// TestEnsure makes a real base OS image and applies a config to it. It needs minutes and a mirror the first time, so it runs only
// where a cache directory is named.
func TestEnsure(t *testing.T) {
	cache := os.Getenv("BASEOS_CACHE_DIR")
	if cache == "" || os.Geteuid() != 0 {
		t.Skip("needs root and BASEOS_CACHE_DIR, a directory that keeps the root file system")
	}
	address, auth := startRegistry(t)
	authFile := filepath.Join(t.TempDir(), "auth.json")
	require.NoError(t, os.WriteFile(authFile, auth, 0o600))
	opts := Options{CacheDir: cache, Repository: address + "/org/base", AuthFile: authFile, Log: t.Output()}

	first, err := Ensure(t.Context(), opts)
	require.NoError(t, err)
	require.Regexp(t, "^"+address+"/org/base@sha256:[0-9a-f]{64}$", first)
	began := time.Now()
	second, err := Ensure(t.Context(), opts)
	require.NoError(t, err)
	require.Equal(t, first, second)
	t.Logf("second run took %s", time.Since(began))

	executor, err := buildrunner.NewBuildah(buildrunner.BuildahOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, err = writer.Write([]byte(config()))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	for _, uid := range []string{"one", "two"} {
		began = time.Now()
		result, err := executor.Execute(t.Context(), buildrunner.Job{
			Name: "b", UID: types.UID(uid), Dockerfile: fmt.Appendf(nil, applyDockerfile, first), Images: []string{first},
			Sources:     []buildrunner.SourceFile{{Path: "in/config.json.gz", Data: zipped.Bytes()}},
			SingleLayer: true, Output: address + "/org/os:" + uid, PullAuth: auth, PushAuth: auth, Log: t.Output(), OnRunning: func() {},
		})
		require.NoError(t, err)
		require.NotEmpty(t, result.Digest)
		t.Logf("build %s took %s", uid, time.Since(began))
	}
}

// TestEnsureBuilder makes a real builder image, see TestEnsure. What it is good for is shown where there is a node.
func TestEnsureBuilder(t *testing.T) {
	cache := os.Getenv("BASEOS_CACHE_DIR")
	if cache == "" || os.Geteuid() != 0 {
		t.Skip("needs root and BASEOS_CACHE_DIR, a directory that keeps the root file system")
	}
	address, auth := startRegistry(t)
	authFile := filepath.Join(t.TempDir(), "auth.json")
	require.NoError(t, os.WriteFile(authFile, auth, 0o600))
	opts := Options{CacheDir: cache, Repository: address + "/org/builder", AuthFile: authFile, Log: t.Output()}
	first, err := EnsureBuilder(t.Context(), opts)
	require.NoError(t, err)
	second, err := EnsureBuilder(t.Context(), opts)
	require.NoError(t, err)
	require.Equal(t, first, second)
}

func startRegistry(t *testing.T) (address string, auth []byte) {
	t.Helper()
	// The registry would look for a collector of traces on this machine.
	t.Setenv("OTEL_TRACES_EXPORTER", "none")
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	require.NoError(t, err)
	htpasswd := filepath.Join(t.TempDir(), "htpasswd")
	require.NoError(t, os.WriteFile(htpasswd, []byte("user:"+string(hash)+"\n"), 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = listener.Addr().String()
	require.NoError(t, listener.Close())

	config := &configuration.Configuration{
		Storage: configuration.Storage{"filesystem": {"rootdirectory": t.TempDir()}},
		Auth:    configuration.Auth{"htpasswd": configuration.Parameters{"realm": "test", "path": htpasswd}},
	}
	config.HTTP.Addr = address
	config.Log.Level = "fatal"
	config.Log.AccessLog.Disabled = true
	server, err := registry.NewRegistry(context.Background(), config)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ListenAndServe()
	}()
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown(context.Background()))
		<-done
	})
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + address + "/v2/")
		return err == nil && response.Body.Close() == nil
	}, 10*time.Second, 10*time.Millisecond)
	credentials := base64.StdEncoding.EncodeToString([]byte("user:secret"))
	return address, fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, address, credentials)
}
