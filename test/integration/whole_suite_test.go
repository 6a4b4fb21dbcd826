package integration

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// impliedPermissions are no requests of their own: the API server asks for them on
// the occasion of another one.
var impliedPermissions = map[string]string{
	"create builds/optimizeddocker.build.openshift.io in openshift-machine-config-operator": "create builds.build.openshift.io in openshift-machine-config-operator",
}

// TestPermissionsAreThoseUsed looks back on all that the controller asked of the
// API server in this suite, whose last test it is, for Go runs tests in the order
// of file names. What ships permits all of that, and nothing that was not used.
func TestPermissionsAreThoseUsed(t *testing.T) {
	used, refused := usedPermissions(t)
	require.Empty(t, refused, "the shipped roles lack a permission")
	require.NotEmpty(t, used)
	granted := grantedPermissions(t)
	for permission, occasion := range impliedPermissions {
		if used[occasion] {
			used[permission] = true
		}
	}
	require.Subset(t, keys(granted), keys(used), "something other than the shipped roles permits this")
	if filter := flag.Lookup("test.run").Value.String(); filter != "" {
		t.Skipf("only the whole suite uses every permission, and -run %s is a part", filter)
	}
	require.Subset(t, keys(used), keys(granted), "a permission that nothing needs")
}

func keys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func permission(verb, resource, group, namespace string) string {
	if group != "" {
		resource += "." + group
	}
	if namespace == "" {
		namespace = "cluster"
	}
	return verb + " " + resource + " in " + namespace
}

// usedPermissions reads the audit log.
func usedPermissions(t *testing.T) (used map[string]bool, refused []string) {
	t.Helper()
	file, err := os.Open(shared.cluster.AuditLogPath())
	require.NoError(t, err)
	defer file.Close()
	used = map[string]bool{}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var event auditv1.Event
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &event))
		object := event.ObjectRef
		if event.User.Username != controllerUser || object == nil {
			continue
		}
		resource := object.Resource
		if object.Subresource != "" {
			resource += "/" + object.Subresource
		}
		p := permission(event.Verb, resource, object.APIGroup, object.Namespace)
		if event.ResponseStatus != nil && event.ResponseStatus.Code == http.StatusForbidden {
			// A quota refuses also what is permitted.
			overQuota := strings.Contains(event.ResponseStatus.Message, "exceeded quota")
			if !overQuota && !duringRestart(event.RequestReceivedTimestamp.Time) {
				refused = append(refused, p)
			}
			continue
		}
		used[p] = true
	}
	require.NoError(t, scanner.Err())
	return used, refused
}

// grantedPermissions reads the manifest that ships.
func grantedPermissions(t *testing.T) map[string]bool {
	t.Helper()
	file, err := os.Open(rbacManifest)
	require.NoError(t, err)
	defer file.Close()
	granted := map[string]bool{}
	for decoder := yaml.NewYAMLOrJSONDecoder(file, 4096); ; {
		// Of a role and of a cluster role, all that matters has the same form.
		var role rbacv1.Role
		if err := decoder.Decode(&role); errors.Is(err, io.EOF) {
			return granted
		} else {
			require.NoError(t, err)
		}
		for i := range role.Rules {
			rule := &role.Rules[i]
			where := fmt.Sprintf("%s %s", role.Kind, role.Name)
			require.Empty(t, rule.NonResourceURLs, where)
			for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.ResourceNames} {
				require.NotContains(t, strings.Join(list, ","), "*", "%s has a wildcard", where)
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						granted[permission(verb, resource, group, role.Namespace)] = true
					}
				}
			}
		}
	}
}
