package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"

	// Each registers its metrics: the lease, requests to the API server, and work queues.
	_ "k8s.io/component-base/metrics/prometheus/clientgo/leaderelection"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/workqueue"
)

// server serves health, and metrics unless they have to stay on another address.
type server struct {
	listener net.Listener
	http     *http.Server
}

// newServer serves health and metrics on the address that --bind-address gives.
func newServer(ctx context.Context, address string, health *probes) (*server, error) {
	mux := healthMux(health)
	mux.Handle("GET /metrics", legacyregistry.Handler())
	return listenAndServe(ctx, "--bind-address", address, mux)
}

// newHealthServer serves health alone, for probes from outside of the pod; nil
// when the address is empty.
func newHealthServer(ctx context.Context, address string, health *probes) (*server, error) {
	if address == "" {
		return nil, nil
	}
	return listenAndServe(ctx, "--health-bind-address", address, healthMux(health))
}

func healthMux(health *probes) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", health.serveHealthz)
	mux.HandleFunc("GET /readyz", health.serveReadyz)
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
