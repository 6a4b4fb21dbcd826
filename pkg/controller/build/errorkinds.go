package build

import (
	"context"
	"errors"
	"net"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Kinds of errors that syncs end with, as metrics tell them.
const (
	kindConflict  = "conflict"
	kindStale     = "stale"
	kindHeld      = "held"
	kindTimeout   = "timeout"
	kindThrottled = "throttled"
	kindForbidden = "forbidden"
	kindServer    = "server"
	kindNetwork   = "network"
	kindOther     = "other"
)

var errorKinds = []string{kindConflict, kindStale, kindHeld, kindTimeout, kindThrottled, kindForbidden, kindServer, kindNetwork, kindOther}

// errorKind sorts an error by what an administrator would look at.
func errorKind(err error) string {
	var held *heldError
	var network net.Error
	switch {
	case errors.Is(err, errStale), errors.Is(err, errLearned):
		return kindStale
	case errors.As(err, &held):
		return kindHeld
	case apierrors.IsConflict(err):
		return kindConflict
	case apierrors.IsTimeout(err), apierrors.IsServerTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return kindTimeout
	case apierrors.IsTooManyRequests(err):
		return kindThrottled
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return kindForbidden
	case apierrors.IsInternalError(err), apierrors.IsServiceUnavailable(err):
		return kindServer
	case errors.As(err, &network):
		return kindNetwork
	}
	return kindOther
}
