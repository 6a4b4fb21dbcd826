package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// holdBuilds lets builds that start from now on run until the returned function is called; those that start after it end at once. It
// holds Builds and Jobs alike.
func (s *story) holdBuilds() (end func()) {
	gate := make(chan struct{})
	s.script.Decide(func(buildrunner.Job) buildrunner.Script { return buildrunner.Script{HoldRunning: gate} })
	s.jobs.hold(gate)
	return sync.OnceFunc(func() {
		s.buildAtOnce()
		close(gate)
	})
}

func (s *story) buildAtOnce() {
	s.script.Decide(func(buildrunner.Job) buildrunner.Script { return buildrunner.Script{} })
	s.jobs.hold(nil)
}

// quiet is how long the controller has to do nothing to count as being done.
const quiet = 300 * time.Millisecond

// noticed does something that changes nothing on the pool, and waits until the controller has taken notice. Without that, what comes
// next could reach it first, for objects of two kinds are watched apart from each other. Its queue tells.
func (s *story) noticed(ctx context.Context, act func() error) error {
	before, err := s.queued(ctx)
	for since := time.Now(); err == nil && time.Since(since) < quiet; {
		var now string
		if now, err = s.queued(ctx); now != before {
			before, since = now, time.Now()
		}
	}
	if err != nil {
		return err
	}
	if err := act(); err != nil {
		return err
	}
	for now := before; now == before; {
		if now, err = s.queued(ctx); err != nil {
			return err
		}
	}
	return nil
}

var queueAdds = regexp.MustCompile(`(?m)^workqueue_adds_total\{name="build-controller"\} (\S+)$`)

// queued is how often a pool was queued, as the controller's metrics tell it.
func (s *story) queued(ctx context.Context) (string, error) {
	select {
	case <-time.After(lookInterval):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.controller+"/metrics", http.NoBody)
	if err != nil {
		return "", fmt.Errorf("could not ask for metrics: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("could not ask for metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("could not read metrics: %w", err)
	}
	match := queueAdds.FindSubmatch(body)
	if match == nil {
		return "", fmt.Errorf("could not find the controller's queue among its metrics")
	}
	return string(match[1]), nil
}
