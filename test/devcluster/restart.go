package devcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
)

var errStopped = errors.New("the cluster is stopped")

// RestartAPIServer stops kube-apiserver and starts it again at the same address. Clients see their connections end, find
// nobody listening for a moment, and can go on. The context bounds the start.
func (c *Cluster) RestartAPIServer(ctx context.Context) error {
	return c.whileStopped(ctx, func() error { return nil })
}

// RestartEtcd stops etcd and kube-apiserver, which cannot answer without it, and starts both again at the same addresses with
// the same data.
func (c *Cluster) RestartEtcd(ctx context.Context) error {
	return c.whileStopped(ctx, func() error {
		c.etcd.Close()
		etcd, err := startEtcd(ctx, c.opts.Dir, c.state)
		c.etcd = etcd
		return err
	})
}

// WhileAPIServerStopped runs f while nobody listens at the API server's address, and starts the server again whether f fails
// or not.
func (c *Cluster) WhileAPIServerStopped(ctx context.Context, f func() error) error {
	return c.whileStopped(ctx, f)
}

func (c *Cluster) whileStopped(ctx context.Context, f func() error) error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	if c.stopped {
		return fmt.Errorf("could not restart: %w", errStopped)
	}
	if err := c.apiServer.stop(); err != nil {
		return err
	}
	ferr := f()
	listener, err := net.Listen("tcp", loopback(c.state.APIServerPort))
	if err != nil {
		return errors.Join(ferr, fmt.Errorf("could not listen on the API server's port again: %w", err))
	}
	return errors.Join(ferr, c.startAPIServer(ctx, listener))
}
