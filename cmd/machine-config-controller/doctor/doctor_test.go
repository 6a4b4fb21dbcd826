package doctor

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster/clustertest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// doctorOf is the command on that cluster.
func doctorOf(t *testing.T, c *clustertest.Cluster, output string) (stdout string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	o := &options{output: output, account: ctrlcommon.MCONamespace + "/" + constants.ControllerName, again: time.Second}
	if err := examine(t.Context(), examiner{c.Clients}, o, &out); err != nil {
		code = cluster.ExitCode(err, clustertest.Program, &errs)
	}
	require.Empty(t, errs.String(), "the report says it all")
	return out.String(), code
}

func TestDoctorGolden(t *testing.T) {
	for name, test := range map[string]struct {
		reason, output string
		change         func(*clustertest.Cluster)
		code           int
	}{
		"ill.txt":  {reason: "the form for people", output: cluster.Text, code: cluster.ExitAttention},
		"ill.json": {reason: "a form for tools", output: cluster.JSON, code: cluster.ExitAttention},
		"ill.yaml": {reason: "another form for tools", output: cluster.YAML, code: cluster.ExitAttention},
		"few.txt": {reason: "what could not be checked is told", output: cluster.Text, code: cluster.ExitAttention, change: func(c *clustertest.Cluster) {
			for _, what := range [][2]string{{"list", "builds"}, {"list", "secrets"}, {"get", "secrets"}, {"list", "controllerconfigs"}, {"get", "leases"}, {"create", "subjectaccessreviews"}} {
				c.Forbid(what[0], what[1])
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := clustertest.New(t)
				c.Populate()
				if test.change != nil {
					test.change(c)
				}
				out, code := doctorOf(t, c, test.output)
				require.Equal(t, test.code, code, test.reason)
				clustertest.RequireGolden(t, name, out, test.reason)
			})
		})
	}
}

// TestDoctorOfHealth: where all is well it says so, and tools get an empty list.
func TestDoctorOfHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Add(buildtest.SettingsConfigMap(), buildtest.ControllerConfig(buildtest.BaseImage), c.Published("healthy"), buildtest.RenderedConfig(clustertest.ConfigOf("healthy")),
			buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry), buildtest.RegistrySecret(buildtest.PullSecret, "quay.example.com"))
		began := time.Now()
		out, code := doctorOf(t, c, cluster.Text)
		require.Zero(t, code)
		require.Contains(t, out, "Looked at 1 pool, of which 1 opted in, 0 Builds, 0 inputs: nothing is wrong.\n")
		require.Zero(t, time.Since(began), "there is nothing to look at again")
		out, _ = doctorOf(t, c, cluster.JSON)
		require.Contains(t, out, `"findings": []`)
	})
}

// TestDoctorLooksTwice: what is over by the second look is no finding.
func TestDoctorLooksTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Populate()
		go func() {
			time.Sleep(500 * time.Millisecond)
			c.Edit("outdated", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = clustertest.ConfigOf("outdated") })
			c.Edit("healthy", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = clustertest.ConfigOf("other") })
		}()
		out, code := doctorOf(t, c, cluster.Text)
		require.Equal(t, cluster.ExitAttention, code)
		require.Contains(t, out, "MachineConfigPool failed")
		require.NotContains(t, out, "MachineConfigPool outdated", "the second look did not find it")
		require.NotContains(t, out, "MachineConfigPool healthy", "the first look did not find it")
	})
}

// TestDoctorOnlyReads: whatever it finds, nothing is changed.
func TestDoctorOnlyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Populate()
		doctorOf(t, c, cluster.Text)
		reviews := []string{"subjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectreviews"}
		for _, actions := range [][]k8stesting.Action{c.KubeAPI.Actions(), c.MachineConfigAPI.Actions(), c.BuildAPI.Actions(), c.SecretsAPI.Actions()} {
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
		c := clustertest.New(t)
		c.Populate()
		c.Forbid("create", "subjectaccessreviews")
		c.KubeAPI.PrependReactor("create", "selfsubjectreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
			return true, clustertest.SelfReview("system:serviceaccount:openshift-machine-config-operator:machine-os-build-controller"), nil
		})
		c.KubeAPI.PrependReactor("create", "selfsubjectaccessreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
			review := action.(k8stesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview).DeepCopy()
			review.Status.Allowed = review.Spec.ResourceAttributes.Subresource != "status"
			return true, review, nil
		})
		out, _ := doctorOf(t, c, cluster.Text)
		require.Contains(t, out, "PermissionMissing: may not patch machineconfigpools/status")
		require.NotContains(t, out, "permissions of ServiceAccount", "it was checked")

		require.NoError(t, c.KubeAPI.CoreV1().ServiceAccounts(ctrlcommon.MCONamespace).Delete(t.Context(), constants.ControllerName, metav1.DeleteOptions{}))
		out, _ = doctorOf(t, c, cluster.Text)
		require.Contains(t, out, "ServiceAccountMissing")
	})
}

// TestR52DoctorForms: what scripts take out of the findings.
func TestR52DoctorForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Populate()
		out, code := doctorOf(t, c, cluster.Name)
		require.Equal(t, cluster.ExitAttention, code, "the exit code is that of any form")
		require.Equal(t, "configmap/machine-os-builder-custom-containerfile\nmachineconfigpool.machineconfiguration.openshift.io/failed\n"+
			"machineconfigpool.machineconfiguration.openshift.io/outdated\nmachineconfigpool.machineconfiguration.openshift.io/stuck\n", out)
		out, _ = doctorOf(t, c, "custom-columns=CHECK:.check,OBJECT:.object")
		require.Contains(t, out, "CHECK                   OBJECT\n")
		require.Contains(t, out, "BuildFailed             MachineConfigPool failed\n")
		out, _ = doctorOf(t, c, `jsonpath={.findings[?(@.check=="BuildStuck")].object}`)
		require.Equal(t, "MachineConfigPool stuck", out)
	})
}

// TestR50AccountInANamespace: -n says where the service account is.
func TestR50AccountInANamespace(t *testing.T) {
	for name, test := range map[string]struct{ args, want string }{
		"both":      {args: "--service-account=one/me --namespace=two", want: "one/me"},
		"namespace": {args: "--service-account=me -n two", want: "two/me"},
		"none":      {args: "--service-account= -n two", want: ""},
	} {
		o := &options{output: cluster.Text, connection: cluster.NewOptions()}
		cmd := &cobra.Command{}
		o.addFlags(cmd)
		require.NoError(t, cmd.ParseFlags(strings.Fields(test.args)), name)
		require.NoError(t, o.validate(), name)
		require.Equal(t, test.want, o.accountName(), name)
	}
}

// TestDoctorOfMachineOSConfigs: where the API is served, what is wrong with its objects is found,
// and with the feature gate in the Deployment the permissions of the component are asked for.
func TestDoctorOfMachineOSConfigs(t *testing.T) {
	for reason, args := range map[string][]string{
		"as it ships":             {"start", "--feature-gates=OnClusterBuild=true,MachineOSConfigs=true"},
		"flags may be written so": {"start", "--feature-gates", "OnClusterBuild=true,MachineOSConfigs=true"},
	} {
		t.Run(reason, func(t *testing.T) { requireGateIsFound(t, args) })
	}
}

func requireGateIsFound(t *testing.T, args []string) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Add(buildtest.Pool("worker").Wants("rendered-worker-1").Object(), buildtest.MachineOSConfig("infra"), buildtest.ControllerConfig(buildtest.BaseImage))
		time.Sleep(time.Hour)
		out, _ := doctorOf(t, c, cluster.Text)
		require.NotContains(t, out, "MachineOSConfig", "the API is not served")

		c.ServeMachineOS()
		out, code := doctorOf(t, c, cluster.Text)
		require.Equal(t, cluster.ExitAttention, code)
		require.Contains(t, out, "PoolMissing: refers to MachineConfigPool infra")
		require.Contains(t, out, "whether the controller goes by MachineOSConfigs: Deployment machine-os-build-controller")
		require.NotContains(t, out, "machineosconfigs")

		deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: constants.ControllerName}}
		deployment.Spec.Template.Spec.Containers = []corev1.Container{{Args: args}}
		c.Add(deployment)
		out, _ = doctorOf(t, c, cluster.Text)
		require.Contains(t, out, "may not get, update leases", "the account of the fake cluster has one lease")
		require.Contains(t, out, "oc apply -f hack/deploy/machine-os-configs/rbac.yaml")
		require.NotContains(t, out, "goes by MachineOSConfigs")
	})
}

// jobsAlone is the inventory of a cluster without the Build API.
type jobsAlone struct{ imagebuilder.Inventory }

func (jobsAlone) Builds(context.Context) ([]imagebuilder.Made, error) {
	const absent = "the Build API is not installed"
	return nil, &imagebuilder.UnavailableError{Message: absent, ByBackend: map[string]string{"": absent, constants.BackendOpenShiftBuild: absent}}
}

// TestDoctorDecidesOnMachineOSConfigs: what keeps the image of such a pool from being built is
// found whether or not a controller runs, with the object, the field and the way out.
func TestDoctorDecidesOnMachineOSConfigs(t *testing.T) {
	const notReported = "NotReported MachineOSConfig worker"
	for name, test := range map[string]struct {
		reason string
		edit   func(*mcfgv1.MachineOSConfig)
		change func(*clustertest.Cluster)
		off    bool
		want   []string
		says   []string
	}{
		"all is there": {reason: "nobody has built it yet", want: []string{notReported}},
		"no Secret": {reason: "it is named by the spec", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSecret.Name = "none" },
			want: []string{notReported, "SecretMissing MachineOSConfig worker"},
			says: []string{"Secret none, which MachineOSConfig worker, spec.renderedImagePushSecret.name, names, does not exist", "oc edit machineosconfig worker"}},
		"Secret for elsewhere": {reason: "the push would be refused", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = "elsewhere.example.com/a/b:latest" },
			want: []string{notReported, "SecretInvalid MachineOSConfig worker"}, says: []string{"MachineOSConfig worker, spec.renderedImagePushSpec", "create secret docker-registry"}},
		"content": {reason: "the line is named", edit: func(c *mcfgv1.MachineOSConfig) {
			c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{Content: "RUN true\nINSTALL tree\n"}}
		}, want: []string{"CustomContentInvalid MachineOSConfig worker", notReported},
			says: []string{"MachineOSConfig worker, spec.containerFile[NoArch].content: line 2", "oc edit machineosconfig worker"}},
		"no config": {reason: "it is found like that of any pool", change: func(c *clustertest.Cluster) {
			require.NoError(t, c.MachineConfigAPI.MachineconfigurationV1().MachineConfigs().Delete(t.Context(), clustertest.ConfigOf("worker"), metav1.DeleteOptions{}))
		}, want: []string{notReported, "RenderedConfigMissing MachineOSConfig worker"}, says: []string{"oc get machineconfigs | grep rendered-worker"}},
		"a Secret that may not be read": {reason: "it is taken for one of use, and that is told", change: func(c *clustertest.Cluster) { c.Forbid("get", "secrets") },
			want: []string{notReported}, says: []string{"Secret push-secret: these credentials may not get it, so it is not known whether it is of use"}},
		"the Build API is not there": {reason: "Jobs build for it, whatever the settings say", edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSecret.Name = "none" },
			change: func(c *clustertest.Cluster) { c.Inventory = jobsAlone{c.Inventory} },
			want:   []string{"BuilderUnavailable the cluster", notReported, "SecretMissing MachineOSConfig worker"}},
		"the gate is off": {reason: "it is for the operator's own builder", off: true, edit: func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSecret.Name = "none" },
			want: []string{notReported}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := clustertest.New(t)
				c.ServeMachineOS()
				config := buildtest.MachineOSConfig("worker")
				if test.edit != nil {
					test.edit(config)
				}
				deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: constants.ControllerName}}
				deployment.Spec.Template.Spec.Containers = []corev1.Container{{}}
				if !test.off {
					deployment.Spec.Template.Spec.Containers[0].Args = []string{"--feature-gates=OnClusterBuild=true,MachineOSConfigs=true"}
				}
				pool := buildtest.Pool("worker").Wants(clustertest.ConfigOf("worker")).Object()
				c.Add(pool, config, deployment, buildtest.RenderedConfig(clustertest.ConfigOf("worker")), buildtest.ControllerConfig(buildtest.BaseImage),
					buildtest.OperatorImages(), buildtest.SettingsConfigMap(), buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry), buildtest.RegistrySecret(buildtest.PullSecret, "quay.example.com"))
				if test.change != nil {
					test.change(c)
				}
				time.Sleep(time.Hour)
				out, code := doctorOf(t, c, "custom-columns=CHECK:.check,OBJECT:.object")
				require.Equal(t, cluster.ExitAttention, code)
				var found []string
				for line := range strings.Lines(out) {
					if fields := strings.Fields(line); fields[0] != "CHECK" && fields[0] != "PermissionMissing" {
						found = append(found, strings.Join(fields, " "))
					}
				}
				slices.Sort(found)
				require.Equal(t, test.want, found, test.reason)
				out, _ = doctorOf(t, c, cluster.Text)
				for _, says := range test.says {
					require.Contains(t, out, says, test.reason)
				}
			})
		})
	}
}
