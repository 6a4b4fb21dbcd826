package job

import (
	"flag"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

var update = flag.Bool("update", false, "write the golden file")

const text = "FROM registry.example.com/base@sha256:0000000000000000000000000000000000000000000000000000000000000000 AS base\nFROM base\n"

func request() imagebuilder.Request {
	return imagebuilder.Request{
		Name: "worker-abc-1", Pool: "worker", PoolUID: "pool-uid", Fingerprint: "fingerprint", RenderedConfig: "rendered-worker-1", Attempt: 1,
		Containerfile: text, Context: []imagebuilder.File{{Name: "machine-config.tar.gz.00", Data: []byte("archive")}},
		Volumes:    []imagebuilder.Volume{{Name: "etc-pki-entitlement", Path: "/etc/pki/entitlement"}, {Name: "etc-yum-repos-d", ConfigMap: true, Path: "/etc/yum.repos.d"}},
		PullSecret: "pull", PushSecret: "push", Output: "registry.example.com/os/images:worker-abc-1", Deadline: time.Hour, Claim: "claim",
		Proxy:       imagebuilder.Proxy{HTTPS: "http://user:secret@proxy.example.com:3128", No: ".svc"},
		RegistryCAs: []imagebuilder.RegistryCA{{Host: "registry.example.com:5000", PEM: []byte("certificate")}},
		Workload: imagebuilder.Workload{
			Image: "registry.example.com/mco@sha256:1111", PriorityClass: "high", NodeSelector: map[string]string{"node-role.kubernetes.io/infra": "", "a": "b"},
			Tolerations: []string{"node-role.kubernetes.io/infra:NoSchedule", "dedicated=builds"},
			Requests:    map[string]string{"cpu": "250m", "memory": "1Gi"}, Limits: map[string]string{"memory": "4Gi"},
		},
	}
}

// TestGolden: the whole Job, for those who want to read one.
func TestGolden(t *testing.T) {
	job, _ := newObjects("ns", request())
	got, err := yaml.Marshal(job)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("testdata/job.yaml", got, 0o644))
	}
	want, err := os.ReadFile("testdata/job.yaml")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "go test -update writes it anew")
}

// TestObjectsAreEqual: equal requests make byte-identical objects, and what is secret is in
// Secrets only.
func TestObjectsAreEqual(t *testing.T) {
	job, secrets := newObjects("ns", request())
	again, secretsAgain := newObjects("ns", request())
	require.Equal(t, job, again)
	require.Equal(t, secrets, secretsAgain)
	encoded, err := yaml.Marshal(job)
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "user:secret", "a proxy's password is an input")
	require.Equal(t, "HTTPS_PROXY=http://user:secret@proxy.example.com:3128\nNO_PROXY=.svc\n", string(secrets[0].Data[proxyKey]))
	require.Equal(t, text, string(secrets[0].Data[containerfileKey]))
	require.Equal(t, []string{"Containerfile", "build.sh", "machine-config.tar.gz.00", "proxy", "registry-ca.registry.example.com..5000"}, slices.Sorted(maps.Keys(secrets[0].Data)))
	require.Equal(t, "certificate", string(secrets[0].Data["registry-ca.registry.example.com..5000"]))
	require.Len(t, secrets, 1, "each Secret is a call more")
	require.Empty(t, foreignIn(job))
}

// TestInputsOfAnySize: what does not fit into a Secret goes into the next one.
func TestInputsOfAnySize(t *testing.T) {
	r := request()
	r.Context = nil
	for _, name := range []string{"a", "b", "c"} {
		r.Context = append(r.Context, imagebuilder.File{Name: name, Data: make([]byte, 900<<10)})
	}
	job, secrets := newObjects("ns", r)
	require.Len(t, secrets, 3)
	for _, secret := range secrets {
		size := 0
		for _, data := range secret.Data {
			size += len(data)
		}
		require.LessOrEqual(t, size, corev1.MaxSecretSize)
	}
	require.Equal(t, 3, numberOfInputs(job))
	require.Empty(t, foreignIn(job))
}

// TestOnePodAtATime: what keeps a Job from trying again by itself, from two pods that push
// at once, and from deleting the evidence.
func TestOnePodAtATime(t *testing.T) {
	job, _ := newObjects("ns", request())
	spec := job.Spec
	require.Equal(t, ptr.To[int32](0), spec.BackoffLimit, "attempts are the plan's")
	require.Equal(t, ptr.To(batchv1.Failed), spec.PodReplacementPolicy, "a pod that ends may still push")
	require.Len(t, spec.PodFailurePolicy.Rules, 1)
	require.Equal(t, batchv1.PodFailurePolicyActionIgnore, spec.PodFailurePolicy.Rules[0].Action, "a drain is no attempt")
	require.Equal(t, int64(3600), *spec.Template.Spec.ActiveDeadlineSeconds)
	require.Greater(t, *spec.ActiveDeadlineSeconds, *spec.Template.Spec.ActiveDeadlineSeconds, "the Job's deadline deletes the pod, and what it says")
	require.Nil(t, spec.TTLSecondsAfterFinished, "the plan decides when a build goes")
}

// TestSecurityLevels: what each level gives up.
func TestSecurityLevels(t *testing.T) {
	of := func(level, seccomp string) corev1.PodSpec {
		r := request()
		r.Workload.SecurityLevel, r.Workload.Seccomp = level, seccomp
		return newPodSpec(r, 1)
	}
	for _, level := range []string{constants.LevelLimitedRoot, constants.LevelRoot, constants.LevelUser} {
		spec := of(level, "")
		require.False(t, *spec.AutomountServiceAccountToken, "the pod talks to no API")
		require.False(t, *spec.Containers[0].SecurityContext.Privileged)
		require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, spec.SecurityContext.SeccompProfile.Type)
		require.False(t, spec.HostNetwork || spec.HostPID || spec.HostIPC)
	}
	limited := of(constants.LevelLimitedRoot, "").Containers[0].SecurityContext
	require.Equal(t, []corev1.Capability{"ALL"}, limited.Capabilities.Drop)
	require.Len(t, limited.Capabilities.Add, 6)
	require.False(t, *limited.AllowPrivilegeEscalation)
	require.Equal(t, int64(1000), *of(constants.LevelUser, "").SecurityContext.RunAsUser)
	require.Nil(t, of("", constants.SeccompNode).SecurityContext.SeccompProfile)
	require.Equal(t, corev1.SeccompProfileTypeUnconfined, of("", constants.SeccompUnconfined).SecurityContext.SeccompProfile.Type)
}

// TestForeign: what somebody may have changed about a Job before it was made.
func TestForeign(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		edit   func(*batchv1.Job)
		want   string
	}{
		"as made":          {reason: "the API server's defaults are not ours", edit: func(j *batchv1.Job) { j.Spec.Template.Spec.DNSPolicy = corev1.DNSClusterFirst }},
		"resources":        {reason: "clusters add them", edit: func(j *batchv1.Job) { j.Spec.Template.Spec.Containers[0].Resources.Limits = nil }},
		"another command":  {reason: "it does not build", edit: func(j *batchv1.Job) { j.Spec.Template.Spec.Containers[0].Command = []string{"sh", "-c", "evil"} }, want: inTemplate + "containers[0] runs another command than the script among the inputs"},
		"arguments":        {reason: "the script takes none", edit: func(j *batchv1.Job) { j.Spec.Template.Spec.Containers[0].Args = []string{"x"} }, want: inTemplate + "containers[0] runs another command than the script among the inputs"},
		"a variable":       {reason: "LD_PRELOAD is one", edit: func(j *batchv1.Job) { setEnv(j, "LD_PRELOAD", "/evil.so") }, want: inTemplate + `containers[0].env has "LD_PRELOAD"`},
		"no output":        {reason: "it goes nowhere", edit: func(j *batchv1.Job) { setEnv(j, envOutput, "") }, want: inTemplate + "containers[0].env does not say what is built, and for where"},
		"a volume":         {reason: "steps would see it", edit: func(j *batchv1.Job) { setEnv(j, envVolumes, "push:/etc") }, want: inTemplate + `containers[0].env shows "push:/etc" to the steps of the build`},
		"another's inputs": {reason: "they decide the image", edit: func(j *batchv1.Job) { inputsOf(j)[0].Secret.Name = "other" }, want: inTemplate + "volumes has inputs that are not the build's own"},
		"one more input": {reason: "it may hide another", edit: func(j *batchv1.Job) {
			v := volumeAt(j, volumeInputs)
			v.Projected.Sources = append(v.Projected.Sources, corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{}})
		}, want: inTemplate + "volumes has inputs that are not the build's own"},
		"a mount":   {reason: "over the shell", edit: func(j *batchv1.Job) { j.Spec.Template.Spec.Containers[0].VolumeMounts[0].MountPath = "/bin" }, want: inTemplate + `containers[0].volumeMounts has "/bin"`},
		"a sidecar": {reason: "it may write what the builder reads", edit: func(j *batchv1.Job) { j.Spec.Template.Spec.InitContainers = []corev1.Container{{}} }, want: inTemplate + "containers and initContainers are not the builder alone"},
		"of the node": {reason: "no build has any", edit: func(j *batchv1.Job) {
			volumeAt(j, volumeStorage).VolumeSource = corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/etc"}}
		}, want: inTemplate + `volumes has the directory "/etc" of the node`},
		"another account": {reason: "it may have rights", edit: func(j *batchv1.Job) { j.Spec.Template.Spec.ServiceAccountName = "default" }, want: inTemplate + `serviceAccountName is "default"`},
		"two pods":        {reason: "two pushes", edit: func(j *batchv1.Job) { j.Spec.Parallelism = ptr.To[int32](2) }, want: "spec.completions and spec.parallelism are not 1"},
		"another manager": {reason: "it may say anything", edit: func(j *batchv1.Job) { j.Spec.ManagedBy = ptr.To("example.com/x") }, want: `spec.managedBy is "example.com/x"`},
	} {
		t.Run(name, func(t *testing.T) {
			job, _ := newObjects("ns", request())
			test.edit(job)
			require.Equal(t, test.want, foreignIn(job), test.reason)
		})
	}
}

func setEnv(job *batchv1.Job, name, value string) {
	container := &job.Spec.Template.Spec.Containers[0]
	for i := range container.Env {
		if container.Env[i].Name == name {
			container.Env[i].Value = value
			return
		}
	}
	container.Env = append(container.Env, corev1.EnvVar{Name: name, Value: value})
}

func volumeAt(job *batchv1.Job, name string) *corev1.Volume {
	volumes := job.Spec.Template.Spec.Volumes
	return &volumes[slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == name })]
}

func inputsOf(job *batchv1.Job) []corev1.VolumeProjection {
	return volumeAt(job, volumeInputs).Projected.Sources
}
