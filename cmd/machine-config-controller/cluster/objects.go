package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Objects are those that a decision depends on, and what could not be found out about them.
type Objects struct {
	build.Objects
	NotChecked []string
	// Ignored are objects that were given and that nothing depends on.
	Ignored []string

	// Forbidden are the errors of reading what these credentials may not, of objects
	// that a decision cannot be made without.
	Forbidden error
	// Made are the builds of all pools. The flags tell whether they and the ConfigMaps
	// could be read.
	Made                         []imagebuilder.Made
	BuildsKnown, ConfigMapsKnown bool
	// builds is the error of asking for builds, of whichever backend.
	builds error
}

// Gather reads the objects that a decision about the pool depends on.
func (c *Clients) Gather(ctx context.Context, pool string) (*Objects, error) {
	g, err := c.GatherShared(ctx)
	if err = errors.Join(err, g.Forbidden); err != nil {
		return nil, err
	}
	if !g.Choose(pool) {
		return nil, fmt.Errorf("there is no MachineConfigPool %q in the cluster", pool)
	}
	if err := c.gatherMachineOS(ctx, g); err != nil {
		return nil, err
	}
	return g, c.GatherConfigs(ctx, g, g.Pool.Spec.Configuration.Name, g.Pool.Annotations[constants.DesiredOSImageConfigAnnotation])
}

// GatherShared reads what is the same for all pools, with the permissions that the
// controller itself has, which may list what it may not get. What these credentials may
// not read is told in Forbidden; other errors end it.
func (c *Clients) GatherShared(ctx context.Context) (*Objects, error) {
	g := &Objects{}
	var err error
	if g.Pools, err = c.Pools(ctx); err != nil {
		return g, err
	}
	unlessForbidden := func(err error) error {
		if apierrors.IsForbidden(err) {
			g.Forbidden, err = errors.Join(g.Forbidden, err), nil
		}
		return err
	}
	g.ControllerConfigs, err = c.ControllerConfigs(ctx)
	if err := unlessForbidden(err); err != nil {
		return g, err
	}
	for _, name := range []string{constants.ConfigMapName, inputs.CustomConfigMapName, inputs.RepositoriesConfigName, constants.OperatorImagesConfigMap} {
		found, err := c.ConfigMap(ctx, name)
		if err := unlessForbidden(err); err != nil {
			return g, err
		}
		g.ConfigMaps = append(g.ConfigMaps, found...)
		g.ConfigMapsKnown = err == nil
	}
	if err := c.gatherSecrets(ctx, g); err != nil {
		return g, err
	}
	g.Made, g.builds = c.Inventory.Builds(ctx)
	err = OfChosen(g.builds, g.ConfigMaps)
	switch {
	case apierrors.IsForbidden(err):
		g.NotChecked = append(g.NotChecked, "Builds: they may not be read with these credentials, so there are taken to be none")
	case err != nil:
		g.BuilderProblem = err.Error()
	default:
		g.BuildsKnown = true
	}
	g.Now = time.Now()
	return g, nil
}

// OfChosen is an error of asking for builds; nil if it is only about a backend that the
// settings do not choose.
func OfChosen(err error, configMaps []*corev1.ConfigMap) error {
	chosen := ""
	for _, configMap := range configMaps {
		if configMap.Name == constants.ConfigMapName {
			settings, _ := inputs.ReadSettings(configMap)
			chosen = settings.Backend
		}
	}
	return ofBackend(err, chosen)
}

// ofBackend is an error of asking for builds; nil if it is only about another backend.
func ofBackend(err error, chosen string) error {
	var unavailable *imagebuilder.UnavailableError
	if !errors.As(err, &unavailable) {
		return err
	}
	if message := unavailable.Of(chosen); message != "" {
		return &imagebuilder.UnavailableError{Message: message}
	}
	return nil
}

// Choose makes it the objects of that pool, and tells whether there is one.
func (g *Objects) Choose(pool string) bool {
	at := slices.IndexFunc(g.Pools, func(p *mcfgv1.MachineConfigPool) bool { return p.Name == pool })
	if at < 0 {
		return false
	}
	g.Pool = g.Pools[at]
	g.Builds, g.Active = imagebuilder.ObservationsOf(g.Made, pool)
	return true
}

// GatherConfigs reads MachineConfigs in full. One that does not exist is left out.
func (c *Clients) GatherConfigs(ctx context.Context, g *Objects, names ...string) error {
	for _, name := range names {
		if name == "" || slices.ContainsFunc(g.Configs, func(mc *mcfgv1.MachineConfig) bool { return mc.Name == name }) {
			continue
		}
		config, err := c.MachineConfiguration.MachineconfigurationV1().MachineConfigs().Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			g.Configs = append(g.Configs, config)
		} else if !apierrors.IsNotFound(err) {
			return Failed(Request{"get", mcfgv1.GroupName, "machineconfigs"}, "get "+inputs.MachineConfigObject(name), err)
		}
	}
	return nil
}

// gatherSecrets reads the Secrets that a build would use. Whoever may not read them can
// be told everything else.
func (c *Clients) gatherSecrets(ctx context.Context, g *Objects) error {
	var names []string
	for _, configMap := range g.ConfigMaps {
		if configMap.Name == constants.ConfigMapName {
			settings, _ := inputs.ReadSettings(configMap)
			names = append(names, settings.FinalImagePushSecret, settings.BaseImagePullSecret)
		}
	}
	return c.readSecrets(ctx, g, []string{inputs.EntitlementSecretName, inputs.SigningKeysSecretName}, names)
}

// gatherMachineOS reads MachineOSConfigs and MachineOSBuilds, and the Secrets of those that refer
// to the pool. Whoever may not list them is told what the label alone leads to.
func (c *Clients) gatherMachineOS(ctx context.Context, g *Objects) error {
	found, err := c.MachineOS(ctx)
	if apierrors.IsForbidden(err) {
		g.NotChecked = append(g.NotChecked, "MachineOSConfigs: they may not be listed with these credentials, so there are taken to be none")
		return nil
	}
	if err != nil {
		return err
	}
	g.MachineOSConfigs, g.MachineOSBuilds = found.Configs, found.Builds
	_, err = c.GatherSecretsOfMachineOS(ctx, g)
	return err
}

// GatherSecretsOfMachineOS reads the Secrets of the MachineOSConfigs that refer to the pool, and
// returns the names of those with credentials. Their builds are Jobs, whatever the settings say.
func (c *Clients) GatherSecretsOfMachineOS(ctx context.Context, g *Objects) (credentials []string, err error) {
	if err := OfChosen(g.builds, g.ConfigMaps); !apierrors.IsForbidden(err) {
		g.BuilderProblem = textOf(err)
	}
	for _, config := range g.MachineOSConfigs {
		if config.Spec.MachineConfigPool.Name != g.Pool.Name {
			continue
		}
		if g.BuilderProblem = ""; !apierrors.IsForbidden(g.builds) {
			g.BuilderProblem = textOf(ofBackend(g.builds, constants.BackendJob))
		}
		names := []string{inputs.GlobalPullSecretName, config.Spec.RenderedImagePushSecret.Name}
		if config.Spec.BaseImagePullSecret != nil {
			names = append(names, config.Spec.BaseImagePullSecret.Name)
		}
		if err := c.readSecrets(ctx, g, []string{inputs.EntitlementSecretName + "-" + g.Pool.Name}, names); err != nil {
			return nil, err
		}
		credentials = append(credentials, names...)
	}
	return credentials, nil
}

// readSecrets reads those that were not read yet. One with entitled content that may not be read
// is taken for absent, and one with credentials for usable.
func (c *Clients) readSecrets(ctx context.Context, g *Objects, entitled, credentials []string) error {
	names := slices.Concat(entitled, credentials)
	isKnown := func(name string) bool {
		return slices.ContainsFunc(g.Secrets, func(s *corev1.Secret) bool { return s.Name == name })
	}
	var unread []string
	for i, name := range names {
		if name == "" || slices.Contains(names[:i], name) || isKnown(name) {
			continue
		}
		secret, err := c.Kube.CoreV1().Secrets(ctrlcommon.MCONamespace).Get(ctx, name, metav1.GetOptions{})
		switch {
		case err == nil:
			g.Secrets = append(g.Secrets, secret)
		case apierrors.IsForbidden(err) && i < len(entitled):
			g.NotChecked = append(g.NotChecked, inputs.SecretObject(name)+": it may not be read with these credentials, so it is taken for absent")
		case apierrors.IsForbidden(err):
			unread = append(unread, name)
		case !apierrors.IsNotFound(err):
			return Failed(Request{"get", "", "secrets"}, "get "+inputs.SecretObject(name), err)
		}
	}
	before := g.Unread
	g.Unread = func(name string) bool { return slices.Contains(unread, name) || before != nil && before(name) }
	return nil
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
