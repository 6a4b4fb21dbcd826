// Package clustertest plays a cluster for tests of the commands, and compares what they write.
package clustertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	buildfake "github.com/openshift/client-go/build/clientset/versioned/fake"
	mcfgfake "github.com/openshift/client-go/machineconfiguration/clientset/versioned/fake"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	kubefake "k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	k8stesting "k8s.io/client-go/testing"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/clients"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Cluster is a cluster with a pool in each state that administrators ask about.
type Cluster struct {
	*cluster.Clients
	// These are the APIs behind the clients.
	KubeAPI          *kubefake.Clientset
	MachineConfigAPI *mcfgfake.Clientset
	BuildAPI         *buildfake.Clientset
	SecretsAPI       *metadatafake.FakeMetadataClient
	t                *testing.T
	servesMachineOS  bool
}

// ServeMachineOS has the cluster serve MachineOSConfigs and MachineOSBuilds.
func (c *Cluster) ServeMachineOS() { c.servesMachineOS = true }

// New is to be called in a bubble, whose time it is made for.
func New(t *testing.T) *Cluster {
	t.Helper()
	scheme := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: constants.ControllerName}}
	c := &Cluster{
		t: t, KubeAPI: kubefake.NewClientset(account), MachineConfigAPI: mcfgfake.NewSimpleClientset(), BuildAPI: buildfake.NewSimpleClientset(),
		SecretsAPI: metadatafake.NewSimpleMetadataClient(scheme),
	}
	c.Clients = &cluster.Clients{
		Backend: openshift.Backend{}, Kube: c.KubeAPI, MachineConfiguration: c.MachineConfigAPI,
		Inventory: openshift.NewInventory(ctrlcommon.MCONamespace, c.BuildAPI, c.KubeAPI), Metadata: c.SecretsAPI,
	}
	for _, resource := range []string{"machineosconfigs", "machineosbuilds"} {
		c.MachineConfigAPI.PrependReactor("list", resource, func(k8stesting.Action) (bool, runtime.Object, error) {
			return !c.servesMachineOS, nil, apierrors.NewNotFound(mcfgv1.Resource(resource), "")
		})
	}
	c.KubeAPI.PrependReactor("list", "configmaps", func(action k8stesting.Action) (bool, runtime.Object, error) {
		// The fakes know no field selectors.
		list := &corev1.ConfigMapList{}
		name, _ := action.(k8stesting.ListAction).GetListRestrictions().Fields.RequiresExactMatch("metadata.name")
		object, err := c.KubeAPI.Tracker().Get(corev1.SchemeGroupVersion.WithResource("configmaps"), ctrlcommon.MCONamespace, name)
		if err == nil {
			list.Items = append(list.Items, *object.(*corev1.ConfigMap))
		}
		return true, list, nil
	})
	c.KubeAPI.PrependReactor("create", "subjectaccessreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
		review := action.(k8stesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview).DeepCopy()
		asked := review.Spec.ResourceAttributes
		// The Role that ships is about one Lease.
		named := asked.Resource != "leases" || asked.Verb == "create" || asked.Name == "machine-os-build-controller"
		review.Status.Allowed = named && review.Spec.User == "system:serviceaccount:openshift-machine-config-operator:machine-os-build-controller"
		return true, review, nil
	})
	return c
}

// Backend is the one whose builds there are in the cluster.
func Backend() cluster.Backend {
	return cluster.Backend{
		Backend: openshift.Backend{},
		Inventory: func(cb *clients.Builder, kube kubernetes.Interface, command string) imagebuilder.Inventory {
			return openshift.NewInventory(ctrlcommon.MCONamespace, cb.BuildClientOrDie(command), kube)
		},
	}
}

// Add puts objects into it.
func (c *Cluster) Add(objects ...runtime.Object) {
	c.t.Helper()
	for _, object := range objects {
		var err error
		switch o := object.(type) {
		case *mcfgv1.MachineConfigPool, *mcfgv1.MachineConfig, *mcfgv1.ControllerConfig, *mcfgv1.MachineOSConfig, *mcfgv1.MachineOSBuild:
			err = c.MachineConfigAPI.Tracker().Add(o)
		case *buildv1.Build:
			err = c.BuildAPI.Tracker().Add(o)
		default:
			err = c.KubeAPI.Tracker().Add(o)
		}
		require.NoError(c.t, err)
	}
}

// Forbid has the API refuse requests.
func (c *Cluster) Forbid(verb, resource string) {
	refuse := func(k8stesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", fmt.Errorf("these credentials may not %s %s", verb, resource))
	}
	c.KubeAPI.PrependReactor(verb, resource, refuse)
	c.MachineConfigAPI.PrependReactor(verb, resource, refuse)
	c.BuildAPI.PrependReactor(verb, resource, refuse)
	c.SecretsAPI.PrependReactor(verb, resource, refuse)
}

// Ago is an instant of the past.
func Ago(d time.Duration) time.Time { return time.Now().Add(-d) }

// ConfigOf is the config that the pool wants.
func ConfigOf(pool string) string { return "rendered-" + pool + "-" + strings.Repeat("0123abcd", 4) }

// BuildOf is the name of the pool's Build.
func BuildOf(pool string) string { return "machine-os-" + pool + "-0123456789-1" }

// RecordOf is that of the first attempt, an hour ago.
func RecordOf(pool string) ledger.Record {
	return ledger.Record{
		Build: BuildOf(pool), Fingerprint: strings.Repeat("f", 64), Config: ConfigOf(pool), Attempt: 1, ClaimedAt: Ago(time.Hour),
		Took: []int64{720, 700, 900},
	}
}

// Pool makes one that opted in a day ago, with a record and the conditions of the plan.
func (c *Cluster) Pool(name string, record ledger.Record, p ledger.Report, since time.Duration) *mcfgv1.MachineConfigPool {
	pool := buildtest.Pool(name).Layered().Wants(ConfigOf(name)).Object()
	pool.CreationTimestamp = metav1.NewTime(Ago(24 * time.Hour))
	if record.Build != "" {
		metav1.SetMetaDataAnnotation(&pool.ObjectMeta, constants.BuildRecordAnnotation, record.String())
	}
	pool.Status.Conditions, _ = p.Conditions(nil, Ago(since))
	return pool
}

// OurBuild is the Build of the pool's first attempt, in that phase for ten minutes.
func OurBuild(pool string, phase buildv1.BuildPhase) *buildv1.Build {
	build := openshift.Backend{}.Objects(ctrlcommon.MCONamespace, imagebuilder.Request{
		Name: BuildOf(pool), Pool: pool, PoolUID: buildtest.Pool(pool).Object().UID, Fingerprint: strings.Repeat("f", 64), RenderedConfig: ConfigOf(pool), Attempt: 1,
		PushSecret: buildtest.PushSecret, Output: buildtest.Repository + ":" + BuildOf(pool), Deadline: time.Hour,
	}).Build.(*buildv1.Build)
	build.UID, build.CreationTimestamp, build.Status.Phase = "uid-of-build", metav1.NewTime(Ago(11*time.Minute)), phase
	if phase == buildv1.BuildPhaseRunning {
		build.Status.StartTimestamp = &metav1.Time{Time: Ago(8 * time.Minute)}
	}
	return build
}

// Published makes a pool that has the image of its config.
func (c *Cluster) Published(name string) *mcfgv1.MachineConfigPool {
	record := RecordOf(name)
	record.Image = buildtest.Repository + "@" + buildtest.Digest(1)
	pool := c.Pool(name, record, ledger.Report{
		State: ledger.StatePublished, Reason: ledger.ReasonImagePublished, Message: "Image " + record.Image + " of " + record.Config + " is published.",
	}, 3*time.Hour)
	metav1.SetMetaDataAnnotation(&pool.ObjectMeta, constants.DesiredOSImageAnnotation, record.Image)
	metav1.SetMetaDataAnnotation(&pool.ObjectMeta, constants.DesiredOSImageConfigAnnotation, record.Config)
	return pool
}

// Populate adds the pools and what they need.
func (c *Cluster) Populate() {
	c.t.Helper()
	c.Add(buildtest.SettingsConfigMap(), buildtest.ControllerConfig(buildtest.BaseImage),
		buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry), buildtest.RegistrySecret(buildtest.PullSecret, "quay.example.com"))
	building := ledger.Report{State: ledger.StateBuilding, Reason: ledger.ReasonBuildRunning, Message: "Build " + BuildOf("building") + " of " + ConfigOf("building") + " is running, building for 8m, usually 12m."}
	stuck := ledger.Report{State: ledger.StateStuck, Reason: ledger.ReasonBuildStuck, Message: "Build " + BuildOf("stuck") + " of " + ConfigOf("stuck") + " has not begun to run within 2m0s (Unschedulable: no node fits)."}
	failed := RecordOf("failed")
	failed.Failure = &ledger.Failure{Reason: "DockerBuildFailed", Message: "it exits with 1", At: Ago(5 * time.Minute)}
	failure := ledger.Report{State: ledger.StateFailed, Reason: ledger.ReasonBuildFailed, Message: "Build " + failed.Build + " of " + failed.Config + " failed (DockerBuildFailed: it exits with 1)."}
	old := c.Published("outdated")
	old.Spec.Configuration.Name = "rendered-outdated-" + strings.Repeat("4567cdef", 4)
	c.Add(c.Published("healthy"), old, buildtest.Pool("idle").Object(),
		c.Pool("building", RecordOf("building"), building, 8*time.Minute), c.Pool("stuck", RecordOf("stuck"), stuck, 11*time.Minute),
		c.Pool("failed", failed, failure, 5*time.Minute),
		c.Pool("misconfigured", ledger.Record{}, plan.Held(plan.Hold{Reason: ledger.ReasonCustomContentInvalid, Message: "ConfigMap " + inputs.CustomConfigMapName + ", key misconfigured: line 2"}).Report, time.Hour))
	c.Add(OurBuild("building", buildv1.BuildPhaseRunning), OurBuild("stuck", buildv1.BuildPhasePending), OurBuild("failed", buildv1.BuildPhaseFailed))
	for _, pool := range []string{"healthy", "building", "stuck", "failed", "misconfigured", "outdated"} {
		c.Add(buildtest.RenderedConfig(ConfigOf(pool)))
	}
	c.Add(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: inputs.CustomConfigMapName},
		Data:       map[string]string{"misconfigured": "FROM configs AS final\nRUNS true\n"},
	})
}

// SelfReview is the API's answer to who asks.
func SelfReview(user string) *authenticationv1.SelfSubjectReview {
	return &authenticationv1.SelfSubjectReview{Status: authenticationv1.SelfSubjectReviewStatus{UserInfo: authenticationv1.UserInfo{Username: user}}}
}

// Edit changes a pool.
func (c *Cluster) Edit(name string, edit func(*mcfgv1.MachineConfigPool)) {
	c.t.Helper()
	pools := c.MachineConfiguration.MachineconfigurationV1().MachineConfigPools()
	pool, err := pools.Get(c.t.Context(), name, metav1.GetOptions{})
	require.NoError(c.t, err)
	edit(pool)
	_, err = pools.Update(c.t.Context(), pool, metav1.UpdateOptions{})
	require.NoError(c.t, err)
}
