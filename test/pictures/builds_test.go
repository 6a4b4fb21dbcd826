package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlannedBuilds(t *testing.T) {
	p := newPlayed()
	p.plan("worker", inSeconds(1), broken(2))
	p.plan("work", inSeconds(9))
	for _, test := range []struct {
		reason, build string
		running       time.Duration
		fails         bool
	}{
		{"the first", "machine-os-worker-0123-1", time.Second, false},
		{"each pool has its own", "machine-os-work-0123-1", 9 * time.Second, false},
		{"the second", "machine-os-worker-0123-2", 2 * time.Second, true},
		{"a further one is like the last", "machine-os-worker-0123-3", 2 * time.Second, true},
		{"nothing was planned", "machine-os-infra-0123-1", time.Second, false},
	} {
		o := p.next(test.build)
		require.Equal(t, test.running, o.running, test.reason)
		require.Equal(t, test.fails, o.err != nil, test.reason)
	}
	p.plan("worker", inSeconds(5))
	require.Equal(t, 5*time.Second, p.next("machine-os-worker-0123-4").running, "plans change")
}
