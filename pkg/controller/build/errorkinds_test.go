package build

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

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
		{reason: "planned anew too often", err: errLearned, want: kindStale},
		{reason: "somebody else wrote", err: apierrors.NewConflict(resource, worker, errors.New("newer")), want: kindConflict},
		{reason: "the pool says what it is, whatever is behind it", err: &heldError{err: forbidden}, want: kindHeld},
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
		require.Equal(t, test.want, errorKind(fmt.Errorf("could not sync: %w", test.err)), test.reason)
		seen[test.want] = true
	}
	for _, kind := range errorKinds {
		require.True(t, seen[kind], kind)
	}
	require.Len(t, seen, len(errorKinds))
}
