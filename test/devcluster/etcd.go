package devcluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcdTries bounds how often etcd is started when a port was taken by someone else
// after it was found free.
const etcdTries = 3

func startEtcd(ctx context.Context, dir string, s *state) (*embed.Etcd, error) {
	for try := 1; ; try++ {
		etcd, err := tryEtcd(ctx, dir, s)
		if try == etcdTries || !errors.Is(err, syscall.EADDRINUSE) {
			return etcd, err
		}
	}
}

// tryEtcd returns when the single member leads, which takes a moment of raft time: hence the short election.
func tryEtcd(ctx context.Context, dir string, s *state) (*embed.Etcd, error) {
	for _, port := range []*int{&s.EtcdPort, &s.EtcdPeerPort} {
		if err := reserve(port); err != nil {
			return nil, err
		}
	}
	client := url.URL{Scheme: "http", Host: loopback(s.EtcdPort)}
	peer := url.URL{Scheme: "http", Host: loopback(s.EtcdPeerPort)}

	cfg := embed.NewConfig()
	cfg.Name = "devcluster"
	cfg.Dir = filepath.Join(dir, "etcd")
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.TickMs, cfg.ElectionMs = 10, 100
	cfg.UnsafeNoFsync = true
	// Ten thousand pools that change fill the default of 2 GB before anything is compacted.
	cfg.QuotaBackendBytes = 8 << 30
	cfg.EnableGRPCGateway = false
	cfg.LogLevel = "warn"
	cfg.LogOutputs = []string{filepath.Join(dir, "etcd.log")}

	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, fmt.Errorf("could not start etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err = <-etcd.Err():
	case <-etcd.Server.StopNotify():
		err = errors.New("it stopped")
	case <-ctx.Done():
		err = ctx.Err()
	}
	etcd.Close()
	return nil, fmt.Errorf("could not wait for etcd: %w", err)
}
