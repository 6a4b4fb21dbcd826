package deploy

import (
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// TestWhatShips: removing it all removes nothing that is not ours, and applying it
// again overwrites nothing of an administrator's.
func TestWhatShips(t *testing.T) {
	kinds := map[string]int{}
	for _, object := range load(t) {
		where := object.GetKind() + " " + object.GetName()
		kinds[object.GetKind()]++
		// What Jobs build under has a name that says what it is for.
		if where != "ServiceAccount "+constants.BuilderServiceAccount {
			require.True(t, strings.HasPrefix(object.GetName(), Name), "%s may be somebody else's", where)
		}
		require.Equal(t, Name, object.GetLabels()["k8s-app"], where)
		if namespace := object.GetNamespace(); namespace != "" && namespace != ownNamespace {
			// Events of pools are kept in default.
			require.Equal(t, "default", namespace, where)
			require.Contains(t, where, "Role")
			require.Contains(t, where, "-events")
		}
	}
	require.Equal(t, map[string]int{
		"ServiceAccount": 2, "Role": 2, "RoleBinding": 2, "ClusterRole": 1, "ClusterRoleBinding": 2,
		"Deployment": 1, "PodDisruptionBudget": 1, "NetworkPolicy": 1, "Service": 1, "ConfigMap": 1, "ServiceMonitor": 1, "PrometheusRule": 1,
	}, kinds, "neither the namespace nor the settings are among them")
}

// TestReferences: what one manifest says of another is so. Decoding is strict, so
// no field is misspelt.
func TestReferences(t *testing.T) {
	manifests := load(t)
	deployment, err := manifests.Deployment()
	require.NoError(t, err)
	pod := deployment.Spec.Template
	var service corev1.Service
	require.NoError(t, manifests.Decode("Service", Name, &service))
	var budget policyv1.PodDisruptionBudget
	require.NoError(t, manifests.Decode("PodDisruptionBudget", Name, &budget))
	var policy networkingv1.NetworkPolicy
	require.NoError(t, manifests.Decode("NetworkPolicy", Name, &policy))
	var monitor monitoringv1.ServiceMonitor
	require.NoError(t, manifests.Decode("ServiceMonitor", Name, &monitor))

	for what, selector := range map[string]*metav1.LabelSelector{
		"Deployment": deployment.Spec.Selector, "PodDisruptionBudget": budget.Spec.Selector,
		"NetworkPolicy": &policy.Spec.PodSelector,
		"Service":       {MatchLabels: service.Spec.Selector},
		"anti-affinity": pod.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].PodAffinityTerm.LabelSelector,
	} {
		matches, err := metav1.LabelSelectorAsSelector(selector)
		require.NoError(t, err)
		require.True(t, matches.Matches(labels.Set(pod.Labels)), "the %s is about our pods", what)
	}
	require.NoError(t, manifests.Decode("ServiceAccount", pod.Spec.ServiceAccountName, &corev1.ServiceAccount{}))
	require.Equal(t, 1, budget.Spec.MaxUnavailable.IntValue())

	for _, volume := range pod.Spec.Volumes {
		switch {
		case volume.ConfigMap != nil:
			require.NoError(t, manifests.Decode("ConfigMap", volume.ConfigMap.Name, &corev1.ConfigMap{}))
		case volume.Secret != nil:
			require.Equal(t, service.Annotations["service.beta.openshift.io/serving-cert-secret-name"], volume.Secret.SecretName)
		default:
			require.Fail(t, "a volume from nowhere", volume.Name)
		}
	}

	ports := map[string]int32{}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			ports[port.Name] = port.ContainerPort
		}
	}
	require.Equal(t, map[string]int32{"health": 8798, "metrics": 9001}, ports)
	require.Len(t, service.Spec.Ports, 1, "health is for the kubelet, which needs no Service")
	require.Contains(t, ports, service.Spec.Ports[0].TargetPort.String())
	require.Equal(t, []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}, policy.Spec.PolicyTypes, "what goes out is none of its business")
	require.Len(t, policy.Spec.Ingress, 1)
	require.Empty(t, policy.Spec.Ingress[0].From, "whoever asks shows a token")
	require.Len(t, policy.Spec.Ingress[0].Ports, 1, "health is for the kubelet, whom it does not keep out")
	require.Equal(t, ports["metrics"], policy.Spec.Ingress[0].Ports[0].Port.IntVal)
	endpoint := monitor.Spec.Endpoints[0]
	require.Equal(t, service.Spec.Ports[0].Name, endpoint.Port)
	require.Equal(t, "https", endpoint.Scheme)
	require.Equal(t, service.Name+"."+service.Namespace+".svc", *endpoint.TLSConfig.ServerName, "the name in the certificate")
	require.True(t, labels.SelectorFromSet(monitor.Spec.Selector.MatchLabels).Matches(labels.Set(service.Labels)))
}

// TestBuiltInRole: the proxy's binding is to a role that every cluster has.
func TestBuiltInRole(t *testing.T) {
	var binding rbacv1.ClusterRoleBinding
	require.NoError(t, load(t).Decode("ClusterRoleBinding", Name+"-auth-delegator", &binding))
	require.Equal(t, delegator, binding.RoleRef.Kind+" "+binding.RoleRef.Name)
}
