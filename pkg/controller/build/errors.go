package build

import (
	"context"
	"errors"
	"net"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

var (
	// errLearned ends an execution that found out something which the plan
	// has to take into account; it is in the next snapshot.
	errLearned = errors.New("the plan has to be made anew")

	// errStale ends an execution whose plan was made on a state that has
	// passed. The caches catch up.
	errStale = errors.New("the caches are behind the cluster")
)

// heldError is an error of the API that a person has to know of, so it is
// reported on the pool as a hold. Nothing that the controller watches tells when
// it is over, so it is tried again with back-off.
type heldError struct {
	hold plan.Hold
	err  error
}

func (e *heldError) Error() string { return e.err.Error() }
func (e *heldError) Unwrap() error { return e.err }

// verdict is what the queue does with a pool after a sync.
type verdict struct {
	// backOff says to come back after the pool's exponential delay; otherwise
	// the delay is reset.
	backOff bool
	// after says to come back then; zero to wait for an event.
	after time.Duration
	// quiet says that the error is part of normal operation.
	quiet bool
}

// verdictOn maps the outcome of a sync to what happens next.
func verdictOn(p plan.Plan, err error) verdict {
	switch {
	case err == nil:
		return verdict{after: p.RequeueAfter}
	case apierrors.IsConflict(err), errors.Is(err, errStale), errors.Is(err, errLearned):
		return verdict{backOff: true, quiet: true}
	default:
		return verdict{backOff: true}
	}
}

// settle carries the verdict out.
func (ctrl *Controller) settle(ctx context.Context, name string, v verdict, err error) {
	logger := klog.FromContext(ctx)
	switch {
	case err == nil:
	case v.quiet:
		logger.V(2).Info("Will sync again", "reason", err.Error())
	default:
		logger.Error(err, "Could not sync; will try again", "retries", ctrl.queue.NumRequeues(name))
	}

	if v.backOff {
		ctrl.queue.AddRateLimited(name)
		return
	}
	ctrl.queue.Forget(name)
	if v.after > 0 {
		ctrl.queue.AddAfter(name, v.after)
	}
}

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
