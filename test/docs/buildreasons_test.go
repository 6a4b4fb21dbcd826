package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
)

// TestReasonsAreComplete: a reason that the Build API gains would be counted as another
// one without a name.
func TestReasonsAreComplete(t *testing.T) {
	// The sources that the controller is built from are vendored; this module has others.
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/openshift/api/build/v1")
	list.Dir = root
	dir, err := list.Output()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "*.go"))
	require.NoError(t, err)
	// A Build in a phase that the API does not have has no reason of the API's either.
	declared := []string{"UnknownPhase"}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			constant, ok := node.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := constant.Type.(*ast.Ident); ok && kind.Name == "StatusReason" {
				value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err)
				declared = append(declared, value)
			}
			return true
		})
	}
	require.Greater(t, len(declared), 20)
	require.ElementsMatch(t, declared, new(openshift.Builder).Reasons())
}
