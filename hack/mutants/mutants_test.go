package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// TestTableIsSound: each mutant has a name of its own and a reason, and none is
// stale.
func TestTableIsSound(t *testing.T) {
	all := table()
	require.GreaterOrEqual(t, len(all), 25)
	names := map[string]bool{}
	for i := range all {
		m := &all[i]
		require.NotEmpty(t, m.name)
		require.NotEmpty(t, m.why, m.name)
		require.False(t, names[m.name], "%s is there twice", m.name)
		names[m.name] = true
		require.NotEqual(t, m.before, m.after, m.name)
		_, err := m.mutated(root)
		assert.NoError(t, err)
	}
}

// TestStaleMutantsAreRefused: one that changes nothing would seem to survive, and
// one of an ambiguous place would be another bug than it says.
func TestStaleMutantsAreRefused(t *testing.T) {
	for _, m := range []mutant{
		{name: "gone", file: "pkg/controller/build/sync.go", before: "there is no such text"},
		{name: "ambiguous", file: "pkg/controller/build/sync.go", before: "return"},
		{name: "lost", file: "pkg/controller/build/there-is-no-such-file.go", before: "return"},
	} {
		_, err := m.mutated(root)
		require.ErrorContains(t, err, m.name)
	}
	require.Error(t, show(context.Background(), io.Discard, &runner{root: root}, "no mutant of that name", 1))
	require.Error(t, show(context.Background(), io.Discard, &runner{root: root}, "(", 1))
}

// TestEveryMutantCompiles: one that does not would be noticed only by whoever tries all
// of them, which takes long.
func TestEveryMutantCompiles(t *testing.T) {
	all := table()
	c, err := newTypeChecker(t.Context(), root, all)
	require.NoError(t, err)
	for directory := range c.ours {
		// The go command reads the sources, and would not be asked again when the result of
		// this test is in its cache, unless the test itself looked at them.
		_, err := os.ReadDir(filepath.Join(root, directory))
		require.NoError(t, err)
	}
	for i := range all {
		assert.NoError(t, c.check(&all[i]))
	}
}

// TestWhatDoesNotCompileIsFound: the name of the mutant and the compiler's words lead to
// its mistake.
func TestWhatDoesNotCompileIsFound(t *testing.T) {
	const file, before = "pkg/controller/build/constants/constants.go", "\npackage constants\n"
	c, err := newTypeChecker(t.Context(), root, []mutant{{file: file}})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		reason string
		after  string
		want   string
	}{
		"good":            {reason: "there is nothing to find", after: before + "var mutated = len(OwnedLabel)\n"},
		"bad-type":        {reason: "what it calls has changed", after: before + "var mutated int = OwnedLabel\n", want: "cannot use OwnedLabel"},
		"gone":            {reason: "what it uses was renamed", after: before + "var mutated = NoSuchName\n", want: "undefined: NoSuchName"},
		"unused-variable": {reason: "what used it was replaced", after: before + "func mutated() { unused := 1 }\n", want: "declared and not used: unused"},
		"unused-import":   {reason: "what used it was replaced", after: before + "import \"unsafe\"\n", want: "\"unsafe\" imported and not used"},
		"no-go":           {reason: "a brace is missing", after: before + "func mutated() {\n", want: "expected"},
	} {
		t.Run(name, func(t *testing.T) {
			m := mutant{name: name, file: file, before: before, after: test.after}
			err := c.check(&m)
			if test.want == "" {
				require.NoError(t, err, test.reason)
				return
			}
			require.ErrorContains(t, err, "mutant "+name, test.reason)
			require.ErrorContains(t, err, test.want, test.reason)
		})
	}
}

// TestOutputIsUnderstood: what go test prints is what a verdict is made of.
func TestOutputIsUnderstood(t *testing.T) {
	const simulated = `=== RUN   TestSimulation
    simulation_test.go:78: 11: the Build is deleted before its result is recorded
          1 12:00:00 call 1: get secrets push-secret

        replay: go test ./pkg/controller/build/buildtest/simulator -run 'TestSimulation$' -v -schedule 'happy crash@3 late@4'
`
	require.Equal(t, "11: the Build is deleted before its result is recorded", brokenLine.FindStringSubmatch(simulated)[1])
	require.Equal(t, "happy crash@3 late@4", scheduleLine.FindStringSubmatch(simulated)[1])
	require.Equal(t, "TestA/with_b", failedName("--- FAIL: TestA (0.1s)\n    --- FAIL: TestA/with_b (0.1s)\n"))
	require.Equal(t, "TestA", failedName("--- FAIL: TestA (0.1s)\n--- FAIL: TestB (0.1s)\n"))
	require.Empty(t, failedName("ok\n"))
	require.Equal(t, "short", tail("short"))
}
