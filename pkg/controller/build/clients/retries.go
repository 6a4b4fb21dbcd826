package clients

import (
	"net/http"

	"k8s.io/client-go/rest"
)

// WithoutRetries returns a builder of clients that hand every answer of the API server
// on. By default a client repeats a request up to ten times when the server is overloaded
// and says Retry-After. A controller that comes back with a delay that grows would repeat
// all of those, and it keeps a worker waiting meanwhile.
func (cb *Builder) WithoutRetries() *Builder {
	config := rest.CopyConfig(cb.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return withoutRetryAfter{next} })
	return &Builder{config: config}
}

// withoutRetryAfter takes away the header that clients repeat requests for.
type withoutRetryAfter struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t withoutRetryAfter) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if response != nil {
		response.Header.Del("Retry-After")
	}
	return response, err
}

// WrappedRoundTripper lets client-go find the transport underneath.
func (t withoutRetryAfter) WrappedRoundTripper() http.RoundTripper { return t.next }
