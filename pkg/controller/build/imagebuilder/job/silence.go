package job

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// silence is what cannot be known of Jobs because it may not be watched. A Job's own
// conditions and counters are enough to bring it to an end, so nothing waits for the rest.
type silence struct{ pods, warnings *owned.Availability }

func newSilence(informers Informers) (s silence, err error) {
	if s.pods, err = newRefusal("the pods of Jobs", "how far it is", informers.Pods); err != nil {
		return s, err
	}
	s.warnings, err = newRefusal("the events of the namespace", "why it does not start", informers.Warnings)
	return s, err
}

func newRefusal(what, unknown string, informer cache.SharedIndexInformer) (*owned.Availability, error) {
	return owned.NewAvailability(what, informer, func(err error) *imagebuilder.UnavailableError {
		if !isRefused(err) {
			return nil
		}
		return &imagebuilder.UnavailableError{Message: cannotBeWatched(what, unknown, err)}
	})
}

// isRefused tells of an error that lasts until a person does something about it.
func isRefused(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) }

func cannotBeWatched(what, unknown string, err error) string {
	return fmt.Sprintf("%s cannot be watched, so it is not known %s; grant the BuildController to list and watch them: %v", what, unknown, err)
}

// notify has news told of what comes to be known.
func (s silence) notify(news func()) {
	s.pods.Notify(news)
	s.warnings.Notify(news)
}

// addTo says what the facts lack.
func (s silence) addTo(f *facts) *facts {
	f.blind, f.deaf = textOf(s.pods.Problem()), textOf(s.warnings.Problem())
	return f
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// orSilence is why a build waits: what was found, or else why nothing can be.
func (f *facts) orSilence(reason, message string) (string, string) {
	switch {
	case reason != "":
		return reason, message
	case f.blind != "" && f.newest() == nil:
		return reasonPodsUnknown, f.blind
	case f.deaf != "":
		return reasonEventsUnknown, f.deaf
	}
	return "", ""
}
