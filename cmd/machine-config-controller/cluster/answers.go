package cluster

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// answers looks at what the API server says to requests. An informer tries for ever what is
// refused and tells nobody, so whoever watches has to be told by this.
type answers struct {
	// server is the address, and timeout how long a request may take; 0 for ever.
	server  string
	timeout time.Duration

	mu sync.Mutex
	// troubles are the kinds of requests whose last answer was an error.
	troubles map[Request]trouble
}

type trouble struct {
	code int
	err  error
	// doubtful is one that may have passed, which nobody has tried since.
	doubtful bool
}

func newAnswers(server string, timeout time.Duration) *answers {
	return &answers{server: server, timeout: timeout, troubles: map[Request]trouble{}}
}

// Trouble is a request that goes on having no good answer.
type Trouble struct {
	Request Request
	// Verdict says what the API server does.
	Verdict string
	// Passing tells that there was no answer at all, or that it may be out of date: the
	// request is made again in a while.
	Passing bool
}

// Troubles are those of lists and watches, in a fixed order.
func (c *Clients) Troubles() []Trouble {
	if c.answers == nil {
		return nil
	}
	c.answers.mu.Lock()
	defer c.answers.mu.Unlock()
	var all []Trouble
	for request, t := range c.answers.troubles {
		verdict := ofStatus(t.code, request)
		if t.err != nil {
			verdict = c.answers.verdict(t.err, request)
		}
		if verdict != "" {
			all = append(all, Trouble{request, c.answers.server + " " + verdict, t.err != nil || t.doubtful})
		}
	}
	slices.SortFunc(all, func(a, b Trouble) int { return cmp.Compare(a.Request.String(), b.Request.String()) })
	return all
}

// Doubt is to be called when the API server begins to answer again: what it refused before
// it may permit now.
func (c *Clients) Doubt() {
	if c.answers == nil {
		return
	}
	c.answers.mu.Lock()
	defer c.answers.mu.Unlock()
	for request, t := range c.answers.troubles {
		t.doubtful = true
		c.answers.troubles[request] = t
	}
}

// wrap has the answers that come through a transport looked at.
func (a *answers) wrap(next http.RoundTripper) http.RoundTripper { return observed{next, a} }

type observed struct {
	next http.RoundTripper
	*answers
}

// RoundTrip implements http.RoundTripper.
func (o observed) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.next.RoundTrip(request)
	r := requestOf(request)
	if r.Verb != "list" && r.Verb != "watch" {
		return response, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		o.troubles[r] = trouble{err: err}
	case response.StatusCode >= http.StatusBadRequest:
		o.troubles[r] = trouble{code: response.StatusCode}
	default:
		delete(o.troubles, r)
	}
	return response, err
}

// WrappedRoundTripper lets client-go find the transport underneath.
func (o observed) WrappedRoundTripper() http.RoundTripper { return o.next }

// requestOf reads a request as the API server does. In front of the path there may be that of
// a proxy.
func requestOf(r *http.Request) Request {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	at := slices.IndexFunc(parts, func(part string) bool { return part == "api" || part == "apis" })
	if at < 0 {
		return Request{}
	}
	request, skip := Request{}, 2
	if parts[at] == "apis" && at+1 < len(parts) {
		request.Group, skip = parts[at+1], 3
	}
	if at+skip >= len(parts) {
		return Request{}
	}
	rest := parts[at+skip:]
	if rest[0] == "namespaces" && len(rest) > 2 {
		rest = rest[2:]
	}
	request.Resource = rest[0]
	watches := r.URL.Query().Get("watch")
	switch {
	case r.Method != http.MethodGet:
		request.Verb = strings.ToLower(r.Method)
	case watches == "true" || watches == "1":
		request.Verb = "watch"
	case len(rest) > 1:
		request.Verb = "get"
	default:
		request.Verb = "list"
	}
	return request
}

// bound bounds the time until a request is answered, and of requests that do not watch also
// the time until the answer is read.
func (a *answers) bound(next http.RoundTripper) http.RoundTripper {
	if a.timeout == 0 {
		return next
	}
	return bounded{next, a.timeout}
}

type bounded struct {
	next    http.RoundTripper
	timeout time.Duration
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	timer := time.AfterFunc(b.timeout, func() { cancel(context.DeadlineExceeded) })
	response, err := b.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		timer.Stop()
		if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
			err = cause
		}
		cancel(nil)
		return nil, err
	}
	if requestOf(request).Verb == "watch" {
		timer.Stop()
	}
	response.Body = &closing{ReadCloser: response.Body, end: func() { timer.Stop(); cancel(nil) }}
	return response, nil
}

// WrappedRoundTripper lets client-go find the transport underneath.
func (b bounded) WrappedRoundTripper() http.RoundTripper { return b.next }

// closing does something more when a body is closed.
type closing struct {
	io.ReadCloser
	end func()
}

// Close implements io.Closer.
func (c *closing) Close() error {
	defer c.end()
	return c.ReadCloser.Close()
}
