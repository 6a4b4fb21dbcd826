package imagebuilder

import (
	"context"
	"encoding/json"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Backends are several behind one Backend. Where nothing says which one is meant, it is the
// first; its permissions are those of all.
type Backends []Backend

var _ Backend = Backends{}

// All are the backends that one is made of.
func All(backend Backend) []Backend {
	if several, ok := backend.(Backends); ok {
		return several
	}
	return []Backend{backend}
}

// Of is the backend of that name among those that one is made of; the first for none.
func Of(backend Backend, name string) Backend {
	all := All(backend)
	for _, b := range all {
		if b.About().Name == name {
			return b
		}
	}
	return all[0]
}

// About implements Backend.
func (b Backends) About() About {
	about := b[0].About()
	for _, other := range b[1:] {
		about.Permissions = append(about.Permissions, other.About().Permissions...)
	}
	return about
}

// Commands implements Backend.
func (b Backends) Commands(build string) Commands { return b[0].Commands(build) }

// Objects implements Backend.
func (b Backends) Objects(namespace string, request Request) Objects {
	return Of(b, request.Backend).Objects(namespace, request)
}

// Read implements Backend.
func (b Backends) Read(text []byte) (Made, error) {
	var object metav1.TypeMeta
	if err := json.Unmarshal(text, &object); err != nil {
		return Made{}, err
	}
	for _, backend := range b {
		if backend.About().Kind == object.Kind {
			return backend.Read(text)
		}
	}
	return b[0].Read(text)
}

// Input implements Backend.
func (b Backends) Input(meta *metav1.ObjectMeta) (Made, bool) {
	for _, backend := range b {
		if made, ours := backend.Input(meta); ours {
			return made, true
		}
	}
	return Made{}, false
}

// Inventories are those of several backends behind one Inventory.
type Inventories []Inventory

var _ Inventory = Inventories{}

// Backend implements Inventory.
func (i Inventories) Backend() Backend {
	var all Backends
	for _, inventory := range i {
		all = append(all, inventory.Backend())
	}
	return all
}

// Builds implements Inventory. With an UnavailableError about some backends come the builds
// of the others.
func (i Inventories) Builds(ctx context.Context) ([]Made, error) {
	var all []Made
	var unavailable *UnavailableError
	for n, inventory := range i {
		made, err := inventory.Builds(ctx)
		var problem *UnavailableError
		switch {
		case errors.As(err, &problem):
			if unavailable == nil {
				unavailable = &UnavailableError{Message: problem.Message, ByBackend: map[string]string{}}
			}
			unavailable.ByBackend[inventory.Backend().About().Name] = problem.Message
			if n == 0 {
				unavailable.ByBackend[""] = problem.Message
			}
		case err != nil:
			return nil, err
		}
		all = append(all, made...)
	}
	SortMade(all)
	if unavailable != nil {
		return all, unavailable
	}
	return all, nil
}

// Watch implements Inventory.
func (i Inventories) Watch(changed func()) (Watcher, error) {
	var all watchers
	for _, inventory := range i {
		w, err := inventory.Watch(changed)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// DryRun implements Inventory.
func (i Inventories) DryRun(ctx context.Context, objects Objects) []Answer {
	for _, inventory := range i {
		if inventory.Backend().About().Name == objects.Backend {
			return inventory.DryRun(ctx, objects)
		}
	}
	return i[0].DryRun(ctx, objects)
}

type watchers []Watcher

// Run implements Watcher.
func (w watchers) Run(ctx context.Context) {
	done := make(chan struct{})
	for _, watcher := range w {
		go func() {
			watcher.Run(ctx)
			done <- struct{}{}
		}()
	}
	for range w {
		<-done
	}
}

// HasSynced implements Watcher.
func (w watchers) HasSynced() bool {
	for _, watcher := range w {
		if !watcher.HasSynced() {
			return false
		}
	}
	return true
}

// Builds implements Watcher.
func (w watchers) Builds() []Made {
	var all []Made
	for _, watcher := range w {
		all = append(all, watcher.Builds()...)
	}
	SortMade(all)
	return all
}
