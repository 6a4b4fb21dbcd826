package clustertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
)

// API plays an API server as HTTP shows it, in memory: lists are empty, and watches last until
// what is said to them changes.
type API struct {
	mu    sync.Mutex
	says  map[string]Say
	watch map[*io.PipeWriter]string
}

// Say is an answer that is an error: a status, or none at all.
type Say struct {
	Code int
	Err  error
}

// Silence is the answer that never comes.
var Silence = Say{Err: errors.New("silence")}

// NewAPI makes one that is well.
func NewAPI() *API { return &API{says: map[string]Say{}, watch: map[*io.PipeWriter]string{}} }

// Host is its address.
const Host = "https://api.example.com:6443"

// Clients are of the API; a request may take as long as the timeout.
func (a *API) Clients(t *testing.T, timeout time.Duration) *cluster.Clients {
	t.Helper()
	clients, err := cluster.ConnectTo(&rest.Config{Host: Host, Transport: a, Timeout: timeout, QPS: -1}, Backend(), "test")
	require.NoError(t, err)
	return clients
}

// Say sets the answer to requests such as "list builds" or, for all, "*". Watches to which it
// is said end.
func (a *API) Say(to string, say Say) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.says[to] = say
	for writer, what := range a.watch {
		if to == "*" || to == what {
			_ = writer.Close()
			delete(a.watch, writer)
		}
	}
}

// RoundTrip implements http.RoundTripper.
func (a *API) RoundTrip(r *http.Request) (*http.Response, error) {
	path := strings.Split(r.URL.Path, "/")
	resource, verb := path[len(path)-1], "list"
	if r.URL.Query().Get("watch") == "true" {
		verb = "watch"
	}
	what := verb + " " + resource
	a.mu.Lock()
	say, ok := a.says[what]
	if !ok {
		say = a.says["*"]
	}
	a.mu.Unlock()
	switch {
	case say == Silence:
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	case say.Err != nil:
		return nil, say.Err
	case say.Code == http.StatusOK || say.Code == 0:
	default:
		return respond(r, say.Code, metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(say.Code), Reason: reasons[say.Code],
			Message: fmt.Sprintf("%s is answered with %d", what, say.Code),
		})
	}
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		return respond(r, http.StatusBadRequest, metav1.Status{Status: metav1.StatusFailure, Code: http.StatusBadRequest, Message: "not by a watch"})
	}
	if verb == "watch" {
		reader, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { _ = writer.CloseWithError(r.Context().Err()) })
		a.mu.Lock()
		defer a.mu.Unlock()
		a.watch[writer] = what
		return &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}}, Body: reader}, nil
	}
	kinds := map[string]string{"machineconfigpools": "MachineConfigPoolList", "builds": "BuildList", "configmaps": "ConfigMapList", "controllerconfigs": "ControllerConfigList"}
	version := strings.TrimPrefix(strings.TrimPrefix(strings.Join(path[1:4], "/"), "apis/"), "api/")
	return respond(r, http.StatusOK, map[string]any{
		"kind": kinds[resource], "apiVersion": strings.TrimSuffix(version, "/namespaces"), "metadata": map[string]any{"resourceVersion": "1"}, "items": []any{},
	})
}

var reasons = map[int]metav1.StatusReason{
	http.StatusUnauthorized: metav1.StatusReasonUnauthorized, http.StatusForbidden: metav1.StatusReasonForbidden, http.StatusNotFound: metav1.StatusReasonNotFound,
	http.StatusTooManyRequests: metav1.StatusReasonTooManyRequests, http.StatusInternalServerError: metav1.StatusReasonInternalError,
	http.StatusServiceUnavailable: metav1.StatusReasonServiceUnavailable,
}

func respond(r *http.Request, code int, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	return &http.Response{
		StatusCode: code, Request: r, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(text))),
	}, err
}
