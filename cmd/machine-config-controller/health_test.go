package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubefake "k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// ask returns the status and the text that a probe gets.
func ask(handler http.HandlerFunc) (int, string) {
	recorder := httptest.NewRecorder()
	handler(recorder, nil)
	return recorder.Code, recorder.Body.String()
}

func requireReady(t *testing.T, p *probes, status int, text, reason string) {
	t.Helper()
	got, body := ask(p.serveReadyz)
	require.Equal(t, text+"\n", body, reason)
	require.Equal(t, status, got, reason)
}

func TestReadyz(t *testing.T) {
	p := &probes{}
	requireReady(t, p, http.StatusServiceUnavailable, "starting", "nothing was set up")
	p.rest("the BuildController is off")
	requireReady(t, p, http.StatusOK, "the BuildController is off", "there is nothing to wait for")
	synced := false
	p.follow(func() bool { return synced })
	requireReady(t, p, http.StatusServiceUnavailable, "the caches are not filled yet", "while the caches fill")
	synced = true
	requireReady(t, p, http.StatusOK, "ok", "it works")
	p.stop()
	requireReady(t, p, http.StatusServiceUnavailable, "stopping", "nobody is to count on it any more")
}

func TestHealthz(t *testing.T) {
	p := &probes{}
	status, body := ask(p.serveHealthz)
	require.Equal(t, http.StatusOK, status, "a process that starts is alive")
	require.Equal(t, "ok\n", body)

	var stuck error
	p.watch("leader election", func() error { return nil })
	p.watch("BuildController", func() error { return stuck })
	status, _ = ask(p.serveHealthz)
	require.Equal(t, http.StatusOK, status)
	stuck = errors.New("the sync of pool worker has been running for 6m0s")
	status, body = ask(p.serveHealthz)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "BuildController: the sync of pool worker has been running for 6m0s\n", body, "the reason is in the kubelet's event")
	p.stop()
	status, _ = ask(p.serveHealthz)
	require.Equal(t, http.StatusOK, status, "a process that is ending is given its time")
}

const leaseNamespace = "namespace"

// election is a real one over a lease in memory, whose writes can be made to fail.
type election struct {
	*leaderelection.LeaderElector
	kube   *kubefake.Clientset
	broken atomic.Bool
	// unreadable has reading fail, too.
	unreadable atomic.Bool
	lock       *answeringLock
}

// standBy has the probes tell of the election.
func (e *election) standBy(p *probes) {
	p.standBy(e, e.lock.silence, newStartOptions().leaderElection.LeaseDuration.Duration)
}

func newElection(t *testing.T, objects ...runtime.Object) *election {
	t.Helper()
	e := &election{kube: kubefake.NewClientset(objects...)}
	e.kube.PrependReactor("update", "leases", func(k8stesting.Action) (bool, runtime.Object, error) {
		if e.broken.Load() {
			return true, nil, errors.New("the API server is away")
		}
		return false, nil, nil
	})
	e.kube.PrependReactor("get", "leases", func(k8stesting.Action) (bool, runtime.Object, error) {
		if e.unreadable.Load() {
			return true, nil, errors.New("the API server is away")
		}
		return false, nil, nil
	})
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, leaseNamespace, constants.ControllerName, nil, e.kube.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: "us"})
	require.NoError(t, err)
	e.lock = newAnsweringLock(lock, clock.RealClock{})
	o := newStartOptions().leaderElection
	e.LeaderElector, err = leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: e.lock, LeaseDuration: o.LeaseDuration.Duration, RenewDeadline: o.RenewDeadline.Duration, RetryPeriod: o.RetryPeriod.Duration,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) {}, OnStoppedLeading: func() {}},
	})
	require.NoError(t, err)
	return e
}

// leaseOf is a lease that was just renewed.
func leaseOf(holder string) *coordinationv1.Lease {
	now := metav1.NewMicroTime(time.Now())
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: leaseNamespace, Name: constants.ControllerName},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: &holder, LeaseDurationSeconds: ptr.To[int32](137), AcquireTime: &now, RenewTime: &now,
		},
	}
}

// TestStandby: what a process that may lead says, from its start until it leads.
func TestStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newElection(t, leaseOf("them"))
		p := &probes{}
		e.standBy(p)
		requireReady(t, p, http.StatusServiceUnavailable, "standing by; it is not known yet who leads", "it has not reached the lease")

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); e.Run(ctx) }()
		synctest.Wait()
		requireReady(t, p, http.StatusOK, "standing by; the leader is them", "it takes over when they are gone")

		_, err := e.kube.CoordinationV1().Leases(leaseNamespace).Update(ctx, leaseOf(""), metav1.UpdateOptions{})
		require.NoError(t, err)
		e.broken.Store(true)
		time.Sleep(time.Minute)
		requireReady(t, p, http.StatusOK, "standing by; there is no leader at the moment", "between two leaders it is as ready as before")
		e.broken.Store(false)
		time.Sleep(time.Minute)
		requireReady(t, p, http.StatusServiceUnavailable, "leading; the caches are not filled yet", "from now on its caches count")
		status, _ := ask(p.serveHealthz)
		require.Equal(t, http.StatusOK, status)
		cancel()
		<-done
	})
}

// TestR45AStandbyThatHearsNothingIsNotReady: what was known last is not what is.
func TestR45AStandbyThatHearsNothingIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newElection(t, leaseOf("them"))
		p := &probes{}
		e.standBy(p)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); e.Run(ctx) }()
		synctest.Wait()
		e.unreadable.Store(true)
		time.Sleep(time.Minute)
		requireReady(t, p, http.StatusOK, "standing by; the leader is them", "it may be a short trouble, and the lease lasts")
		time.Sleep(90 * time.Second)
		requireReady(t, p, http.StatusServiceUnavailable, "standing by; the lease could not be read for 2m30s, so that it is not known who leads", "they may be dead")
		e.unreadable.Store(false)
		e.broken.Store(true)
		time.Sleep(time.Minute)
		requireReady(t, p, http.StatusOK, "standing by; the leader is them", "it hears of the lease again")
		cancel()
		<-done
	})
}

// TestExpiredLease: a process that hangs on to the lead is to be restarted.
func TestExpiredLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newElection(t)
		p := &probes{}
		e.standBy(p)
		done := make(chan struct{})
		go func() { defer close(done); e.Run(t.Context()) }()
		synctest.Wait()
		require.True(t, e.IsLeader())
		e.broken.Store(true)
		time.Sleep(137*time.Second + leaseTolerance - 30*time.Second)
		status, body := ask(p.serveHealthz)
		require.Equal(t, http.StatusOK, status, body)
		time.Sleep(time.Minute)
		status, body = ask(p.serveHealthz)
		require.Equal(t, http.StatusInternalServerError, status, "the elector gave up, and the process is still there")
		require.Contains(t, body, "leader election: ")
		<-done
	})
}
