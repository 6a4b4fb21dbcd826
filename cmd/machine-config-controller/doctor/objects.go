package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/doctor"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// look gathers everything once and examines it.
func (e examiner) look(ctx context.Context, a *access) (*doctor.Report, error) {
	g, err := e.GatherShared(ctx)
	if err != nil {
		return nil, err
	}
	d := &doctorObjects{gathered: g}
	d.Objects = doctor.Objects{
		Now: g.Now, Pools: g.Pools, Backend: e.Backend, Builds: g.Made, BuildsKnown: g.BuildsKnown, BuilderProblem: g.BuilderProblem,
		Account: a.account, AccountMissing: a.missing, Denied: a.denied,
	}
	d.sharedRead = g.Forbidden == nil
	if !d.sharedRead {
		d.left = strings.Split(g.Forbidden.Error(), "\n")
	}
	if !g.BuildsKnown && g.BuilderProblem == "" {
		d.left = append(d.left, "Builds: these credentials may not list them")
	}
	d.settings()
	if err := e.lookAtInputs(ctx, d); err != nil {
		return nil, err
	}
	if err := e.lookAtMachineOS(ctx, d, a); err != nil {
		return nil, err
	}
	if err := e.lookAtConfigs(ctx, d); err != nil {
		return nil, err
	}
	if err := e.lookAtLease(ctx, d); err != nil {
		return nil, err
	}
	if err := e.decide(ctx, d); err != nil {
		return nil, err
	}
	return &doctor.Report{Findings: doctor.Examine(d.Objects), NotChecked: append(d.left, a.notChecked...), Looked: d.Looked()}, nil
}

// doctorObjects are the objects of one look as they are being gathered.
type doctorObjects struct {
	doctor.Objects
	gathered *cluster.Objects
	// left is what could not be looked at.
	left []string
	// sharedRead and configsRead tell that all that is common to the pools could be read,
	// and the wanted configs in full.
	sharedRead, configsRead bool
}

// settings sorts out the ConfigMaps and the Secrets that they name.
func (d *doctorObjects) settings() {
	g := d.gathered
	d.SettingsKnown = g.ConfigMapsKnown
	for _, configMap := range g.ConfigMaps {
		switch configMap.Name {
		case constants.ConfigMapName:
			d.Settings = configMap
		case inputs.CustomConfigMapName:
			d.Custom = configMap
		case inputs.RepositoriesConfigName:
			d.Repositories = configMap
		}
	}
	if d.Settings == nil {
		return
	}
	settings, _ := inputs.ReadSettings(d.Settings)
	for _, named := range []struct{ name, key string }{
		{settings.FinalImagePushSecret, constants.FinalImagePushSecretKey},
		{settings.BaseImagePullSecret, constants.BaseImagePullSecretKey},
	} {
		if named.name == "" {
			continue
		}
		if at := slices.IndexFunc(d.Secrets, func(s doctor.Secret) bool { return s.Name == named.name }); at >= 0 {
			d.Secrets[at].Keys = append(d.Secrets[at].Keys, named.key)
			continue
		}
		if g.Unread(named.name) {
			d.left = append(d.left, unread(named.name))
			continue
		}
		secret := doctor.Secret{Name: named.name, Keys: []string{named.key}}
		if at := slices.IndexFunc(g.Secrets, func(s *corev1.Secret) bool { return s.Name == named.name }); at >= 0 {
			secret.Exists, secret.Content = true, g.Secrets[at]
		}
		d.Secrets = append(d.Secrets, secret)
	}
}

// lookAtInputs lists what was made for builds to read, without reading it.
func (e examiner) lookAtInputs(ctx context.Context, d *doctorObjects) error {
	list, err := e.Metadata.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace(ctrlcommon.MCONamespace).
		List(ctx, metav1.ListOptions{LabelSelector: cluster.OwnedSelector})
	if apierrors.IsForbidden(err) {
		d.left = append(d.left, "inputs of Builds: these credentials may not list Secrets")
		return nil
	}
	if err != nil {
		return cluster.Failed(cluster.Request{Verb: "list", Resource: "secrets"}, "list Secrets", err)
	}
	metas := make([]*metav1.ObjectMeta, 0, len(list.Items))
	for i := range list.Items {
		metas = append(metas, &list.Items[i].ObjectMeta)
	}
	d.Inputs, d.InputsKnown = imagebuilder.InputsOf([]imagebuilder.Backend{e.Backend}, metas), true
	return nil
}

// lookAtConfigs reads the MachineConfigs that pools want, and looks whether those exist
// that images were built from.
func (e examiner) lookAtConfigs(ctx context.Context, d *doctorObjects) error {
	d.Configs = map[string]bool{}
	for _, pool := range d.Pools {
		if !ledger.IsLayered(pool) && !d.ByMachineOS(pool) {
			continue
		}
		for _, name := range []string{pool.Spec.Configuration.Name, pool.Annotations[constants.DesiredOSImageConfigAnnotation]} {
			if _, known := d.Configs[name]; known || name == "" {
				continue
			}
			before := len(d.gathered.Configs)
			err := e.GatherConfigs(ctx, d.gathered, name)
			if apierrors.IsForbidden(err) {
				d.left = append(d.left, "MachineConfigs: these credentials may not get them")
				return nil
			}
			if err != nil {
				return err
			}
			d.Configs[name] = len(d.gathered.Configs) > before
		}
	}
	d.configsRead = true
	return nil
}

// lookAtLease reads the Lease of controllers that elect a leader.
func (e examiner) lookAtLease(ctx context.Context, d *doctorObjects) error {
	lease, err := e.Kube.CoordinationV1().Leases(ctrlcommon.MCONamespace).Get(ctx, constants.ControllerName, metav1.GetOptions{})
	switch {
	case err == nil:
		d.Lease = lease
	case apierrors.IsNotFound(err):
		d.left = append(d.left, "whether a controller runs: there is no Lease "+constants.ControllerName+", so there is none, or one without --leader-elect")
	case apierrors.IsForbidden(err):
		d.left = append(d.left, "whether a controller runs: these credentials may not get Lease "+constants.ControllerName)
	default:
		return cluster.Failed(cluster.Request{Verb: "get", Group: "coordination.k8s.io", Resource: "leases"}, "get Lease "+constants.ControllerName, err)
	}
	return nil
}

// decide has the controller's own code decide on every pool that opted in.
func (e examiner) decide(ctx context.Context, d *doctorObjects) error {
	g := d.gathered
	if !d.sharedRead || !d.configsRead {
		d.left = append(d.left, "what the controller would decide: not everything that it depends on may be read")
		return nil
	}
	if d.MachineOS.Gate {
		g.MachineOSConfigs, g.MachineOSBuilds = d.MachineOS.Configs, d.MachineOS.Builds
	}
	for _, pool := range g.Pools {
		if !ledger.IsLayered(pool) && !d.ByMachineOS(pool) || pool.DeletionTimestamp != nil {
			continue
		}
		g.Choose(pool.Name)
		credentials, err := e.GatherSecretsOfMachineOS(ctx, g)
		if err != nil {
			return err
		}
		d.leaveUnread(credentials)
		p, err := build.NewPreview(g.Objects)
		if err != nil {
			return errors.Join(fmt.Errorf("could not decide on MachineConfigPool %s", pool.Name), err)
		}
		d.Decisions = append(d.Decisions, doctor.Decision{
			Pool: pool.Name, State: p.Plan.State, Reason: p.Plan.Reason, Message: p.Plan.Message, Warnings: p.Snapshot.Warnings(), Strangers: p.Plan.Strangers,
		})
	}
	return nil
}

// leaveUnread tells of the Secrets that could not be read, once each.
func (d *doctorObjects) leaveUnread(names []string) {
	for _, name := range names {
		left := unread(name)
		if d.gathered.Unread(name) && !slices.Contains(d.left, left) {
			d.left = append(d.left, left)
		}
	}
}

func unread(secret string) string {
	return inputs.SecretObject(secret) + ": these credentials may not get it, so it is not known whether it is of use"
}
