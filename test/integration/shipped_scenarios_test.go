package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

func kernelArgument(s *mcfgv1.MachineConfigSpec) { s.KernelArguments = []string{"debug"} }

// shippedScenarios are what the end-to-end tests that ship with the operator do to the objects
// of its own builder, and what they expect of these, by the numbers that the package
// documentation of machineos has. What people do, and what they wait for, is done and waited for
// with kubectl; what they may not see is looked at beside it.
var shippedScenarios = map[string]func(*shippedPool){
	"E01 E28 a finished build is built once more": func(p *shippedPool) {
		p.optIn()
		first := p.awaitImage()
		p.hold()
		p.rebuild()
		second := p.awaitBuilding()
		require.Equal(p.t, first.Name, second.Name)
		require.NotEqual(p.t, first.UID, second.UID)
		require.Len(p.t, p.builds(), 1)
		object, _ := p.object()
		require.Equal(p.t, first.Status.DigestedImagePushSpec, object.Status.CurrentImagePullSpec, "nodes keep the image meanwhile")
		require.NotContains(p.t, object.Annotations, "machineconfiguration.openshift.io/rebuild", "it was acted on")
		p.release()
		require.NotEqual(p.t, first.Status.DigestedImagePushSpec, p.awaitImage().Status.DigestedImagePushSpec)
	},
	"E06 an edit ends the build that runs": func(p *shippedPool) {
		p.hold()
		p.optIn()
		first := p.awaitBuilding()
		job := p.job(first)
		p.content("FROM configs AS final\nLABEL edited=yes\n")
		p.await("the edited one runs alone", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
			return is(build, mcfgv1.MachineOSBuilding) && build.Name != first.Name && len(p.builds()) == 1 && len(p.pods(job)) == 0
		})
		p.release()
		p.awaitImage()
		p.awaitNoJob(first)
	},
	"E07 E42 so does another config": func(p *shippedPool) {
		p.hold()
		p.optIn()
		first := p.awaitBuilding()
		job := p.job(first)
		p.want(kernelArgument)
		p.await("that of the new config runs alone", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
			return is(build, mcfgv1.MachineOSBuilding) && build.Spec.MachineConfig.Name == p.config && len(p.builds()) == 1 && len(p.pods(job)) == 0
		})
		p.release()
		p.awaitImage()
		p.awaitNoJob(first)
	},
	"E08 E11 E29 a Job that is deleted is somebody's will": func(p *shippedPool) {
		p.hold()
		p.optIn()
		first := p.awaitBuilding()
		kubectl(p.t, "", "-n", devcluster.Namespace, "delete", "job", first.Status.Builder.Job.Name)
		require.Equal(p.t, first.UID, p.waitForBuild(mcfgv1.MachineOSBuildInterrupted).UID)
		require.Empty(p.t, jobsOf(p.t, p.name), "nothing is started in its place")
		object, _ := p.object()
		require.Empty(p.t, object.Status.CurrentImagePullSpec)
		p.rebuild()
		second := p.awaitBuilding()
		require.Equal(p.t, first.Name, second.Name)
		require.NotEqual(p.t, first.UID, second.UID)
		p.release()
		p.awaitImage()
	},
	"E12 a pod that is killed is no end": func(p *shippedPool) {
		p.hold()
		p.optIn()
		first := p.awaitBuilding()
		pod := p.pods(p.job(first))[0]
		kubectl(p.t, "", "-n", pod.Namespace, "delete", "pod", pod.Name, "--wait=false")
		p.release()
		build := p.awaitImage()
		require.Equal(p.t, first.UID, build.UID, "it was being built all the time")
	},
	"E13 a MachineOSBuild that is deleted comes again": func(p *shippedPool) {
		p.hold()
		p.optIn()
		first := p.awaitBuilding()
		again := func(of *mcfgv1.MachineOSBuild) {
			p.t.Helper()
			kubectl(p.t, "", "delete", "machineosbuild", of.Name, "--wait=false")
			p.await("it is there again", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
				return build != nil && build.Name == of.Name && build.UID != of.UID
			})
		}
		again(first)
		p.awaitBuilding()
		p.release()
		image := p.awaitImage()
		again(image)
		require.Equal(p.t, image.Status.DigestedImagePushSpec, p.awaitImage().Status.DigestedImagePushSpec, "no image is lost")
	},
	"E16 what cannot be built fails without a Job": func(p *shippedPool) {
		p.optIn(func(c *mcfgv1.MachineOSConfig) {
			c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: "FROM configs AS final\nRUNN true\n"}}
		})
		failed := p.waitForBuild(mcfgv1.MachineOSBuildFailed)
		p.wait("machineconfigpool/"+p.name, "condition=ImageBuildDegraded")
		require.Nil(p.t, failed.Status.Builder)
		require.Equal(p.t, "BuildFailed", p.degraded().Reason)
		require.Contains(p.t, p.degraded().Message, "Failed to build OS image for pool "+p.name)
		require.Contains(p.t, p.degraded().Message, failed.Name)
		p.hold()
		p.content("FROM configs AS final\nRUN true\n")
		p.await("the first word after that is Building", func(*mcfgv1.MachineOSConfig, *mcfgv1.MachineOSBuild) bool {
			c := p.degraded()
			require.True(p.t, c.Status == corev1.ConditionTrue || c.Reason == "Building", "it is %s", c.Reason)
			return c.Status == corev1.ConditionFalse
		})
		p.release()
		p.awaitImage()
		require.Equal(p.t, "BuildSuccess", p.degraded().Reason)
		require.Len(p.t, p.builds(), 1, "the failed one is gone")
	},
	"E17 a paused pool is built": func(p *shippedPool) {
		kubectl(p.t, "", "patch", "machineconfigpool", p.name, "--type=merge", `--patch={"spec":{"paused":true}}`)
		p.optIn()
		p.awaitImage()
	},
	"E18 E41 content is added, changed and taken away": func(p *shippedPool) {
		p.optIn()
		first := p.awaitImage()
		p.hold()
		p.content("RUN true\nLABEL a=b\n")
		p.awaitBuilding()
		require.Len(p.t, p.builds(), 2, "nodes keep what they have")
		p.release()
		second := p.awaitImage()
		require.NotEqual(p.t, first.Status.DigestedImagePushSpec, second.Status.DigestedImagePushSpec)
		p.content("RUN true\nLABEL a=c\n")
		p.await("the edit is known", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
			return build != nil && build.Name != second.Name && build.Name != first.Name
		})
		p.awaitImage()
		p.hold()
		p.content("")
		p.wait("machineosconfig/"+p.name, "jsonpath="+currentBuildPath+"="+first.Name)
		require.Equal(p.t, first.Status.DigestedImagePushSpec, p.awaitImage().Status.DigestedImagePushSpec, "and nothing is built for it")
	},
	"E19 an annotation that is wrong is put right": func(p *shippedPool) {
		p.optIn()
		first := p.awaitImage()
		p.want()
		second := p.awaitImage()
		kubectl(p.t, "", "annotate", "--overwrite", "machineosconfig", p.name, currentBuild+"="+first.Name)
		p.await("it names the one that counts", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
			return build != nil && build.UID == second.UID
		})
	},
	"E30 E48 another base image is built on": func(p *shippedPool) {
		p.optIn(func(c *mcfgv1.MachineOSConfig) {
			c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: "RUN true"}}
		})
		first := p.awaitImage()
		p.want(func(s *mcfgv1.MachineConfigSpec) {
			s.OSImageURL = "quay.example.com/other@sha256:" + strings.Repeat("2", 64)
		})
		require.NotEqual(p.t, first.Status.DigestedImagePushSpec, p.awaitImage().Status.DigestedImagePushSpec)
	},
	"E34 E49 E52 E54 a file takes no build, at no instant": func(p *shippedPool) {
		p.optIn()
		first := p.awaitImage()
		object, _ := p.object()
		changes, err := shared.mcfg.MachineconfigurationV1().MachineOSConfigs().Watch(p.t.Context(), metav1.ListOptions{
			FieldSelector: "metadata.name=" + p.name, ResourceVersion: object.ResourceVersion,
		})
		require.NoError(p.t, err)
		defer changes.Stop()
		begin := time.Now()
		p.want()
		second := p.awaitImage()
		require.Less(p.t, time.Since(begin), 30*time.Second)
		require.Equal(p.t, first.Status.DigestedImagePushSpec, second.Status.DigestedImagePushSpec, "byte for byte")
		p.awaitNoJob(second)
		for {
			select {
			case change := <-changes.ResultChan():
				seen := change.Object.(*mcfgv1.MachineOSConfig)
				require.NotEmpty(p.t, seen.Annotations[currentBuild])
				require.Equal(p.t, first.Status.DigestedImagePushSpec, seen.Status.CurrentImagePullSpec)
				continue
			default:
			}
			break
		}
	},
	"E36 a kernel argument takes one": func(p *shippedPool) {
		p.optIn()
		first := p.awaitImage()
		config := p.config
		p.want(kernelArgument)
		require.NotEqual(p.t, first.Status.DigestedImagePushSpec, p.awaitImage().Status.DigestedImagePushSpec)
		p.config = config
		wantConfig(p.t, p.name, config)
		back := p.awaitImage()
		require.Equal(p.t, first.Name, back.Name)
		require.Equal(p.t, first.Status.DigestedImagePushSpec, back.Status.DigestedImagePushSpec, "and going back none")
	},
	"E25 E38 opting out leaves nothing, in whatever phase": func(p *shippedPool) {
		p.hold()
		p.optIn()
		p.awaitBuilding()
		p.optOut()
		p.optIn()
		p.awaitBuilding()
		p.release()
		p.awaitImage()
		p.optOut()
	},
	"E40 another repository, and back": func(p *shippedPool) {
		p.optIn()
		first := p.awaitImage()
		p.patch("merge", `{"spec":{"renderedImagePushSpec":"registry.example.com/org/other:latest"}}`)
		p.await("it is built for there", func(object *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
			return is(build, mcfgv1.MachineOSBuildSucceeded) && strings.HasPrefix(string(object.Status.CurrentImagePullSpec), "registry.example.com/org/other@") &&
				build.Status.DigestedImagePushSpec == object.Status.CurrentImagePullSpec
		})
		p.patch("merge", `{"spec":{"renderedImagePushSpec":"registry.example.com/org/os:latest"}}`)
		p.wait("machineosconfig/"+p.name, "jsonpath={.status.machineOSBuild.name}="+first.Name)
		require.Equal(p.t, first.Status.DigestedImagePushSpec, p.awaitImage().Status.DigestedImagePushSpec)
	},
	"E44 E46 a build that fails says why": func(p *shippedPool) {
		p.fail("no package matches vim-enhancd")
		p.optIn()
		failed := p.waitForBuild(mcfgv1.MachineOSBuildFailed)
		p.wait("machineconfigpool/"+p.name, "condition=ImageBuildDegraded")
		require.True(p.t, p.job(failed) != nil, "its log can be read")
		text, err := json.Marshal(failed.Status.Conditions)
		require.NoError(p.t, err)
		require.Contains(p.t, string(text), "no package matches vim-enhancd")
		require.Contains(p.t, p.degraded().Message, "no package matches vim-enhancd")
		p.fail("")
		p.content("RUN true")
		p.await("another one is made", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
			return build != nil && build.UID != failed.UID
		})
		p.awaitImage()
		require.Equal(p.t, corev1.ConditionFalse, p.degraded().Status)
		require.Len(p.t, p.builds(), 1, "the failed one is gone")
		p.awaitNoJob(failed)
	},
	"E26 a Secret that does not exist is named": func(p *shippedPool) {
		secret := p.name + "-push"
		p.optIn(func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSecret.Name = secret })
		p.await("a minute later it has failed", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
			return is(build, mcfgv1.MachineOSBuildFailed) && p.degraded().Status == corev1.ConditionTrue
		})
		for _, words := range []string{"Secret " + secret, "MachineOSConfig " + p.name + ", spec.renderedImagePushSecret.name"} {
			require.Contains(p.t, p.degraded().Message, words)
		}
		createSecret(p.t, secret)
		p.awaitImage()
		require.Equal(p.t, corev1.ConditionFalse, p.degraded().Status)
	},
	"E26 a Secret that comes within a minute is waited for": func(p *shippedPool) {
		secret := p.name + "-push"
		p.optIn(func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSecret.Name = secret })
		var waiting types.UID
		p.await("it waits", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
			if !is(build, mcfgv1.MachineOSBuildPrepared) {
				return false
			}
			waiting = build.UID
			return true
		})
		createSecret(p.t, secret)
		require.Equal(p.t, waiting, p.awaitImage().UID, "what waited is what is built")
	},
}

// TestShippedScenarios: whoever relies on the operator's own builder can rely on this one.
func TestShippedScenarios(t *testing.T) {
	builder := newGatedBuilder()
	useBuilder(t, builder)
	startBuildController(t, machineOSGateOn, replaceBuilder)
	number := 0
	// They run at once, and the controller and the settings are there until the last has ended.
	t.Run("pools", func(t *testing.T) {
		for name, scenario := range shippedScenarios {
			number++
			pool := fmt.Sprintf("shipped%d", number)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := &shippedPool{t: t, name: pool, config: createConfig(t), builder: builder}
				unlabelled(t, p.name, p.config)
				scenario(p)
			})
		}
	})
}

// TestE15ControllerComesBack: what happened while no controller ran is found out, also a
// request for a rebuild.
func TestE15ControllerComesBack(t *testing.T) {
	builder := newGatedBuilder()
	useBuilder(t, builder)
	p := &shippedPool{t: t, name: "comesback", config: createConfig(t), builder: builder}
	unlabelled(t, p.name, p.config)
	p.hold()
	p.optIn()
	controller := startBuildController(t, machineOSGateOn, replaceBuilder)
	first := p.awaitBuilding()
	controller.stop()
	p.release()
	require.Eventually(t, func() bool {
		job := p.job(first)
		return job != nil && job.Status.Succeeded == 1
	}, soon, 20*time.Millisecond)
	controller = startBuildController(t, machineOSGateOn, replaceBuilder)
	require.Equal(t, first.UID, p.awaitImage().UID)
	controller.stop()
	p.rebuild()
	startBuildController(t, machineOSGateOn, replaceBuilder)
	p.await("it is built once more", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
		return is(build, mcfgv1.MachineOSBuildSucceeded) && build.UID != first.UID
	})
}

// TestE33FivePoolsAtOnce: all of them are built at one time.
func TestE33FivePoolsAtOnce(t *testing.T) {
	builder := newGatedBuilder()
	useBuilder(t, builder)
	startBuildController(t, machineOSGateOn, replaceBuilder)
	var pools []*shippedPool
	for i := range 5 {
		p := &shippedPool{t: t, name: fmt.Sprintf("atonce%d", i), config: createConfig(t), builder: builder}
		unlabelled(t, p.name, p.config)
		p.hold()
		pools = append(pools, p)
	}
	var optIns sync.WaitGroup
	for _, p := range pools {
		optIns.Go(func() { p.optIn() })
	}
	optIns.Wait()
	for _, p := range pools {
		p.awaitBuilding()
	}
	for _, p := range pools {
		p.release()
	}
	for _, p := range pools {
		p.awaitImage()
	}
	for _, p := range pools {
		p.optOut()
	}
}
