package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// doctorOf is the command on that cluster.
func doctorOf(t *testing.T, c *fakeCluster, output string) (stdout string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	o := &doctorOptions{output: output, account: ctrlcommon.MCONamespace + "/" + constants.ControllerName, again: time.Second}
	if err := examine(t.Context(), c.clusterClients, o, &out); err != nil {
		code = exitCode(err, &errs)
	}
	require.Empty(t, errs.String(), "the report says it all")
	return out.String(), code
}

func TestDoctorGolden(t *testing.T) {
	for name, test := range map[string]struct {
		reason, output string
		change         func(*fakeCluster)
		code           int
	}{
		"ill.txt":  {reason: "the form for people", output: outputText, code: exitAttention},
		"ill.json": {reason: "a form for tools", output: outputJSON, code: exitAttention},
		"ill.yaml": {reason: "another form for tools", output: outputYAML, code: exitAttention},
		"few.txt": {reason: "what could not be checked is told", output: outputText, code: exitAttention, change: func(c *fakeCluster) {
			for _, what := range [][2]string{{"list", "builds"}, {"list", "secrets"}, {"get", "secrets"}, {"list", "controllerconfigs"}, {"get", "leases"}, {"create", "subjectaccessreviews"}} {
				c.forbid(what[0], what[1])
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeCluster(t)
				c.populate()
				if test.change != nil {
					test.change(c)
				}
				out, code := doctorOf(t, c, test.output)
				require.Equal(t, test.code, code, test.reason)
				requireGolden(t, filepath.Join("doctor", name), out, test.reason)
			})
		})
	}
}

// TestDoctorOfHealth: where all is well it says so, and tools get an empty list.
func TestDoctorOfHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t)
		c.add(buildtest.SettingsConfigMap(), buildtest.ControllerConfig(buildtest.BaseImage), c.published("healthy"), buildtest.RenderedConfig(configOf("healthy")),
			buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry), buildtest.RegistrySecret(buildtest.PullSecret, "quay.example.com"))
		began := time.Now()
		out, code := doctorOf(t, c, outputText)
		require.Zero(t, code)
		require.Contains(t, out, "Looked at 1 pool, of which 1 opted in, 0 Builds, 0 inputs: nothing is wrong.\n")
		require.Zero(t, time.Since(began), "there is nothing to look at again")
		out, _ = doctorOf(t, c, outputJSON)
		require.Contains(t, out, `"findings": []`)
	})
}

// TestDoctorLooksTwice: what is over by the second look is no finding.
func TestDoctorLooksTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t)
		c.populate()
		go func() {
			time.Sleep(500 * time.Millisecond)
			c.edit("outdated", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = configOf("outdated") })
			c.edit("healthy", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = configOf("other") })
		}()
		out, code := doctorOf(t, c, outputText)
		require.Equal(t, exitAttention, code)
		require.Contains(t, out, "MachineConfigPool failed")
		require.NotContains(t, out, "MachineConfigPool outdated", "the second look did not find it")
		require.NotContains(t, out, "MachineConfigPool healthy", "the first look did not find it")
	})
}

// TestDoctorOnlyReads: whatever it finds, nothing is changed.
func TestDoctorOnlyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t)
		c.populate()
		doctorOf(t, c, outputText)
		reviews := []string{"subjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectreviews"}
		for _, actions := range [][]k8stesting.Action{c.kube.Actions(), c.mcfg.Actions(), c.build.Actions(), c.secrets.Actions()} {
			require.NotEmpty(t, actions)
			for _, action := range actions {
				reads := action.GetVerb() == "get" || action.GetVerb() == "list"
				require.True(t, reads || slices.Contains(reviews, action.GetResource().Resource), "%s %s", action.GetVerb(), action.GetResource().Resource)
			}
		}
	})
}

// TestDoctorAsTheController: with its own credentials it asks for itself.
func TestDoctorAsTheController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t)
		c.populate()
		c.forbid("create", "subjectaccessreviews")
		c.kube.PrependReactor("create", "selfsubjectreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
			return true, selfReview("system:serviceaccount:openshift-machine-config-operator:machine-os-build-controller"), nil
		})
		c.kube.PrependReactor("create", "selfsubjectaccessreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
			review := action.(k8stesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview).DeepCopy()
			review.Status.Allowed = review.Spec.ResourceAttributes.Subresource != "status"
			return true, review, nil
		})
		out, _ := doctorOf(t, c, outputText)
		require.Contains(t, out, "PermissionMissing: may not patch machineconfigpools/status")
		require.NotContains(t, out, "permissions of ServiceAccount", "it was checked")

		require.NoError(t, c.kube.CoreV1().ServiceAccounts(ctrlcommon.MCONamespace).Delete(t.Context(), constants.ControllerName, metav1.DeleteOptions{}))
		out, _ = doctorOf(t, c, outputText)
		require.Contains(t, out, "ServiceAccountMissing")
	})
}
