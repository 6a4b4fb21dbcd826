package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/node"
)

func nodeDir(dir string) string { return filepath.Join(dir, "node") }

// checkNode says before anything is started that there can be no node.
func checkNode(ctx context.Context, opts options, dir string) error {
	if opts.node == "" {
		return nil
	}
	tools := node.Tools(opts.node)
	tools.Dir = nodeDir(dir)
	if err := node.Check(ctx, tools); err != nil {
		return fmt.Errorf("this machine can run no node: %w", err)
	}
	return nil
}

// startNode returns how to stop the node.
func startNode(ctx context.Context, cluster *devcluster.Cluster, opts options) (stop func() error, err error) {
	if opts.node == "" {
		return func() error { return nil }, nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tools := node.Tools(opts.node)
	tools.Dir = nodeDir(cluster.Dir())
	n, err := node.Join(ctx, cluster, tools)
	if err != nil {
		return nil, err
	}
	return n.Stop, nil
}
