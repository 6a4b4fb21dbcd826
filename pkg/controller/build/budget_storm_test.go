package build

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/clients"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

const (
	stormTime = 10 * time.Minute
	// stormBudget is how many requests a pool may make in that time.
	stormBudget = 20
)

// refusing is an API server that has no time for anyone, and notes when it was asked.
type refusing struct {
	mu    sync.Mutex
	asked map[string][]time.Time
}

func (r *refusing) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := request.URL.Path
	r.asked[path] = append(r.asked[path], clock.RealClock{}.Now())
	return &http.Response{
		StatusCode: http.StatusTooManyRequests, Request: request, Header: http.Header{"Retry-After": []string{"1"}},
		Body: io.NopCloser(strings.NewReader("Too many requests, please try again later.")),
	}, nil
}

// withClientsOf replaces the controller by one whose clients are those that ship, with
// that transport, and whose time is the test's. Its caches are filled; nothing runs yet.
func (h *harness) withClientsOf(transport http.RoundTripper) {
	h.t.Helper()
	h.ctrl.queue.ShutDown()
	cb := clients.BuilderFromConfig(&restclient.Config{Host: "https://api.example.com", Transport: transport, QPS: 50, Burst: 100})
	once := cb.WithoutRetries()
	kube := once.KubeClientOrDie("test")
	mcfg := mcfginformers.NewSharedInformerFactory(h.api.Mcfg, 0).Machineconfiguration().V1()
	configMaps := informers.NewSharedInformerFactory(h.api.Kube, 0).Core().V1().ConfigMaps()
	builds := buildinformers.NewSharedInformerFactory(h.api.Build, 0).Build().V1().Builds().Informer()
	secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})

	builder, err := openshift.New(ctrlcommon.MCONamespace, once.BuildClientOrDie("test"), kube, builds, secrets)
	require.NoError(h.t, err)
	h.ctrl, err = New(DefaultConfig(), mcfg.MachineConfigPools(), mcfg.MachineConfigs(), mcfg.ControllerConfigs(), configMaps, secrets,
		builder, kube, once.MachineConfigClientOrDie("test"), &record.FakeRecorder{})
	require.NoError(h.t, err)
	h.api.Fill(mcfg.MachineConfigPools().Informer().GetIndexer(), "machineconfigpools")
	h.api.Fill(mcfg.MachineConfigs().Informer().GetIndexer(), "machineconfigs")
	h.api.Fill(mcfg.ControllerConfigs().Informer().GetIndexer(), "controllerconfigs")
	h.api.Fill(configMaps.Informer().GetIndexer(), "configmaps")
	h.api.Fill(builds.GetIndexer(), "builds")
	h.api.FillMetadata(secrets.GetIndexer(), "secrets")
}

// TestBudgetStorm is P12: what the API server gets to hear of each pool in ten minutes in
// which it refuses everything. The clients are the real ones: they may repeat requests
// on their own.
func TestBudgetStorm(t *testing.T) {
	silent(t)
	synctest.Test(t, func(t *testing.T) {
		const pools, workers = 50, 5
		objects := goodInputs()
		for i := range pools {
			config := fmt.Sprintf("rendered-pool-%d-1", i)
			objects = append(objects, buildtest.RenderedConfig(config), buildtest.Pool(fmt.Sprintf("pool-%d", i)).Layered().Wants(config).Object())
		}
		h := newHarness(t, objects...)
		server := &refusing{asked: map[string][]time.Time{}}
		h.withClientsOf(server)
		// The secrets are known, so that every pool has a request of its own to make.
		for name, registry := range map[string]string{buildtest.PushSecret: buildtest.Registry, buildtest.PullSecret: "quay.example.com"} {
			known, err := h.ctrl.observer.observeSecret(name)
			require.NoError(t, err)
			h.ctrl.observer.knowledge.secrets.set(name, known.ResourceVersion, secretFound{credentials: inputs.CredentialsFor(registry)})
		}

		begin := clock.RealClock{}.Now()
		ctx, cancel := context.WithTimeout(context.Background(), stormTime)
		defer cancel()
		var working sync.WaitGroup
		for range workers {
			working.Go(func() { h.ctrl.work(ctx) })
		}
		for i := range pools {
			h.ctrl.queue.Add(fmt.Sprintf("pool-%d", i))
		}
		<-ctx.Done()
		h.ctrl.queue.ShutDown()
		working.Wait()

		most := 0
		var gaps [][]time.Duration
		for path, at := range server.asked {
			pool, isReport := strings.CutSuffix(path, "/status")
			if isReport {
				require.GreaterOrEqual(t, at[0].Sub(begin), lastingAfter, "a pool says of what may pass that it lasts")
				continue
			}
			pool, _ = strings.CutSuffix(path[strings.LastIndex(pool, "-pool-")+1:], "-1")
			status := "/apis/machineconfiguration.openshift.io/v1/machineconfigpools/" + pool + "/status"
			require.NotEmpty(t, server.asked[status], "every pool is to say so")
			most = max(most, len(at)+len(server.asked[status]))
			var between []time.Duration
			for i := range at[1:] {
				between = append(between, at[i+1].Sub(at[i]))
			}
			gaps = append(gaps, between)
		}
		require.Len(t, gaps, pools, "every pool asks for something of its own")
		measured(t, "P12.requests", float64(most))
		require.LessOrEqual(t, most, stormBudget)
		requireExponential(t, gaps)
	})
}

// requireExponential checks that delays grow, and differ from pool to pool.
func requireExponential(t *testing.T, gaps [][]time.Duration) {
	t.Helper()
	sixths := map[time.Duration]bool{}
	for _, between := range gaps {
		require.GreaterOrEqual(t, len(between), 8, "pools do not give up")
		require.Greater(t, slices.Max(between), time.Minute)
		require.LessOrEqual(t, slices.Max(between), 3*time.Minute)
		// The first ones are so short that the clients' own limit of requests per second
		// shows in them.
		for i := 2; i < 7; i++ {
			growth := float64(between[i+1]) / float64(between[i])
			require.InDelta(t, 2, growth, 0.5, "delays double, but for the jitter: %v", between)
		}
		sixths[between[5]] = true
	}
	require.Greater(t, len(sixths), len(gaps)/2, "pools do not come back together")
}
