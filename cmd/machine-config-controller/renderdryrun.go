package main

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/preview"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// serverDryRun has the API server go through what the controller would create, and puts
// the answers into the report. A refusal keeps the build from starting.
func serverDryRun(ctx context.Context, clients *clusterClients, report *preview.Report, creation *preview.Creation) {
	report.ServerDryRun = &preview.ServerDryRun{}
	if creation == nil {
		report.ServerDryRun.Skipped = "nothing is to be created"
		return
	}
	options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	refused := ""
	answer := func(object string, err error) {
		a := preview.Answer{Object: object, Accepted: err == nil}
		if err != nil {
			a.Message = err.Error()
			if refused == "" {
				refused = object + ": " + a.Message
			}
		}
		report.ServerDryRun.Answers = append(report.ServerDryRun.Answers, a)
	}
	for _, secret := range creation.Secrets {
		_, err := clients.kube.CoreV1().Secrets(ctrlcommon.MCONamespace).Create(ctx, secret, options)
		answer(inputs.SecretObject(secret.Name), err)
	}
	_, err := clients.builds.BuildV1().Builds(ctrlcommon.MCONamespace).Create(ctx, creation.Build, options)
	answer("Build "+creation.Build.Name, err)
	if refused != "" && report.Outcome == preview.WouldBuild {
		report.Outcome, report.State, report.Reason = preview.Blocked, string(ledger.StateHeld), ledger.ReasonBuilderRefused
		report.Message = "the API server refuses " + refused
	}
}
