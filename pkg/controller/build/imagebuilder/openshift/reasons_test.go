package openshift

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReasonsAreComplete: a reason that the Build API gains would be counted as another
// one without a name.
func TestReasonsAreComplete(t *testing.T) {
	files, err := filepath.Glob("../../../../../vendor/github.com/openshift/api/build/v1/*.go")
	require.NoError(t, err)
	declared := []string{reasonUnknownPhase}
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
	require.ElementsMatch(t, declared, new(Builder).Reasons())
}
