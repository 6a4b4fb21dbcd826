package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// leaseTolerance is for how long a process may believe that it leads after its lease
// has expired. The elector gives up earlier; this is for one that hangs.
const leaseTolerance = 30 * time.Second

// probes answers /healthz, whether a restart would help, and /readyz, whether the process
// does what it is there for. The zero value is alive and not ready.
type probes struct {
	mu sync.Mutex
	// ready says what the process does or waits for, and whether that is being ready.
	ready func() (string, bool)
	// checks each say what is wrong, in the order in which they were added.
	checks []check
}

type check struct {
	what string
	find func() error
}

func (p *probes) become(ready func() (string, bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = ready
}

// rest is for a process that has nothing to do, for the given reason.
func (p *probes) rest(why string) {
	p.become(func() (string, bool) { return why, true })
}

// follow is for a process that works once its caches are full.
func (p *probes) follow(synced func() bool) {
	p.become(func() (string, bool) {
		if !synced() {
			return "the caches are not filled yet", false
		}
		return "ok", true
	})
}

// stop is for a process that is about to end: what it is watched for is over.
func (p *probes) stop() {
	p.become(func() (string, bool) { return "stopping", false })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks = nil
}

// elector is what there is to know of a leader election.
type elector interface {
	GetLeader() string
	IsLeader() bool
	// Check returns an error when this process believes that it leads, and its lease
	// expired longer ago than is tolerated.
	Check(tolerated time.Duration) error
}

// standBy is for a process that may come to lead. It is ready once it has seen who leads:
// it can reach the lease, and takes over from there. That the lease is between two
// leaders later does not make it less ready, but that nothing has been heard of it for
// longer than a lease lasts does: who leads then is not known.
func (p *probes) standBy(election elector, silence func() time.Duration, lease time.Duration) {
	var seen atomic.Bool
	p.become(func() (string, bool) {
		leader, silent := election.GetLeader(), silence()
		switch {
		case election.IsLeader():
			return "leading; the caches are not filled yet", false
		case seen.Load() && silent > lease:
			return "standing by; the lease could not be read for " + silent.Round(time.Second).String() + ", so that it is not known who leads", false
		case leader != "":
			seen.Store(true)
			return "standing by; the leader is " + leader, true
		case seen.Load():
			return "standing by; there is no leader at the moment", true
		}
		return "standing by; it is not known yet who leads", false
	})
	p.watch("leader election", func() error { return election.Check(leaseTolerance) })
}

// watch adds a check to /healthz.
func (p *probes) watch(what string, find func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks = append(p.checks, check{what, find})
}

func (p *probes) serveHealthz(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	checks := p.checks
	p.mu.Unlock()
	for _, c := range checks {
		if err := c.find(); err != nil {
			http.Error(w, fmt.Sprintf("%s: %v", c.what, err), http.StatusInternalServerError)
			return
		}
	}
	answer(w, "ok")
}

func (p *probes) serveReadyz(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	ready := p.ready
	p.mu.Unlock()
	if ready == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	text, ok := ready()
	if !ok {
		http.Error(w, text, http.StatusServiceUnavailable)
		return
	}
	answer(w, text)
}

// answer ignores an error of writing: it means that nobody reads the answer.
func answer(w io.Writer, text string) { _, _ = io.WriteString(w, text+"\n") }
