package devcluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func (f *fixture) testRegistry(t *testing.T) {
	registry := f.Registry()
	right := [2]string{registry.Username(), registry.Password()}
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[]}`, digestOf(config), len(config))

	for _, tc := range []struct {
		name        string
		credentials [2]string
		status      int
		reason      string
	}{
		{"anonymous", [2]string{}, http.StatusUnauthorized, "images of a cluster are nobody else's business"},
		{"wrong password", [2]string{registry.Username(), "wrong"}, http.StatusUnauthorized, "a bad push secret must show"},
		{"wrong user", [2]string{"somebody", registry.Password()}, http.StatusUnauthorized, "the user counts too"},
		{"right credentials", right, http.StatusOK, "what the secrets of a test hold"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			response := f.registryDo(t, tc.credentials, http.MethodGet, "/v2/", nil, "")
			require.Equal(t, tc.status, response.StatusCode, tc.reason)
			if tc.status == http.StatusUnauthorized {
				require.Contains(t, response.Header.Get("WWW-Authenticate"), "Basic")
				response = f.registryDo(t, tc.credentials, http.MethodPost, "/v2/os/layered/blobs/uploads/", nil, "")
				require.Equal(t, tc.status, response.StatusCode, "push: "+tc.reason)
			}
		})
	}

	t.Run("push, pull, delete", func(t *testing.T) {
		upload := f.registryDo(t, right, http.MethodPost, "/v2/os/layered/blobs/uploads/", nil, "")
		require.Equal(t, http.StatusAccepted, upload.StatusCode)
		location, err := upload.Location()
		require.NoError(t, err)
		query := location.Query()
		query.Set("digest", digestOf(config))
		put := f.registryDo(t, right, http.MethodPut, location.Path+"?"+query.Encode(), config, "application/octet-stream")
		require.Equal(t, http.StatusCreated, put.StatusCode)
		put = f.registryDo(t, right, http.MethodPut, "/v2/os/layered/manifests/one", manifest, "application/vnd.oci.image.manifest.v1+json")
		require.Equal(t, http.StatusCreated, put.StatusCode)
		require.Equal(t, digestOf(manifest), put.Header.Get("Docker-Content-Digest"))

		byDigest := "/v2/os/layered/manifests/" + digestOf(manifest)
		require.Equal(t, http.StatusUnauthorized, f.registryDo(t, [2]string{}, http.MethodGet, byDigest, nil, "").StatusCode)
		require.Equal(t, http.StatusOK, f.registryDo(t, right, http.MethodGet, byDigest, nil, "").StatusCode)
		require.Equal(t, http.StatusAccepted, f.registryDo(t, right, http.MethodDelete, byDigest, nil, "").StatusCode)
		require.Equal(t, http.StatusNotFound, f.registryDo(t, right, http.MethodGet, byDigest, nil, "").StatusCode)
	})

	t.Run("credentials as a secret", func(t *testing.T) {
		var decoded struct {
			Auths map[string]struct{ Username, Password, Auth string }
		}
		require.NoError(t, json.Unmarshal(registry.DockerConfigJSON(), &decoded))
		require.Contains(t, decoded.Auths, registry.Host())
		require.FileExists(t, registry.AuthFile())
		require.Equal(t, registry.Password(), decoded.Auths[registry.Host()].Password)
	})
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

func (f *fixture) registryDo(t *testing.T, credentials [2]string, method, path string, body []byte, contentType string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+f.Registry().Host()+path, bytes.NewReader(body))
	require.NoError(t, err)
	if credentials != ([2]string{}) {
		request.SetBasicAuth(credentials[0], credentials[1])
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response
}
