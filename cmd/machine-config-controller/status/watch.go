package status

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

const (
	// together is for how long changes are gathered, since pools and Builds arrive apart.
	together = 250 * time.Millisecond
	// lookAgain is how often rows are looked at that nothing changed but time.
	lookAgain = 10 * time.Second
)

// watchedWidths are cells as wide as most that come, so that rows stay aligned.
var watchedWidths = []string{"control-plane", string(ledger.StateContradictory), "RenderedConfigMissing", "rendered-worker-0123abcd…", "sha256:0123456789ab… (old)", "999s", "ATTEMPT"}

// statusWatch writes the rows of pools as they change.
type statusWatch struct {
	*options
	out, notes io.Writer
	columns    columns
	// shown is what was written last of each pool, at.
	shown map[string]status.Pool
	at    map[string]time.Time

	pools, settings cache.SharedIndexInformer
	// machineOSConfigs and machineOSBuilds are nil where the cluster does not serve them.
	machineOSConfigs, machineOSBuilds cache.SharedIndexInformer
	builds                            imagebuilder.Watcher
	changed                           chan struct{}
	// clients know how the API server answers, and told is what was said of that last: an
	// informer that is not answered or is refused says nothing, and the rows would look
	// current.
	clients *cluster.Clients
	told    []string
	cut     bool
}

// watchStatus writes the rows until the context ends, which is how a person ends it.
func watchStatus(ctx context.Context, clients *cluster.Clients, o *options, out, notes io.Writer) error {
	// An informer tries for ever what will never be, so what is wrong shows here.
	first, notRead, err := gather(ctx, clients)
	if err != nil {
		return err
	}
	if err := o.requireNamed(status.Of(first)); err != nil {
		return err
	}
	for _, note := range notRead {
		_, _ = fmt.Fprintln(notes, "Not read: "+note)
	}
	w := &statusWatch{options: o, out: out, notes: notes, shown: map[string]status.Pool{}, at: map[string]time.Time{}, changed: make(chan struct{}, 1)}
	w.columns = *newColumns(out, o.output == cluster.Wide)
	w.columns.fit(watchedWidths)
	w.clients = clients
	if first.MachineOSConfigs != nil {
		of := mcfginformers.NewSharedInformerFactory(clients.ForWatch().MachineConfiguration, 0).Machineconfiguration().V1()
		w.machineOSConfigs, w.machineOSBuilds = of.MachineOSConfigs().Informer(), of.MachineOSBuilds().Informer()
	}
	run, err := w.informers(clients.ForWatch(), first.BuildsKnown, first.MaxAttempts > 0)
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer running.Wait()
	defer cancel()
	for _, informer := range run {
		running.Go(func() { informer.RunWithContext(ctx) })
	}
	filled := []cache.InformerSynced{}
	for _, informer := range run {
		filled = append(filled, informer.HasSynced)
	}
	if w.builds != nil {
		running.Go(func() { w.builds.Run(ctx) })
		filled = append(filled, w.builds.HasSynced)
	}
	if !w.fill(ctx, filled) {
		return nil
	}
	return w.follow(ctx)
}

// fill waits until everything was read once, and tells what keeps it from being read. It
// returns false if the context ends before.
func (w *statusWatch) fill(ctx context.Context, filled []cache.InformerSynced) bool {
	for {
		looked, cancel := context.WithTimeout(ctx, lookAgain)
		done := cache.WaitForCacheSync(looked.Done(), filled...)
		cancel()
		if done || ctx.Err() != nil {
			return done
		}
		w.checkAnswers(ctx)
	}
}

// informers makes those of what may be read.
func (w *statusWatch) informers(clients *cluster.Clients, builds, settings bool) ([]cache.SharedIndexInformer, error) {
	w.pools = mcfginformers.NewSharedInformerFactory(clients.MachineConfiguration, 0).Machineconfiguration().V1().MachineConfigPools().Informer()
	all := []cache.SharedIndexInformer{w.pools}
	if w.machineOSConfigs != nil {
		all = append(all, w.machineOSConfigs, w.machineOSBuilds)
	}
	if builds {
		var err error
		if w.builds, err = clients.Inventory.Watch(w.notice); err != nil {
			return nil, fmt.Errorf("could not watch: %w", err)
		}
	}
	if settings {
		w.settings = informers.NewSharedInformerFactoryWithOptions(clients.Kube, 0, informers.WithNamespace(ctrlcommon.MCONamespace),
			informers.WithTweakListOptions(func(l *metav1.ListOptions) { l.FieldSelector = "metadata.name=" + constants.ConfigMapName })).Core().V1().ConfigMaps().Informer()
		all = append(all, w.settings)
	}
	for _, informer := range all {
		if err := informer.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {}); err != nil {
			return nil, fmt.Errorf("could not watch: %w", err)
		}
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { w.notice() }, UpdateFunc: func(any, any) { w.notice() }, DeleteFunc: func(any) { w.notice() },
		}); err != nil {
			return nil, fmt.Errorf("could not watch: %w", err)
		}
	}
	return all, nil
}

// notice has the rows looked at.
func (w *statusWatch) notice() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *statusWatch) follow(ctx context.Context) error {
	for first := true; ; first = false {
		if err := w.show(time.Now(), first); err != nil {
			return fmt.Errorf("could not write the status: %w", err)
		}
		select {
		case <-w.changed:
		case <-time.After(lookAgain):
			w.checkAnswers(ctx)
		case <-ctx.Done():
			return nil
		}
		select {
		case <-time.After(together):
		case <-ctx.Done():
			return nil
		}
	}
}

// show writes the rows that differ from what was written last; the first time all.
func (w *statusWatch) show(now time.Time, first bool) error {
	var pools []status.Pool
	present := map[string]bool{}
	for _, p := range status.Of(w.objects(now)) {
		before, known := w.shown[p.Name]
		present[p.Name] = true
		// A pool that opts out has a last row.
		if !w.lists(&p) && !known || known && !p.Changed(&before, now, w.at[p.Name], w.output == cluster.Wide) {
			continue
		}
		pools = append(pools, p)
		if w.shown[p.Name], w.at[p.Name] = p, now; !w.lists(&p) {
			delete(w.shown, p.Name)
		}
	}
	for name, p := range w.shown {
		if !present[name] {
			delete(w.shown, name)
			pools = append(pools, status.Pool{Name: name, OptedIn: p.OptedIn, State: ledger.StateDeleted})
		}
	}
	return w.write(pools, now, first)
}

func (w *statusWatch) write(pools []status.Pool, now time.Time, first bool) error {
	if w.output != cluster.Text && w.output != cluster.Wide {
		return w.writeForTools(pools, first)
	}
	text := statusText{report: &status.Report{Pools: pools}, now: now, wide: w.output == cluster.Wide, noHeaders: w.printing.NoHeaders}
	if first {
		if len(pools) == 0 {
			_, _ = fmt.Fprintln(w.notes, nobodyOptedIn)
		}
		_, err := io.WriteString(w.out, text.table(&w.columns))
		return err
	}
	for i := range pools {
		if _, err := io.WriteString(w.out, w.columns.line(pools[i].Cells(now, text.wide))); err != nil {
			return err
		}
	}
	return nil
}

// writeForTools writes each pool as an object of its own. Titles of columns come once.
func (w *statusWatch) writeForTools(pools []status.Pool, first bool) error {
	printing := w.printing
	printing.NoHeaders = printing.NoHeaders || !first
	for i := range pools {
		if w.output == cluster.YAML {
			if _, err := io.WriteString(w.out, "---\n"); err != nil {
				return err
			}
		}
		written := cluster.Report{Value: pools[i], Rows: []any{pools[i]}, Names: []string{nameOf(&pools[i])}}
		if err := printing.Write(w.out, written, w.output); err != nil {
			return err
		}
		printing.NoHeaders = true
	}
	return nil
}

// objects are those in the caches.
func (w *statusWatch) objects(now time.Time) status.Objects {
	o := status.Objects{Now: now, Pools: stored[mcfgv1.MachineConfigPool](w.pools)}
	if w.builds != nil {
		o.Builds, o.BuildsKnown = observationsOf(w.builds.Builds()), true
	}
	if w.machineOSConfigs != nil {
		o.MachineOSConfigs, o.MachineOSBuilds = stored[mcfgv1.MachineOSConfig](w.machineOSConfigs), stored[mcfgv1.MachineOSBuild](w.machineOSBuilds)
	}
	if w.settings != nil {
		o.MaxAttempts = maxAttempts(stored[corev1.ConfigMap](w.settings))
	}
	return o
}

func stored[T any](informer cache.SharedIndexInformer) []*T {
	var objects []*T
	for _, object := range informer.GetStore().List() {
		if o, ok := object.(*T); ok {
			objects = append(objects, o)
		}
	}
	return slices.Clip(objects)
}
