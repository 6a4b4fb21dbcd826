package clients

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// overloaded is an API server that has no time.
type overloaded struct{ requests int }

func (o *overloaded) RoundTrip(request *http.Request) (*http.Response, error) {
	o.requests++
	return &http.Response{
		StatusCode: http.StatusTooManyRequests, Request: request, Header: http.Header{"Retry-After": []string{"1"}},
		Body: io.NopCloser(strings.NewReader("Too many requests, please try again later.")),
	}, nil
}

// TestWithoutRetries: the controller decides when to come back, not its client.
func TestWithoutRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &overloaded{}
		cb := &Builder{config: &rest.Config{Host: "https://api.example.com", Transport: server}}
		ask := func(cb *Builder) int {
			server.requests = 0
			_, err := cb.KubeClientOrDie("test").CoreV1().Secrets("openshift-machine-config-operator").Get(t.Context(), "push", metav1.GetOptions{})
			require.True(t, apierrors.IsTooManyRequests(err), "%v", err)
			return server.requests
		}
		require.Equal(t, 11, ask(cb), "this is what it is about")
		require.Equal(t, 1, ask(cb.WithoutRetries()))
	})
}
