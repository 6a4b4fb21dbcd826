package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

const (
	serviceAccount = "machine-config-controller"
	readyInterval  = 100 * time.Millisecond
)

// buildController builds the binary from the repository, the way that it is shipped.
func (d *demo) buildController(ctx context.Context) error {
	if d.opts.controller != "" {
		if _, err := os.Stat(d.opts.controller); err != nil {
			return fmt.Errorf("could not find the binary of -controller: %w", err)
		}
		d.show.say("using %s", d.opts.controller)
		return nil
	}
	d.controller = filepath.Join(d.opts.root, "_output", "machine-config-controller")
	err := d.runLogged(ctx, logGoBuild, program{
		// Root may not be allowed to ask git about a checkout of somebody else, and the demo does not need to know.
		args: []string{"go", "build", "-mod=vendor", "-buildvcs=false", "-o", d.controller, "./cmd/machine-config-controller"},
		dir:  d.opts.root,
		env:  []string{"GOFLAGS=", "GOWORK=off"},
	})
	if err != nil {
		return fmt.Errorf("could not build machine-config-controller: %w", err)
	}
	d.show.say("%s", d.controller)
	return nil
}

// startController runs the binary as its service account, with the rights of that and no others.
func (d *demo) startController(ctx context.Context) error {
	kubeconfig, err := d.cluster.Kubeconfig(ctx, devcluster.Namespace, serviceAccount)
	if err != nil {
		return err
	}
	log, err := d.createLog(logController)
	if err != nil {
		return err
	}
	addresses := make(chan string, 1)
	tail := &lastLine{note: func(line string) { findAddress(line, addresses) }}

	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		err := program{
			args: []string{
				d.controller, "start", "--kubeconfig", kubeconfig, "--feature-gates", "OnClusterBuild=true", "--bind-address", "127.0.0.1:0", "-v", "2",
			},
			dir: d.opts.out,
			log: io.MultiWriter(log, tail),
		}.run(runCtx)
		if runCtx.Err() == nil {
			if err == nil {
				err = errors.New("it ended with exit status 0")
			}
			if last := tail.text(); last != "" {
				err = fmt.Errorf("%w; the last line of its log is: %s", err, last)
			}
			d.fail(fmt.Errorf("the controller did not keep running: %w", err))
		}
		ended <- log.Close()
	}()
	d.cleanup(func() error { cancel(); return <-ended })

	select {
	case address := <-addresses:
		if err := waitForReady(ctx, "http://"+address+"/readyz"); err != nil {
			return err
		}
		d.show.say("it runs as service account %s, its caches are full; log: %s", serviceAccount, d.path(logController))
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var servingAt = regexp.MustCompile(`"Serving health and metrics" address="([^"]+)"`)

// findAddress hands on the address that the controller chose.
func findAddress(line string, found chan<- string) {
	match := servingAt.FindStringSubmatch(line)
	if match == nil {
		return
	}
	select {
	case found <- match[1]:
	default:
	}
}

// waitForReady asks until the answer is yes: health endpoints cannot be watched.
func waitForReady(ctx context.Context, url string) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return fmt.Errorf("could not ask for readiness: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-time.After(readyInterval):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
