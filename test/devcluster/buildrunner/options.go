package buildrunner

import (
	"errors"
	"time"

	"k8s.io/utils/clock"
)

// Options of a Runner. Only Namespace and Executor are required.
type Options struct {
	// Namespace whose Builds are run.
	Namespace string
	// Executor does the work of each Build.
	Executor Executor
	// NodeAuthFile has credentials that every Build may pull with, as a node's /var/lib/kubelet/config.json. Empty: none. It is read
	// anew for every Build and may appear later.
	NodeAuthFile string
	// LogDir keeps <build>.log for each Build. Empty: logs are not kept.
	LogDir string
	// Concurrency is how many Builds run at the same time; the others stay Pending. Default 2.
	Concurrency int
	// RecheckInterval is how often missing Secrets and ConfigMaps are looked for again. Default 1 s; the real controller needs a
	// Build event or its ten-minute resync.
	RecheckInterval time.Duration
	// PodExistsTimeout is how long a Build waits for the work of an earlier Build of the same name to end. Default 10 s; the real
	// controller waits two minutes.
	PodExistsTimeout time.Duration
	// DefaultDeadline applies to Builds without completionDeadlineSeconds. Default one week, as in the real controller.
	DefaultDeadline time.Duration
	// Clock is for tests.
	Clock clock.WithTicker
}

func (opts Options) withDefaults() (Options, error) {
	if opts.Namespace == "" {
		return opts, errors.New("could not set up build runner: no namespace")
	}
	if opts.Executor == nil {
		return opts, errors.New("could not set up build runner: no executor")
	}
	if opts.Concurrency == 0 {
		opts.Concurrency = 2
	}
	if opts.RecheckInterval == 0 {
		opts.RecheckInterval = time.Second
	}
	if opts.PodExistsTimeout == 0 {
		opts.PodExistsTimeout = 10 * time.Second
	}
	if opts.DefaultDeadline == 0 {
		opts.DefaultDeadline = 7 * 24 * time.Hour
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	return opts, nil
}
