package build

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

var pools = schema.GroupResource{Resource: "machineconfigpools"}

func TestVerdictOn(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		plan   plan.Plan
		err    error
		want   verdict
	}{
		"done":        {reason: "an event wakes the pool", want: verdict{}},
		"known time":  {reason: "time-based states carry their instant", plan: plan.Plan{RequeueAfter: time.Minute}, want: verdict{after: time.Minute}},
		"conflict":    {reason: "another writer was first; that is normal", err: fmt.Errorf("could not: %w", apierrors.NewConflict(pools, "worker", errors.New("changed"))), want: verdict{backOff: true, quiet: true}},
		"stale":       {reason: "the caches catch up", err: errStale, want: verdict{backOff: true, quiet: true}},
		"server down": {reason: "it comes back", err: apierrors.NewServiceUnavailable("down"), want: verdict{backOff: true}},
		"timeout":     {reason: "it may have been committed", err: context.DeadlineExceeded, want: verdict{backOff: true}},
		"known time, but failed": {
			reason: "the pool has to say then that it lasts", plan: plan.Plan{RequeueAfter: time.Minute}, err: errors.New("failed"), want: verdict{backOff: true, after: time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, verdictOn(test.plan, test.err), test.reason)
		})
	}
}

func TestHolds(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		err    error
		want   string
	}{
		"not installed": {reason: "the pool's owner can install it", err: &imagebuilder.UnavailableError{Message: "not installed"}, want: ledger.ReasonBuilderUnavailable},
		"foreign":       {reason: "the pool's owner can remove it", err: fmt.Errorf("Build b: %w", imagebuilder.ErrForeign), want: ledger.ReasonNameTaken},
		"forbidden":     {reason: "an administrator has to grant it", err: apierrors.NewForbidden(pools, "b", errors.New("build strategy Docker is not allowed")), want: ledger.ReasonBuilderRefused},
		"invalid":       {reason: "it is refused again", err: apierrors.NewInvalid(schema.GroupKind{Kind: "Build"}, "b", nil), want: ledger.ReasonBuilderRefused},
		"too large":     {reason: "it is refused again", err: apierrors.NewRequestEntityTooLargeError("too large"), want: ledger.ReasonBuilderRefused},
		"server down":   {reason: "nothing for the pool's owner to do", err: apierrors.NewServiceUnavailable("down")},
		"conflict":      {reason: "nothing for the pool's owner to do", err: apierrors.NewConflict(pools, "b", errors.New("changed"))},
	} {
		t.Run(name, func(t *testing.T) {
			got := ofBuilder(test.err)
			require.ErrorIs(t, got, test.err, "the cause is kept")
			hold := sortError(fmt.Errorf("could not sync: %w", got)).hold
			if test.want == "" {
				require.Nil(t, hold, test.reason)
				return
			}
			require.NotNil(t, hold, test.reason)
			require.Equal(t, test.want, hold.Reason, test.reason)
			require.NotEmpty(t, hold.Message)
		})
	}
	require.NoError(t, ofBuilder(nil))
}

// TestR40WhatIsARefusal: an answer that stays the same until somebody changes something is on
// the pool at once, one that may pass only when it lasts.
func TestR40WhatIsARefusal(t *testing.T) {
	status := func(code int32) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Message: "words of the server's"}}
	}
	for name, test := range map[string]struct {
		reason  string
		err     error
		refused bool
		says    string
	}{
		"403":                {reason: "a permission, a policy or a quota", err: apierrors.NewForbidden(pools, "w", errors.New("no")), refused: true, says: "grant the BuildController that permission"},
		"401":                {reason: "the token is not taken any more", err: apierrors.NewUnauthorized("no"), refused: true, says: "grant the BuildController that permission"},
		"400":                {reason: "webhooks deny with a code of their choice", err: status(400), refused: true, says: "change the admission policy"},
		"405":                {reason: "what serves the kind has no such verb", err: status(405), refused: true, says: "change the admission policy"},
		"413":                {reason: "a proxy, or the server's own bound", err: apierrors.NewRequestEntityTooLargeError("x"), refused: true, says: "make room"},
		"422":                {reason: "annotations are full", err: apierrors.NewInvalid(schema.GroupKind{Kind: "MachineConfigPool"}, "w", nil), refused: true, says: "make room"},
		"404":                {reason: "the caches have not heard of it yet", err: apierrors.NewNotFound(pools, "w"), says: "does not do its part"},
		"409":                {reason: "another writer was first", err: apierrors.NewConflict(pools, "w", errors.New("changed")), says: "somebody changes the object each time"},
		"429":                {reason: "the server asks for patience", err: apierrors.NewTooManyRequests("later", 1), says: "does not do its part"},
		"500":                {reason: "a webhook that is down, say", err: apierrors.NewInternalError(errors.New("failed calling webhook")), says: "does not do its part"},
		"503":                {reason: "the server is restarted", err: apierrors.NewServiceUnavailable("x"), says: "does not do its part"},
		"no answer":          {reason: "the network may come back", err: &url.Error{Op: "Patch", URL: "https://api", Err: errors.New("connection refused")}, says: "does not do its part"},
		"deadline":           {reason: "it may have been committed", err: context.DeadlineExceeded, says: "does not do its part"},
		"caches stay behind": {reason: "a watch that is refused", err: errStale, says: "which watch fails"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fmt.Errorf("could not patch MachineConfigPool w: %w", test.err)
			of := sortError(err)
			require.Equal(t, test.refused, of.refused, test.reason)
			require.Equal(t, test.refused, of.hold != nil, test.reason)
			hold := refusal(err)
			require.Equal(t, ledger.ReasonRequestRefused, hold.Reason)
			require.Contains(t, hold.Message, test.says)
			require.Contains(t, hold.Message, err.Error(), "verb, object and the server's words")
		})
	}
}

// TestSettle: what the queue holds after each verdict, on the test's own clock.
func TestSettle(t *testing.T) {
	h := newHarness(t)
	ctx := context.Background()

	h.ctrl.settle(ctx, worker, verdict{after: time.Minute}, nil)
	require.Zero(t, h.ctrl.queue.Len(), "not yet")
	require.Eventually(t, h.clock.HasWaiters, 5*time.Second, time.Millisecond)
	h.clock.Step(time.Minute)
	require.Eventually(t, func() bool { return h.ctrl.queue.Len() == 1 }, 5*time.Second, time.Millisecond, "at its time the pool is back")
	h.queued()

	for range 3 {
		h.ctrl.settle(ctx, worker, verdict{backOff: true}, errors.New("failed"))
	}
	require.Equal(t, 3, h.ctrl.queue.NumRequeues(worker), "failures add up")
	h.ctrl.settle(ctx, worker, verdict{}, nil)
	require.Zero(t, h.ctrl.queue.NumRequeues(worker), "success forgets them")
}

func TestErrorKind(t *testing.T) {
	resource := schema.GroupResource{Resource: "machineconfigpools"}
	forbidden := apierrors.NewForbidden(resource, worker, errors.New("no"))
	seen := map[string]bool{}
	for _, test := range []struct {
		reason string
		err    error
		want   string
	}{
		{reason: "the caches are behind", err: errStale, want: kindStale},
		{reason: "planned anew too often", err: errPlanAnew, want: kindStale},
		{reason: "somebody else wrote", err: apierrors.NewConflict(resource, worker, errors.New("newer")), want: kindConflict},
		{reason: "the pool says what it is, whatever is behind it", err: ofBuilder(forbidden), want: kindHeld},
		{reason: "the server had no time", err: apierrors.NewTimeoutError("late", 1), want: kindTimeout},
		{reason: "the server says to come back", err: apierrors.NewServerTimeout(resource, "patch", 1), want: kindTimeout},
		{reason: "we had no time", err: context.DeadlineExceeded, want: kindTimeout},
		{reason: "a time-out of the transport is one, too", err: &url.Error{Op: "Patch", Err: context.DeadlineExceeded}, want: kindTimeout},
		{reason: "too many requests", err: apierrors.NewTooManyRequests("slowly", 1), want: kindThrottled},
		{reason: "RBAC", err: forbidden, want: kindForbidden},
		{reason: "an expired token", err: apierrors.NewUnauthorized("who?"), want: kindForbidden},
		{reason: "etcd", err: apierrors.NewInternalError(errors.New("etcd")), want: kindServer},
		{reason: "no server behind the balancer", err: apierrors.NewServiceUnavailable("gone"), want: kindServer},
		{reason: "nobody answers", err: &url.Error{Op: "Patch", Err: errors.New("connection refused")}, want: kindNetwork},
		{reason: "everything else", err: errors.New("odd"), want: kindOther},
	} {
		require.Equal(t, test.want, sortError(fmt.Errorf("could not sync: %w", test.err)).kind, test.reason)
		seen[test.want] = true
	}
	for _, kind := range errorKinds {
		require.True(t, seen[kind], kind)
	}
	require.Len(t, seen, len(errorKinds))
}
