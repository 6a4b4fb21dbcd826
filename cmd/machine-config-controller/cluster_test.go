package main

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
	kubefake "k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	k8stesting "k8s.io/client-go/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// fakeCluster is a cluster with a pool in each state that administrators ask about.
type fakeCluster struct {
	*clusterClients
	t       *testing.T
	kube    *kubefake.Clientset
	mcfg    *mcfgfake.Clientset
	build   *buildfake.Clientset
	secrets *metadatafake.FakeMetadataClient
}

// newFakeCluster is to be called in a bubble, whose time it is made for.
func newFakeCluster(t *testing.T) *fakeCluster {
	t.Helper()
	scheme := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: constants.ControllerName}}
	c := &fakeCluster{
		t: t, kube: kubefake.NewClientset(account), mcfg: mcfgfake.NewSimpleClientset(), build: buildfake.NewSimpleClientset(),
		secrets: metadatafake.NewSimpleMetadataClient(scheme),
	}
	c.clusterClients = &clusterClients{backend: openshift.Backend{}, kube: c.kube, mcfg: c.mcfg, inventory: openshift.NewInventory(ctrlcommon.MCONamespace, c.build, c.kube), metadata: c.secrets}
	c.kube.PrependReactor("list", "configmaps", func(action k8stesting.Action) (bool, runtime.Object, error) {
		// The fakes know no field selectors.
		list := &corev1.ConfigMapList{}
		name, _ := action.(k8stesting.ListAction).GetListRestrictions().Fields.RequiresExactMatch("metadata.name")
		object, err := c.kube.Tracker().Get(corev1.SchemeGroupVersion.WithResource("configmaps"), ctrlcommon.MCONamespace, name)
		if err == nil {
			list.Items = append(list.Items, *object.(*corev1.ConfigMap))
		}
		return true, list, nil
	})
	c.kube.PrependReactor("create", "subjectaccessreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
		review := action.(k8stesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview).DeepCopy()
		asked := review.Spec.ResourceAttributes
		// The Role that ships is about one Lease.
		named := asked.Resource != "leases" || asked.Verb == "create" || asked.Name == "machine-os-build-controller"
		review.Status.Allowed = named && review.Spec.User == "system:serviceaccount:openshift-machine-config-operator:machine-os-build-controller"
		return true, review, nil
	})
	return c
}

func (c *fakeCluster) add(objects ...runtime.Object) {
	c.t.Helper()
	for _, object := range objects {
		var err error
		switch o := object.(type) {
		case *mcfgv1.MachineConfigPool, *mcfgv1.MachineConfig, *mcfgv1.ControllerConfig:
			err = c.mcfg.Tracker().Add(o)
		case *buildv1.Build:
			err = c.build.Tracker().Add(o)
		default:
			err = c.kube.Tracker().Add(o)
		}
		require.NoError(c.t, err)
	}
}

// forbid has the API refuse requests.
func (c *fakeCluster) forbid(verb, resource string) {
	refuse := func(k8stesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", fmt.Errorf("these credentials may not %s %s", verb, resource))
	}
	c.kube.PrependReactor(verb, resource, refuse)
	c.mcfg.PrependReactor(verb, resource, refuse)
	c.build.PrependReactor(verb, resource, refuse)
	c.secrets.PrependReactor(verb, resource, refuse)
}

func ago(d time.Duration) time.Time { return time.Now().Add(-d) }

func configOf(pool string) string { return "rendered-" + pool + "-" + strings.Repeat("0123abcd", 4) }

func buildOf(pool string) string { return "machine-os-" + pool + "-0123456789-1" }

// recordOf is that of the first attempt, an hour ago.
func recordOf(pool string) ledger.Record {
	return ledger.Record{
		Build: buildOf(pool), Fingerprint: strings.Repeat("f", 64), Config: configOf(pool), Attempt: 1, ClaimedAt: ago(time.Hour),
		Took: []int64{720, 700, 900},
	}
}

// pool makes one that opted in a day ago, with a record and the conditions of the plan.
func (c *fakeCluster) pool(name string, record ledger.Record, p ledger.Report, since time.Duration) *mcfgv1.MachineConfigPool {
	pool := buildtest.Pool(name).Layered().Wants(configOf(name)).Object()
	pool.CreationTimestamp = metav1.NewTime(ago(24 * time.Hour))
	if record.Build != "" {
		metav1.SetMetaDataAnnotation(&pool.ObjectMeta, constants.BuildRecordAnnotation, record.String())
	}
	pool.Status.Conditions, _ = p.Conditions(nil, ago(since))
	return pool
}

// ourBuild is the Build of the pool's first attempt, in that phase for ten minutes.
func ourBuild(pool string, phase buildv1.BuildPhase) *buildv1.Build {
	build := openshift.Backend{}.Objects(ctrlcommon.MCONamespace, imagebuilder.Request{
		Name: buildOf(pool), Pool: pool, PoolUID: buildtest.Pool(pool).Object().UID, Fingerprint: strings.Repeat("f", 64), RenderedConfig: configOf(pool), Attempt: 1,
		PushSecret: buildtest.PushSecret, Output: buildtest.Repository + ":" + buildOf(pool), Deadline: time.Hour,
	}).Build.(*buildv1.Build)
	build.UID, build.CreationTimestamp, build.Status.Phase = "uid-of-build", metav1.NewTime(ago(11*time.Minute)), phase
	if phase == buildv1.BuildPhaseRunning {
		build.Status.StartTimestamp = &metav1.Time{Time: ago(8 * time.Minute)}
	}
	return build
}

// published makes a pool that has the image of its config.
func (c *fakeCluster) published(name string) *mcfgv1.MachineConfigPool {
	record := recordOf(name)
	record.Image = buildtest.Repository + "@" + buildtest.Digest(1)
	pool := c.pool(name, record, ledger.Report{
		State: ledger.StatePublished, Reason: ledger.ReasonImagePublished, Message: "Image " + record.Image + " of " + record.Config + " is published.",
	}, 3*time.Hour)
	metav1.SetMetaDataAnnotation(&pool.ObjectMeta, constants.DesiredOSImageAnnotation, record.Image)
	metav1.SetMetaDataAnnotation(&pool.ObjectMeta, constants.DesiredOSImageConfigAnnotation, record.Config)
	return pool
}

// populate adds the pools and what they need.
func (c *fakeCluster) populate() {
	c.t.Helper()
	c.add(buildtest.SettingsConfigMap(), buildtest.ControllerConfig(buildtest.BaseImage),
		buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry), buildtest.RegistrySecret(buildtest.PullSecret, "quay.example.com"))
	building := ledger.Report{State: ledger.StateBuilding, Reason: ledger.ReasonBuildRunning, Message: "Build " + buildOf("building") + " of " + configOf("building") + " is running, building for 8m, usually 12m."}
	stuck := ledger.Report{State: ledger.StateStuck, Reason: ledger.ReasonBuildStuck, Message: "Build " + buildOf("stuck") + " of " + configOf("stuck") + " has not begun to run within 2m0s (Unschedulable: no node fits)."}
	failed := recordOf("failed")
	failed.Failure = &ledger.Failure{Reason: "DockerBuildFailed", Message: "it exits with 1", At: ago(5 * time.Minute)}
	failure := ledger.Report{State: ledger.StateFailed, Reason: ledger.ReasonBuildFailed, Message: "Build " + failed.Build + " of " + failed.Config + " failed (DockerBuildFailed: it exits with 1)."}
	old := c.published("outdated")
	old.Spec.Configuration.Name = "rendered-outdated-" + strings.Repeat("4567cdef", 4)
	c.add(c.published("healthy"), old, buildtest.Pool("idle").Object(),
		c.pool("building", recordOf("building"), building, 8*time.Minute), c.pool("stuck", recordOf("stuck"), stuck, 11*time.Minute),
		c.pool("failed", failed, failure, 5*time.Minute),
		c.pool("misconfigured", ledger.Record{}, plan.Held(plan.Hold{Reason: ledger.ReasonCustomContentInvalid, Message: "ConfigMap " + inputs.CustomConfigMapName + ", key misconfigured: line 2"}).Report, time.Hour))
	c.add(ourBuild("building", buildv1.BuildPhaseRunning), ourBuild("stuck", buildv1.BuildPhasePending), ourBuild("failed", buildv1.BuildPhaseFailed))
	for _, pool := range []string{"healthy", "building", "stuck", "failed", "misconfigured", "outdated"} {
		c.add(buildtest.RenderedConfig(configOf(pool)))
	}
	c.add(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: inputs.CustomConfigMapName},
		Data:       map[string]string{"misconfigured": "FROM configs AS final\nRUNS true\n"},
	})
}

func selfReview(user string) *authenticationv1.SelfSubjectReview {
	return &authenticationv1.SelfSubjectReview{Status: authenticationv1.SelfSubjectReviewStatus{UserInfo: authenticationv1.UserInfo{Username: user}}}
}
