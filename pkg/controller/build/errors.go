package build

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

var (
	// errPlanAnew ends an execution that found out something which the plan
	// has to take into account; it is in the next snapshot.
	errPlanAnew = errors.New("the plan has to be made anew")

	// errStale ends an execution whose plan was made on a state that has
	// passed. The caches catch up.
	errStale = errors.New("the caches are behind the cluster")
)

// builderError is an error of the backend's. A person has to know of some.
type builderError struct{ error }

func (e *builderError) Unwrap() error { return e.error }

// ofBuilder marks an error as the backend's; nil stays nil.
func ofBuilder(err error) error {
	if err == nil {
		return nil
	}
	return &builderError{err}
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

// sorted is all that follows from an error.
type sorted struct {
	// kind is what metrics tell it as, by what an administrator would look at.
	kind string
	// quiet says that the error is part of normal operation.
	quiet bool
	// hold is what the pool says of it; nil for nothing. Nothing that the controller
	// watches tells when it is over, so it is tried again with back-off.
	hold *plan.Hold
	// refused tells that the hold is that the cluster refuses a request.
	refused bool
}

// lastingAfter is for how long a pool's syncs may fail for a reason that may pass before
// the pool says so.
const lastingAfter = time.Minute

// sortError is the one place that tells errors apart.
func sortError(err error) sorted {
	if hold := holdOf(err); hold != nil {
		return sorted{kind: kindHeld, hold: hold, refused: hold.Reason == ledger.ReasonBuilderRefused}
	}
	of := sorted{kind: kindOf(err)}
	of.quiet = of.kind == kindStale || of.kind == kindConflict
	if isRefusal(err) {
		of.hold, of.refused = refusal(err), true
	}
	return of
}

func kindOf(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, errStale), errors.Is(err, errPlanAnew):
		return kindStale
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

// isRefusal tells whether the answer is the server's will, so that the same request has the
// same answer until somebody changes something.
func isRefusal(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	switch code := status.Status().Code; code {
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return false
	default:
		return code >= 400 && code < 500
	}
}

// refusal is what a pool says of a request that the cluster refuses, or keeps failing.
func refusal(err error) *plan.Hold {
	way := "the API server, or a webhook of its, does not do its part"
	switch kind := kindOf(err); {
	case kind == kindForbidden:
		way = "grant the BuildController that permission, or change the admission policy or the quota that is against it"
	case kind == kindConflict:
		way = "somebody changes the object each time, or an admission policy is against the change"
	case kind == kindStale:
		way = "what the BuildController is told of the cluster stays behind it: its log says which watch fails"
	case isRefusal(err):
		way = "make room where the answer says that there is none, or change the admission policy that is against it"
	}
	return &plan.Hold{Reason: ledger.ReasonRequestRefused, Message: err.Error() + "; " + way + "; it is tried again every few minutes"}
}

// holdOf is what the pool's owner has to know of an error of the backend's.
func holdOf(err error) *plan.Hold {
	var builder *builderError
	if !errors.As(err, &builder) {
		return nil
	}
	var unavailable *imagebuilder.UnavailableError
	switch {
	case errors.As(err, &unavailable):
		return &plan.Hold{Reason: ledger.ReasonBuilderUnavailable, Message: unavailable.Message}
	case errors.Is(err, imagebuilder.ErrForeign):
		return &plan.Hold{Reason: ledger.ReasonNameTaken, Message: builder.Error() + "; remove it, or change its name"}
	case isRefusal(err):
		return &plan.Hold{Reason: ledger.ReasonBuilderRefused, Message: builder.Error() + "; it is tried again every few minutes"}
	}
	return nil
}

// verdict is what the queue does with a pool after a sync.
type verdict struct {
	// backOff says to come back after the pool's exponential delay; otherwise
	// the delay is reset.
	backOff bool
	// after says to come back then at the latest; zero to wait for an event.
	after time.Duration
	// quiet says that the error is part of normal operation.
	quiet bool
}

// verdictOn maps the outcome of a sync to what happens next.
func verdictOn(p plan.Plan, err error) verdict {
	if err == nil {
		return verdict{after: p.RequeueAfter}
	}
	return verdict{backOff: true, after: p.RequeueAfter, quiet: sortError(err).quiet}
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
	} else {
		ctrl.queue.Forget(name)
	}
	if v.after > 0 {
		ctrl.queue.AddAfter(name, v.after)
	}
}
