package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// clusterClients are for the APIs of a cluster. Only a dry run writes through them.
type clusterClients struct {
	kube   kubernetes.Interface
	mcfg   mcfgclientset.Interface
	builds buildclientset.Interface
}

const renderUserAgent = "render-build"

func newClusterClients(o *renderOptions) (*clusterClients, error) {
	cb, err := ctrlcommon.NewClientBuilder(o.kubeconfig, o.qps, o.burst)
	if err != nil {
		return nil, err
	}
	return &clusterClients{
		kube: cb.KubeClientOrDie(renderUserAgent), mcfg: cb.MachineConfigClientOrDie(renderUserAgent), builds: cb.BuildClientOrDie(renderUserAgent),
	}, nil
}

// gather reads the objects with the permissions that the controller itself has, which
// may list what it may not get.
func (c *clusterClients) gather(ctx context.Context, o *renderOptions) (*gathered, error) {
	g := &gathered{}
	pools, err := c.mcfg.MachineconfigurationV1().MachineConfigPools().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("could not list MachineConfigPools: %w", err)
	}
	g.Pools = pointers(pools.Items)
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
	controllerConfigs, err := c.mcfg.MachineconfigurationV1().ControllerConfigs().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("could not list ControllerConfigs: %w", err)
	}
	g.ControllerConfigs = pointers(controllerConfigs.Items)
	for _, name := range []string{constants.ConfigMapName, inputs.CustomConfigMapName, inputs.RepositoriesConfigName} {
		list, err := c.kube.CoreV1().ConfigMaps(ctrlcommon.MCONamespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
		if err != nil {
			return nil, fmt.Errorf("could not look up ConfigMap %s: %w", name, err)
		}
		g.ConfigMaps = append(g.ConfigMaps, pointers(list.Items)...)
	}
	if err := c.gatherSecrets(ctx, g); err != nil {
		return nil, err
	}
	list, err := c.builds.BuildV1().Builds(ctrlcommon.MCONamespace).List(ctx, metav1.ListOptions{LabelSelector: constants.OwnedLabel + "=" + constants.OwnedLabelValue})
	switch {
	case apierrors.IsForbidden(err):
		g.notChecked = append(g.notChecked, "Builds: they may not be read with these credentials, so there are taken to be none")
	case err != nil:
		g.BuilderProblem = openshift.Unavailable(err).Message
	default:
		g.Builds, g.Active = openshift.Observations(pointers[buildv1.Build](list.Items), o.pool)
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

func pointers[T any](items []T) []*T {
	result := make([]*T, 0, len(items))
	for i := range items {
		result = append(result, &items[i])
	}
	return result
}
