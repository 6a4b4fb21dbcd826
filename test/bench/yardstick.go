package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

// bare is the yardstick: a loop of clients that writes what the controller writes,
// of the same sizes, in the same order, as often, by as many workers, and looks at
// nothing. Its pools are not layered, and the names that it writes are not the
// controller's, only as long.
type bare struct {
	clients clients
	wire    *wire
	fleet   *fleet
	pattern pattern
	// writes is how often the controller writes each kind in a cycle, on average.
	writes map[string]float64
	// generation makes the names of a round's Builds; round counts.
	round int
	pools []barePool
}

type barePool struct {
	name, uid, version string
	// previous is the Build of the round before, current that of this one, and inputs
	// are its Secrets.
	previous, current object
	inputs            []object
}

// object is something that was created and is to be deleted.
type object struct {
	name string
	uid  types.UID
}

// deletion is how the controller deletes.
func (o object) deletion() metav1.DeleteOptions {
	background := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &o.uid}, PropagationPolicy: &background}
}

// newBare makes the loop for the pools of f, which come to look like the settled pool of
// the controller.
func newBare(ctx context.Context, w *world, f *fleet, settled string) (*bare, error) {
	b := &bare{wire: newWire(), fleet: f, pools: make([]barePool, len(f.names))}
	config, err := w.userConfig("bench-yardstick", b.wire)
	if err != nil {
		return nil, err
	}
	if b.clients, err = newClients(config); err != nil {
		return nil, err
	}
	pools := w.admin.mcfg.MachineconfigurationV1().MachineConfigPools()
	model, err := pools.Get(ctx, settled, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("could not get the model of the yardstick's pools: %w", err)
	}
	annotations := disguiseMap(model.Annotations)
	for i := range model.Status.Conditions {
		c := &model.Status.Conditions[i]
		c.Type = mcfgv1.MachineConfigPoolConditionType(strings.TrimPrefix(string(disguise([]byte(`"type":"`+c.Type))), `"type":"`))
	}
	return b, inParallel(setters, len(f.names), func(i int) error {
		pool, err := pools.Get(ctx, f.names[i], metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("could not get the yardstick's pool: %w", err)
		}
		pool.Annotations = annotations
		if pool, err = pools.Update(ctx, pool, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("could not annotate the yardstick's pool: %w", err)
		}
		pool.Status.Conditions = model.Status.Conditions
		if pool, err = pools.UpdateStatus(ctx, pool, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("could not set the status of the yardstick's pool: %w", err)
		}
		b.pools[i] = barePool{name: pool.Name, uid: string(pool.UID), version: pool.ResourceVersion}
		return nil
	})
}

// follow has the loop write from now on what was recorded.
func (b *bare) follow(p pattern) error {
	for _, kind := range []string{patchPools, patchStatus, createSecrets, createBuilds} {
		if len(p.bodies[kind]) == 0 {
			return fmt.Errorf("could not make the yardstick: the controller sent no %s", kind)
		}
	}
	for _, kind := range []string{patchPools, patchStatus} {
		for i := range p.bodies[kind] {
			p.bodies[kind][i].text = disguise(p.bodies[kind][i].text)
		}
	}
	b.pattern = p
	return nil
}

// observeRates takes over how often the controller wrote each kind for n pools.
func (b *bare) observeRates(c counts, n int) {
	b.writes = map[string]float64{}
	for kind, t := range c {
		if !isWatching(kind) && len(kind) > 4 && kind[:4] != "get " {
			b.writes[kind] = float64(t.Calls-t.Refusals) / float64(n)
		}
	}
}

// times is how often the kind is written for pool i: the average over all pools is
// the controller's.
func (b *bare) times(kind string, i int) int {
	rate := b.writes[kind]
	return int(rate*float64(i+1)+1e-9) - int(rate*float64(i)+1e-9)
}

// run does one cycle of every pool, and returns when all Builds are completed.
func (b *bare) run(ctx context.Context, workers int, system *buildSystem) (time.Duration, error) {
	b.round++
	b.wire.reset()
	completed := system.completed.Load()
	start := time.Now()
	events := make(chan func() error, 10*len(b.pools))
	var sending sync.WaitGroup
	var eventErr error
	sending.Go(func() {
		for send := range events {
			if err := send(); err != nil && eventErr == nil {
				eventErr = err
			}
		}
	})
	err := inParallel(workers, len(b.pools), func(i int) error { return b.cycle(ctx, i, events) })
	close(events)
	sending.Wait()
	took := time.Since(start)
	if err == nil {
		err = eventErr
	}
	if err != nil {
		return 0, err
	}
	err = await(ctx, "the yardstick's Builds", func() bool {
		return system.completed.Load()-completed >= int64(len(b.pools)) || system.problem() != nil
	})
	return max(took, time.Since(start)), firstOf(err, system.problem())
}

// cycle writes what the controller writes for one pool.
func (b *bare) cycle(ctx context.Context, i int, events chan<- func() error) error {
	pool := &b.pools[i]
	name := fmt.Sprintf("%.*s", len(b.pattern.build), fmt.Sprintf("bench-os-%s-%d-%080d", pool.name, b.round, 0))
	patches, statuses := b.times(patchPools, i), b.times(patchStatus, i)
	claim := min(1, patches)
	for range claim {
		if err := b.patch(ctx, pool, patchPools, 0); err != nil {
			return err
		}
	}
	for n := range b.times(createSecrets, i) {
		if err := b.createSecret(ctx, pool, name, n); err != nil {
			return err
		}
	}
	for range b.times(createBuilds, i) {
		if err := b.createBuild(ctx, pool, name); err != nil {
			return err
		}
	}
	for n := range statuses - 1 {
		if err := b.patch(ctx, pool, patchStatus, n); err != nil {
			return err
		}
	}
	for n := range b.times(createEvents, i) {
		events <- func() error { return b.createEvent(ctx, n) }
	}
	for n := range patches - claim {
		if err := b.patch(ctx, pool, patchPools, claim+n); err != nil {
			return err
		}
	}
	if statuses > 0 {
		if err := b.patch(ctx, pool, patchStatus, len(b.pattern.bodies[patchStatus])-1); err != nil {
			return err
		}
	}
	return b.clean(ctx, i, pool)
}

func (b *bare) clean(ctx context.Context, i int, pool *barePool) error {
	for n := range min(b.times(deleteSecrets, i), len(pool.inputs)) {
		input := pool.inputs[n]
		if err := b.clients.kube.CoreV1().Secrets(devcluster.Namespace).Delete(ctx, input.name, input.deletion()); err != nil {
			return fmt.Errorf("could not delete Secret: %w", err)
		}
	}
	if pool.previous.name != "" && b.times(deleteBuilds, i) > 0 {
		if err := b.clients.build.BuildV1().Builds(devcluster.Namespace).Delete(ctx, pool.previous.name, pool.previous.deletion()); err != nil {
			return fmt.Errorf("could not delete Build: %w", err)
		}
	}
	pool.previous, pool.inputs = pool.current, nil
	return nil
}

// patch sends the n-th patch of the kind, of this pool at its present version.
func (b *bare) patch(ctx context.Context, pool *barePool, kind string, n int) error {
	bodies := b.pattern.bodies[kind]
	sent := bodies[min(n, len(bodies)-1)]
	var subresources []string
	if kind == patchStatus {
		subresources = []string{"status"}
	}
	patched, err := b.clients.mcfg.MachineconfigurationV1().MachineConfigPools().
		Patch(ctx, pool.name, types.PatchType(sent.form), sent.of(pool, b.pattern.pool), metav1.PatchOptions{}, subresources...)
	if err != nil {
		return fmt.Errorf("could not patch pool: %w", err)
	}
	pool.version = patched.ResourceVersion
	return nil
}

func inputName(build string, n int) string {
	if n == 0 {
		return build
	}
	return fmt.Sprintf("%s-in-%d", build, n)
}

func (b *bare) createSecret(ctx context.Context, pool *barePool, name string, n int) error {
	bodies := b.pattern.bodies[createSecrets]
	secret := &corev1.Secret{}
	if err := decode(bodies[min(n, len(bodies)-1)].text, secret); err != nil {
		return err
	}
	b.own(&secret.ObjectMeta, pool, inputName(name, n))
	created, err := b.clients.kube.CoreV1().Secrets(devcluster.Namespace).Create(ctx, secret, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("could not create Secret: %w", err)
	}
	pool.inputs = append(pool.inputs, object{created.Name, created.UID})
	return nil
}

func (b *bare) createBuild(ctx context.Context, pool *barePool, name string) error {
	build := &buildv1.Build{}
	if err := json.Unmarshal(b.pattern.bodies[createBuilds][0].text, build); err != nil {
		return fmt.Errorf("could not decode Build: %w", err)
	}
	b.own(&build.ObjectMeta, pool, name)
	for i := range build.Spec.Source.Secrets {
		build.Spec.Source.Secrets[i].Secret.Name = inputName(name, i)
	}
	created, err := b.clients.build.BuildV1().Builds(devcluster.Namespace).Create(ctx, build, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("could not create Build: %w", err)
	}
	pool.current = object{created.Name, created.UID}
	return nil
}

func (b *bare) createEvent(ctx context.Context, n int) error {
	bodies := b.pattern.bodies[createEvents]
	event := &corev1.Event{}
	if err := decode(bodies[min(n, len(bodies)-1)].text, event); err != nil {
		return err
	}
	event.Name, event.GenerateName = "", "bench."
	if _, err := b.clients.kube.CoreV1().Events(event.Namespace).Create(ctx, event, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create event: %w", err)
	}
	return nil
}

// own makes the object the pool's, and hides it from the controller.
func (b *bare) own(meta *metav1.ObjectMeta, pool *barePool, name string) {
	meta.Name = name
	meta.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(
		&mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: pool.name, UID: types.UID(pool.uid)}}, mcfgv1.SchemeGroupVersion.WithKind("MachineConfigPool"))}
	*meta.OwnerReferences[0].BlockOwnerDeletion = false
	meta.Labels, meta.Annotations = disguiseMap(meta.Labels), disguiseMap(meta.Annotations)
}

func disguiseMap(fields map[string]string) map[string]string {
	disguised := map[string]string{}
	for key, value := range fields {
		disguised[string(disguise([]byte(key)))] = string(disguise([]byte(value)))
	}
	return disguised
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
