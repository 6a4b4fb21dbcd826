package integration

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// interval is a time during which the API server was not ready; it refuses some
// requests then, because it does not know the roles yet.
type interval struct{ from, to time.Time }

var restarts []interval

func noteRestart(t *testing.T, restart func(context.Context) error) {
	t.Helper()
	began := time.Now()
	require.NoError(t, restart(t.Context()))
	restarts = append(restarts, interval{began, time.Now()})
}

func duringRestart(at time.Time) bool {
	return slices.ContainsFunc(restarts, func(i interval) bool { return at.After(i.from) && at.Before(i.to) })
}

// freshRunner replaces who plays the Build system: restarts teach the one there is
// to wait for up to a minute before it looks again.
func freshRunner(t *testing.T) {
	t.Helper()
	shared.stopRunner()
	require.NoError(t, shared.startRunner())
}

// TestRestartMidBuild: the API server goes away and comes back while pools are in
// every state that lasts. Builds that were under way are followed to their end,
// none is started twice, and what changed meanwhile is noticed. The controller's
// process lives through it.
func TestRestartMidBuild(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		// restart calls the function while nobody answers.
		restart func(ctx context.Context, meanwhile func()) error
	}{
		"apiserver": {
			reason: "watches end, and for a moment nobody listens",
			restart: func(ctx context.Context, meanwhile func()) error {
				return shared.cluster.WhileAPIServerStopped(ctx, func() error { meanwhile(); return nil })
			},
		},
		"etcd": {
			reason: "the store comes back from disk, behind an API server whose caches are empty",
			restart: func(ctx context.Context, meanwhile func()) error {
				meanwhile()
				return shared.cluster.RestartEtcd(ctx)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Log(test.reason)
			useSettings(t)
			freshRunner(t)
			pending, running, ending, failed, published := name+"-pending", name+"-running", name+"-ending", name+"-failed", name+"-published"
			release, end := make(chan struct{}), make(chan struct{})
			scripts := map[string]buildrunner.Script{
				pending: {HoldPending: release}, running: {HoldRunning: release}, ending: {HoldRunning: end},
				failed: {Err: buildrunner.NewFailure(buildv1.StatusReasonDockerBuildFailed, nil)},
			}
			shared.script.Decide(func(job buildrunner.Job) buildrunner.Script {
				for pool, script := range scripts {
					if strings.HasPrefix(job.Name, "machine-os-"+pool+"-") {
						return script
					}
				}
				return buildrunner.Script{}
			})
			t.Cleanup(succeedAtOnce)

			w := startWitness(t, name+"-")
			p := startBuildController(t)
			for pool, reason := range map[string]string{
				pending: "BuildCreated", running: "BuildRunning", ending: "BuildRunning", failed: "BuildFailed", published: "ImagePublished",
			} {
				createPool(t, pool, createConfig(t))
				w.await(pool+" says "+reason, func() bool { return w.says(pool, reason) })
			}

			noteRestart(t, func(ctx context.Context) error { return test.restart(ctx, func() { close(end) }) })
			w.await("the build that ended meanwhile is published", func() bool { return w.served(ending) })
			close(release)
			w.await("the builds that waited are published", func() bool { return w.served(pending) && w.served(running) })
			for _, pool := range []string{pending, running, ending, published} {
				uid, started := getPool(t, pool).UID, []string{}
				for _, build := range ourBuilds(t, pool) {
					// Those of an earlier pool of that name wait for the garbage collector.
					if build.OwnerReferences[0].UID == uid {
						started = append(started, build.Name)
					}
				}
				require.Len(t, started, 1, "the build of %s was started once", pool)
			}
			succeedAtOnce()
			for _, pool := range []string{failed, published} {
				wantConfig(t, pool, createConfig(t))
			}
			w.verdict()
			select {
			case err := <-p.exited:
				require.Fail(t, "the controller ended", "%v", err)
			default:
			}
		})
	}
}
