package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"

	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestOtherBuilder: nothing is written for MachineOSConfigs unless the Lease of the operator's
// own builder is held, and whoever reads why not learns what to do.
func TestOtherBuilder(t *testing.T) {
	none := func() {}
	require.Contains(t, (&otherBuilder{changed: none}).problem(), "--replace-machine-os-builder")
	require.NoError(t, (&otherBuilder{changed: none}).run(t.Context(), nil), "without the flag nothing is asked")

	t.Run("free", func(t *testing.T) {
		client := kubefake.NewClientset()
		changed := make(chan struct{}, 10)
		b := &otherBuilder{replace: true, changed: func() { changed <- struct{}{} }}
		require.Contains(t, b.problem(), "oc -n openshift-machine-config-operator delete pod -l k8s-app=machine-os-builder")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.run(ctx, client) }()
		require.Eventually(t, func() bool { return b.problem() == "" }, soon, time.Millisecond)
		require.NotEmpty(t, changed, "the pools are looked at again")
		cancel()
		require.NoError(t, <-done)
		require.NotEmpty(t, b.problem(), "what is released is not held")
		lease, err := client.CoordinationV1().Leases(ctrlcommon.MCONamespace).Get(t.Context(), otherBuilderLease, metav1.GetOptions{})
		require.NoError(t, err)
		require.Empty(t, ptr.Deref(lease.Spec.HolderIdentity, ""), "the next one need not wait")
	})

	t.Run("taken", func(t *testing.T) {
		now := metav1.NewMicroTime(time.Now())
		client := kubefake.NewClientset(&coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: otherBuilderLease},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: ptr.To("machine-os-builder-abc"), LeaseDurationSeconds: ptr.To[int32](137), AcquireTime: &now, RenewTime: &now},
		})
		b := &otherBuilder{replace: true, changed: none}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.run(ctx, client) }()
		require.Eventually(t, func() bool { return b.holder.Load() != nil }, soon, time.Millisecond)
		require.Contains(t, b.problem(), "is held by machine-os-builder-abc")
		cancel()
		require.NoError(t, <-done)
	})
}
