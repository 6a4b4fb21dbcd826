package inputs

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

func TestParseWorkload(t *testing.T) {
	standard := Workload{SecurityLevel: constants.LevelLimitedRoot, Seccomp: constants.SeccompRuntimeDefault, Requests: map[string]string{"cpu": "250m", "memory": "512Mi"}}
	for name, test := range map[string]struct {
		reason string
		data   map[string]string
		want   func(w *Workload)
		// problem is of the key, and says that.
		key, problem string
	}{
		"nothing": {reason: "all has a default"},
		"everything": {
			reason: "each key in its form, as people write it",
			data: map[string]string{
				constants.JobBuilderImageKey: "quay.example.com/mco:4.20\n", constants.JobSecurityLevelKey: "user", constants.JobSeccompProfileKey: "Unconfined",
				constants.JobPriorityClassKey: "high", constants.JobNodeSelectorKey: "node-role.kubernetes.io/infra=, a=b", constants.JobTolerationsKey: "node-role.kubernetes.io/infra:NoSchedule\ndedicated=builds",
				constants.JobRequestsKey: "memory=1Gi", constants.JobLimitsKey: "memory=4Gi,ephemeral-storage=20Gi",
			},
			want: func(w *Workload) {
				*w = Workload{
					Image: "quay.example.com/mco:4.20", SecurityLevel: constants.LevelUser, Seccomp: constants.SeccompUnconfined, PriorityClass: "high",
					NodeSelector: map[string]string{"node-role.kubernetes.io/infra": "", "a": "b"}, Tolerations: []string{"node-role.kubernetes.io/infra:NoSchedule", "dedicated=builds"},
					Requests: map[string]string{"memory": "1Gi"}, Limits: map[string]string{"memory": "4Gi", "ephemeral-storage": "20Gi"},
				}
			},
		},
		"image":            {reason: "a short name is another one on each node", data: map[string]string{constants.JobBuilderImageKey: "mco"}, key: constants.JobBuilderImageKey, problem: "registry"},
		"level":            {reason: "a slip must not give more than was asked for", data: map[string]string{constants.JobSecurityLevelKey: "rooot"}, key: constants.JobSecurityLevelKey, problem: `"rooot" is none of LimitedRoot, Root, User; leave the key out for LimitedRoot`},
		"profile":          {reason: "likewise", data: map[string]string{constants.JobSeccompProfileKey: "none"}, key: constants.JobSeccompProfileKey, problem: `"none" is none of`},
		"priority":         {reason: "no such name", data: map[string]string{constants.JobPriorityClassKey: "a b"}, key: constants.JobPriorityClassKey, problem: "not a valid name"},
		"selector":         {reason: "not a label", data: map[string]string{constants.JobNodeSelectorKey: "a b"}, key: constants.JobNodeSelectorKey, problem: `"a b" is not a label; write labels`},
		"taint":            {reason: "no such effect", data: map[string]string{constants.JobTolerationsKey: "a:Never"}, key: constants.JobTolerationsKey, problem: `"a:Never" has the effect "Never", which is none of`},
		"resource":         {reason: "no such resource", data: map[string]string{constants.JobRequestsKey: "ram=1Gi"}, key: constants.JobRequestsKey, problem: `is of "ram", which is none of cpu, memory, ephemeral-storage`},
		"quantity":         {reason: "no number", data: map[string]string{constants.JobLimitsKey: "memory=much"}, key: constants.JobLimitsKey, problem: `"memory=much" is not a quantity above zero`},
		"less than wanted": {reason: "every pod is refused", data: map[string]string{constants.JobLimitsKey: "memory=256Mi"}, key: constants.JobLimitsKey, problem: "memory is limited to 256Mi, which is less than the 512Mi that are requested (key jobRequests)"},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := parseWorkload(test.data)
			if test.problem != "" {
				require.Len(t, problems, 1, test.reason)
				require.Equal(t, test.key, problems[0].Key)
				require.Contains(t, problems[0].String(), test.problem)
				require.Contains(t, problems[0].String(), constants.ConfigMapName)
				return
			}
			require.Empty(t, problems, test.reason)
			want := standard
			if test.want != nil {
				test.want(&want)
			}
			require.Equal(t, want, got, test.reason)
		})
	}
}

func TestParseBackend(t *testing.T) {
	for text, want := range map[string]string{"": constants.BackendOpenShiftBuild, "Job": constants.BackendJob, "job\n": constants.BackendJob, "OpenShiftBuild": constants.BackendOpenShiftBuild} {
		backend, problem := backendChoice.parse(map[string]string{constants.ImageBuilderKey: text})
		require.Nil(t, problem)
		require.Equal(t, want, backend)
	}
	_, problem := backendChoice.parse(map[string]string{constants.ImageBuilderKey: "podman"})
	require.Equal(t, `ConfigMap machine-os-builder-config, key imageBuilder: "podman" is none of OpenShiftBuild, Job; leave the key out for OpenShiftBuild`, problem.String())
}

func TestParseBuildFor(t *testing.T) {
	settings := func(text string) (Settings, []Problem) {
		return ParseSettings(map[string]string{constants.FinalImagePushSecretKey: "push", constants.FinalImagePullspecKey: "registry.example.com/org/repo", constants.BuildForKey: text})
	}
	for text, want := range map[string]string{"": constants.BuildForEveryConfig, "imageChanges\n": constants.BuildForImageChanges} {
		got, problems := settings(text)
		require.Empty(t, problems)
		require.Equal(t, want, got.BuildFor)
	}
	_, problems := settings("Always")
	require.Len(t, problems, 1)
	require.Equal(t, `ConfigMap machine-os-builder-config, key buildFor: "Always" is none of EveryConfig, ImageChanges; leave the key out for EveryConfig`, problems[0].String())
}

func TestReleaseBuilderImage(t *testing.T) {
	of := func(key, text string) *corev1.ConfigMap { return &corev1.ConfigMap{Data: map[string]string{key: text}} }
	image, why := ReleaseBuilderImage(of("images.json", `{"releaseVersion":"4.20.1","machineConfigOperator":"quay.example.com/release:mco"}`))
	require.Equal(t, "quay.example.com/release:mco", image)
	require.Empty(t, why)
	for text, want := range map[string]string{"": "not JSON", `{}`: `for machineConfigOperator ""`, `{"machineConfigOperator":"mco"}`: `"mco"`} {
		image, why = ReleaseBuilderImage(of("images.json", text))
		require.Empty(t, image)
		require.Contains(t, why, want)
	}
	_, why = ReleaseBuilderImage(of("other", ""))
	require.Equal(t, "has no key images.json", why)
}

// TestBackendInFingerprint: who turns to the other backend in the middle of a build has it
// built by that one; fingerprints of before there were two stay as they are.
func TestBackendInFingerprint(t *testing.T) {
	identity := Identity{Pool: "worker", RenderedConfig: "rendered-worker-1"}
	before := identity.Fingerprint()
	identity.Backend = constants.BackendOpenShiftBuild
	require.Equal(t, before, identity.Fingerprint())
	identity.Backend = constants.BackendJob
	require.NotEqual(t, before, identity.Fingerprint())
}
