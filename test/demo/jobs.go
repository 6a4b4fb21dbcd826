package main

import (
	"context"
	"fmt"
	"path/filepath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/node"
)

// builderAccount is what Jobs run under, as shipped.
const builderAccount = "machine-os-image-builder"

// startNode starts a real node, with the programs that the Makefile has made.
func (d *demo) startNode(ctx context.Context) error {
	tools := node.Tools(filepath.Join(d.opts.root, "_output", "bin"))
	tools.Dir = d.path(dirNode)
	n, err := node.Join(ctx, d.cluster, tools)
	if err != nil {
		return err
	}
	d.cleanup(n.Stop)
	d.show.say("node       %s, with kubelet, containerd and runc", node.Name)
	return nil
}

// prepareJobs adds the settings of Jobs, and lets their pods pull the builder image. On OpenShift it comes with the release, and nodes
// may pull that. The seccomp profile of this containerd has no room for a build.
func (d *demo) prepareJobs(ctx context.Context, settings []func(*unstructured.Unstructured) error) ([]func(*unstructured.Unstructured) error, error) {
	patch := fmt.Appendf(nil, `{"imagePullSecrets":[{"name":%q}]}`, pullSecret)
	accounts := d.clients.kube.CoreV1().ServiceAccounts(devcluster.Namespace)
	if _, err := accounts.Patch(ctx, builderAccount, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager}); err != nil {
		return nil, fmt.Errorf("could not let Jobs pull the builder image: %w", err)
	}
	d.show.say("builder      Jobs, with %s", d.builderImage)
	return append(settings,
		set(builderJob, "data", "imageBuilder"), set(d.builderImage, "data", "jobBuilderImage"), set("Node", "data", "jobSeccompProfile")), nil
}
