package build

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
)

// TestHealthyNamesTheStuckSync: a sync gets the time that its calls may take.
func TestHealthyNamesTheStuckSync(t *testing.T) {
	h := layeredHarness(t, configA)
	require.NoError(t, h.ctrl.Healthy(), "nothing was begun")
	h.ctrl.beginWork(2)
	began := h.ctrl.began("other")
	h.clock.Step(time.Minute)
	h.ctrl.began(worker)
	require.Equal(t, 5*time.Minute, h.ctrl.config.StuckAfter, "twenty calls of fifteen seconds")
	h.clock.Step(4 * time.Minute)
	require.NoError(t, h.ctrl.Healthy(), "each has its time")
	h.clock.Step(time.Minute + time.Second)
	require.EqualError(t, h.ctrl.Healthy(), "the sync of pool other has been running for 6m1s; one takes at most 5m0s", "the oldest is told of")
	h.ctrl.ended("other", began, nil)
	require.EqualError(t, h.ctrl.Healthy(), "the sync of pool worker has been running for 5m1s; one takes at most 5m0s")
	h.ctrl.ended(worker, began, nil)
	require.NoError(t, h.ctrl.Healthy(), "late, but done")
}

// TestHealthyWhileRunning: a call that hangs is noticed, and what comes after it is well.
func TestHealthyWhileRunning(t *testing.T) {
	r := newRunning(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	begun, letGo := r.blockPatches()
	r.start()
	<-begun
	require.NoError(t, r.ctrl.Healthy())
	r.clock.Step(r.ctrl.config.StuckAfter + time.Second)
	require.ErrorContains(t, r.ctrl.Healthy(), "the sync of pool worker has been running for 5m1s")
	letGo()
	require.Eventually(t, func() bool { return r.ctrl.Healthy() == nil }, soon, time.Millisecond)
	r.stop()
	<-r.done
	require.NoError(t, r.ctrl.Healthy(), "workers that were told to end are not dead")
}

// TestHealthyMissesDeadWorkers: without workers nothing would ever be done.
func TestHealthyMissesDeadWorkers(t *testing.T) {
	r := newRunning(t)
	r.start()
	require.Eventually(t, r.ctrl.HasSynced, soon, time.Millisecond)
	// It is what ends workers that nobody told to.
	r.ctrl.queue.ShutDown()
	require.Eventually(t, func() bool {
		err := r.ctrl.Healthy()
		return err != nil && err.Error() == "2 of 2 workers have ended"
	}, soon, time.Millisecond)
	r.stop()
	<-r.done
}
