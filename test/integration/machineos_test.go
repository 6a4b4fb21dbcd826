package integration

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfginformersv1 "github.com/openshift/client-go/machineconfiguration/informers/externalversions/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
)

// machineOSConfig makes one for the pool of its name, and removes it with the test.
func machineOSConfig(t *testing.T, name string, edits ...func(*mcfgv1.MachineOSConfig)) (*mcfgv1.MachineOSConfig, error) {
	t.Helper()
	configs := shared.mcfg.MachineconfigurationV1().MachineOSConfigs()
	created, err := configs.Create(t.Context(), newMachineOSConfig(name, edits...), metav1.CreateOptions{})
	if err == nil {
		deletedInTheEnd(t, name)
	}
	return created, err
}

// deletedInTheEnd has a MachineOSConfig deleted that is still there.
func deletedInTheEnd(t *testing.T, name string) {
	t.Cleanup(func() {
		err := shared.mcfg.MachineconfigurationV1().MachineOSConfigs().Delete(context.Background(), name, metav1.DeleteOptions{})
		if !apierrors.IsNotFound(err) {
			require.NoError(t, err)
		}
	})
}

func newMachineOSConfig(name string, edits ...func(*mcfgv1.MachineOSConfig)) *mcfgv1.MachineOSConfig {
	config := &mcfgv1.MachineOSConfig{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: mcfgv1.MachineOSConfigSpec{
		MachineConfigPool:       mcfgv1.MachineConfigPoolReference{Name: name},
		ImageBuilder:            mcfgv1.MachineOSImageBuilder{ImageBuilderType: mcfgv1.JobBuilder},
		RenderedImagePushSecret: mcfgv1.ImageSecretObjectReference{Name: "push"},
		RenderedImagePushSpec:   "registry.example.com/org/os:latest",
		Containerfile:           []mcfgv1.MachineOSContainerfile{},
	}}
	for _, edit := range edits {
		edit(config)
	}
	return config
}

// TestMachineOSConfigsThatAreAdmitted: what the API takes of a MachineOSConfig, and what the
// controller makes of that.
func TestMachineOSConfigsThatAreAdmitted(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		edit   func(*mcfgv1.MachineOSConfig)
		// refused is the API's answer, and found what the controller says of one that it takes.
		refused, found string
	}{
		"as it should be":  {reason: "what most write", edit: func(*mcfgv1.MachineOSConfig) {}},
		"another name":     {reason: "one for each pool", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.MachineConfigPool.Name = "other" }, refused: "name must match"},
		"another builder":  {reason: "there is one", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.ImageBuilder.ImageBuilderType = "Pod" }, refused: `supported values: "Job"`},
		"no tag":           {reason: "it is mandatory, and means nothing", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = "quay.io/org/repo" }, refused: "OCI Image name"},
		"host without dot": {reason: "it could be an organisation", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = "localhost:5000/os:1" }, refused: "OCI Image name"},
		"internal registry": {reason: "what many write", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Spec.RenderedImagePushSpec = "image-registry.openshift-image-registry.svc:5000/openshift-machine-config-operator/os:1"
		}},
		"three segments":   {reason: "admitted, and its digest never", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = "registry.example.com/a/b/c:1" }, found: inputs.FieldPushSpec},
		"dot in the first": {reason: "neither is admitted", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = "quay.io/org.dot/repo:1" }, refused: "OCI Image name"},
		"text without FROM": {reason: "it is appended", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{Content: "LABEL a=b"}}
		}},
		"too large a text": {reason: "4096 characters", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{Content: strings.Repeat("x", 4097)}}
		}, refused: "4096"},
		"other architecture": {reason: "admitted, and not built", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.Arm64, Content: "x"}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := machineOSConfig(t, "mosc-admitted", test.edit)
			if test.refused != "" {
				require.True(t, apierrors.IsInvalid(err), "%s: %v", test.reason, err)
				require.ErrorContains(t, err, test.refused, test.reason)
				return
			}
			require.NoError(t, err, test.reason)
			read := ledger.ReadMachineOSConfig(config)
			settings, problems := read.Settings(nil)
			if test.found != "" {
				require.Len(t, problems, 1, test.reason)
				require.Equal(t, test.found, problems[0].Key)
				return
			}
			require.Empty(t, problems, test.reason)
			// What the controller takes, the API takes with a digest.
			image := mcfgv1.ImageDigestFormat(settings.FinalImageRepository + "@sha256:" + strings.Repeat("a", 64))
			config.Status.CurrentImagePullSpec = image
			_, err = shared.mcfg.MachineconfigurationV1().MachineOSConfigs().UpdateStatus(t.Context(), config, metav1.UpdateOptions{})
			require.NoError(t, err, test.reason)
		})
	}
}

// TestMachineOSRulesOfTheAPI: what the controller's way of writing goes by. Should the API come
// to take any of it, or another one not, it shows here.
func TestMachineOSRulesOfTheAPI(t *testing.T) {
	config, err := machineOSConfig(t, "mosc-rules")
	require.NoError(t, err)
	builds := shared.mcfg.MachineconfigurationV1().MachineOSBuilds()
	o := outcome(ledger.StatePending)
	for name, test := range map[string]struct {
		reason string
		// before is what the status is first, and patch what is sent then.
		before, patch string
		spec          bool
		refused       string
	}{
		"end without beginning":  {reason: "the end comes with its beginning", patch: `{"buildEnd":"2026-01-01T00:00:00Z"}`, refused: "buildEnd must be after buildStart"},
		"end at the beginning":   {reason: "times have whole seconds", patch: `{"buildStart":"2026-01-01T00:00:00Z","buildEnd":"2026-01-01T00:00:00Z"}`, refused: "buildEnd must be after buildStart"},
		"a second later":         {reason: "that is enough", patch: `{"buildStart":"2026-01-01T00:00:00Z","buildEnd":"2026-01-01T00:00:01Z"}`},
		"beginning corrected":    {reason: "it is written once", before: `{"buildStart":"2026-01-01T00:00:00Z"}`, patch: `{"buildStart":"2026-01-01T00:00:01Z"}`, refused: "immutable"},
		"after Failed":           {reason: "the last word", before: conditionOf("Failed"), patch: conditionOf("Succeeded"), refused: "once a Failed condition is set"},
		"after Interrupted":      {reason: "the last word", before: conditionOf("Interrupted"), patch: conditionOf("Succeeded"), refused: "once an Interrupted condition is set"},
		"after Succeeded":        {reason: "the last word", before: conditionOf("Succeeded"), patch: conditionOf("Failed"), refused: "once an Succeeded condition is set"},
		"digest after Succeeded": {reason: "only conditions are frozen", before: conditionOf("Succeeded"), patch: `{"digestedImagePushSpec":"quay.io/org/os@sha256:` + strings.Repeat("a", 64) + `"}`},
		"three segments":         {reason: "a digest is not taken there", patch: `{"digestedImagePushSpec":"quay.io/a/b/c@sha256:` + strings.Repeat("a", 64) + `"}`, refused: "OCI Image name"},
		"a Job without one":      {reason: "it is a union", patch: `{"builder":{"imageBuilderType":"Job"}}`, refused: "job is required"},
		"another without a Job":  {reason: "the type has no fixed values", patch: `{"builder":{"imageBuilderType":"OpenShiftBuild"}}`},
		"core group":             {reason: "objects of it cannot be referred to", patch: `{"relatedObjects":[{"group":"","resource":"secrets","name":"x"}]}`, refused: "relatedObjects"},
		"another spec":           {reason: "it is immutable", spec: true, patch: `{"machineConfig":{"name":"rendered-other-config"}}`, refused: "immutable"},
	} {
		t.Run(name, func(t *testing.T) {
			o.MachineOSBuild = "mosc-rules-" + strings.ReplaceAll(strings.ToLower(name), " ", "-")
			wanted := ledger.NewMachineOSBuild(config, o)
			wanted.Status.BuildStart = &metav1.Time{Time: time.Now()}
			created, err := builds.Create(t.Context(), wanted, metav1.CreateOptions{})
			require.NoError(t, err)
			require.Nil(t, created.Status.BuildStart, "a status is dropped at creation")
			if test.before != "" {
				_, err = builds.Patch(t.Context(), wanted.Name, types.MergePatchType, []byte(`{"status":`+test.before+`}`), metav1.PatchOptions{}, "status")
				require.NoError(t, err)
			}
			if test.spec {
				_, err = builds.Patch(t.Context(), wanted.Name, types.MergePatchType, []byte(`{"spec":`+test.patch+`}`), metav1.PatchOptions{})
			} else {
				_, err = builds.Patch(t.Context(), wanted.Name, types.MergePatchType, []byte(`{"status":`+test.patch+`}`), metav1.PatchOptions{}, "status")
			}
			if test.refused == "" {
				require.NoError(t, err, test.reason)
				return
			}
			require.ErrorContains(t, err, test.refused, test.reason)
		})
	}
}

func conditionOf(conditionType string) string {
	text, err := json.Marshal(map[string]any{"conditions": []metav1.Condition{{Type: conditionType, Status: metav1.ConditionTrue, Reason: "R", Message: "m", LastTransitionTime: metav1.Now()}}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func outcome(state ledger.State) *ledger.Outcome {
	o := &ledger.Outcome{Config: "rendered-mosc-1", Now: time.Now(), Report: ledger.Report{
		State: state, Reason: "Because", Message: "It is so.", Pool: "mosc-ledger", MachineOSBuild: "mosc-ledger-0123456789",
	}}
	o.Record = &ledger.Record{Build: "machine-os-mosc-1", Fingerprint: "f", Attempt: 1, Tag: o.MachineOSBuild, Config: o.Config, ClaimedAt: o.Now}
	switch state {
	case ledger.StatePublished:
		o.Record.Image = "registry.example.com/org/os@sha256:" + strings.Repeat("a", 64)
	case ledger.StateFailed, ledger.StateInterrupted:
		o.Record.Failure = &ledger.Failure{Reason: "R"}
	}
	return o
}

// TestMachineOSWhatIsWrittenIsAdmitted: every state, and every next one, within one second.
func TestMachineOSWhatIsWrittenIsAdmitted(t *testing.T) {
	_, err := machineOSConfig(t, "mosc-ledger")
	require.NoError(t, err)
	configs := mcfginformersv1.NewMachineOSConfigInformer(shared.mcfg, 0, cache.Indexers{})
	builds := mcfginformersv1.NewMachineOSBuildInformer(shared.mcfg, 0, cache.Indexers{})
	l, err := machineos.New(shared.mcfg, configs, builds, func() string { return "" })
	require.NoError(t, err)
	synced, err := l.Notify(func(string) {})
	require.NoError(t, err)
	go configs.RunWithContext(t.Context())
	go builds.RunWithContext(t.Context())
	require.Eventually(t, synced, soon, 10*time.Millisecond)
	states := []ledger.State{
		ledger.StateHeld, ledger.StatePending, ledger.StateBuilding, ledger.StateRetrying, ledger.StateFailed, ledger.StateInterrupted, ledger.StatePublished,
	}
	live, now := shared.mcfg.MachineconfigurationV1(), time.Now()
	for _, first := range states {
		for _, next := range states {
			for _, state := range []ledger.State{first, next} {
				o := outcome(state)
				// What is told anew at once would have been taken back by somebody.
				now = now.Add(time.Hour)
				o.Now = now
				config, err := live.MachineOSConfigs().Get(t.Context(), "mosc-ledger", metav1.GetOptions{})
				require.NoError(t, err)
				wait, err := l.Prepare(t.Context(), config, o)
				require.NoError(t, err, "%s, %s", first, next)
				require.Zero(t, wait)
				named, wait, err := l.Name(t.Context(), config, o)
				require.NoError(t, err, "%s, %s", first, next)
				require.Zero(t, wait)
				_, wait, err = l.Conclude(t.Context(), named, o)
				require.NoError(t, err, "%s, %s", first, next)
				require.Zero(t, wait)
				build, err := live.MachineOSBuilds().Get(t.Context(), o.MachineOSBuild, metav1.GetOptions{})
				require.NoError(t, err)
				require.False(t, o.Contradicts(&build.Status), "%s, %s", first, next)
			}
		}
	}
	config, err := live.MachineOSConfigs().Get(t.Context(), "mosc-ledger", metav1.GetOptions{})
	require.NoError(t, err)
	require.EqualValues(t, "registry.example.com/org/os@sha256:"+strings.Repeat("a", 64), config.Status.CurrentImagePullSpec)
	require.NoError(t, live.MachineOSConfigs().Delete(t.Context(), "mosc-ledger", metav1.DeleteOptions{}))
	require.Eventually(t, func() bool {
		_, err := live.MachineOSBuilds().Get(t.Context(), "mosc-ledger-0123456789", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, soon, 100*time.Millisecond, "it goes with its owner")
}
