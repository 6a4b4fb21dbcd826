package registry

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// TestDigest: each answer of a registry is told apart from the others, since denied is not
// missing, and missing not unknown.
func TestDigest(t *testing.T) {
	has := func(w http.ResponseWriter) {
		w.Header().Set("Docker-Content-Digest", digest)
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Content-Length", "7")
	}
	for name, test := range map[string]struct {
		reason string
		answer func(t *testing.T, w http.ResponseWriter, r *http.Request)
		// change is made to the question.
		change func(q *Question)
		err    error
		says   string
	}{
		"there": {
			reason: "the usual case",
			answer: func(t *testing.T, w http.ResponseWriter, r *http.Request) {
				require.Equal(t, "/v2/team/os/manifests/worker-1", r.URL.Path)
				require.Equal(t, http.MethodHead, r.Method, "nothing is downloaded")
				has(w)
			},
		},
		"after a log-in": {
			reason: "registries ask for one only when they were asked",
			answer: func(_ *testing.T, w http.ResponseWriter, r *http.Request) {
				if user, password, ok := r.BasicAuth(); !ok || user != "me" || password != "secret" {
					w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				has(w)
			},
			change: func(q *Question) { q.User, q.Password = "me", "secret" },
		},
		"with a token": {
			reason: "most of them have a service for tokens",
			answer: func(_ *testing.T, w http.ResponseWriter, r *http.Request) {
				switch user, _, _ := r.BasicAuth(); {
				case r.URL.Path == "/token" && user == "me":
					_, _ = w.Write([]byte(`{"token":"abc"}`))
				case r.Header.Get("Authorization") != "Bearer abc":
					w.Header().Set("WWW-Authenticate", `Bearer realm="https://`+r.Host+`/token",service="registry"`)
					w.WriteHeader(http.StatusUnauthorized)
				default:
					has(w)
				}
			},
			change: func(q *Question) { q.User, q.Password = "me", "secret" },
		},
		"missing": {
			reason: "the push did not get that far, or somebody deleted it",
			answer: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
			err:    ErrMissing, says: "/team/os:worker-1",
		},
		"no credentials": {
			reason: "it may be there",
			answer: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
				w.WriteHeader(http.StatusUnauthorized)
			},
			err: ErrDenied,
		},
		"wrong credentials": {
			reason: "it may be there",
			answer: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
			err:    ErrDenied,
		},
		"out of order": {
			reason: "it may be there, and may be asked for again",
			answer: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusServiceUnavailable)
			},
			err: ErrUnanswered, says: "503",
		},
		"not trusted": {
			reason: "whoever answers may be anyone",
			answer: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { has(w) },
			change: func(q *Question) { q.Certificates = [][]byte{[]byte("no certificate")} },
			err:    ErrUnanswered, says: "certificate",
		},
		"no repository": {
			reason: "no request is made for it",
			change: func(q *Question) { q.Repository = "host.example/UPPER" },
			err:    ErrUnanswered, says: "host.example/UPPER",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { test.answer(t, w, r) }))
			t.Cleanup(server.Close)
			q := Question{
				Repository: strings.TrimPrefix(server.URL, "https://") + "/team/os", Tag: "worker-1",
				Certificates: [][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})},
			}
			if test.change != nil {
				test.change(&q)
			}
			got, err := Client{}.Digest(t.Context(), q)
			if test.err == nil && test.says == "" {
				require.NoError(t, err, test.reason)
				require.Equal(t, digest, got)
				return
			}
			require.Error(t, err, test.reason)
			require.Empty(t, got)
			for _, other := range []error{ErrMissing, ErrDenied, ErrUnanswered} {
				require.Equal(t, errors.Is(test.err, other), errors.Is(err, other), "%s: %v", test.reason, err)
			}
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), "secret", "credentials stay where they are")
		})
	}
}
