package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// gather reads the objects that a decision about the pool depends on.
func (c *clusterClients) gather(ctx context.Context, pool string) (*gathered, error) {
	g, err := c.gatherShared(ctx)
	if err = errors.Join(err, g.forbidden); err != nil {
		return nil, err
	}
	if !g.choose(pool) {
		return nil, fmt.Errorf("there is no MachineConfigPool %q in the cluster", pool)
	}
	return g, c.gatherConfigs(ctx, g, g.Pool.Spec.Configuration.Name, g.Pool.Annotations[constants.DesiredOSImageConfigAnnotation])
}

// gatherShared reads what is the same for all pools, with the permissions that the
// controller itself has, which may list what it may not get. What these credentials may
// not read is told in forbidden; other errors end it.
func (c *clusterClients) gatherShared(ctx context.Context) (*gathered, error) {
	g := &gathered{}
	var err error
	if g.Pools, err = c.listPools(ctx); err != nil {
		return g, err
	}
	unlessForbidden := func(err error) error {
		if apierrors.IsForbidden(err) {
			g.forbidden, err = errors.Join(g.forbidden, err), nil
		}
		return err
	}
	g.ControllerConfigs, err = c.listControllerConfigs(ctx)
	if err := unlessForbidden(err); err != nil {
		return g, err
	}
	for _, name := range []string{constants.ConfigMapName, inputs.CustomConfigMapName, inputs.RepositoriesConfigName} {
		found, err := c.listConfigMap(ctx, name)
		if err := unlessForbidden(err); err != nil {
			return g, err
		}
		g.ConfigMaps = append(g.ConfigMaps, found...)
		g.configMapsKnown = err == nil
	}
	if err := c.gatherSecrets(ctx, g); err != nil {
		return g, err
	}
	g.builds, err = c.inventory.Builds(ctx)
	switch {
	case apierrors.IsForbidden(err):
		g.notChecked = append(g.notChecked, "Builds: they may not be read with these credentials, so there are taken to be none")
	case err != nil:
		g.BuilderProblem = err.Error()
	default:
		g.buildsKnown = true
	}
	g.Now = time.Now()
	return g, nil
}

// choose makes it the objects of that pool, and tells whether there is one.
func (g *gathered) choose(pool string) bool {
	at := slices.IndexFunc(g.Pools, func(p *mcfgv1.MachineConfigPool) bool { return p.Name == pool })
	if at < 0 {
		return false
	}
	g.Pool = g.Pools[at]
	g.Builds, g.Active = imagebuilder.ObservationsOf(g.builds, pool)
	return true
}

// gatherConfigs reads MachineConfigs in full. One that does not exist is left out.
func (c *clusterClients) gatherConfigs(ctx context.Context, g *gathered, names ...string) error {
	for _, name := range names {
		if name == "" || slices.ContainsFunc(g.Configs, func(mc *mcfgv1.MachineConfig) bool { return mc.Name == name }) {
			continue
		}
		config, err := c.mcfg.MachineconfigurationV1().MachineConfigs().Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			g.Configs = append(g.Configs, config)
		} else if !apierrors.IsNotFound(err) {
			return fmt.Errorf("could not get %s: %w", inputs.MachineConfigObject(name), err)
		}
	}
	return nil
}

// gatherSecrets reads the Secrets that a build would use. Whoever may not read them can
// be told everything else.
func (c *clusterClients) gatherSecrets(ctx context.Context, g *gathered) error {
	names := []string{inputs.EntitlementSecretName, inputs.SigningKeysSecretName}
	for _, configMap := range g.ConfigMaps {
		if configMap.Name == constants.ConfigMapName {
			settings, _ := inputs.ParseSettings(configMap.Data)
			names = append(names, settings.FinalImagePushSecret, settings.BaseImagePullSecret)
		}
	}
	var unread []string
	for i, name := range names {
		if name == "" || slices.Contains(names[:i], name) {
			continue
		}
		secret, err := c.kube.CoreV1().Secrets(ctrlcommon.MCONamespace).Get(ctx, name, metav1.GetOptions{})
		switch {
		case err == nil:
			g.Secrets = append(g.Secrets, secret)
		case apierrors.IsForbidden(err) && i < 2:
			g.notChecked = append(g.notChecked, inputs.SecretObject(name)+": it may not be read with these credentials, so it is taken for absent")
		case apierrors.IsForbidden(err):
			unread = append(unread, name)
		case !apierrors.IsNotFound(err):
			return fmt.Errorf("could not get %s: %w", inputs.SecretObject(name), err)
		}
	}
	g.Unread = func(name string) bool { return slices.Contains(unread, name) }
	return nil
}
