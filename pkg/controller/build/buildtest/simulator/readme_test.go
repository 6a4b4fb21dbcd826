package simulator

import (
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeCommands: the maintainers' README gives these tests flags and schedules that
// they understand.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	commands := regexp.MustCompile(`(?m)^go test \S+/simulator -run '[^']+'(.*)$`).FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, commands)
	for _, command := range commands {
		for _, match := range regexp.MustCompile(` -(\w+)`).FindAllStringSubmatch(command[1], -1) {
			require.NotNil(t, flag.Lookup(match[1]), "there is no flag -%s", match[1])
		}
		if match := regexp.MustCompile(`-schedule '([^']+)'`).FindStringSubmatch(command[1]); match != nil {
			_, err := parseSchedule(match[1])
			require.NoError(t, err)
		}
	}
}
