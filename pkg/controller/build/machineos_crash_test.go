package build

import (
	"errors"
	"fmt"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// rolloutWitness looks at the cluster as the node controller and the server do, before every
// call of the controller, that is, after every write.
type rolloutWitness struct {
	h *harness
	// everyConfig tells that each config has an image of its own.
	everyConfig bool
	// builtFor is what each image was built for, see wanted, and calls counts.
	builtFor map[string]string
	calls    int
}

// wanted is what decides the image.
func (w *rolloutWitness) wanted() string {
	if w.everyConfig {
		return w.h.api.Pool(worker).Spec.Configuration.Name
	}
	return fmt.Sprint(w.h.api.MachineOSConfig(worker).Spec.Containerfile)
}

// requireRight checks an image that nodes are given. While an edit of the spec is being built,
// that is the one before.
func (w *rolloutWitness) requireRight(image string, call buildtest.Call) {
	if w.everyConfig {
		require.Equal(w.h.t, w.wanted(), w.builtFor[image], "nodes are given an image of something else, before %s", call)
	}
	require.NotEmpty(w.h.t, w.builtFor[image], "nodes are given an image that nobody built, before %s", call)
}

func (w *rolloutWitness) look(call buildtest.Call) {
	t := w.h.t
	w.calls++
	api := w.h.api
	wanted := api.Pool(worker).Spec.Configuration.Name
	for _, r := range append(api.OldRollout(worker), api.Rollout(worker)) {
		if r.Goes {
			require.Equal(t, wanted, r.Config)
			w.requireRight(r.Image, call)
			for _, build := range api.Builds() {
				require.NotContains(t, r.Image, buildtest.DigestOf(build.Name), "nodes are given an image while what made it is there, before %s", call)
			}
		}
		require.False(t, r.Fails, "nothing fails here")
	}
	for _, image := range api.ServesNewNodes(worker) {
		if image != "" && api.Rollout(worker).Goes {
			w.requireRight(image, call)
		}
	}
	seen := 0
	for _, build := range api.MachineOSBuilds() {
		require.Equal(t, "true", build.Labels[constants.PreBuiltImageLabel], "the operator's own builder would start a build for it")
		if build.Spec.MachineConfig.Name == wanted {
			seen++
		}
	}
	require.LessOrEqual(t, seen, 2, "two only while an edit is being built")
}

// nodeController takes away annotations that are stale.
func (w *rolloutWitness) nodeController() {
	if w.h.api.Rollout(worker).Stale {
		w.h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { delete(c.Annotations, constants.CurrentBuildAnnotation) })
	}
}

// finish lets the build that is under way succeed.
func (w *rolloutWitness) finish() {
	h := w.h
	h.settle(worker)
	h.pass(time.Minute, worker)
	for _, name := range h.activeBuilds() {
		if name != h.newestBuild(worker) {
			h.stopped(name)
			continue
		}
		h.api.EditBuild(name, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning })
		h.settle(worker)
		w.builtFor[h.image(name)] = w.wanted()
		h.api.CompleteBuild(name, buildtest.DigestOf(name))
	}
	h.settle(worker)
}

// machineOSStory opts in, has another config rendered, asks for a rebuild, edits the spec and
// goes back.
func machineOSStory(t *testing.T, everyConfigs bool, disturb func(h *harness, w *rolloutWitness)) *rolloutWitness {
	h := machineOSHarness(t)
	if everyConfigs {
		h.api.Put(everyConfig())
	}
	w := &rolloutWitness{h: h, everyConfig: everyConfigs, builtFor: map[string]string{}}
	h.api.Put(buildtest.MachineOSConfig(worker))
	h.api.Before = w.look
	disturb(h, w)
	w.finish()
	h.want(configB)
	w.nodeController()
	w.finish()
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })
	w.finish()
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
		c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: "LABEL a=b"}}
	})
	w.finish()
	h.want(configA)
	w.nodeController()
	w.finish()
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
	require.Equal(t, w.wanted(), w.builtFor[string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec)])
	r := h.api.Rollout(worker)
	require.True(t, r.Goes, "nodes get the image")
	require.False(t, r.Stale)
	require.Equal(t, configA, r.Config)
	require.Empty(t, h.api.Builds())
	require.Empty(t, h.api.InputSecrets())
	return w
}

// TestMachineOSRollout: whoever goes by MachineOSConfigs and MachineOSBuilds waits, or has the
// right image, at every instant.
func TestMachineOSRollout(t *testing.T) {
	for _, everyConfigs := range []bool{true, false} {
		w := machineOSStory(t, everyConfigs, func(*harness, *rolloutWitness) {})
		require.Positive(t, w.calls)
	}
}

// TestMachineOSCrashes: the same with a crash before, and after, each call.
func TestMachineOSCrashes(t *testing.T) {
	for mode, everyConfigs := range map[string]bool{constants.BuildForEveryConfig: true, constants.BuildForImageChanges: false} {
		calls := machineOSStory(t, everyConfigs, func(*harness, *rolloutWitness) {}).calls
		for at := 1; at <= calls; at++ {
			for name, lost := range map[string]bool{"refused": false, "lost": true} {
				t.Run(fmt.Sprintf("%s, %s at %d", mode, name, at), func(t *testing.T) {
					machineOSStory(t, everyConfigs, func(h *harness, w *rolloutWitness) { crash(h, w, at, lost) })
				})
			}
		}
	}
}

// crash ends the controller at that call, which is carried out if its reply is lost.
func crash(h *harness, w *rolloutWitness, at int, lost bool) {
	fail := func(buildtest.Call) error {
		if w.calls != at {
			return nil
		}
		h.crashed = true
		return errors.New("crash")
	}
	if lost {
		h.api.LoseReply = fail
	} else {
		h.api.Fault = fail
	}
}

// TestMachineOSBudget: what a cycle costs, from the MachineOSConfig to the image on it.
func TestMachineOSBudget(t *testing.T) {
	h := machineOSHarness(t, everyConfig())
	w := &rolloutWitness{h: h, everyConfig: true, builtFor: map[string]string{}}
	h.api.Put(buildtest.MachineOSConfig(worker))
	var calls []string
	h.api.Before = func(call buildtest.Call) { w.look(call); calls = append(calls, call.String()) }
	w.finish()
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)
	// The two Secrets are read once for each version, the config is at hand in production,
	// and the pool's condition says once that there is no failure.
	require.LessOrEqual(t, len(calls), mostMachineOSCalls+4, "%v", calls)
	calls = nil
	h.want(configB)
	w.nodeController()
	w.finish()
	require.LessOrEqual(t, len(calls), mostMachineOSCalls, "%v", calls)
	calls = nil
	h.pass(time.Hour, worker)
	require.Empty(t, calls, "nothing at rest")
}

const mostMachineOSCalls = 14
