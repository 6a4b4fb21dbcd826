package status

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster/clustertest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// statusOf is the command on that cluster.
func statusOf(t *testing.T, c *clustertest.Cluster, o *options) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	if err := showStatus(t.Context(), c.Clients, o, &out, &errs); err != nil {
		code = cluster.ExitCode(err, clustertest.Program, &errs)
	}
	return out.String(), errs.String(), code
}

const attentionOfAll = "machine-config-controller: needs attention: failed (Failed), outdated (NotReported), stuck (Stuck)\n"

func TestStatusGolden(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		o      options
		code   int
		stderr string
	}{
		"table.txt": {reason: "the form for people", o: options{output: cluster.Text}, code: cluster.ExitAttention, stderr: attentionOfAll},
		"wide.txt":  {reason: "nothing is cut", o: options{output: cluster.Wide}, code: cluster.ExitAttention, stderr: attentionOfAll},
		"all.json":  {reason: "a form for tools", o: options{output: cluster.JSON, all: true}, code: cluster.ExitAttention, stderr: attentionOfAll},
		"two.yaml":  {reason: "two pools that are well, for tools", o: options{output: cluster.YAML, pools: []string{"healthy", "building"}}},
		"idle.txt":  {reason: "a pool that is asked for by name is shown, opted in or not", o: options{output: cluster.Text, pools: []string{"idle"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := clustertest.New(t)
				c.Populate()
				out, stderr, code := statusOf(t, c, &test.o)
				require.Equal(t, test.code, code, test.reason)
				require.Equal(t, test.stderr, stderr, test.reason)
				clustertest.RequireGolden(t, name, out, test.reason)
			})
		})
	}
}

// TestStatusWithFewPermissions: whoever may list pools is told what they say.
func TestStatusWithFewPermissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Populate()
		c.Forbid("list", "builds")
		c.Forbid("list", "configmaps")
		out, stderr, code := statusOf(t, c, &options{output: cluster.Text, pools: []string{"building"}})
		require.Zero(t, code)
		require.Regexp(t, `building +Building +BuildRunning .* 8m +1 +~4m\n`, out, "by the condition, and without the number of attempts")
		require.Contains(t, stderr, "Not read: Builds: these credentials may not list them")
		require.Contains(t, stderr, "Not read: ConfigMap machine-os-builder-config")

		c.Forbid("list", "machineconfigpools")
		_, stderr, code = statusOf(t, c, &options{output: cluster.Text})
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "could not list MachineConfigPools")
	})
}

func TestStatusOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Add(buildtest.Pool("idle").Object())
		out, stderr, code := statusOf(t, c, &options{output: cluster.Text})
		require.Zero(t, code)
		require.Empty(t, out, "there is no table without rows")
		require.Contains(t, stderr, ctrlcommon.LayeringEnabledPoolLabel)
		out, _, _ = statusOf(t, c, &options{output: cluster.JSON})
		require.JSONEq(t, `{"pools": []}`, out, "tools get an empty list")
		_, stderr, code = statusOf(t, c, &options{output: cluster.Text, pools: []string{"idle", "wroker", "infra"}})
		require.Equal(t, 1, code)
		require.Contains(t, stderr, `there is no MachineConfigPool "wroker", "infra" in the cluster; there are "idle"`)
	})
}

// watching runs status --watch in a bubble.
type watching struct {
	t          *testing.T
	out, notes page
	cancel     context.CancelFunc
	ended      chan error
}

// page is what a program writes while a test reads.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (p *page) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// take returns what is on the page, and leaves it empty.
func (p *page) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := p.text.String()
	p.text.Reset()
	return text
}

func startWatching(t *testing.T, c *clustertest.Cluster, o *options) *watching {
	t.Helper()
	w := &watching{t: t, ended: make(chan error, 1)}
	w.start(c.Clients, o)
	return w
}

func (w *watching) start(clients *cluster.Clients, o *options) {
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(w.t.Context())
	go func() { w.ended <- watchStatus(ctx, clients, o, &w.out, &w.notes) }()
	w.pass(time.Second)
}

// pass lets time go by, and everything happen that is due.
func (w *watching) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// news is what was written since it was asked for last.
func (w *watching) news() string { return w.out.take() }

func (w *watching) end() {
	w.t.Helper()
	w.cancel()
	require.NoError(w.t, <-w.ended, "a signal is how a watch ends")
}

// TestWatch: rows come when they say something new, each once, and aligned.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Populate()
		w := startWatching(t, c, &options{output: cluster.Text})
		first := w.news()
		require.Equal(t, 7, strings.Count(first, "\n"), "a header and six pools: %s", first)

		w.pass(2 * time.Minute)
		require.Empty(t, w.news(), "nothing is new but the time")
		w.pass(3 * time.Minute)
		row := w.news()
		require.Regexp(t, `^building .* overdue\n$`, row, "usually it takes 12 minutes")
		require.Equal(t, strings.Index(first, "ETA"), strings.Index(row, "overdue")-strings.Count(row, "…")*2, "the columns stay where they are")

		c.Edit("building", func(p *mcfgv1.MachineConfigPool) { p.Labels["other"] = "label" })
		w.pass(time.Second)
		require.Empty(t, w.news(), "that is no matter of ours")
		c.Edit("healthy", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = clustertest.ConfigOf("other") })
		c.Edit("idle", func(p *mcfgv1.MachineConfigPool) {
			p.Labels = map[string]string{ctrlcommon.LayeringEnabledPoolLabel: ""}
		})
		w.pass(time.Second)
		require.Regexp(t, `^healthy +NotReported +ImagePublished, but of another config .*\nidle +NotReported +nothing said yet .*\n$`, w.news())
		require.NoError(t, c.BuildAPI.BuildV1().Builds(ctrlcommon.MCONamespace).Delete(t.Context(), clustertest.BuildOf("building"), metav1.DeleteOptions{}))
		w.pass(time.Second)
		require.Regexp(t, `^building +NotReported +BuildRunning, but its Build is gone .*\n$`, w.news(), "Builds are watched, too")

		c.Edit("idle", func(p *mcfgv1.MachineConfigPool) { p.Labels = nil })
		require.NoError(t, c.MachineConfigAPI.MachineconfigurationV1().MachineConfigPools().Delete(t.Context(), "stuck", metav1.DeleteOptions{}))
		w.pass(time.Second)
		require.Regexp(t, `^idle +NotOptedIn .*\nstuck +Deleted .*\n$`, w.news(), "both have a last row")
		c.Edit("idle", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = clustertest.ConfigOf("idle") })
		w.pass(time.Second)
		require.Empty(t, w.news())
		require.Empty(t, w.notes.String())
		w.end()
	})
}

// TestWatchSilence: rows that nobody brings up to date look like those of which nothing
// is new, so it is told when the API server is silent.
func TestWatchSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Populate()
		var silent atomic.Bool
		c.MachineConfigAPI.PrependReactor("list", "machineconfigpools", func(k8stesting.Action) (bool, runtime.Object, error) {
			return silent.Load(), nil, apierrors.NewServiceUnavailable("it restarts")
		})
		w := startWatching(t, c, &options{output: cluster.Text})
		w.pass(time.Minute)
		require.Empty(t, w.notes.String())
		silent.Store(true)
		w.pass(time.Minute)
		require.Equal(t, 1, strings.Count(w.notes.String(), "does not answer"), "it is said once: %s", w.notes.String())
		silent.Store(false)
		w.pass(time.Minute)
		require.Equal(t, 1, strings.Count(w.notes.String(), "answers again"))
		w.end()
	})
}

// TestWatchForTools: every change is an object of its own.
func TestWatchForTools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Populate()
		w := startWatching(t, c, &options{output: cluster.JSON, pools: []string{"healthy", "failed"}})
		c.Edit("failed", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = clustertest.ConfigOf("other") })
		w.pass(time.Second)
		w.end()
		var states []string
		decoder := json.NewDecoder(strings.NewReader(w.news()))
		for decoder.More() {
			var p status.Pool
			require.NoError(t, decoder.Decode(&p))
			states = append(states, p.Name+" "+string(p.State))
		}
		require.Equal(t, []string{"failed Failed", "healthy Published", "failed NotReported"}, states)
	})
}

func TestWatchOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		err := watchStatus(t.Context(), c.Clients, &options{output: cluster.Text, pools: []string{"wroker"}}, &bytes.Buffer{}, &bytes.Buffer{})
		require.ErrorContains(t, err, `"wroker"`, "a typing error would be waited for for ever")
	})
}

// TestStatusOfMachineOSConfigs: what opts a pool in, and which MachineOSBuild counts, with and
// without a watch.
func TestStatusOfMachineOSConfigs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		config := buildtest.MachineOSConfig("worker")
		build := &mcfgv1.MachineOSBuild{ObjectMeta: metav1.ObjectMeta{Name: "worker-0"}}
		build.Spec.MachineOSConfig.Name, build.Spec.MachineConfig.Name = "worker", "rendered-worker-1"
		build.Status.Conditions = []metav1.Condition{{Type: "Failed", Status: metav1.ConditionTrue, Reason: "R", Message: "It is so."}}
		c.Add(buildtest.Pool("worker").Wants("rendered-worker-1").Object(), config, build)
		out, stderr, code := statusOf(t, c, &options{output: cluster.Wide})
		require.Zero(t, code)
		require.Empty(t, out)
		require.Contains(t, stderr, "No MachineConfigPool opted in", "the API is not served")

		c.ServeMachineOS()
		out, _, code = statusOf(t, c, &options{output: cluster.Wide})
		require.Equal(t, cluster.ExitAttention, code)
		require.Regexp(t, `worker +Failed +R .* MachineOSConfig worker +worker-0 Failed +It is so\.`, out)
		out, _, _ = statusOf(t, c, &options{output: cluster.JSON})
		require.Contains(t, out, `"machineOSConfig": "worker"`)
		require.Contains(t, out, `"condition": "Failed"`)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var watched, notes bytes.Buffer
		require.NoError(t, watchStatus(ctx, c.Clients, &options{output: cluster.Wide, watch: true}, &watched, &notes))
		require.Regexp(t, `worker +Failed +R .* MachineOSConfig worker +worker-0 Failed`, watched.String())

		c.Forbid("list", "machineosconfigs")
		_, stderr, _ = statusOf(t, c, &options{output: cluster.Text})
		require.Contains(t, stderr, "Not read: MachineOSConfigs: these credentials may not list them, so pools that they opt in are not told of")
	})
}
