package content

import (
	"fmt"
	"path"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// mostFindings is how many findings a message names; a condition is no place for more.
const mostFindings = 10

// Warning says what looks like a credential in the image of the rendered
// MachineConfig of that name, and what to do; empty if nothing does. It names paths
// and kinds, and no content.
func Warning(config string, findings []Finding) string {
	if len(findings) == 0 {
		return ""
	}
	return fmt.Sprintf("%s puts into the image what looks like a credential: %s; whoever may pull the image can read it: %s",
		inputs.MachineConfigObject(config), list(findings), remedy(findings))
}

// Refusal is the problem of findings where credentials are not to be built in; nil if
// there are none.
func Refusal(config string, findings []Finding) *inputs.Problem {
	if len(findings) == 0 {
		return nil
	}
	return &inputs.Problem{
		Object: inputs.MachineConfigObject(config), Key: "spec.config",
		Text: fmt.Sprintf(`puts into the image what looks like a credential: %s; %s, or set rejectCredentials to "false" in %s`,
			list(findings), remedy(findings), inputs.ConfigMapObject),
	}
}

// remedy is what can be done about the findings. What the operator renders of the cluster's
// Proxy is nobody's to move elsewhere.
func remedy(findings []Finding) string {
	proxy, others := false, false
	for _, finding := range findings {
		if isOfProxy(finding) {
			proxy = true
		} else {
			others = true
		}
	}
	const move = "have it written below /var, which is left to the node"
	const change = "the password of the cluster's proxy is written to every node by the operator, from the object Proxy: " +
		"have nodes use a proxy that asks for no password ('oc edit proxy cluster'), and let only those pull the image who may know it"
	switch {
	case proxy && others:
		return move + "; " + change
	case proxy:
		return change
	}
	return move
}

// isOfProxy tells of a finding in what the operator renders of the cluster's Proxy: its
// environment file, and the drop-ins of units with the default environment.
func isOfProxy(finding Finding) bool {
	name := path.Base(finding.Path)
	return finding.Kind == URLPassword && (finding.Path == "/etc/mco/proxy.env" || strings.HasSuffix(name, "-env.conf") || strings.Contains(name, "proxy"))
}

func list(findings []Finding) string {
	var names []string
	for _, finding := range findings[:min(len(findings), mostFindings)] {
		names = append(names, shortText(finding.String()))
	}
	if more := len(findings) - mostFindings; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
