package renderbuild

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/preview"
)

// serverDryRun has the API server go through what the controller would write on the pool
// and create, and puts the answers into the report. A refusal keeps the build from starting.
func serverDryRun(ctx context.Context, clients *cluster.Clients, report *preview.Report, creation *imagebuilder.Objects) {
	report.ServerDryRun = &preview.ServerDryRun{}
	if creation == nil {
		report.ServerDryRun.Skipped = "nothing is to be created"
		return
	}
	reason, refused := "", ""
	take := func(answers []imagebuilder.Answer, why string) {
		for _, answer := range answers {
			a := preview.Answer{Object: answer.Object, Accepted: answer.Err == nil}
			if answer.Err != nil {
				a.Message = answer.Err.Error()
				if refused == "" {
					reason, refused = why, a.Object+": "+a.Message
				}
			}
			report.ServerDryRun.Answers = append(report.ServerDryRun.Answers, a)
		}
	}
	take(writes(ctx, clients, report), ledger.ReasonRequestRefused)
	take(clients.Inventory.DryRun(ctx, *creation), ledger.ReasonBuilderRefused)
	if refused != "" && report.Outcome == preview.WouldBuild {
		report.Outcome, report.State, report.Reason = preview.Blocked, string(ledger.StateHeld), reason
		report.Message = "the API server refuses " + refused
	}
}

// writes are the API server's answers to what the controller would write on the pool: the
// record of the attempt, and the status.
func writes(ctx context.Context, clients *cluster.Clients, report *preview.Report) []imagebuilder.Answer {
	patch := func(value map[string]any, subresources ...string) error {
		body, err := json.Marshal(value)
		if err == nil {
			_, err = clients.MachineConfiguration.MachineconfigurationV1().MachineConfigPools().
				Patch(ctx, report.Pool, types.MergePatchType, body, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}, subresources...)
		}
		return err
	}
	object := "MachineConfigPool " + report.Pool
	record := map[string]any{"metadata": map[string]any{"annotations": map[string]any{constants.BuildRecordAnnotation: report.Claim()}}}
	return []imagebuilder.Answer{
		{Object: object + ", annotations", Err: patch(record)},
		{Object: object + ", status", Err: patch(map[string]any{"status": map[string]any{}}, "status")},
	}
}
