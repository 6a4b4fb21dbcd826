package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// gather reads the objects with the permissions that the controller itself has, which
// may list what it may not get.
func (c *clusterClients) gather(ctx context.Context, o *renderOptions) (*gathered, error) {
	g := &gathered{}
	var err error
	if g.Pools, err = c.listPools(ctx); err != nil {
		return nil, err
	}
	at := slices.IndexFunc(g.Pools, func(p *mcfgv1.MachineConfigPool) bool { return p.Name == o.pool })
	if at < 0 {
		return nil, fmt.Errorf("there is no MachineConfigPool %q in the cluster", o.pool)
	}
	g.Pool = g.Pools[at]
	for _, name := range []string{g.Pool.Spec.Configuration.Name, g.Pool.Annotations[constants.DesiredOSImageConfigAnnotation]} {
		if name == "" || slices.ContainsFunc(g.Configs, func(mc *mcfgv1.MachineConfig) bool { return mc.Name == name }) {
			continue
		}
		config, err := c.mcfg.MachineconfigurationV1().MachineConfigs().Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			g.Configs = append(g.Configs, config)
		} else if !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("could not get %s: %w", inputs.MachineConfigObject(name), err)
		}
	}
	if g.ControllerConfigs, err = c.listControllerConfigs(ctx); err != nil {
		return nil, err
	}
	for _, name := range []string{constants.ConfigMapName, inputs.CustomConfigMapName, inputs.RepositoriesConfigName} {
		found, err := c.listConfigMap(ctx, name)
		if err != nil {
			return nil, err
		}
		g.ConfigMaps = append(g.ConfigMaps, found...)
	}
	if err := c.gatherSecrets(ctx, g); err != nil {
		return nil, err
	}
	builds, err := c.listBuilds(ctx)
	switch {
	case apierrors.IsForbidden(err):
		g.notChecked = append(g.notChecked, "Builds: they may not be read with these credentials, so there are taken to be none")
	case err != nil:
		g.BuilderProblem = openshift.Unavailable(err).Message
	default:
		g.Builds, g.Active = openshift.Observations(builds, o.pool)
	}
	g.Now = time.Now()
	return g, nil
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
