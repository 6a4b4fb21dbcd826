package build

import (
	"fmt"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// refuse has the cluster refuse the verb on the resource until the returned function is called.
func (h *harness) refuse(verb, resource, subresource string, err error) (allow func()) {
	h.api.Fault = func(call buildtest.Call) error {
		if call.Verb == verb && call.Resource == resource && call.Subresource == subresource {
			return err
		}
		return nil
	}
	return func() { h.api.Fault = nil }
}

// refusal is what the pool says that the cluster refuses; empty for nothing.
func (h *harness) refusal() string {
	return ledger.ReadConditions(h.api.Pool(worker).Status.Conditions).Refusal
}

var (
	full = apierrors.NewInvalid(schema.GroupKind{Group: "machineconfiguration.openshift.io", Kind: "MachineConfigPool"}, worker,
		field.ErrorList{field.TooLong(field.NewPath("metadata", "annotations"), "", 262144)})
	policy = apierrors.NewForbidden(pools, worker, fmt.Errorf("ValidatingAdmissionPolicy 'frozen' denied the request: pools do not change this week"))
)

func forbidden(resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "x", fmt.Errorf("the role is not bound"))
}

// TestR40RefusalsAreOnThePool: whatever the cluster refuses for good is on the pool at once,
// with verb, object and the server's words, and goes with its cause.
func TestR40RefusalsAreOnThePool(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		// before brings the pool to where the call is due.
		before                      func(h *harness)
		verb, resource, subresource string
		err                         error
		says                        []string
		// state is the condition that is True meanwhile.
		state mcfgv1.MachineConfigPoolConditionType
	}{
		"annotations are full": {reason: "other controllers write there, too", verb: "patch", resource: "machineconfigpools", err: full,
			says: []string{"could not patch MachineConfigPool worker", "metadata.annotations: Too long", "make room"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"a policy denies changes of the pool": {reason: "a change freeze", verb: "patch", resource: "machineconfigpools", err: policy,
			says: []string{"could not patch MachineConfigPool worker", "'frozen' denied the request", "admission policy"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"the image cannot be put on the pool": {reason: "nodes wait for it", before: func(h *harness) {
			h.settle(worker)
			h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
		}, verb: "patch", resource: "machineconfigpools", err: policy, says: []string{"could not patch MachineConfigPool worker"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"Secrets cannot be read": {reason: "taken away at run time", verb: "get", resource: "secrets", err: forbidden("secrets"),
			says: []string{"could not get Secret", "grant the BuildController that permission"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"configs cannot be read": {reason: "taken away at run time", verb: "get", resource: "machineconfigs", err: forbidden("machineconfigs"),
			says: []string{"could not get MachineConfig rendered-worker-1"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"inputs cannot be made": {reason: "a quota of Secrets", verb: "create", resource: "secrets", err: forbidden("secrets"),
			says: []string{"could not create Secret"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"Builds cannot be made": {reason: "the strategy is not allowed", verb: "create", resource: "builds", err: forbidden("builds"),
			says: []string{"could not create Build"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"inputs cannot be removed": {reason: "the image is there all the same", before: func(h *harness) {
			h.settle(worker)
			h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
		}, verb: "delete", resource: "secrets", err: forbidden("secrets"), says: []string{"could not delete Secret"}, state: mcfgv1.MachineConfigPoolBuildSuccess},
		"Builds cannot be stopped": {reason: "the next one waits for it", before: func(h *harness) {
			h.settle(worker)
			h.want("rendered-worker-2")
		}, verb: "patch", resource: "builds", err: forbidden("builds"), says: []string{"could not cancel Build"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"Builds cannot be removed at opt-out": {reason: "a pool that did not opt in says so, too", before: func(h *harness) {
			h.settle(worker)
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { delete(p.Labels, ctrlcommon.LayeringEnabledPoolLabel) })
		}, verb: "delete", resource: "builds", err: forbidden("builds"), says: []string{"could not delete Build"}, state: mcfgv1.MachineConfigPoolBuildPending},
		"annotations cannot be removed at opt-out": {reason: "a pool that did not opt in says so, too", before: func(h *harness) {
			h.settle(worker)
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { delete(p.Labels, ctrlcommon.LayeringEnabledPoolLabel) })
		}, verb: "patch", resource: "machineconfigpools", err: policy, says: []string{"could not patch MachineConfigPool worker"}, state: mcfgv1.MachineConfigPoolBuildPending},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
			if test.before != nil {
				test.before(h)
			}
			allow := h.refuse(test.verb, test.resource, test.subresource, test.err)
			for range 3 {
				_, _ = h.sync(worker)
			}
			for _, words := range append(test.says, test.err.Error()) {
				require.Contains(t, h.refusal(), words, test.reason)
			}
			require.Empty(t, ledger.Contradictions(h.api.Pool(worker).Status.Conditions, false))
			for _, c := range h.api.Pool(worker).Status.Conditions {
				require.Equal(t, c.Type == test.state || c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded, c.Status == corev1.ConditionTrue, "%s", c.Type)
			}
			events := h.eventsWith(h.refusal())
			require.Len(t, events, 1, "it is announced once")

			allow()
			h.pass(10*time.Minute, worker)
			require.Empty(t, h.refusal(), "what is over is not on the pool")
			if ledger.IsLayered(h.api.Pool(worker)) {
				h.complete(worker)
				h.requirePublished(worker, h.api.Pool(worker).Spec.Configuration.Name, h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation][len(buildtest.Repository)+1:])
				return
			}
			require.Empty(t, h.api.Builds())
			require.Len(t, ledger.WithoutOurs(h.api.Pool(worker).Status.Conditions), len(h.api.Pool(worker).Status.Conditions), "nothing of ours is left")
		})
	}
}

// TestR40RemovalsHoldUpNoBuild: what is only to be removed, and cannot be, is on the pool, and
// the build that is due begins all the same.
func TestR40RemovalsHoldUpNoBuild(t *testing.T) {
	// superseded has an image, and another config wanted.
	superseded := func(h *harness) {
		h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
		_, _ = h.sync(worker)
		h.want("rendered-worker-2")
	}
	// givenUp has a build stopped that did not begin to run.
	givenUp := func(h *harness) {
		h.pass(10*time.Minute, worker)
		h.stopped(h.newestBuild(worker))
		h.clock.Step(time.Minute)
	}
	for name, test := range map[string]struct {
		reason   string
		before   func(*harness)
		resource string
		err      error
		begins   bool
	}{
		"inputs": {reason: "credentials that are left over are no reason to boot an old image", before: superseded, resource: "secrets", err: forbidden("secrets"), begins: true},
		"Builds": {reason: "a stopped one is in nobody's way", before: givenUp, resource: "builds", err: forbidden("builds"), begins: true},
		"webhook": {reason: "it may be down for Secrets only", before: superseded, resource: "secrets",
			err: apierrors.NewInternalError(fmt.Errorf("failed calling webhook")), begins: true},
		"busy": {reason: "who is asked to wait does not ask for something else", before: superseded, resource: "secrets", err: apierrors.NewTooManyRequests("slow down", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
			h.editSettings(map[string]string{constants.PendingDeadlineKey: "600"})
			h.settle(worker)
			first := h.newestBuild(worker)
			allow := h.refuse("delete", test.resource, "", test.err)
			test.before(h)
			for range 3 {
				_, _ = h.sync(worker)
			}
			require.Equal(t, test.begins, len(h.activeBuilds()) == 1, test.reason)
			if test.begins {
				h.clock.Step(time.Minute)
				_, _ = h.sync(worker)
				require.Contains(t, h.refusal(), test.err.Error())
				require.Equal(t, ledger.ReasonBuildCreated, ledger.ReadConditions(h.api.Pool(worker).Status.Conditions).Reason)
			}

			allow()
			h.pass(time.Minute, worker)
			require.Empty(t, h.refusal())
			require.NotContains(t, h.api.InputSecrets(), first, "it is made good for")
			h.complete(worker)
			h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildSuccess, ledger.ReasonImagePublished)
		})
	}
}

// TestR40WhatMayPassIsOnThePoolLater: an answer that may pass is on the pool after a minute,
// and before two are over.
func TestR40WhatMayPassIsOnThePoolLater(t *testing.T) {
	for name, err := range map[string]error{
		"webhook down": apierrors.NewInternalError(fmt.Errorf("failed calling webhook \"w.example.com\": connection refused")),
		"busy":         apierrors.NewTooManyRequests("slow down", 1),
		"down":         apierrors.NewServiceUnavailable("the server is starting"),
		"conflict":     apierrors.NewConflict(pools, worker, fmt.Errorf("denied by a webhook with an unusual code")),
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			allow := h.refuse("patch", "machineconfigpools", "", err)
			_, _ = h.sync(worker)
			h.clock.Step(55 * time.Second)
			p, err2 := h.sync(worker)
			require.Error(t, err2)
			require.Empty(t, h.refusal(), "it may pass")
			require.Equal(t, 5*time.Second, p.RequeueAfter, "the pool is looked at when it has to say so")
			h.clock.Step(p.RequeueAfter)
			_, _ = h.sync(worker)
			require.Contains(t, h.refusal(), "could not patch MachineConfigPool worker: "+err.Error())
			allow()
			h.pass(5*time.Minute, worker)
			require.Empty(t, h.refusal())
			h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
		})
	}
}

// TestR40StatusRefused: where the pool itself cannot tell, an event does.
func TestR40StatusRefused(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.refuse("patch", "machineconfigpools", "status", forbidden("machineconfigpools"))
	for range 5 {
		_, err := h.sync(worker)
		require.Error(t, err)
	}
	require.Len(t, h.eventsWith("could not report: could not patch MachineConfigPool worker"), 1, "once, however often it is tried")
}

// TestR40APermissionOfOneObject: that one Secret cannot be read is told of it, by name.
func TestR40APermissionOfOneObject(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.api.Fault = func(call buildtest.Call) error {
		if call.Verb == "get" && call.Name == buildtest.PushSecret {
			return forbidden("secrets")
		}
		return nil
	}
	_, err := h.sync(worker)
	require.Error(t, err)
	require.Contains(t, h.refusal(), "Secret "+buildtest.PushSecret)
	require.NotContains(t, h.refusal(), ctrlcommon.MCONamespace+"/", "the namespace is always the same")
}
