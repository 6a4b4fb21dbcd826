package main

import (
	"context"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
)

// answeringLock is the lease's lock, and notes when the API server last answered about it:
// what the elector tells of the leader is as old as that.
type answeringLock struct {
	resourcelock.Interface
	clock clock.PassiveClock
	// answered is an instant of the clock, in nanoseconds since begin.
	begin    time.Time
	answered atomic.Int64
}

func newAnsweringLock(lock resourcelock.Interface, c clock.PassiveClock) *answeringLock {
	return &answeringLock{Interface: lock, clock: c, begin: c.Now()}
}

// Get implements resourcelock.Interface. That there is no lease is an answer, too.
func (l *answeringLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err == nil || apierrors.IsNotFound(err) {
		l.answered.Store(int64(l.clock.Since(l.begin)))
	}
	return record, raw, err
}

// silence is for how long there has been no answer.
func (l *answeringLock) silence() time.Duration {
	return l.clock.Since(l.begin) - time.Duration(l.answered.Load())
}
