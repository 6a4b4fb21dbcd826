// Package hostnetwork gives the pods of a devcluster the network of the machine, whatever they ask for, as an admission plugin of the
// API server: its nodes have no other, and the registry is on loopback.
package hostnetwork

import (
	"context"
	"io"

	"k8s.io/apiserver/pkg/admission"
	"k8s.io/kubernetes/pkg/apis/core"
)

// PluginName is the plugin's name among the API server's admission plugins.
const PluginName = "DevclusterHostNetwork"

// Register makes the plugin known.
func Register(plugins *admission.Plugins) {
	plugins.Register(PluginName, func(io.Reader) (admission.Interface, error) {
		return &plugin{Handler: admission.NewHandler(admission.Create)}, nil
	})
}

type plugin struct{ *admission.Handler }

var _ admission.MutationInterface = &plugin{}

// Admit implements admission.MutationInterface.
func (*plugin) Admit(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	pod, isPod := a.GetObject().(*core.Pod)
	if !isPod || a.GetSubresource() != "" {
		return nil
	}
	if pod.Spec.SecurityContext == nil {
		pod.Spec.SecurityContext = &core.PodSecurityContext{}
	}
	pod.Spec.SecurityContext.HostNetwork = true
	return nil
}
