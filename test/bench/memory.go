package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/openshift/machine-config-operator/test/program"
)

// shelf is all that an API server has for a controller: pools and configs in many copies, and of the other kinds nothing.
type shelf struct {
	libraries map[string]library
	// writes are requests that wanted to change something, which is refused.
	writes atomic.Int64
}

// configsPerPool is how many rendered configs there are for each pool.
const configsPerPool = 2

func newShelf(pools, content int) (*shelf, error) {
	config, err := sampleConfig(content)
	if err != nil {
		return nil, err
	}
	pool, err := untouched(cachedPool)
	if err != nil {
		return nil, err
	}
	return &shelf{libraries: map[string]library{
		"machineconfigpools": {pool, pools},
		"machineconfigs":     {config, configsPerPool * pools},
		"controllerconfigs":  {item: `{"apiVersion":"machineconfiguration.openshift.io/v1","kind":"ControllerConfig"}`},
		"configmaps":         {item: `{"apiVersion":"v1","kind":"ConfigMap"}`},
		"secrets":            {item: `{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata"}`},
		"builds":             {item: `{"apiVersion":"build.openshift.io/v1","kind":"Build"}`},
		"jobs":               {item: `{"apiVersion":"batch/v1","kind":"Job"}`},
		"pods":               {item: `{"apiVersion":"v1","kind":"Pod"}`},
		"events":             {item: `{"apiVersion":"v1","kind":"Event"}`},
	}}, nil
}

// untouched is the pool before it opted in. For one that did, the controller would write, and who only serves what there is cannot
// show it what came of that.
func untouched(pool string) (string, error) {
	var object mcfgv1.MachineConfigPool
	if err := json.Unmarshal([]byte(pool), &object); err != nil {
		return "", fmt.Errorf("could not read the pool: %w", err)
	}
	object.Annotations = nil
	delete(object.Labels, layeredLabel)
	object.Status.Conditions = slices.DeleteFunc(object.Status.Conditions, func(c mcfgv1.MachineConfigPoolCondition) bool {
		return strings.Contains(string(c.Type), "Build")
	})
	text, err := json.Marshal(object)
	if err != nil {
		return "", fmt.Errorf("could not encode the pool: %w", err)
	}
	return string(text), nil
}

// ServeHTTP implements http.Handler.
func (s *shelf) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	library, ok := s.libraries[path.Base(request.URL.Path)]
	switch {
	case request.Method != http.MethodGet:
		s.writes.Add(1)
		refuse(w, http.StatusForbidden, "Forbidden")
	case !ok:
		refuse(w, http.StatusNotFound, "NotFound")
	default:
		library.ServeHTTP(w, request)
	}
}

func refuse(w http.ResponseWriter, code int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d}`, reason, code)
}

// resident is what a process takes of the machine's memory, in bytes, once it has come to rest with so many pools.
type resident func(ctx context.Context, b *bench, address string) (float64, error)

// residentWith is that of a process which is served so many pools, and twice as many configs.
func (b *bench) residentWith(ctx context.Context, pools, content int, process resident) (float64, error) {
	s, err := newShelf(pools, content)
	if err != nil {
		return 0, err
	}
	server := httptest.NewServer(s)
	defer server.Close()
	defer server.CloseClientConnections()
	bytes, err := process(ctx, b, server.URL)
	if writes := s.writes.Load(); err == nil && writes > 0 {
		err = fmt.Errorf("it was to rest, and sent %d writes", writes)
	}
	return bytes, err
}

var residentMetric = regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)$`)

// residentController is the shipped binary, which tells itself what it takes.
func residentController(ctx context.Context, b *bench, address string) (float64, error) {
	// The process has a directory of its own to be in.
	dir, err := filepath.Abs(b.out)
	if err != nil {
		return 0, fmt.Errorf("could not resolve %s: %w", b.out, err)
	}
	kubeconfig := filepath.Join(dir, "memory.kubeconfig")
	config := clientcmdapi.NewConfig()
	config.Clusters["shelf"] = &clientcmdapi.Cluster{Server: address}
	config.Contexts["shelf"] = &clientcmdapi.Context{Cluster: "shelf"}
	config.CurrentContext = "shelf"
	if err := clientcmd.WriteToFile(*config, kubeconfig); err != nil {
		return 0, fmt.Errorf("could not write kubeconfig: %w", err)
	}
	log, err := os.Create(filepath.Join(dir, "memory.log"))
	if err != nil {
		return 0, fmt.Errorf("could not create log: %w", err)
	}
	defer func() { _ = log.Close() }()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	metrics, stop, err := program.Controller{Binary: filepath.Join(dir, controllerBinary), Kubeconfig: kubeconfig, Dir: dir, Log: log, Failed: fail}.Start(ctx)
	if err != nil {
		return 0, err
	}
	defer stop()
	return steady(ctx, func() (float64, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, metrics+"/metrics", http.NoBody)
		if err != nil {
			return 0, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, err
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return 0, err
		}
		match := residentMetric.FindSubmatch(text)
		if match == nil {
			return 0, errors.New("the controller does not tell what memory it takes")
		}
		return strconv.ParseFloat(string(match[1]), 64)
	})
}

// controllerBinary is the name of the shipped binary.
const controllerBinary = "machine-config-controller"

func (b *bench) buildController(ctx context.Context) error {
	build := program.ControllerBuild(b.root, filepath.Join(b.out, controllerBinary))
	build.Log = os.Stderr
	return build.Run(ctx)
}

// residentPlain is this program again, holding the plain typed objects.
func residentPlain(ctx context.Context, _ *bench, address string) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("could not find the program: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	command := exec.CommandContext(ctx, self, "-hold", address)
	command.Stderr = os.Stderr
	said, err := command.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("could not start the yardstick: %w", err)
	}
	if err := command.Start(); err != nil {
		return 0, fmt.Errorf("could not start the yardstick: %w", err)
	}
	defer func() { cancel(); _ = command.Wait() }()
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || line != held {
		return 0, fmt.Errorf("the yardstick could not fill its caches; it said %q", line)
	}
	return steady(ctx, func() (float64, error) { return residentOf(command.Process.Pid) })
}

// held is what the yardstick says when it has everything.
const held = "held\n"

// hold fills plain caches from a server, and keeps them until the process is killed. Garbage is collected as in the controller.
func hold(ctx context.Context, address string) error {
	debug.SetGCPercent(100)
	for _, pools := range []bool{true, false} {
		start, informer, err := plain(pools)(&rest.Config{Host: address})
		if err != nil {
			return err
		}
		start(ctx.Done())
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			return context.Cause(ctx)
		}
	}
	fmt.Print(held)
	<-ctx.Done()
	return nil
}

var residentLine = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)

func residentOf(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("could not read what a process takes: %w", err)
	}
	match := residentLine.FindSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("could not find what process %d takes", pid)
	}
	kilobytes, err := strconv.ParseFloat(string(match[1]), 64)
	return kilobytes * 1024, err
}

const (
	// A process is at rest when what it takes has changed by less than a hundredth for so many seconds. What the garbage
	// collector gives back, it gives back slowly.
	steadySeconds = 10
	steadyShare   = 0.01
	steadyAtMost  = 3 * time.Minute
)

// steady reads a number each second until it stays the same.
func steady(ctx context.Context, read func() (float64, error)) (float64, error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var seen []float64
	for deadline := time.Now().Add(steadyAtMost); ; {
		number, err := read()
		if err != nil {
			return 0, err
		}
		seen = append(seen, number)
		if isSteady(seen) || time.Now().After(deadline) {
			return number, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

func isSteady(seen []float64) bool {
	if len(seen) < steadySeconds {
		return false
	}
	last := seen[len(seen)-1]
	for _, number := range seen[len(seen)-steadySeconds:] {
		if number < last*(1-steadyShare) || number > last*(1+steadyShare) {
			return false
		}
	}
	return true
}

// plainBytes is up to how much content the plain side is given: beyond, its size is extrapolated, since all of it would not fit into
// many machines.
const plainBytes = 400 << 20

// memoryOf are the sizes of both, in bytes.
type memoryOf struct {
	Pools, Content int
	// Controller is the whole process, Plain the objects alone.
	Controller, Plain float64
	// PlainPools is with how many pools the plain side was measured.
	PlainPools int
}

func (m memoryOf) ratio() float64 { return m.Controller / m.Plain }

// measureMemory measures both with so many pools.
func (b *bench) measureMemory(ctx context.Context, pools, content int) (memoryOf, error) {
	m := memoryOf{Pools: pools, Content: content, PlainPools: plainPools(pools, content)}
	var err error
	if m.Controller, err = b.residentWith(ctx, pools, content, residentController); err != nil {
		return m, fmt.Errorf("could not measure the controller: %w", err)
	}
	if m.Plain, err = b.residentWith(ctx, m.PlainPools, content, residentPlain); err != nil {
		return m, fmt.Errorf("could not measure plain objects: %w", err)
	}
	one, err := b.residentWith(ctx, 1, content, residentPlain)
	if err != nil {
		return m, fmt.Errorf("could not measure plain objects: %w", err)
	}
	// What the program takes for itself is no object's.
	m.Plain = (m.Plain - one) * float64(pools-1) / float64(m.PlainPools-1)
	b.tell("%d pools, %d configs of %d KB: the controller takes %.0f MB, plain objects %.0f MB", pools, configsPerPool*pools, content/1000, m.Controller/1e6, m.Plain/1e6)
	return m, nil
}

func plainPools(pools, content int) int {
	return max(2, min(pools, plainBytes/(len(cachedPool)+configsPerPool*content)))
}

// measureResident is P20.
func (b *bench) measureResident(ctx context.Context) error {
	if err := b.buildController(ctx); err != nil {
		return err
	}
	var all []memoryOf
	for _, content := range []int{max(b.largeContent, b.content), b.content} {
		m, err := b.measureMemory(ctx, b.cached, content)
		if err != nil {
			return err
		}
		all = append(all, m)
		if b.largeContent <= b.content {
			break
		}
	}
	b.fillResident(all)
	return nil
}

// fillResident has the row tell of configs that are as large as real ones first.
func (b *bench) fillResident(all []memoryOf) {
	var texts []string
	values := map[string]estimate{}
	for i, m := range all {
		name := []string{"large", "small"}[i]
		values[name], values[name+"Controller"], values[name+"Plain"] = exactly(m.ratio()), exactly(m.Controller), exactly(m.Plain)
		texts = append(texts, fmt.Sprintf("%s (%s KB)", number(m.ratio()), number(float64(m.Content)/1000)))
		how := "measured"
		if m.PlainPools < m.Pools {
			how = fmt.Sprintf("extrapolated from %d pools", m.PlainPools)
		}
		b.table.note("P20", "%d pools and %d configs of %s KB: %.0f MB, plain objects %.0f MB (%s)", m.Pools, configsPerPool*m.Pools, number(float64(m.Content)/1000), m.Controller/1e6, m.Plain/1e6, how)
	}
	b.table.set("P20", all[0].ratio() <= 0.5, values, "%s", strings.Join(texts, "; "))
}
