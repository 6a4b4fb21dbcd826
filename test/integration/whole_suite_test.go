package integration

import (
	"bufio"
	"encoding/json"
	"flag"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/openshift/machine-config-operator/test/deploy"
	"github.com/openshift/machine-config-operator/test/devcluster"
)

// impliedPermissions are no requests of their own: the API server asks for them on
// the occasion of another one.
var impliedPermissions = map[deploy.Permission]deploy.Permission{
	{Verb: "create", Group: "build.openshift.io", Resource: "builds", Namespace: devcluster.Namespace}: {
		Verb: "create", Group: "build.openshift.io", Resource: "builds/optimizeddocker", Namespace: devcluster.Namespace,
	},
}

// TestPermissionsAreThoseUsed looks back on all that the controller asked of the
// API server in this suite, whose last test it is, for Go runs tests in the order
// of file names. What ships permits all of that, and nothing that was not used; and
// if it permitted one thing more or less, this would be noticed.
func TestPermissionsAreThoseUsed(t *testing.T) {
	used, refused := usedPermissions(t)
	require.Empty(t, refused, "the shipped roles lack a permission")
	require.NotEmpty(t, used)
	findings, err := deploy.CheckPermissions(shared.withMachineOS, used)
	require.NoError(t, err)
	require.Empty(t, findings.Missing, "something other than the shipped roles permits this")
	require.Empty(t, findings.Improper)
	if filter := flag.Lookup("test.run").Value.String(); filter != "" {
		t.Skipf("only the whole suite uses every permission, and -run %s is a part", filter)
	}
	require.Empty(t, findings.Unneeded, "a permission that nothing needs")
	for _, altered := range deploy.Alterations(shared.withMachineOS) {
		findings, err := deploy.CheckPermissions(altered.Manifests, used)
		require.NoError(t, err)
		require.Contains(t, strings.Join(findings.All(), "\n"), altered.Want, altered.What)
	}
}

// command is how the program's commands for people call themselves. Tests run some of
// them with the controller's credentials, to which nobody is entitled to add theirs.
var command = regexp.MustCompile(`/(render-build|status|doctor)$`)

// usedPermissions reads the audit log.
func usedPermissions(t *testing.T) (used []deploy.Permission, refused []string) {
	t.Helper()
	file, err := os.Open(shared.cluster.AuditLogPath())
	require.NoError(t, err)
	defer file.Close()
	found := map[deploy.Permission]bool{}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var event auditv1.Event
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &event))
		object := event.ObjectRef
		if event.User.Username != controllerUser || object == nil || command.MatchString(event.UserAgent) {
			continue
		}
		use := deploy.Permission{Verb: event.Verb, Group: object.APIGroup, Resource: object.Resource, Name: object.Name, Namespace: object.Namespace}
		if object.Subresource != "" {
			use.Resource += "/" + object.Subresource
		}
		if event.ResponseStatus != nil && event.ResponseStatus.Code == http.StatusForbidden {
			// A quota refuses also what is permitted.
			overQuota := strings.Contains(event.ResponseStatus.Message, "exceeded quota")
			if !overQuota && !duringRestart(event.RequestReceivedTimestamp.Time) {
				refused = append(refused, use.String())
			}
			continue
		}
		found[use] = true
		use.Name = ""
		if implied, ok := impliedPermissions[use]; ok {
			found[implied] = true
		}
	}
	require.NoError(t, scanner.Err())
	return slices.Collect(maps.Keys(found)), refused
}
