package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLessonsTable: the table in the package's documentation is complete, and the
// tests that it names exist.
func TestLessonsTable(t *testing.T) {
	table := read(t, controllerDir, "doc.go")
	for _, id := range strings.Fields(`L01 L02 L03 L04 L05 L06 L07 L08 L09 L11 L12 L13 L14 H02 H03 H04 H05 H06 H07 H08 H09 H10 H11 H13 H14 H15 H16
		H18 H22 H25 H26 H27 H28 H29 H30 H31 H32 H35 H36 H39 H40 H41 H42 H43 H44 H46 H48
		R01 R02 R03 R04 R05 R06 R10 R11 R12 R13 R20 R21 R22 R23 R24 R25 R26 R27 R28 R30 R31 R32 R33 R34 R35 R36 R37 R38 R39 R40 R41 R42 R43 R44 R45 R46 R50 R51 R52 R53`) {
		require.Contains(t, table, "//\t"+id+"  ")
	}

	tests := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, part := range []string{"pkg", "cmd", "test"} {
		err := filepath.WalkDir(filepath.Join(root, part), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range function.FindAllStringSubmatch(string(text), -1) {
				tests[match[1]] = true
			}
			return err
		})
		require.NoError(t, err)
	}
	for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(table+read(t, controllerDir, "machineos/doc.go"), -1) {
		require.True(t, tests[name], "there is no test %s", name)
	}
}

// TestShippedScenariosAreComplete: each has a scenario, or is told why it has none.
func TestShippedScenariosAreComplete(t *testing.T) {
	scenarios, told := read(t, root, "test/integration/shipped_scenarios_test.go"), read(t, controllerDir, "machineos/doc.go")
	for _, id := range strings.Fields(`E01 E03 E06 E07 E08 E10 E11 E12 E13 E15 E16 E17 E18 E19 E20 E21 E23 E25 E26 E28 E29 E30 E33 E34 E35 E36 E38 E40 E41 E42 E44 E46 E47 E48 E49 E52 E54 E56`) {
		require.True(t, strings.Contains(scenarios, id) || strings.Contains(told, id), id)
	}
}
