package content

import (
	"fmt"
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
	return fmt.Sprintf("%s puts into the image what looks like a credential: %s; whoever may pull the image can read it: have it written below /var, which is left to the node",
		inputs.MachineConfigObject(config), list(findings))
}

// Refusal is the problem of findings where credentials are not to be built in; nil if
// there are none.
func Refusal(config string, findings []Finding) *inputs.Problem {
	if len(findings) == 0 {
		return nil
	}
	return &inputs.Problem{
		Object: inputs.MachineConfigObject(config), Key: "spec.config",
		Text: fmt.Sprintf(`puts into the image what looks like a credential: %s; have it written below /var, which is left to the node, or set rejectCredentials to "false" in %s`,
			list(findings), inputs.ConfigMapObject),
	}
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
