package integration

import (
	"flag"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/test/deploy"
	"github.com/openshift/machine-config-operator/test/devcluster"
)

var replicas = flag.Int("replicas", 1, "how many processes to start where a test needs the controller; more than 1 are started as they ship, with leader election")

// shippedFlags are those of the Deployment. Changed is what only fits into a pod,
// which has addresses of its own, and how long it takes to notice that a leader is
// gone: half a minute instead of two, which still outlasts a restart of the API server.
func shippedFlags(t *testing.T, more ...string) []string {
	t.Helper()
	args, err := shared.manifests.ControllerArgs()
	require.NoError(t, err)
	require.Equal(t, "start", args[0])
	flags := append([]string{}, args[1:]...)
	// Of a flag that is given twice, the last one counts.
	flags = append(flags, "--bind-address=127.0.0.1:0", "--health-bind-address=127.0.0.1:0",
		"--leader-elect-lease-duration=30s", "--leader-elect-renew-deadline=25s", "--leader-elect-retry-period=500ms")
	return append(flags, more...)
}

var (
	servingHealth = regexp.MustCompile(`"Serving health" address="([^"]+)"`)
	working       = "Starting BuildController"
)

// startReplicas starts processes as they ship, waits until one leads and is ready, as
// the kubelet would see it, and returns that one.
func startReplicas(t *testing.T, count int, flags ...string) *process {
	t.Helper()
	var all []*process
	for range count {
		all = append(all, launch(t, shippedFlags(t, flags...)...))
	}
	return awaitLeader(t, all)
}

func awaitLeader(t *testing.T, all []*process) *process {
	t.Helper()
	var leader *process
	require.Eventually(t, func() bool {
		for _, p := range all {
			if p.getFrom(servingHealth, "/readyz") != http.StatusOK {
				return false
			}
			if strings.Contains(p.ownLog(), working) {
				leader = p
			}
		}
		return leader != nil
	}, patience, 20*time.Millisecond, "no process leads")
	leader.others = nil
	for _, p := range all {
		if p != leader {
			require.NotContains(t, p.ownLog(), working, "two processes lead")
			leader.others = append(leader.others, p)
		}
	}
	return leader
}

// failOver kills the leader and returns the next one, next to which a new process
// stands by, as a Deployment would have it.
func failOver(t *testing.T, leader *process, flags ...string) *process {
	t.Helper()
	leader.killAlone()
	return awaitLeader(t, append([]*process{launch(t, shippedFlags(t, flags...)...)}, leader.others...))
}

// TestLeaderIsKilled: two processes with the flags and the service account of the
// Deployment serve a fleet. The one that leads is killed in the middle of builds,
// and once more; the fleet does not notice.
func TestLeaderIsKilled(t *testing.T) {
	useSettings(t)
	random := newRandom(t)
	buildsTakeTime(t, random, time.Second)
	quick := []string{"--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s"}
	leader := startReplicas(t, 2, quick...)
	f := startFleet(t, "replicated-", 5)
	for _, configs := range []int{15, 30} {
		middle, reached := make(chan struct{}), false
		f.more = func() bool {
			if f.given >= configs && !reached {
				reached = true
				close(middle)
			}
			return f.given < 45
		}
		require.False(t, f.servedBy(leader, middle), "the leader is to be killed before all is done")
		f.witness.await("a build is under way", func() bool {
			for _, build := range f.witness.builds {
				if isActive(build) {
					return true
				}
			}
			return false
		})
		before := leader
		leader = failOver(t, before, quick...)
		require.NotSame(t, before, leader)
	}
	f.more = func() bool { return f.given < 45 }
	require.True(t, f.servedBy(leader, nil))
	f.witness.verdict()

	lease, err := shared.kube.CoordinationV1().Leases(devcluster.Namespace).Get(t.Context(), deploy.Name, metav1.GetOptions{})
	require.NoError(t, err)
	require.GreaterOrEqual(t, *lease.Spec.LeaseTransitions, int32(2), "two leaders were followed by others")
	leader.stop()
}
