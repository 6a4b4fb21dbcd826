package machineos

import (
	"context"
	"errors"
	"fmt"

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
	if problem := l.problem(); problem != "" {
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
	return true, err
}

// Prepare brings the MachineOSBuild of the outcome to what it is to say, and has the
// MachineOSConfig name it.
func (l *Ledger) Prepare(ctx context.Context, config *mcfgv1.MachineOSConfig, o *ledger.Outcome) error {
	build := l.Build(config, o.MachineOSBuild)
	if build != nil && (build.DeletionTimestamp != nil || o.Contradicts(&build.Status)) {
		if err := l.remove(ctx, build); err != nil {
			return err
		}
		build = nil
	}
	if build == nil {
		if err := l.mayWrite(); err != nil {
			return err
		}
		created, err := l.client.MachineconfigurationV1().MachineOSBuilds().Create(ctx, ledger.NewMachineOSBuild(config, o), metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("could not create MachineOSBuild %s: %w", o.MachineOSBuild, err)
		}
		build = l.wrote(created)
		klog.FromContext(ctx).Info("Created", "machineOSBuild", build.Name)
	}
	if status, changed := o.BuildStatus(&build.Status); changed {
		if err := l.mayWrite(); err != nil {
			return err
		}
		patched, err := l.client.MachineconfigurationV1().MachineOSBuilds().Patch(ctx, build.Name, types.MergePatchType, ledger.BuildPatch(build, status), metav1.PatchOptions{}, "status")
		if err != nil {
			return fmt.Errorf("could not patch MachineOSBuild %s: %w", build.Name, err)
		}
		l.metrics.ended(o.Pool, &build.Status, &patched.Status)
		l.wrote(patched)
	}
	return l.tidy(ctx, config, o, false)
}

// Name has the MachineOSConfig name the MachineOSBuild that counts.
func (l *Ledger) Name(ctx context.Context, config *mcfgv1.MachineOSConfig, o *ledger.Outcome) (*mcfgv1.MachineOSConfig, error) {
	if config.Annotations[constants.CurrentBuildAnnotation] == o.MachineOSBuild {
		return config, nil
	}
	return l.patchConfig(ctx, config, ledger.CurrentPatch(config, o.MachineOSBuild))
}

// Conclude brings the status of the MachineOSConfig to what it is to say.
func (l *Ledger) Conclude(ctx context.Context, config *mcfgv1.MachineOSConfig, o *ledger.Outcome) error {
	if status, changed := o.ConfigStatus(config); changed {
		patched, err := l.patchConfig(ctx, config, ledger.ConfigPatch(config, status), "status")
		if err != nil {
			return err
		}
		config = patched
	}
	if patch := ledger.SeededPatch(config); patch != nil {
		if _, err := l.patchConfig(ctx, config, patch); err != nil {
			return err
		}
	}
	if o.State != ledger.StatePublished {
		return nil
	}
	return l.tidy(ctx, config, o, true)
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
