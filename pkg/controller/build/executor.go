package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	"github.com/openshift/machine-config-operator/pkg/controller/build/registry"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// source is where an executor reads what no cache holds. A preview has another one.
type source interface {
	// secret and config return the API's errors. config is of the version that the cache
	// has, or else errStale.
	secret(ctx context.Context, name string) (*corev1.Secret, error)
	config(ctx context.Context, cached *mcfgv1.MachineConfig) (*mcfgv1.MachineConfig, error)
	// active are the builds of all pools that have not ended.
	active() []imagebuilder.Observation
	// digest is that of an image in a registry.
	digest(ctx context.Context, q registry.Question) (string, error)
}

// executor carries out plans.
type executor struct {
	poolWriter
	source
	callTimeout time.Duration
	builder     imagebuilder.ImageBuilder
	observer    *observer
	slots       *slots
	// isWanted tells whether any pool wants the config of that name.
	isWanted func(config string) bool
	contexts *Contexts
}

// execution carries out the plans of one sync. It takes the pool along from write to write:
// each one is locked to the version that the one before it returned.
type execution struct {
	*executor
	pool *mcfgv1.MachineConfigPool
	// tell, if there is one, is called once the outcome is on record, ahead of what is ended
	// and removed because of it.
	tell func(context.Context, plan.Plan) error
	// begin tells of the plan ahead of all that it does.
	begin func(context.Context) error
	// left are the effects of the plan that have not come about.
	left []plan.Effect
	// context is what LoadConfig made, for StartBuild, of the config at a version.
	context        []imagebuilder.File
	contextVersion string
}

// execute carries the effects out in order and stops at the first error, unless that is of a
// removal which holds up a build: it is made good for by the next sync.
func (x *execution) execute(ctx context.Context, p *plan.Plan) error {
	var removals []plan.Effect
	var failures error
	effects, remainder := p.Effects, p.Remainder()
	for i, effect := range effects {
		if i == remainder && x.tell != nil {
			if err := x.tell(ctx, *p); err != nil {
				return err
			}
		}
		x.left = slices.Concat(removals, effects[i:])
		if err := x.apply(ctx, effect); err != nil {
			failures = errors.Join(err, failures)
			if !plan.MayWait(effect, effects[i+1:]) || !isRefusal(err) && kindOf(err) != kindServer {
				return failures
			}
			removals = append(removals, effect)
			continue
		}
		klog.FromContext(ctx).V(2).Info("Done", "effect", fmt.Sprintf("%T", effect))
	}
	x.left = removals
	return failures
}

// carryOut executes a plan. What that met with may be what there is to report in
// place of the plan.
func (x *execution) carryOut(ctx context.Context, pool *mcfgv1.MachineConfigPool, p plan.Plan) (plan.Plan, error) {
	x.pool = pool
	err := x.execute(ctx, &p)
	var queued *queuedError
	switch {
	case err == nil:
		return p, nil
	case errors.As(err, &queued):
		return queued.plan(), nil
	}
	return x.failed(p, err)
}

// failed is what there is to report in place of a plan that met with the error.
func (x *execution) failed(p plan.Plan, err error) (plan.Plan, error) {
	switch of := sortError(err); {
	case of.hold == nil:
		return p, err
	case of.refused:
		return plan.Refused(p, *of.hold, x.left), err
	default:
		return plan.Held(*of.hold), err
	}
}

func (x *execution) apply(ctx context.Context, effect plan.Effect) error {
	ctx, cancel := context.WithTimeout(ctx, x.callTimeout)
	defer cancel()

	switch e := effect.(type) {
	case plan.InspectSecret:
		return x.inspectSecret(ctx, e.Name)
	case plan.LoadConfig:
		return x.loadConfig(ctx, e)
	case plan.ConfirmBuild, plan.VerifyBuild, plan.ConfirmPool, plan.ConfirmOptOut, plan.TellBeginning:
		return x.confirm(ctx, e)
	case plan.FindImage:
		return x.findImage(ctx, e)
	case plan.TakeSlot:
		return x.takeSlot(e)
	case plan.WriteRecord:
		return x.patchPool(ctx, ledger.ClaimPatch(x.pool, &e.Record, e.Rebuild))
	case plan.Publish:
		return x.patchPool(ctx, ledger.PublishPatch(x.pool, &e.Record))
	case plan.StartBuild:
		return x.startBuild(ctx, e.Request)
	case plan.DeleteInputs:
		return x.builder.DeleteInputs(ctx, e.Name)
	case plan.StopBuild:
		return x.builder.Stop(ctx, e.Name, e.UID)
	case plan.DeleteBuild:
		return x.builder.Delete(ctx, e.Name, e.UID)
	case plan.RemoveTraces:
		return x.removeTraces(ctx)
	}
	return fmt.Errorf("could not execute effect %T: it is unknown", effect)
}

// startBuild creates a build. Where others have the name of its inputs, and there is no build
// of that name, the next plan, on the claim, does without.
func (x *execution) startBuild(ctx context.Context, request imagebuilder.Request) error {
	request.Context = x.context
	err := x.builder.Start(ctx, request)
	if errors.Is(err, imagebuilder.ErrForeign) {
		if live, failed := x.builder.Get(ctx, request.Name); failed == nil && live.Phase == imagebuilder.PhaseAbsent {
			x.memory.noteTaken(x.pool.Name, plan.Taken{Build: request.Name, Why: err.Error()})
			return errStale
		}
	}
	return ofBuilder(err)
}

// confirm looks at the cluster itself, and ends the execution when the plan was made on
// something else.
func (x *execution) confirm(ctx context.Context, effect plan.Effect) error {
	switch e := effect.(type) {
	case plan.ConfirmBuild:
		return x.confirmBuild(ctx, e)
	case plan.VerifyBuild:
		return x.verifyBuild(ctx, e)
	case plan.ConfirmOptOut:
		return x.confirmOptOut(ctx)
	case plan.TellBeginning:
		return x.begin(ctx)
	}
	return x.confirmPool(ctx)
}

// confirmPool ends the execution when the pool is not as the plan was made on it.
func (x *execution) confirmPool(ctx context.Context) error {
	live, err := x.client.MachineconfigurationV1().MachineConfigPools().Get(ctx, x.pool.Name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("could not get MachineConfigPool %s: %w", x.pool.Name, err)
	}
	if live.UID != x.pool.UID || live.ResourceVersion != x.pool.ResourceVersion {
		return errStale
	}
	return nil
}

// inspectSecret reads a credential Secret and keeps what it found, but none of
// the content. The plan is made anew with the found.
func (x *execution) inspectSecret(ctx context.Context, name string) error {
	secret, err := x.secret(ctx, name)
	if apierrors.IsNotFound(err) {
		return errStale
	}
	if err != nil {
		return fmt.Errorf("could not get %s: %w", inputs.SecretObject(name), err)
	}
	credentials, problem := inputs.ReadCredentials(secret)
	x.observer.knowledge.secrets.set(name, secret.ResourceVersion, secretFound{credentials: credentials, problem: problem})
	if known, err := x.observer.observeSecret(name); err != nil || known.ResourceVersion != secret.ResourceVersion {
		return errors.Join(errStale, err)
	}
	return errPlanAnew
}

// loadConfig reads the rendered MachineConfig in full, once per build: keeping
// the content of every config in memory would cost a hundred times as much as
// the rest of the caches.
func (x *execution) loadConfig(ctx context.Context, effect plan.LoadConfig) error {
	cached, err := x.observer.mcLister.Get(effect.Name)
	if err != nil {
		return errStale
	}
	if x.contextVersion != "" && x.contextVersion == cached.ResourceVersion {
		return nil
	}
	config, err := x.config(ctx, cached)
	if err != nil {
		return err
	}
	files, found := x.contexts.of(config, effect)
	x.context, x.contextVersion = files, config.ResourceVersion
	knowledge := x.observer.knowledge
	if effect.Past {
		return nil
	}
	if knowledge.learnConfig(effect.Name, config.ResourceVersion+inputs.Hash([]byte(effect.Custom.Text())), found) {
		knowledge.configs.keep(x.isWanted)
		return errPlanAnew
	}
	return nil
}

// confirmBuild ends the execution when the live build is not as the plan needs it.
func (x *execution) confirmBuild(ctx context.Context, effect plan.ConfirmBuild) error {
	live, err := x.builder.Get(ctx, effect.Name)
	if err != nil {
		return ofBuilder(err)
	}
	if !effect.Holds(live) {
		return errStale
	}
	return nil
}

// verifyBuild ends the execution when the live build is not the plan's, or not as the
// controller would have made it. What is found out of the latter is remembered, so that the
// next plan does without the build.
func (x *execution) verifyBuild(ctx context.Context, effect plan.VerifyBuild) error {
	request := effect.Request
	request.Context = x.context
	if effect.Recorded && x.context == nil {
		// The config cannot be read any more, so there is nothing to compare with.
		return nil
	}
	live, err := x.builder.Verify(ctx, request)
	if errors.Is(err, imagebuilder.ErrForeign) {
		x.memory.noteStranger(x.pool.Name, effect.Cached.UID, err.Error())
		return errPlanAnew
	}
	if err != nil {
		return ofBuilder(err)
	}
	if !effect.Holds(live) {
		return errStale
	}
	x.memory.noteVerified(x.pool.Name, effect.Cached.UID, effect.Cached.LateInputs)
	return nil
}

// findImage asks the registry for an image. That it does not answer may pass for a minute.
func (x *execution) findImage(ctx context.Context, effect plan.FindImage) error {
	secret, err := x.secret(ctx, effect.PushSecret)
	if err != nil && !apierrors.IsNotFound(err) && !effect.Once {
		return fmt.Errorf("could not get %s: %w", inputs.SecretObject(effect.PushSecret), err)
	}
	repository, tag, byDigest := strings.Cut(effect.Image, "@")
	if !byDigest {
		at := strings.LastIndex(effect.Image, ":")
		repository, tag = effect.Image[:at], effect.Image[at+1:]
	}
	q := registry.Question{Repository: repository, Tag: tag, Certificates: x.observer.registryCertificates()}
	if err == nil {
		q.User, q.Password = inputs.LoginFor(secret, effect.Image)
	}
	digest, err := x.digest(ctx, q)
	found := plan.FoundImage{Image: q.Repository + "@" + digest}
	if err != nil {
		found = plan.FoundImage{Why: err.Error(), Missing: errors.Is(err, registry.ErrMissing)}
	}
	final := err == nil || effect.Once || errors.Is(err, registry.ErrMissing) || errors.Is(err, registry.ErrDenied)
	if !x.memory.noteFound(x.pool.Name, effect.About, found, final, x.clock.Now()) {
		return err
	}
	return errPlanAnew
}

// takeSlot ends the execution with a queuedError when there is no slot.
func (x *execution) takeSlot(effect plan.TakeSlot) error {
	now := x.clock.Now()
	since := x.slots.since(x.pool.Name)
	if since.IsZero() {
		// A controller before this one may have put the pool into the queue.
		since = ledger.ReadConditions(x.pool.Status.Conditions).QueuedSince()
	}
	if since.IsZero() {
		since = now
	}
	if queued := x.slots.take(x.pool.Name, effect, x.active(), since, now); queued != nil {
		return queued
	}
	return nil
}

func (x *execution) removeTraces(ctx context.Context) error {
	if patch := ledger.RemovalPatch(x.pool); patch != nil {
		if err := x.patchPool(ctx, patch); err != nil {
			return err
		}
	}
	if kept := ledger.WithoutOurs(x.pool.Status.Conditions); len(kept) < len(x.pool.Status.Conditions) {
		return x.patchPool(ctx, ledger.ReplaceConditions(x.pool, kept), "status")
	}
	return nil
}

func (x *execution) patchPool(ctx context.Context, patch []byte, subresources ...string) error {
	pool, err := x.write(ctx, x.pool.Name, types.MergePatchType, patch, subresources...)
	if err != nil {
		return err
	}
	x.pool = pool
	return nil
}

// liveSource is the API, as the controller reads it.
type liveSource struct {
	kube        kubernetes.Interface
	mcfg        mcfgclientset.Interface
	builder     imagebuilder.ImageBuilder
	registry    ImageRegistry
	takeContent func(*mcfgv1.MachineConfig) []byte
}

func (s *liveSource) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	return s.kube.CoreV1().Secrets(ctrlcommon.MCONamespace).Get(ctx, name, metav1.GetOptions{})
}

// config is the cached config with its content, which is at hand only while the config is
// new.
func (s *liveSource) config(ctx context.Context, cached *mcfgv1.MachineConfig) (*mcfgv1.MachineConfig, error) {
	if content := s.takeContent(cached); content != nil {
		config := cached.DeepCopy()
		config.Spec.Config.Raw = content
		return config, nil
	}
	config, err := s.mcfg.MachineconfigurationV1().MachineConfigs().Get(ctx, cached.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, errStale
	}
	if err != nil {
		return nil, fmt.Errorf("could not get %s: %w", inputs.MachineConfigObject(cached.Name), err)
	}
	if cached.ResourceVersion != config.ResourceVersion {
		// What the plan knows of the config is not what was read.
		return nil, errStale
	}
	return config, nil
}

func (s *liveSource) digest(ctx context.Context, q registry.Question) (string, error) {
	return s.registry.Digest(ctx, q)
}

func (s *liveSource) active() []imagebuilder.Observation { return s.builder.Active() }
