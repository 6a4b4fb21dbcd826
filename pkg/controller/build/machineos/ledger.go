package machineos

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// Ledger finds MachineOSConfigs and MachineOSBuilds, and writes what they are to say.
type Ledger struct {
	client  mcfgclientset.Interface
	configs cache.SharedIndexInformer
	builds  cache.SharedIndexInformer
	// problem tells why nothing may be written; empty if it may.
	problem func() string
	// absent tells that the API was not served when it was asked for last, and waiting that
	// it has never been read since the start, as it is not served, or refused.
	absent, waiting atomic.Bool
	// ofConfigs and ofBuilds tell what is refused.
	ofConfigs, ofBuilds access
	// enqueue and registrations are set by Notify, before the informers start.
	enqueue       func(pool string)
	registrations []cache.ResourceEventHandlerRegistration

	// metrics count; nil for none. Set by Metrics.Follow, before anything is written.
	metrics *Metrics

	mu sync.Mutex
	// written are the newest versions of MachineOSBuilds that the cache may lack, by name;
	// nil for one that was deleted, which deleted tells by its UID.
	written map[string]*mcfgv1.MachineOSBuild
	deleted map[string]string
	// patched are the newest versions of MachineOSConfigs that the cache may lack, by name.
	patched map[string]*mcfgv1.MachineOSConfig
	// restraints are about what was written last, by the objects' UIDs.
	restraints map[types.UID]*restraints
}

const (
	// byPool indexes MachineOSConfigs by the pool that they refer to, and MachineOSBuilds by
	// the name of their MachineOSConfig is byConfig.
	byPool   = "pool"
	byConfig = "machine-os-config"
)

// New makes a Ledger. The informers are of the two kinds, and not started yet. problem tells,
// whenever it is asked, why nothing may be written; empty if it may.
func New(client mcfgclientset.Interface, configs, builds cache.SharedIndexInformer, problem func() string) (*Ledger, error) {
	l := &Ledger{
		client: client, configs: configs, builds: builds, problem: problem,
		written: map[string]*mcfgv1.MachineOSBuild{}, deleted: map[string]string{}, patched: map[string]*mcfgv1.MachineOSConfig{},
		restraints: map[types.UID]*restraints{},
	}
	if err := configs.AddIndexers(cache.Indexers{byPool: func(object any) ([]string, error) {
		if config, ok := object.(*mcfgv1.MachineOSConfig); ok {
			return []string{config.Spec.MachineConfigPool.Name}, nil
		}
		return nil, nil
	}}); err != nil {
		return nil, fmt.Errorf("could not index MachineOSConfigs: %w", err)
	}
	if err := builds.AddIndexers(cache.Indexers{byConfig: func(object any) ([]string, error) {
		if build, ok := object.(*mcfgv1.MachineOSBuild); ok {
			return []string{build.Spec.MachineOSConfig.Name}, nil
		}
		return nil, nil
	}}); err != nil {
		return nil, fmt.Errorf("could not index MachineOSBuilds: %w", err)
	}
	l.ofConfigs, l.ofBuilds = access{what: "MachineOSConfigs", informer: configs}, access{what: "MachineOSBuilds", informer: builds}
	for _, a := range []*access{&l.ofConfigs, &l.ofBuilds} {
		if err := a.informer.SetTransform(strip); err != nil {
			return nil, fmt.Errorf("could not narrow what is kept of MachineOSConfigs and MachineOSBuilds: %w", err)
		}
		failed := func(ctx context.Context, r *cache.Reflector, err error) { l.watchFailed(ctx, r, a, err) }
		if err := a.informer.SetWatchErrorHandlerWithContext(failed); err != nil {
			return nil, fmt.Errorf("could not handle errors of watching MachineOSConfigs and MachineOSBuilds: %w", err)
		}
	}
	return l, nil
}

// strip drops what is never read before an object enters a cache.
func strip(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	if config, ok := object.(*mcfgv1.MachineOSConfig); ok {
		ledger.StripMachineOSConfig(config)
	}
	return object, nil
}

// Notify has enqueue called with a pool's name whenever what there is to know of it here may
// have changed, and with imagebuilder.AllPools when that is so of any. It is called once, before
// the informers start. The function it returns tells whether the caches are full, or the API is
// not served, or refused.
func (l *Ledger) Notify(enqueue func(pool string)) (synced func() bool, err error) {
	l.enqueue = enqueue
	for _, informer := range []cache.SharedIndexInformer{l.configs, l.builds} {
		registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    l.changed,
			UpdateFunc: func(before, after any) { l.changed(before); l.changed(after) },
			DeleteFunc: func(object any) { l.gone(object); l.changed(object) },
		})
		if err != nil {
			return nil, fmt.Errorf("could not watch MachineOSConfigs and MachineOSBuilds: %w", err)
		}
		l.registrations = append(l.registrations, registration)
	}
	return func() bool { return l.full() || l.waiting.Load() }, nil
}

// gone forgets what was written to an object.
func (l *Ledger) gone(object any) {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.restraints, accessor.GetUID())
	if _, ok := object.(*mcfgv1.MachineOSConfig); ok {
		delete(l.patched, accessor.GetName())
	}
}

func (l *Ledger) changed(object any) {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	if !l.waiting.Load() {
		l.absent.Store(false)
	}
	switch o := object.(type) {
	case *mcfgv1.MachineOSConfig:
		l.enqueue(o.Spec.MachineConfigPool.Name)
	case *mcfgv1.MachineOSBuild:
		if config, exists, err := l.configs.GetIndexer().GetByKey(o.Spec.MachineOSConfig.Name); err == nil && exists {
			l.enqueue(config.(*mcfgv1.MachineOSConfig).Spec.MachineConfigPool.Name)
		}
	}
}

// LookAgain has all pools looked at that MachineOSConfigs refer to: what Problem tells is
// another now.
func (l *Ledger) LookAgain() {
	for _, pool := range l.Pools() {
		l.enqueue(pool)
	}
}

// Problem is why nothing may be written; empty if it may.
func (l *Ledger) Problem() string { return cmp.Or(l.Refusal(), l.problem()) }

// Pools are the names of the pools that MachineOSConfigs refer to, whether they exist or not.
func (l *Ledger) Pools() []string {
	if !l.counts() {
		return nil
	}
	pools := l.configs.GetIndexer().ListIndexFuncValues(byPool)
	slices.Sort(pools)
	return pools
}

// Configs are the MachineOSConfigs that refer to the pool, by name.
func (l *Ledger) Configs(pool string) []*mcfgv1.MachineOSConfig {
	if !l.counts() {
		return nil
	}
	objects, err := l.configs.GetIndexer().ByIndex(byPool, pool)
	if err != nil {
		return nil
	}
	var configs []*mcfgv1.MachineOSConfig
	for _, object := range objects {
		if config := l.current(object.(*mcfgv1.MachineOSConfig)); config.DeletionTimestamp == nil {
			configs = append(configs, config)
		}
	}
	slices.SortFunc(configs, func(x, y *mcfgv1.MachineOSConfig) int { return cmp.Compare(x.Name, y.Name) })
	return configs
}

// Live asks the cluster for the MachineOSConfigs that refer to the pool. Where the API is not
// served there are none.
func (l *Ledger) Live(ctx context.Context, pool string) ([]*mcfgv1.MachineOSConfig, error) {
	configs, err := l.client.MachineconfigurationV1().MachineOSConfigs().List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("could not list MachineOSConfigs: %w", err)
	}
	var live []*mcfgv1.MachineOSConfig
	for i := range configs.Items {
		if config := &configs.Items[i]; config.Spec.MachineConfigPool.Name == pool && config.DeletionTimestamp == nil {
			live = append(live, config)
		}
	}
	return live, nil
}

// Build is the MachineOSBuild of that name, if it is of this very MachineOSConfig; else nil.
func (l *Ledger) Build(owner *mcfgv1.MachineOSConfig, name string) *mcfgv1.MachineOSBuild {
	for _, build := range l.buildsOf(owner) {
		if build.Name == name {
			return build
		}
	}
	return nil
}

// Published is the record that the MachineOSBuild was made with which the MachineOSConfig says
// that its image is of, with what the others tell of past images; nil if it says so of none,
// or of another's.
func (l *Ledger) Published(owner *mcfgv1.MachineOSConfig) *ledger.Record {
	status := &owner.Status
	if status.MachineOSBuild == nil {
		return nil
	}
	var record *ledger.Record
	var others []*ledger.Record
	for _, build := range l.buildsOf(owner) {
		switch of := ledger.RecordOf(build); {
		case of == nil:
		case build.Name == status.MachineOSBuild.Name:
			record = of
		default:
			others = append(others, of)
		}
	}
	if record == nil || record.Image != string(status.CurrentImagePullSpec) {
		return nil
	}
	// Whoever went back to an image has a claim that does not know of those since.
	record.Inherit(others)
	return record
}

// buildsOf are the MachineOSBuilds of this very MachineOSConfig, by name: those in the cache,
// and what was written since.
func (l *Ledger) buildsOf(owner *mcfgv1.MachineOSConfig) []*mcfgv1.MachineOSBuild {
	objects, err := l.builds.GetIndexer().ByIndex(byConfig, owner.Name)
	if err != nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	builds := map[string]*mcfgv1.MachineOSBuild{}
	for _, object := range objects {
		build := object.(*mcfgv1.MachineOSBuild)
		builds[build.Name] = build
	}
	for name, build := range l.written {
		if _, cached := builds[name]; !cached && build.Spec.MachineOSConfig.Name == owner.Name {
			builds[name] = nil
		}
	}
	for name, build := range builds {
		builds[name] = l.newest(name, build)
	}
	var result []*mcfgv1.MachineOSBuild
	for _, build := range builds {
		if build != nil && ledger.IsOwnedBy(build, owner) {
			result = append(result, build)
		}
	}
	slices.SortFunc(result, func(x, y *mcfgv1.MachineOSBuild) int { return cmp.Compare(x.Name, y.Name) })
	return result
}
