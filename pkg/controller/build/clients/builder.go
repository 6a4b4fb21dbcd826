package clients

import (
	"fmt"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Builder makes clients that tell the API server by their user agent
// which part of the program is calling.
//
// The OrDie methods panic on a malformed rest configuration only; none of them
// talks to the cluster.
type Builder struct {
	config *rest.Config
}

// NewBuilder reads the kubeconfig file, or the service account that the
// pod runs under when kubeconfig is empty. All clients together are limited to
// qps requests per second on average and to burst at once.
func NewBuilder(kubeconfig string, qps float32, burst int) (*Builder, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("could not read the cluster's address and credentials: %w", err)
	}
	config.QPS, config.Burst = qps, burst
	return BuilderFromConfig(config), nil
}

// BuilderFromConfig makes clients of a configuration as it is, its limits included.
// It is for programs that have one rather than a file, and for those that watch
// what the clients send.
func BuilderFromConfig(config *rest.Config) *Builder {
	return &Builder{config: rest.CopyConfig(config)}
}

// KubeClientOrDie makes a client for the Kubernetes APIs. It speaks protobuf,
// which those APIs serve.
func (cb *Builder) KubeClientOrDie(name string) kubernetes.Interface {
	config := rest.CopyConfig(cb.config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return kubernetes.NewForConfigOrDie(rest.AddUserAgent(config, name))
}

// MachineConfigClientOrDie makes a client for machineconfiguration.openshift.io.
func (cb *Builder) MachineConfigClientOrDie(name string) mcfgclientset.Interface {
	return mcfgclientset.NewForConfigOrDie(rest.AddUserAgent(rest.CopyConfig(cb.config), name))
}

// BuildClientOrDie makes a client for build.openshift.io.
func (cb *Builder) BuildClientOrDie(name string) buildclientset.Interface {
	return buildclientset.NewForConfigOrDie(rest.AddUserAgent(rest.CopyConfig(cb.config), name))
}

// MetadataClientOrDie makes a client that reads objects' metadata only.
func (cb *Builder) MetadataClientOrDie(name string) metadata.Interface {
	return metadata.NewForConfigOrDie(rest.AddUserAgent(rest.CopyConfig(cb.config), name))
}
