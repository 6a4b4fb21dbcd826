package machineos

import (
	"context"
	"errors"
	"fmt"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// ErrOtherBuilder ends what is being told: by now somebody else tells it.
var ErrOtherBuilder = errors.New("another builder has taken over")

// mayWrite is asked ahead of every write. Who builds is another's affair from one moment to
// the next.
func (l *Ledger) mayWrite() error {
	if problem := l.Problem(); problem != "" {
		return fmt.Errorf("%w: %s", ErrOtherBuilder, problem)
	}
	return nil
}

// AcceptRequest takes a person's request for a rebuild away from the MachineOSConfig, and
// puts the one in its place that the plan is made with. It tells whether there was one.
func (l *Ledger) AcceptRequest(ctx context.Context, config *mcfgv1.MachineOSConfig) (bool, error) {
	if _, asked := config.Annotations[constants.RebuildAnnotation]; !asked {
		return false, nil
	}
	_, err := l.patchConfig(ctx, config, ledger.RequestPatch(config))
	return err == nil, err
}

// Prepare brings the MachineOSBuild of the outcome to what it is to say. Where somebody else
// says something else there, it returns how long to leave it at that.
func (l *Ledger) Prepare(ctx context.Context, config *mcfgv1.MachineOSConfig, o *ledger.Outcome) (time.Duration, error) {
	build := l.Build(config, o.MachineOSBuild)
	if build == nil || build.DeletionTimestamp != nil || o.Contradicts(&build.Status) {
		restraint := &l.restraintsOf(config).created
		if wait := restraint.Wait(o.Text(), o.Now); wait > 0 {
			return wait, nil
		}
		created, err := l.replace(ctx, config, build, o)
		if err != nil {
			return 0, err
		}
		restraint.Wrote(o.Text(), o.Now)
		build = created
	}
	if patch := o.ClaimPatch(build); patch != nil {
		patched, err := l.patchBuild(ctx, build, patch)
		if err != nil {
			return 0, err
		}
		build = patched
	}
	if status, changed := o.BuildStatus(&build.Status); changed {
		restraint := &l.restraintsOf(build).status
		if wait := restraint.Wait(o.Text(), o.Now); wait > 0 {
			return wait, nil
		}
		patched, err := l.patchBuild(ctx, build, ledger.BuildPatch(build, status), "status")
		if err != nil {
			return 0, err
		}
		restraint.Wrote(o.Text(), o.Now)
		l.metrics.ended(o.Pool, &build.Status, &patched.Status)
	}
	return 0, l.tidy(ctx, config, o, false)
}

// replace creates the MachineOSBuild of the outcome, in place of the one that there is.
func (l *Ledger) replace(ctx context.Context, config *mcfgv1.MachineOSConfig, old *mcfgv1.MachineOSBuild, o *ledger.Outcome) (*mcfgv1.MachineOSBuild, error) {
	if old != nil {
		if err := l.remove(ctx, old); err != nil {
			return nil, err
		}
	}
	if err := l.mayWrite(); err != nil {
		return nil, err
	}
	created, err := l.client.MachineconfigurationV1().MachineOSBuilds().Create(ctx, ledger.NewMachineOSBuild(config, o), metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("could not create MachineOSBuild %s: %w", o.MachineOSBuild, err)
	}
	klog.FromContext(ctx).Info("Created", "machineOSBuild", created.Name)
	return l.wrote(created), nil
}

// Name has the MachineOSConfig name the MachineOSBuild that counts, and returns it as it is
// then. Where somebody takes the name away, it also returns how long to leave it at that.
func (l *Ledger) Name(ctx context.Context, config *mcfgv1.MachineOSConfig, o *ledger.Outcome) (*mcfgv1.MachineOSConfig, time.Duration, error) {
	if config.Annotations[constants.CurrentBuildAnnotation] == o.MachineOSBuild {
		return config, 0, nil
	}
	restraint := &l.restraintsOf(config).current
	if wait := restraint.Wait(o.MachineOSBuild, o.Now); wait > 0 {
		return config, wait, nil
	}
	named, err := l.patchConfig(ctx, config, ledger.CurrentPatch(config, o.MachineOSBuild))
	if err != nil {
		return nil, 0, err
	}
	restraint.Wrote(o.MachineOSBuild, o.Now)
	return named, 0, nil
}

// Conclude brings the status of the MachineOSConfig to what it is to say, and returns it as it
// is then. Where somebody else says something else there, it also returns how long to leave it
// at that.
func (l *Ledger) Conclude(ctx context.Context, config *mcfgv1.MachineOSConfig, o *ledger.Outcome) (*mcfgv1.MachineOSConfig, time.Duration, error) {
	if status, changed := o.ConfigStatus(config); changed {
		restraint := &l.restraintsOf(config).status
		if wait := restraint.Wait(o.Text(), o.Now); wait > 0 {
			return config, wait, nil
		}
		patched, err := l.patchConfig(ctx, config, ledger.ConfigPatch(config, status), "status")
		if err != nil {
			return nil, 0, err
		}
		restraint.Wrote(o.Text(), o.Now)
		config = patched
	}
	if patch := ledger.SeededPatch(config); patch != nil {
		patched, err := l.patchConfig(ctx, config, patch)
		if err != nil {
			return nil, 0, err
		}
		config = patched
	}
	if o.State != ledger.StatePublished {
		return config, 0, nil
	}
	return config, 0, l.tidy(ctx, config, o, true)
}

// Abandon removes the MachineOSBuilds that have not said their last word, and whose builds are
// gone.
func (l *Ledger) Abandon(ctx context.Context, config *mcfgv1.MachineOSConfig) error {
	for _, build := range l.buildsOf(config) {
		if ledger.IsEnd(ledger.ProgressOf(&build.Status)) || build.DeletionTimestamp != nil {
			continue
		}
		if err := l.remove(ctx, build); err != nil {
			return err
		}
	}
	return nil
}

// tidy removes the MachineOSBuilds that have to go.
func (l *Ledger) tidy(ctx context.Context, config *mcfgv1.MachineOSConfig, o *ledger.Outcome, concluded bool) error {
	for _, build := range l.buildsOf(config) {
		if !o.Surplus(build, concluded) {
			continue
		}
		if err := l.remove(ctx, build); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) remove(ctx context.Context, build *mcfgv1.MachineOSBuild) error {
	if err := l.mayWrite(); err != nil {
		return err
	}
	err := l.client.MachineconfigurationV1().MachineOSBuilds().Delete(ctx, build.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(build.UID))})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("could not delete MachineOSBuild %s: %w", build.Name, err)
	}
	l.removed(build)
	klog.FromContext(ctx).Info("Deleted", "machineOSBuild", build.Name)
	return nil
}

func (l *Ledger) patchBuild(ctx context.Context, build *mcfgv1.MachineOSBuild, patch []byte, subresources ...string) (*mcfgv1.MachineOSBuild, error) {
	if err := l.mayWrite(); err != nil {
		return nil, err
	}
	patched, err := l.client.MachineconfigurationV1().MachineOSBuilds().Patch(ctx, build.Name, types.MergePatchType, patch, metav1.PatchOptions{}, subresources...)
	if err != nil {
		return nil, fmt.Errorf("could not patch MachineOSBuild %s: %w", build.Name, err)
	}
	return l.wrote(patched), nil
}

func (l *Ledger) patchConfig(ctx context.Context, config *mcfgv1.MachineOSConfig, patch []byte, subresources ...string) (*mcfgv1.MachineOSConfig, error) {
	if err := l.mayWrite(); err != nil {
		return nil, err
	}
	patched, err := l.client.MachineconfigurationV1().MachineOSConfigs().Patch(ctx, config.Name, types.MergePatchType, patch, metav1.PatchOptions{}, subresources...)
	if err != nil {
		return nil, fmt.Errorf("could not patch MachineOSConfig %s: %w", config.Name, err)
	}
	ledger.StripMachineOSConfig(patched)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.patched[config.Name] = patched
	return patched, nil
}
