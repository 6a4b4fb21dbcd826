package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// Member is a backend of a Set, by the name that requests have for it.
type Member struct {
	Name string
	ImageBuilder
}

// Set is several backends behind one contract. All are observed, so a pool may change its
// backend while a build is under way; a build is started by the backend that the request
// names, and stopped and deleted by the one that has it. A backend that is unavailable
// keeps only the builds from starting that are for it.
type Set struct{ members []Member }

var _ ImageBuilder = (*Set)(nil)

// NewSet makes one. The first backend runs the builds of requests that name none.
func NewSet(first Member, others ...Member) *Set {
	return &Set{members: append([]Member{first}, others...)}
}

// Observe implements ImageBuilder.
func (s *Set) Observe(pool string) ([]Observation, error) {
	var all []Observation
	var unavailable *UnavailableError
	for i, m := range s.members {
		observations, err := m.Observe(pool)
		var problem *UnavailableError
		switch {
		case errors.As(err, &problem):
			if unavailable == nil {
				unavailable = &UnavailableError{Message: problem.Message, ByBackend: map[string]string{}}
			}
			unavailable.ByBackend[m.Name] = problem.Message
			if i == 0 {
				unavailable.ByBackend[""] = problem.Message
			}
		case err != nil:
			return nil, err
		}
		all = append(all, observations...)
	}
	slices.SortFunc(all, func(x, y Observation) int { return strings.Compare(x.Name, y.Name) })
	if unavailable != nil {
		return all, unavailable
	}
	return all, nil
}

// Start implements ImageBuilder.
func (s *Set) Start(ctx context.Context, request Request) error {
	m, err := s.of(request)
	if err != nil {
		return err
	}
	return m.Start(ctx, request)
}

// of is the backend that the request names.
func (s *Set) of(request Request) (*Member, error) {
	for i := range s.members {
		if m := &s.members[i]; m.Name == request.Backend || i == 0 && request.Backend == "" {
			return m, nil
		}
	}
	return nil, &UnavailableError{Message: fmt.Sprintf("the backend %q, which would run the build, is none of this controller's", request.Backend)}
}

// Verify implements ImageBuilder. The request is of the backend that has the build; of one
// that no cache shows yet, of the one that would run it.
func (s *Set) Verify(ctx context.Context, request Request) (Observation, error) {
	for _, m := range s.members {
		if m.Shows(request.Name) {
			return m.Verify(ctx, request)
		}
	}
	m, err := s.of(request)
	if err != nil {
		return Observation{}, err
	}
	return m.Verify(ctx, request)
}

// Get implements ImageBuilder. What is absent has to be so for every backend.
func (s *Set) Get(ctx context.Context, name string) (Observation, error) {
	var firstErr error
	for _, m := range s.members {
		o, err := m.Get(ctx, name)
		if err == nil && o.Phase != PhaseAbsent {
			return o, nil
		}
		if err != nil && firstErr == nil {
			firstErr = err
		}
	}
	return Observation{Name: name, Phase: PhaseAbsent}, firstErr
}

// Shows implements ImageBuilder.
func (s *Set) Shows(name string) bool {
	return slices.ContainsFunc(s.members, func(m Member) bool { return m.Shows(name) })
}

// Active implements ImageBuilder.
func (s *Set) Active() []Observation {
	var active []Observation
	for _, m := range s.members {
		active = append(active, m.Active()...)
	}
	slices.SortFunc(active, func(a, b Observation) int { return strings.Compare(a.Name, b.Name) })
	return active
}

// Stop implements ImageBuilder.
func (s *Set) Stop(ctx context.Context, name string, uid types.UID) error {
	return s.having(name, func(m Member) error { return m.Stop(ctx, name, uid) })
}

// Delete implements ImageBuilder.
func (s *Set) Delete(ctx context.Context, name string, uid types.UID) error {
	return s.having(name, func(m Member) error { return m.Delete(ctx, name, uid) })
}

// DeleteInputs implements ImageBuilder.
func (s *Set) DeleteInputs(ctx context.Context, name string) error {
	return s.having(name, func(m Member) error { return m.DeleteInputs(ctx, name) })
}

// having calls it for the backends that have the build. Whoever asks knows of the build
// from the cache, so one that no cache shows any more is gone.
func (s *Set) having(name string, call func(Member) error) error {
	var errs []error
	for _, m := range s.members {
		if m.Shows(name) {
			errs = append(errs, call(m))
		}
	}
	return errors.Join(errs...)
}

// Reasons implements ImageBuilder.
func (s *Set) Reasons() []string {
	var reasons []string
	for _, m := range s.members {
		reasons = append(reasons, m.Reasons()...)
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// Notify implements ImageBuilder.
func (s *Set) Notify(enqueue func(pool string)) (synced func() bool) {
	all := make([]func() bool, 0, len(s.members))
	for _, m := range s.members {
		all = append(all, m.Notify(enqueue))
	}
	return func() bool {
		return !slices.ContainsFunc(all, func(synced func() bool) bool { return !synced() })
	}
}
