package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/openshift/machine-config-operator/test/devcluster/playednode"
)

const (
	builderImage = registry + "/tools/buildah:1"
	builderNode  = "builder"
)

// playedBuilder plays what runs in Jobs: it pushes at once, or works for as long as it is held. No two images are alike, as those of
// two builds are not.
type playedBuilder struct {
	mu     sync.Mutex
	gate   <-chan struct{}
	images int
}

// hold has builds that start from now on run until the gate is closed; nil lets them end.
func (b *playedBuilder) hold(gate <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gate = gate
}

// Execute implements playednode.Executor.
func (b *playedBuilder) Execute(ctx context.Context, c *playednode.Container) int {
	b.mu.Lock()
	gate := b.gate
	b.images++
	digest := sha256.Sum256(fmt.Appendf(nil, "%s %d", c.Env["OUTPUT"], b.images))
	b.mu.Unlock()
	if code := c.Await(ctx, gate); code != 0 {
		return code
	}
	c.Tell(`{"digest":"sha256:` + hex.EncodeToString(digest[:]) + `"}`)
	return 0
}

// joinBuilderNode has a node join that pods of Jobs run on.
func (s *story) joinBuilderNode(ctx context.Context) error {
	node, err := playednode.Start(ctx, playednode.Options{
		Name: builderNode, Config: s.cluster.RESTConfig(), Executor: &s.jobs, Images: []string{builderImage}, Programs: []string{"/bin/sh"},
	})
	if err != nil {
		return err
	}
	s.cleanup(node.Stop)
	return nil
}
