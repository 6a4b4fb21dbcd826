package renderbuild

import (
	"context"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/preview"
)

// serverDryRun has the API server go through what the controller would create, and puts
// the answers into the report. A refusal keeps the build from starting.
func serverDryRun(ctx context.Context, clients *cluster.Clients, report *preview.Report, creation *imagebuilder.Objects) {
	report.ServerDryRun = &preview.ServerDryRun{}
	if creation == nil {
		report.ServerDryRun.Skipped = "nothing is to be created"
		return
	}
	refused := ""
	for _, answer := range clients.Inventory.DryRun(ctx, *creation) {
		a := preview.Answer{Object: answer.Object, Accepted: answer.Err == nil}
		if answer.Err != nil {
			a.Message = answer.Err.Error()
			if refused == "" {
				refused = a.Object + ": " + a.Message
			}
		}
		report.ServerDryRun.Answers = append(report.ServerDryRun.Answers, a)
	}
	if refused != "" && report.Outcome == preview.WouldBuild {
		report.Outcome, report.State, report.Reason = preview.Blocked, string(ledger.StateHeld), ledger.ReasonBuilderRefused
		report.Message = "the API server refuses " + refused
	}
}
