package owned

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// IsNotServed tells a missing API from a missing object: both are 404, but the
// server names a kind only if it knows it.
func IsNotServed(err error) bool {
	if !apierrors.IsNotFound(err) {
		return false
	}
	var status apierrors.APIStatus
	return errors.As(err, &status) && (status.Status().Details == nil || status.Status().Details.Name == "")
}
