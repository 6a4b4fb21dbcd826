package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

// exchange is one request and when it was answered.
type exchange struct {
	// kind is the verb and the resource, as in "patch machineconfigpools/status".
	kind string
	name string
	// body is what was sent, if the wire was asked to keep that, and form says what it is.
	body []byte
	form string
	size int64
	sent time.Time
	// done is when the head of the answer was there: the API server commits before.
	done   time.Time
	status int
}

// wire counts what clients send, and when.
type wire struct {
	// listener, when set, is called with each exchange, bodies included.
	listener atomic.Pointer[func(exchange)]
	last     atomic.Int64

	mu    sync.Mutex
	tally map[string]*tally
}

// tally is what was sent of one kind.
type tally struct {
	Calls    int   `json:"calls"`
	Bytes    int64 `json:"bytes"`
	Refusals int   `json:"refusals,omitempty"`
}

func newWire() *wire { return &wire{tally: map[string]*tally{}} }

// attach has clients of the configuration send over the wire.
func (w *wire) attach(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return tap{w, next} })
}

type tap struct {
	*wire
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t tap) RoundTrip(request *http.Request) (*http.Response, error) {
	e := exchange{sent: time.Now(), size: max(request.ContentLength, 0), form: request.Header.Get("Content-Type")}
	e.kind, e.name = describe(request)
	listener := t.listener.Load()
	if listener != nil && request.GetBody != nil {
		if body, err := request.GetBody(); err == nil {
			e.body, _ = io.ReadAll(body)
			_ = body.Close()
		}
	}
	response, err := t.next.RoundTrip(request)
	e.done = time.Now()
	if response != nil {
		e.status = response.StatusCode
	}
	t.note(e)
	if listener != nil {
		(*listener)(e)
	}
	return response, err
}

// WrappedRoundTripper lets client-go find the transport underneath.
func (t tap) WrappedRoundTripper() http.RoundTripper { return t.next }

func (w *wire) note(e exchange) {
	w.last.Store(e.done.UnixNano())
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.tally[e.kind]
	if of == nil {
		of = &tally{}
		w.tally[e.kind] = of
	}
	of.Calls++
	of.Bytes += e.size
	if e.status >= http.StatusBadRequest || e.status == 0 {
		of.Refusals++
	}
}

// listen has every exchange told to the function, which may be called by several
// goroutines at once, until stop is called.
func (w *wire) listen(to func(exchange)) (stop func()) {
	w.listener.Store(&to)
	return func() { w.listener.Store(nil) }
}

func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally = map[string]*tally{}
}

// counts is what was sent since the last reset, by kind.
func (w *wire) counts() counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := counts{}
	for kind, t := range w.tally {
		c[kind] = *t
	}
	return c
}

// succeeded is how many requests of the kind were carried out.
func (w *wire) succeeded(kind string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.tally[kind]; t != nil {
		return t.Calls - t.Refusals
	}
	return 0
}

// silentFor tells whether nothing was answered for so long.
func (w *wire) silentFor(d time.Duration) bool { return time.Since(w.lastDone()) >= d }

func (w *wire) lastDone() time.Time { return time.Unix(0, w.last.Load()) }

// counts are tallies by kind.
type counts map[string]tally

func isWatching(kind string) bool {
	return strings.HasPrefix(kind, "list ") || strings.HasPrefix(kind, "watch ")
}

func isEvent(kind string) bool { return strings.HasSuffix(kind, " events") }

// String lists kinds with their numbers.
func (c counts) String() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, fmt.Sprintf("%d %s", c[kind].Calls, kind))
	}
	return strings.Join(parts, ", ")
}

// calls counts those that are neither lists and watches nor events.
func (c counts) calls() (calls, reads, writes int) {
	for kind, t := range c {
		switch {
		case isWatching(kind), isEvent(kind):
		case strings.HasPrefix(kind, "get "):
			reads += t.Calls
		default:
			writes += t.Calls
		}
	}
	return reads + writes, reads, writes
}

// bytes is the size of all bodies.
func (c counts) bytes() (bytes int64) {
	for _, t := range c {
		bytes += t.Bytes
	}
	return bytes
}

func (c counts) refusals() int {
	refusals := 0
	for _, t := range c {
		refusals += t.Refusals
	}
	return refusals
}

var verbs = map[string]string{
	http.MethodGet: "get", http.MethodPost: "create", http.MethodPatch: "patch", http.MethodPut: "update", http.MethodDelete: "delete",
}

// describe names a request as an audit log would.
func describe(request *http.Request) (kind, name string) {
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return "get " + request.URL.Path, ""
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	verb, resource := verbs[request.Method], parts[0]
	if len(parts) > 1 {
		name = parts[1]
	} else if verb == "get" {
		verb = "list"
	}
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	if request.URL.Query().Get("watch") != "" {
		verb = "watch"
	}
	return verb + " " + resource, name
}
