package buildrunner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Script says what happens to one job of a Scripted executor. The zero Script succeeds at once.
type Script struct {
	// HoldPending keeps the Build Pending, HoldRunning keeps it Running, until the channel is closed. Nil does not hold.
	HoldPending <-chan struct{}
	HoldRunning <-chan struct{}
	// HoldStop delays the end of a job that is being stopped, as a pod that takes its time to terminate.
	HoldStop <-chan struct{}
	// Log is written to the log of the Build.
	Log string
	// Err fails the job. A *Failure decides reason and message of the Build.
	Err error
	// Digest is the result; empty means FakeDigest. NoDigest leaves the Build without one, as when the builder could not report it.
	Digest   string
	NoDigest bool
}

// Scripted is an Executor that makes no images: tests decide how each job goes.
type Scripted struct {
	mu     sync.Mutex
	decide func(job Job) Script
	jobs   []Job
}

// NewScripted makes an executor whose jobs all succeed at once until Decide says otherwise.
func NewScripted() *Scripted {
	return &Scripted{decide: func(Job) Script { return Script{} }}
}

// Decide sets what happens to jobs that start from now on.
func (s *Scripted) Decide(decide func(job Job) Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decide = decide
}

// Jobs lists the jobs so far, in the order of their start.
func (s *Scripted) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Job(nil), s.jobs...)
}

// Execute implements Executor.
func (s *Scripted) Execute(ctx context.Context, job Job) (Result, error) {
	s.mu.Lock()
	s.jobs = append(s.jobs, job)
	script := s.decide(job)
	s.mu.Unlock()

	if err := hold(ctx, script.HoldPending, script.HoldStop); err != nil {
		return Result{}, err
	}
	job.OnRunning()
	if _, err := io.WriteString(job.Log, script.Log); err != nil {
		return Result{}, fmt.Errorf("could not write log: %w", err)
	}
	if err := hold(ctx, script.HoldRunning, script.HoldStop); err != nil {
		return Result{}, err
	}
	if script.Err != nil {
		return Result{}, script.Err
	}
	switch {
	case script.NoDigest || job.Output == "":
		return Result{}, nil
	case script.Digest != "":
		return Result{Digest: script.Digest}, nil
	default:
		return Result{Digest: FakeDigest(job.UID)}, nil
	}
}

func hold(ctx context.Context, until, stop <-chan struct{}) error {
	if until == nil {
		return ctx.Err()
	}
	select {
	case <-until:
		return ctx.Err()
	case <-ctx.Done():
		if stop != nil {
			<-stop
		}
		return ctx.Err()
	}
}

// FakeDigest is the digest a Scripted executor gives the Build with that UID, so that tests can predict it.
func FakeDigest(uid types.UID) string {
	sum := sha256.Sum256([]byte(uid))
	return "sha256:" + hex.EncodeToString(sum[:])
}
