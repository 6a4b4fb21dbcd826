package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestReasonsAreDocumented: whoever meets a reason, on a pool or on an event of one, finds
// in the README what it means, or in metrics.md, which has those that are no business of
// administrators; and nothing is documented that does not exist.
func TestReasonsAreDocumented(t *testing.T) {
	var documented []string
	for _, row := range tableRows(read(t, root, "README.md")) {
		if len(row) == 3 && slices.ContainsFunc(words(row[1]), func(w string) bool { return slices.Contains(ledger.ReportedReasons, w) }) {
			documented = append(documented, words(row[1])...)
		}
	}
	require.NotEmpty(t, documented)
	for _, row := range tableRows(read(t, controllerDir, "metrics.md")) {
		if strings.Contains(row[1], "MachineConfigPool") {
			documented = append(documented, words(row[0])...)
		}
	}
	reasons := slices.Concat(ledger.ReportedReasons, ledger.NoticeReasons)
	for _, reason := range reasons {
		require.Contains(t, documented, reason)
	}
	for _, reason := range documented {
		require.Contains(t, reasons, reason, "it is documented, and nobody uses it")
	}
}
