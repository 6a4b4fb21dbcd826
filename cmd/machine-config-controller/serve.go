package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"

	// Each registers its metrics: requests to the API server, and work queues.
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/workqueue"
)

// readiness answers /readyz: a process is ready when it stands by, with nothing
// to do but wait, or when the caches of its controller are full.
type readiness struct {
	check atomic.Pointer[func() bool]
}

func (r *readiness) follow(synced func() bool) { r.check.Store(&synced) }

func (r *readiness) standBy() { r.follow(func() bool { return true }) }

func (r *readiness) ok() bool {
	check := r.check.Load()
	return check != nil && (*check)()
}

// server serves health, and metrics unless they have to stay on another address.
type server struct {
	listener net.Listener
	http     *http.Server
}

// newServer serves health and metrics on the address that --bind-address gives.
func newServer(ctx context.Context, address string, ready *readiness) (*server, error) {
	mux := healthMux(ready)
	mux.Handle("GET /metrics", legacyregistry.Handler())
	return listenAndServe(ctx, "--bind-address", address, mux)
}

// newHealthServer serves health alone, for probes from outside of the pod; nil
// when the address is empty.
func newHealthServer(ctx context.Context, address string, ready *readiness) (*server, error) {
	if address == "" {
		return nil, nil
	}
	return listenAndServe(ctx, "--health-bind-address", address, healthMux(ready))
}

func healthMux(ready *readiness) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answerOK(w) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.ok() {
			http.Error(w, "the caches are not filled yet", http.StatusServiceUnavailable)
			return
		}
		answerOK(w)
	})
	return mux
}

// listenAndServe listens at once, so that an address that is taken is an error of
// the start, and serves in the background.
func listenAndServe(ctx context.Context, flag, address string, handler http.Handler) (*server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("could not listen on %s: %w", flag, err)
	}
	s := &server{listener: listener, http: &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			klog.ErrorS(err, "Stopped serving", "address", s.address())
		}
	}()
	return s, nil
}

// answerOK ignores an error of writing: it means that nobody reads the answer.
func answerOK(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok\n") }

func (s *server) address() string { return s.listener.Addr().String() }

// shutdown ends open connections within a second; nothing to do on nil.
func (s *server) shutdown() {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		klog.ErrorS(err, "Could not end connections in time")
	}
}
