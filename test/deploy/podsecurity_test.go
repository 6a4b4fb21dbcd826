package deploy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func ptr[T any](value T) *T { return &value }

// TestPodSecurity: the pod that ships passes, and each field by which it does is
// missed when it changes, in each container.
func TestPodSecurity(t *testing.T) {
	deployment, err := load(t).Deployment()
	require.NoError(t, err)
	shipped := &deployment.Spec.Template
	problems, err := PodProblems(shipped)
	require.NoError(t, err)
	require.Empty(t, problems)

	check := func(t *testing.T, want string, change func(pod *corev1.PodTemplateSpec)) {
		t.Helper()
		changed := shipped.DeepCopy()
		change(changed)
		problems, err := PodProblems(changed)
		require.NoError(t, err)
		require.Contains(t, strings.Join(problems, "\n"), want)
	}
	for name, test := range map[string]struct {
		change func(spec *corev1.PodSpec)
		want   string
	}{
		"root may run":       {want: "runAsNonRoot", change: func(s *corev1.PodSpec) { s.SecurityContext.RunAsNonRoot = ptr(false) }},
		"nothing about root": {want: "runAsNonRoot", change: func(s *corev1.PodSpec) { s.SecurityContext.RunAsNonRoot = nil }},
		"a user":             {want: "runAsUser", change: func(s *corev1.PodSpec) { s.SecurityContext.RunAsUser = ptr(int64(65532)) }},
		"root":               {want: "runAsUser", change: func(s *corev1.PodSpec) { s.SecurityContext.RunAsUser = ptr(int64(0)) }},
		"no seccomp profile": {want: "seccompProfile", change: func(s *corev1.PodSpec) { s.SecurityContext.SeccompProfile = nil }},
		"no confinement":     {want: "seccompProfile", change: func(s *corev1.PodSpec) { s.SecurityContext.SeccompProfile.Type = corev1.SeccompProfileTypeUnconfined }},
		"sysctl": {want: "sysctls", change: func(s *corev1.PodSpec) {
			s.SecurityContext.Sysctls = []corev1.Sysctl{{Name: "kernel.msgmax", Value: "1"}}
		}},
		"host network":     {want: "host namespaces", change: func(s *corev1.PodSpec) { s.HostNetwork = true }},
		"host's processes": {want: "host namespaces", change: func(s *corev1.PodSpec) { s.HostPID = true }},
		"host's IPC":       {want: "host namespaces", change: func(s *corev1.PodSpec) { s.HostIPC = true }},
		"host's files": {want: "hostPath", change: func(s *corev1.PodSpec) {
			s.Volumes[0].VolumeSource = corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}
		}},
		"careless init":      {want: "container init: the root file system is not read-only", change: func(s *corev1.PodSpec) { s.InitContainers = []corev1.Container{{Name: "init"}} }},
		"privileged init":    {want: "allowPrivilegeEscalation", change: func(s *corev1.PodSpec) { s.InitContainers = []corev1.Container{{Name: "init"}} }},
		"one more container": {want: "capabilities", change: func(s *corev1.PodSpec) { s.Containers = append(s.Containers, corev1.Container{Name: "more"}) }},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, test.want, func(pod *corev1.PodTemplateSpec) { test.change(&pod.Spec) })
		})
	}
	for name, test := range map[string]struct {
		change func(container *corev1.Container)
		want   string
	}{
		"no security context":   {want: "allowPrivilegeEscalation", change: func(c *corev1.Container) { c.SecurityContext = nil }},
		"escalation":            {want: "allowPrivilegeEscalation", change: func(c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = ptr(true) }},
		"escalation by default": {want: "allowPrivilegeEscalation", change: func(c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = nil }},
		"privileged":            {want: "privileged", change: func(c *corev1.Container) { c.SecurityContext.Privileged = ptr(true) }},
		"capabilities kept":     {want: "capabilities", change: func(c *corev1.Container) { c.SecurityContext.Capabilities = nil }},
		"some dropped":          {want: "capabilities", change: func(c *corev1.Container) { c.SecurityContext.Capabilities.Drop = []corev1.Capability{"NET_RAW"} }},
		"one added":             {want: "capabilities", change: func(c *corev1.Container) { c.SecurityContext.Capabilities.Add = []corev1.Capability{"NET_ADMIN"} }},
		"root":                  {want: "runAsUser", change: func(c *corev1.Container) { c.SecurityContext.RunAsUser = ptr(int64(0)) }},
		"root may run":          {want: "runAsNonRoot", change: func(c *corev1.Container) { c.SecurityContext.RunAsNonRoot = ptr(false) }},
		"no confinement": {want: "seccompProfile", change: func(c *corev1.Container) {
			c.SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
		}},
		"host's port":         {want: "hostPort", change: func(c *corev1.Container) { c.Ports[0].HostPort = 9001 }},
		"unmasked /proc":      {want: "procMount", change: func(c *corev1.Container) { c.SecurityContext.ProcMount = ptr(corev1.UnmaskedProcMount) }},
		"writable root":       {want: "not read-only", change: func(c *corev1.Container) { c.SecurityContext.ReadOnlyRootFilesystem = ptr(false) }},
		"writable by default": {want: "not read-only", change: func(c *corev1.Container) { c.SecurityContext.ReadOnlyRootFilesystem = nil }},
		"no share of CPU":     {want: "requests no cpu", change: func(c *corev1.Container) { delete(c.Resources.Requests, corev1.ResourceCPU) }},
		"no share of memory":  {want: "requests no memory", change: func(c *corev1.Container) { delete(c.Resources.Requests, corev1.ResourceMemory) }},
		"a limit":             {want: "resource limits", change: func(c *corev1.Container) { c.Resources.Limits = c.Resources.Requests }},
	} {
		for i, container := range shipped.Spec.Containers {
			t.Run(name+" in "+container.Name, func(t *testing.T) {
				check(t, test.want, func(pod *corev1.PodTemplateSpec) { test.change(&pod.Spec.Containers[i]) })
			})
		}
	}
}
