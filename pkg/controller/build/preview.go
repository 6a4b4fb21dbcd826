package build

import (
	"context"
	"errors"
	"fmt"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfglistersv1 "github.com/openshift/client-go/machineconfiguration/listers/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelistersv1 "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	"github.com/openshift/machine-config-operator/pkg/controller/build/registry"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Preview is what the controller would decide on Objects.
type Preview struct {
	// Snapshot is what it would see, and Plan what it would do and report.
	Snapshot plan.Snapshot
	Plan     plan.Plan
	// Starts tells that the plan starts a build.
	Starts bool
	// Request is that build or, if the plan starts none, the one that there would be if
	// nothing were in its way; nil if it is not known what to build. Its name is an
	// example, unless it is claimed: the name of an attempt depends on when it is made.
	// Without a context it cannot be built from.
	Request *imagebuilder.Request
	// Assumed are the Secrets that are taken for usable, in the order of the settings.
	Assumed []string
}

// NewPreview decides on objects by the code that the controller itself decides by: an
// observer that has them in its caches, the plan, and an executor that goes through the
// effects as far as those only read. Nothing is written, and no API is called.
// An error is one of the controller's own.
func NewPreview(o Objects) (Preview, error) {
	x, err := o.executor()
	if err != nil {
		return Preview{}, err
	}
	for round := 1; ; round++ {
		p, learned, err := x.preview(&o)
		if err != nil || !learned || round >= maxRounds {
			return p, err
		}
	}
}

// preview is one round: learned tells that effects brought something to light that the
// plan has to take into account.
func (x *executor) preview(o *Objects) (p Preview, learned bool, err error) {
	if p.Snapshot, err = x.observer.observe(o.Pool); err != nil {
		return p, false, err
	}
	p.Snapshot.Now = o.Now
	// A build has the same name whenever it is looked at.
	p.Snapshot.Nonce = "preview"
	// Whoever looks is not held up by the wait for inputs to stop changing.
	p.Snapshot.WaitingSince = time.Unix(0, 0)
	p.Assumed = o.assume(&p.Snapshot)
	if p.Plan = plan.Compute(p.Snapshot); p.Plan.State == ledger.StateUnsettled {
		// The builds are not those of a cache, which may lag.
		p.Snapshot.Now = o.Now.Add(p.Plan.RequeueAfter)
		p.Plan = plan.Compute(p.Snapshot)
	}
	if p.Plan.HalfWritten != "" {
		// Nor for the rest of an end: files that people keep may not have it.
		p.Snapshot.HalfWritten = plan.HalfWritten{Build: p.Plan.HalfWritten}
		p.Plan = plan.Compute(p.Snapshot)
	}
	learned, err = x.readOnly(o, &p)
	if err != nil || learned {
		return p, learned, err
	}
	if p.Request == nil {
		unheld := Preview{Snapshot: unheld(p.Snapshot)}
		unheld.Plan = plan.Compute(unheld.Snapshot)
		if learned, err = x.readOnly(o, &unheld); err != nil || learned {
			return p, learned, err
		}
		p.Request = unheld.Request
	}
	return p, false, nil
}

// readOnly goes through the effects of the plan, as far as they only read, and fills in
// the build that they start. Queueing takes the place of the plan.
func (x *executor) readOnly(o *Objects, p *Preview) (learned bool, err error) {
	run := &execution{executor: x, pool: o.Pool}
	queued := false
	for _, effect := range p.Plan.Effects {
		switch e := effect.(type) {
		case plan.InspectSecret, plan.LoadConfig, plan.TakeSlot:
			// Nothing is waited for: the source is in memory.
			err := run.apply(context.Background(), effect) //nolint:forbidigo // nothing is called
			var none *queuedError
			switch {
			case errors.As(err, &none):
				p.Plan, queued = none.plan(), true
			case errors.Is(err, errPlanAnew):
				return true, nil
			case err != nil && !errors.Is(err, errStale):
				return false, err
			}
		case plan.StartBuild:
			// What a claim says is of the moment that it is made in.
			e.Request.Context, e.Request.Claim = run.context, ""
			p.Request, p.Starts = &e.Request, !queued
		}
	}
	return false, nil
}

// unheld is the snapshot of a pool that has no history, and that nothing keeps from
// being built but that it is not known what to build.
func unheld(s plan.Snapshot) plan.Snapshot {
	s.Pool = ledger.Pool{Name: s.Pool.Name, UID: s.Pool.UID, Layered: true, WantedConfig: s.Pool.WantedConfig}
	s.Builds, s.BuilderProblem = nil, ""
	s.Config.Problem, s.Config.Refusal = nil, nil
	s.Entitled.RepositoryKeys = []string{inputs.ExtensionsRepositoryKey}
	usable := plan.Secret{Exists: true, Inspected: true, Credentials: inputs.CredentialsFor(s.Settings.Values.FinalImageRepository)}
	s.PushSecret, s.PullSecret = usable, usable
	return s
}

// assume makes the Secrets that could not be read look as if nothing were wrong with
// them, and lists them.
func (o *Objects) assume(s *plan.Snapshot) []string {
	// A version that is not known is taken for the one that the newest attempt used, or
	// else a failed build would seem to be due again.
	var recorded ledger.Versions
	if s.Pool.Record != nil {
		recorded = s.Pool.Record.Versions
	}
	var assumed []string
	for _, secret := range []struct {
		name, version string
		known         *plan.Secret
	}{
		{s.Settings.Values.FinalImagePushSecret, recorded.Push, &s.PushSecret},
		{s.Settings.Values.BaseImagePullSecret, recorded.Pull, &s.PullSecret},
	} {
		if secret.name == "" || o.Unread == nil || !o.Unread(secret.name) {
			continue
		}
		*secret.known = plan.Secret{
			Exists: true, Inspected: true, Credentials: inputs.CredentialsFor(s.Settings.Values.FinalImageRepository),
			ResourceVersion: secret.version,
		}
		if len(assumed) == 0 || assumed[0] != secret.name {
			assumed = append(assumed, secret.name)
		}
	}
	return assumed
}

// Objects are what a decision about a pool depends on, however they were come by.
type Objects struct {
	// Now is the instant to decide at.
	Now time.Time
	// Pool is the pool to decide about, Pools are all that are known.
	Pool  *mcfgv1.MachineConfigPool
	Pools []*mcfgv1.MachineConfigPool
	// Configs hold at least the config that the pool wants, in full, if it exists.
	Configs           []*mcfgv1.MachineConfig
	ControllerConfigs []*mcfgv1.ControllerConfig
	// MachineOSConfigs and MachineOSBuilds are all that are known. Where one refers to the
	// pool, it is taken for granted that the controller goes by them.
	MachineOSConfigs []*mcfgv1.MachineOSConfig
	MachineOSBuilds  []*mcfgv1.MachineOSBuild
	// ConfigMaps and Secrets are of the operator's namespace.
	ConfigMaps []*corev1.ConfigMap
	Secrets    []*corev1.Secret
	// Unread tells of a Secret that it is not known, so that it is taken for one that
	// exists and is of use; nil for none.
	Unread func(secret string) bool
	// Builds are those of the pool, Active the names of those of any pool that have
	// not ended, and BuilderProblem is why there can be none; empty if there can.
	Builds         []imagebuilder.Observation
	Active         []string
	BuilderProblem string
}

// executor makes one that knows the objects and has nothing to call.
func (o *Objects) executor() (*executor, error) {
	configs, controllerConfigs, configMaps, secrets := newIndexer(), newIndexer(), newIndexer(), newIndexer()
	x := &executor{
		poolWriter: poolWriter{clock: instant(o.Now)},
		source:     (*knownObjects)(o),
		slots:      newSlots(),
		isWanted:   func(string) bool { return true },
		observer: &observer{
			clock:         instant(o.Now),
			mcLister:      mcfglistersv1.NewMachineConfigLister(configs),
			ccLister:      mcfglistersv1.NewControllerConfigLister(controllerConfigs),
			cmLister:      corelistersv1.NewConfigMapLister(configMaps),
			secretIndexer: secrets,
			builder:       knownBuilds{observations: o.Builds, problem: o.BuilderProblem},
			knowledge:     &knowledge{},
			memory:        newMemory(),
		},
	}
	var err error
	if x.observer.machineOS, err = o.machineOS(); err != nil {
		return nil, err
	}
	for _, object := range o.Configs {
		if err := add(configs, object.DeepCopy()); err != nil {
			return nil, err
		}
	}
	for _, object := range o.ControllerConfigs {
		if err := add(controllerConfigs, object.DeepCopy()); err != nil {
			return nil, err
		}
	}
	for _, object := range o.ConfigMaps {
		if err := add(configMaps, object.DeepCopy()); err != nil {
			return nil, err
		}
	}
	for _, object := range o.Secrets {
		meta := &metav1.PartialObjectMetadata{ObjectMeta: *object.ObjectMeta.DeepCopy()}
		if err := add(secrets, meta); err != nil {
			return nil, err
		}
	}
	for _, pool := range o.Pools {
		if since := ledger.ReadConditions(pool.Status.Conditions).QueuedSince(); pool.Name != o.Pool.Name && !since.IsZero() {
			// Without a slot at all, whoever asks for one waits.
			_ = x.slots.take(pool.Name, plan.TakeSlot{}, nil, since, o.Now)
		}
	}
	return x, nil
}

// machineOS finds MachineOSConfigs; nil where there are none.
func (o *Objects) machineOS() (*machineos.Ledger, error) {
	if len(o.MachineOSConfigs) == 0 {
		return nil, nil
	}
	configs := cache.NewSharedIndexInformer(&cache.ListWatch{}, &mcfgv1.MachineOSConfig{}, 0, cache.Indexers{})
	builds := cache.NewSharedIndexInformer(&cache.ListWatch{}, &mcfgv1.MachineOSBuild{}, 0, cache.Indexers{})
	found, err := machineos.New(nil, configs, builds, func() string { return "" })
	if err != nil {
		return nil, err
	}
	for _, object := range o.MachineOSConfigs {
		if err := add(configs.GetIndexer(), object.DeepCopy()); err != nil {
			return nil, err
		}
	}
	for _, object := range o.MachineOSBuilds {
		if err := add(builds.GetIndexer(), object.DeepCopy()); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// instant is a clock that stands still.
type instant time.Time

// Now implements clock.PassiveClock.
func (i instant) Now() time.Time { return time.Time(i) }

// Since implements clock.PassiveClock.
func (i instant) Since(before time.Time) time.Duration { return time.Time(i).Sub(before) }

func newIndexer() cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
}

// add puts an object into a cache. What is remembered of objects is by their version,
// so one that was never in a cluster gets one, too.
func add(indexer cache.Indexer, object metav1.Object) error {
	if err := indexer.Add(versioned(object)); err != nil {
		return fmt.Errorf("could not look at %s: %w", object.GetName(), err)
	}
	return nil
}

func versioned[T metav1.Object](object T) T {
	if object.GetResourceVersion() == "" {
		object.SetResourceVersion("unknown")
	}
	return object
}

// knownObjects are the source of an executor that has nothing to call.
type knownObjects Objects

func (o *knownObjects) secret(_ context.Context, name string) (*corev1.Secret, error) {
	for _, secret := range o.Secrets {
		if secret.Name == name && secret.Namespace == ctrlcommon.MCONamespace {
			return versioned(secret.DeepCopy()), nil
		}
	}
	return nil, errStale
}

// config is the cached one, which is whole.
func (o *knownObjects) config(_ context.Context, cached *mcfgv1.MachineConfig) (*mcfgv1.MachineConfig, error) {
	return cached, nil
}

// digest is not asked for: what is previewed has not been built.
func (o *knownObjects) digest(context.Context, registry.Question) (string, error) {
	return "", registry.ErrMissing
}

func (o *knownObjects) active() []imagebuilder.Observation {
	active := make([]imagebuilder.Observation, 0, len(o.Active))
	for _, name := range o.Active {
		active = append(active, imagebuilder.Observation{Name: name, Created: o.Now, Phase: imagebuilder.PhaseRunning})
	}
	return active
}

// knownBuilds is a backend of which the builds are known. It can do nothing else.
type knownBuilds struct {
	imagebuilder.ImageBuilder
	observations []imagebuilder.Observation
	problem      string
}

// Observe implements ImageBuilder.
func (b knownBuilds) Observe(string) ([]imagebuilder.Observation, error) {
	if b.problem != "" {
		return nil, &imagebuilder.UnavailableError{Message: b.problem}
	}
	// The caller filters what it gets.
	return append([]imagebuilder.Observation(nil), b.observations...), nil
}
