package owned

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
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

// UnlessGone returns the error of a request on an object of that UID, or nil when
// the error only says that there is none. Of another UID the API says conflict,
// but it says so of a lost race as well, so a conflict takes a second look, which tells the
// UID of the object that there is.
func UnlessGone(err error, uid types.UID, look func() (types.UID, error)) error {
	if apierrors.IsConflict(err) {
		existing, lookErr := look()
		if apierrors.IsNotFound(lookErr) || lookErr == nil && existing != uid {
			return nil
		}
		return err
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
