package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

// What the controller writes for its users to read.
const (
	imageAnnotation       = "machineconfiguration.openshift.io/desired-os-image"
	imageConfigAnnotation = "machineconfiguration.openshift.io/desired-os-image-config"
	poolAnnotation        = "machineconfiguration.openshift.io/pool"
	configAnnotation      = "machineconfiguration.openshift.io/rendered-config"
)

const failureSettles = 2 * time.Second

// follower watches pools and what builds, and shows what changes.
type follower struct {
	show *display
	// changed holds one token when anything has changed since it was taken.
	changed chan struct{}
	stop    func() error

	mu sync.Mutex
	// shown are the pools that somebody waits for, with the config that they are to want.
	shown map[string]string
	pools map[string]*mcfgv1.MachineConfigPool
	// osConfigs are MachineOSConfigs by their pools, and osBuilds MachineOSBuilds by name.
	osConfigs map[string]*mcfgv1.MachineOSConfig
	osBuilds  map[string]*mcfgv1.MachineOSBuild
	// builds are the newest ones by the config that they are for.
	builds map[string]*build
	// published are the images by config, since their first sight.
	published map[string]publication
}

// publication is an image on a pool, or on the MachineOSConfig that opts it in.
type publication struct {
	image, build      string
	osConfig, osBuild string
	at                time.Time
}

func newFollower(show *display) *follower {
	return &follower{
		show: show, changed: make(chan struct{}, 1),
		osConfigs: map[string]*mcfgv1.MachineOSConfig{}, osBuilds: map[string]*mcfgv1.MachineOSBuild{},
		pools: map[string]*mcfgv1.MachineConfigPool{}, builds: map[string]*build{}, published: map[string]publication{},
	}
}

func startFollower(ctx context.Context, clients *clients, show *display) (*follower, error) {
	f := newFollower(show)
	pools := mcfginformers.NewSharedInformerFactory(clients.mcfg, 0)
	builds := buildinformers.NewSharedInformerFactoryWithOptions(clients.builds, 0, buildinformers.WithNamespace(devcluster.Namespace))
	jobs := informers.NewSharedInformerFactoryWithOptions(clients.kube, 0, informers.WithNamespace(devcluster.Namespace))
	handler := cache.ResourceEventHandlerFuncs{AddFunc: f.see, UpdateFunc: func(_, object any) { f.see(object) }}
	for _, informer := range []cache.SharedIndexInformer{
		pools.Machineconfiguration().V1().MachineConfigPools().Informer(), pools.Machineconfiguration().V1().MachineOSConfigs().Informer(),
		pools.Machineconfiguration().V1().MachineOSBuilds().Informer(), builds.Build().V1().Builds().Informer(), jobs.Batch().V1().Jobs().Informer(),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return nil, fmt.Errorf("could not watch pools and builds: %w", err)
		}
	}
	watchCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	pools.Start(watchCtx.Done())
	builds.Start(watchCtx.Done())
	jobs.Start(watchCtx.Done())
	f.stop = func() error {
		cancel()
		pools.Shutdown()
		builds.Shutdown()
		jobs.Shutdown()
		return nil
	}
	return f, nil
}

// see takes note of an object, and shows its pool anew.
func (f *follower) see(object any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	pool := ""
	switch o := object.(type) {
	case *mcfgv1.MachineConfigPool:
		pool = o.Name
		f.pools[pool] = o
		f.notePublication(o)
	case *mcfgv1.MachineOSConfig:
		pool = o.Spec.MachineConfigPool.Name
		f.osConfigs[pool] = o
	case *mcfgv1.MachineOSBuild:
		// A MachineOSConfig has the name of its pool.
		pool = o.Spec.MachineOSConfig.Name
		f.osBuilds[o.Name] = o
	case *buildv1.Build:
		pool = f.seeBuild(&o.ObjectMeta, "Build", string(o.Status.Phase), string(o.Status.Reason))
	case *batchv1.Job:
		phase, reason := jobPhase(o)
		pool = f.seeBuild(&o.ObjectMeta, "Job", phase, reason)
	}
	f.noteImage(pool)
	f.showPool(pool)
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// build is what runs one, whatever its kind.
type build struct {
	kind, name    string
	phase, reason string
	created       metav1.Time
}

// seeBuild takes note of a build, and returns the name of its pool.
func (f *follower) seeBuild(meta *metav1.ObjectMeta, kind, phase, reason string) string {
	config := meta.Annotations[configAnnotation]
	if known := f.builds[config]; known == nil || !meta.CreationTimestamp.Before(&known.created) {
		f.builds[config] = &build{kind: kind, name: meta.Name, phase: phase, reason: reason, created: meta.CreationTimestamp}
	}
	return meta.Annotations[poolAnnotation]
}

// jobPhase is how far a Job is, in a word, and why.
func jobPhase(job *batchv1.Job) (phase, reason string) {
	for _, condition := range job.Status.Conditions {
		if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			return string(condition.Type), condition.Reason
		}
	}
	status := &job.Status
	uncounted := ptr.Deref(status.UncountedTerminatedPods, batchv1.UncountedTerminatedPods{})
	switch {
	case ptr.Deref(status.Ready, 0) > 0:
		return "Running", ""
	case status.Succeeded+status.Failed > 0, len(uncounted.Succeeded)+len(uncounted.Failed) > 0:
		// Its pod has ended, which the Job does not say of itself yet.
		return "Ending", ""
	}
	return "Pending", ""
}

func (f *follower) showPool(name string) {
	pool := f.pools[name]
	// What was before the change that led here has been told already.
	if pool == nil || pool.Spec.Configuration.Name != f.shown[name] {
		return
	}
	if c := f.osConfig(name); c != nil {
		f.show.row(name, c.progress(f.builds[f.shown[name]]))
		return
	}
	if !isOptedIn(pool) {
		return
	}
	f.show.row(name, poolProgress(pool, f.builds[pool.Spec.Configuration.Name]))
}

// focus shows these pools and no others.
func (f *follower) focus(pools map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown = pools
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		f.showPool(name)
	}
}

func (f *follower) notePublication(pool *mcfgv1.MachineConfigPool) {
	if f.osConfigs[pool.Name] != nil {
		return // what counts is on the MachineOSConfig, and the pool has it earlier
	}
	config, image := pool.Annotations[imageConfigAnnotation], pool.Annotations[imageAnnotation]
	if _, known := f.published[config]; known || image == "" {
		return
	}
	p := publication{image: image, at: time.Now()}
	if build := f.builds[config]; build != nil {
		p.build = build.name
	}
	f.published[config] = p
}

// await waits until each pool has the image of the config that it is said to want, and says so in its conditions.
func (f *follower) await(ctx context.Context, wanted map[string]string) (map[string]publication, error) {
	f.focus(wanted)
	defer f.focus(nil)
	for {
		published, err := f.look(wanted)
		if err != nil {
			// The end of the build's log comes a moment after its failure.
			select {
			case <-time.After(failureSettles):
				_, err = f.look(wanted)
			case <-ctx.Done():
			}
		}
		if err != nil || len(published) == len(wanted) {
			return published, err
		}
		select {
		case <-f.changed:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, fmt.Errorf("%w; %s", context.Cause(ctx), f.summary(wanted))
			}
			return nil, context.Cause(ctx)
		}
	}
}

// look returns what is published of the wanted configs, and an error when nothing more can be expected.
func (f *follower) look(wanted map[string]string) (map[string]publication, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	done := map[string]publication{}
	for name, config := range wanted {
		pool := f.pools[name]
		if pool == nil {
			continue
		}
		if c := f.osConfig(name); c != nil {
			p, err := f.lookAtImage(c, config)
			if err != nil {
				return nil, err
			}
			if p != nil {
				done[name] = *p
			}
			continue
		}
		condition := buildCondition(pool)
		switch condition.Type {
		case mcfgv1.MachineConfigPoolBuildFailed, mcfgv1.MachineConfigPoolBuildInterrupted:
			return nil, errors.New(conditionText(pool))
		case mcfgv1.MachineConfigPoolBuildSuccess:
			if pool.Annotations[imageConfigAnnotation] != config {
				continue
			}
			p := f.published[config]
			if !strings.Contains(p.image, "@sha256:") {
				return nil, fmt.Errorf("pool %s has image %q for %s, which is not a pullspec with a digest", name, p.image, config)
			}
			done[name] = p
		}
	}
	return done, nil
}

// summary is where the pools stand.
func (f *follower) summary(wanted map[string]string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		part := "pool " + name + " was never seen"
		if pool := f.pools[name]; pool != nil {
			part = conditionText(pool)
		}
		if c := f.osConfig(name); c != nil {
			part = c.text()
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}
