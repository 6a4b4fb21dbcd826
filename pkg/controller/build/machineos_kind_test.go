package build

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/registry"
)

// registryWith has the images of all digests but those that are lost, and counts questions.
type registryWith struct {
	lost  map[string]error
	asked []registry.Question
}

func (r *registryWith) says() registryOf {
	return func(q registry.Question) (string, error) {
		r.asked = append(r.asked, q)
		return q.Tag, r.lost[q.Tag]
	}
}

// kindHarness has a pool that a MachineOSConfig opts in, with the image of configA published.
func kindHarness(t *testing.T) (h *harness, r *registryWith, first string) {
	t.Helper()
	h = machineOSHarness(t, buildtest.MachineOSConfig(worker))
	r = &registryWith{lost: map[string]error{}}
	h.registry = r.says()
	h.restart()
	h.settle(worker)
	return h, r, h.succeed()
}

// requireNoBuild renders the config, which does with the image, and looks at every step.
func (h *harness) requireNoBuild(config, image string) {
	h.t.Helper()
	h.api.Before = func(call buildtest.Call) {
		require.NotEqual(h.t, "create secrets", call.Verb+" "+call.Resource)
		for _, build := range h.api.MachineOSBuilds() {
			progress := ledger.ProgressOf(&build.Status)
			require.True(h.t, progress == "" || progress == mcfgv1.MachineOSBuildSucceeded, "%s is %s, and nothing is built", build.Name, progress)
		}
	}
	h.want(config)
	h.settle(worker)
	h.api.Before = nil
	require.Empty(h.t, h.api.Builds())
	build := h.machineOSBuild()
	require.Equal(h.t, config, build.Spec.MachineConfig.Name)
	h.requireProgress(build, mcfgv1.MachineOSBuildSucceeded, ledger.ReasonImagePublished)
	require.Equal(h.t, image, string(build.Status.DigestedImagePushSpec))
	require.Equal(h.t, image, string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
	require.Equal(h.t, build.Name, h.api.MachineOSConfig(worker).Status.MachineOSBuild.Name)
	require.Contains(h.t, h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished), "is published for "+config)
}

// TestImageChangesNeedNoBuildForFiles: a config that differs in what nodes write themselves
// has the same digest, at once, if the registry still has it; and so has the one before.
func TestImageChangesNeedNoBuildForFiles(t *testing.T) {
	h, r, first := kindHarness(t)
	require.Empty(t, r.asked)
	h.requireNoBuild(configB, h.image(first))
	require.Len(t, r.asked, 1, "it is asked for once")
	require.Equal(t, registry.Question{Repository: buildtest.Repository, Tag: buildtest.DigestOf(first), User: "user", Password: buildtest.Canary, Certificates: r.asked[0].Certificates}, r.asked[0])
	h.requireNoBuild(configA, h.image(first))
	require.Len(t, r.asked, 2, "it may be gone by then")
	require.Empty(t, h.record(worker).History, "it is one image")

	h.restart()
	h.api.ResetCalls()
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Empty(t, h.api.Calls())
	require.Len(t, r.asked, 2, "nothing is asked at rest")
}

// TestImageChangesBuild: what nodes cannot do themselves takes a build.
func TestImageChangesBuild(t *testing.T) {
	changed := func(change func(*mcfgv1.MachineConfigSpec)) func(*harness) {
		return func(h *harness) {
			config := buildtest.RenderedConfig("rendered-worker-c")
			config.Spec.BaseOSExtensionsContainerImage = "quay.example.com/extensions@" + buildtest.Digest(78)
			change(&config.Spec)
			h.api.Put(config)
			h.want(config.Name)
		}
	}
	for name, test := range map[string]struct {
		reason string
		change func(*harness)
	}{
		"base image":       {reason: "a new release", change: changed(func(s *mcfgv1.MachineConfigSpec) { s.OSImageURL = "quay.example.com/os@" + buildtest.Digest(77) })},
		"kernel":           {reason: "it comes in packages", change: changed(func(s *mcfgv1.MachineConfigSpec) { s.KernelType = "realtime" })},
		"extensions":       {reason: "they are packages", change: changed(func(s *mcfgv1.MachineConfigSpec) { s.Extensions = []string{"usbguard"} })},
		"kernel arguments": {reason: "they may be part of the image", change: changed(func(s *mcfgv1.MachineConfigSpec) { s.KernelArguments = []string{"debug"} })},
		"custom content": {reason: "it is what the image is for", change: func(h *harness) {
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
				c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: "LABEL a=b"}}
			})
		}},
		"another object": {reason: "what is remembered ends with the object", change: func(h *harness) {
			h.api.Remove("machineosconfigs", "", worker)
			h.settle(worker)
			again := buildtest.MachineOSConfig(worker)
			again.UID = "uid-of-another"
			h.api.Put(again)
		}},
		"rebuild": {reason: "it is asked for", change: func(h *harness) {
			h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })
		}},
		"EveryConfig": {reason: "the administrator wants the files in the image", change: func(h *harness) {
			h.api.Put(everyConfig())
			h.want(configB)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, first := kindHarness(t)
			test.change(h)
			h.settle(worker)
			h.pass(time.Minute, worker)
			require.Len(t, h.activeBuilds(), 1, test.reason)
			second := h.succeed()
			require.NotEqual(t, first, second)
			require.Equal(t, h.image(second), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
		})
	}
}

// TestImageChangesAskTheRegistry: an image that is gone is built again, and only that: a
// registry that does not say is no reason to build.
func TestImageChangesAskTheRegistry(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		answer error
		builds bool
	}{
		"gone":    {reason: "nodes could not pull it", answer: fmt.Errorf("os: %w", registry.ErrMissing), builds: true},
		"denied":  {reason: "that is not missing", answer: registry.ErrDenied},
		"offline": {reason: "neither is that", answer: errors.New("connection refused")},
	} {
		t.Run(name, func(t *testing.T) {
			h, r, first := kindHarness(t)
			r.lost[buildtest.DigestOf(first)] = test.answer
			if !test.builds {
				h.requireNoBuild(configB, h.image(first))
				return
			}
			h.want(configB)
			h.settle(worker)
			h.pass(time.Minute, worker)
			require.Len(t, h.activeBuilds(), 1, test.reason)
			require.Equal(t, h.image(first), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec), "the image before stays meanwhile")
			second := h.succeed()
			require.Equal(t, h.image(second), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
			h.requireNoBuild(configA, h.image(second))
		})
	}
}

// TestImageChangesWithoutTheSecret: an image that is there is published, also where nobody can be
// asked for it with credentials.
func TestImageChangesWithoutTheSecret(t *testing.T) {
	h, r, first := kindHarness(t)
	allow := h.refuse("get", "secrets", "", forbidden("secrets"))
	defer allow()
	h.requireNoBuild(configB, h.image(first))
	require.Len(t, r.asked, 1)
	require.Empty(t, r.asked[0].User)
}

// TestImageChangesByLabel: the setting is there for pools that their label opts in, too.
func TestImageChangesByLabel(t *testing.T) {
	h := layeredHarness(t, configA, configB)
	h.editSettings(map[string]string{constants.BuildForKey: "imagechanges"})
	h.settle(worker)
	h.complete(worker)
	h.want(configB)
	h.settle(worker)
	h.requirePublished(worker, configB, buildtest.Digest(1))
	require.Len(t, h.api.Builds(), 1)

	h.editSettings(map[string]string{constants.BuildForKey: "always"})
	h.want(configA)
	h.settle(worker)
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonConfigMapInvalid), "key buildFor")
}

// TestMachineOSNodesHaveToPull: nodes degrade that have no credentials for the image, so that
// is said before a build is spent on it.
func TestMachineOSNodesHaveToPull(t *testing.T) {
	for name, test := range map[string]struct {
		reason      string
		credentials string
		warns       bool
	}{
		"none":      {reason: "without the operator of the registry it is not known what nodes have"},
		"unread":    {reason: "that is not known, either", credentials: "{"},
		"here":      {reason: "they can pull", credentials: `{"auths":{"registry.example.com":{"auth":"dXNlcjpwYXNzd29yZA=="}}}`},
		"elsewhere": {reason: "they cannot, unless anybody can", credentials: `{"auths":{"elsewhere.example.com":{"auth":"dXNlcjpwYXNzd29yZA=="}}}`, warns: true},
	} {
		t.Run(name, func(t *testing.T) {
			config := buildtest.ControllerConfig(buildtest.BaseImage)
			config.Spec.InternalRegistryPullSecret = []byte(test.credentials)
			h := machineOSHarness(t)
			h.api.Put(config)
			h.api.Put(buildtest.MachineOSConfig(worker))
			h.settle(worker)
			const warning = "Warning: MachineOSConfig worker, spec.renderedImagePushSpec: nodes will pull from " + buildtest.Repository + ", and have no credentials for it"
			message := h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildPrepared, ledger.ReasonBuildCreated)
			require.Equal(t, test.warns, strings.Contains(message, warning), "%s: %s", test.reason, message)
			require.Equal(t, test.warns, strings.Contains(h.requireConfig(worker, ledger.ConfigProgressing, ledger.ConfigBuilding), warning), test.reason)
			h.succeed()
			require.Equal(t, test.warns, strings.Contains(h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished), warning), test.reason)
		})
	}
}

// TestMachineOSOwnWritesCauseNoConflict: the cache of MachineOSConfigs is behind what was
// written there a moment ago. Whoever goes by it alone writes once more, and is refused.
func TestMachineOSOwnWritesCauseNoConflict(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	h.restart()
	others := func() {
		for resource := range h.caches {
			if resource != "machineosconfigs" {
				h.deliver(resource)
			}
		}
		h.deliver("secrets")
	}
	h.deliver()
	h.want(configB)
	for _, step := range []func(){
		func() {},
		func() { h.clock.Step(time.Minute) },
		func() { h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning) },
		func() { h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(9)) },
		func() {},
	} {
		step()
		others()
		_, err := h.syncStale(worker)
		require.NoError(t, err)
	}
	require.Equal(t, buildtest.Repository+"@"+buildtest.Digest(9), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))

	// What somebody else writes counts all the same.
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
		c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: "LABEL a=b"}}
	})
	h.settle(worker)
	h.pass(time.Minute, worker)
	require.Contains(t, h.activeBuilds(), h.newestBuild(worker))
}
