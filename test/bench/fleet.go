package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

const (
	layeredLabel = "machineconfiguration.openshift.io/layering-enabled"
	baseImage    = "quay.example.com/openshift/rhel-coreos@sha256:"
	// setters is by how many clients the scene is set.
	setters = 8
)

// fleet is a number of pools, each with a rendered config of its own.
type fleet struct {
	world *world
	names []string
	// content is the size of a rendered config, in bytes.
	content int
}

// newFleet creates pools. Their names are equally long, so that what is sent for
// one is as large as what is sent for another.
func newFleet(ctx context.Context, w *world, prefix string, size, content int, layered bool) (*fleet, error) {
	f := &fleet{world: w, content: content}
	for i := range size {
		f.names = append(f.names, fmt.Sprintf("%s-%05d", prefix, i))
	}
	w.generation++
	generation := w.generation
	return f, inParallel(setters, size, func(i int) error {
		return f.createPool(ctx, f.names[i], generation, layered)
	})
}

func (f *fleet) createPool(ctx context.Context, name string, generation int, layered bool) error {
	config, err := f.createConfig(ctx, name, generation)
	if err != nil {
		return err
	}
	pools := f.world.admin.mcfg.MachineconfigurationV1().MachineConfigPools()
	pool := newPool(name, config)
	if layered {
		pool.Labels[layeredLabel] = ""
	}
	status := pool.Status
	if pool, err = pools.Create(ctx, pool, metav1.CreateOptions{FieldManager: "machine-config-operator"}); err != nil {
		return fmt.Errorf("could not create pool %s: %w", name, err)
	}
	pool.Status = status
	if _, err = pools.UpdateStatus(ctx, pool, metav1.UpdateOptions{FieldManager: "machine-config-controller"}); err != nil {
		return fmt.Errorf("could not set status of pool %s: %w", name, err)
	}
	return nil
}

// createConfig creates a rendered config that no pool wants yet.
func (f *fleet) createConfig(ctx context.Context, pool string, generation int) (string, error) {
	config := renderedConfig(hexName(pool, generation), f.content)
	_, err := f.world.admin.mcfg.MachineconfigurationV1().MachineConfigs().Create(ctx, config, metav1.CreateOptions{FieldManager: "machine-config-controller"})
	if err != nil {
		return "", fmt.Errorf("could not create config %s: %w", config.Name, err)
	}
	return config.Name, nil
}

// want has the pool want the config, and returns when that was committed.
func (f *fleet) want(ctx context.Context, pool, config string) (time.Time, error) {
	patch := fmt.Sprintf(`{"spec":{"configuration":{"name":%q}}}`, config)
	_, err := f.world.admin.mcfg.MachineconfigurationV1().MachineConfigPools().Patch(ctx, pool, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return time.Time{}, fmt.Errorf("could not have pool %s want %s: %w", pool, config, err)
	}
	return time.Now(), nil
}

// newPool is a pool with about as much in it as one of a cluster in use.
func newPool(name, config string) *mcfgv1.MachineConfigPool {
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{
		Name:   name,
		Labels: map[string]string{"machineconfiguration.openshift.io/mco-built-in": "", "pools.operator.machineconfiguration.openshift.io/" + name: ""},
	}}
	pool.Spec.MachineConfigSelector = metav1.AddLabelToSelector(&metav1.LabelSelector{}, "machineconfiguration.openshift.io/role", name)
	pool.Spec.NodeSelector = metav1.AddLabelToSelector(&metav1.LabelSelector{}, "node-role.kubernetes.io/"+name, "")
	pool.Spec.Configuration.Name = config
	for i, source := range []string{
		"00-%s", "01-%s-container-runtime", "01-%s-kubelet", "97-%s-generated-kubelet", "98-%s-generated-kubelet", "99-%s-fips",
		"99-%s-generated-registries", "99-%s-ssh", "99-%s-chrony", "99-%s-kernel-arguments",
	} {
		pool.Spec.Configuration.Source = append(pool.Spec.Configuration.Source, corev1.ObjectReference{
			APIVersion: mcfgv1.GroupVersion.String(), Kind: "MachineConfig", Name: fmt.Sprintf(source, name), UID: types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)),
		})
	}
	pool.Status.Configuration = pool.Spec.Configuration
	pool.Status.MachineCount, pool.Status.ReadyMachineCount, pool.Status.UpdatedMachineCount = 3, 3, 3
	changed := metav1.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)
	for conditionType, reason := range map[mcfgv1.MachineConfigPoolConditionType]string{
		mcfgv1.MachineConfigPoolRenderDegraded: "", mcfgv1.MachineConfigPoolNodeDegraded: "", mcfgv1.MachineConfigPoolDegraded: "",
		mcfgv1.MachineConfigPoolUpdating: "", mcfgv1.MachineConfigPoolUpdated: "All nodes are updated with MachineConfig " + config,
		mcfgv1.MachineConfigPoolPinnedImageSetsDegraded: "",
	} {
		status := corev1.ConditionFalse
		if reason != "" {
			status = corev1.ConditionTrue
		}
		pool.Status.Conditions = append(pool.Status.Conditions, mcfgv1.MachineConfigPoolCondition{
			Type: conditionType, Status: status, Message: reason, LastTransitionTime: changed,
		})
	}
	pool.Status.CertExpirys = []mcfgv1.CertExpiry{
		{Bundle: "KubeAPIServerServingCAData", Subject: "CN=admin-kubeconfig-signer,OU=openshift", Expiry: &changed},
		{Bundle: "KubeAPIServerServingCAData", Subject: "CN=kube-apiserver-lb-signer,OU=openshift", Expiry: &changed},
	}
	return pool
}

// renderedConfig is a config with about so many bytes of files and units.
func renderedConfig(name string, size int) *mcfgv1.MachineConfig {
	const fileSize = 4096
	type contents struct {
		Source string `json:"source"`
	}
	type file struct {
		Path      string   `json:"path"`
		Mode      int      `json:"mode"`
		Overwrite bool     `json:"overwrite"`
		Contents  contents `json:"contents"`
	}
	var config struct {
		Ignition struct {
			Version string `json:"version"`
		} `json:"ignition"`
		Storage struct {
			Files []file `json:"files"`
		} `json:"storage"`
	}
	config.Ignition.Version = "3.4.0"
	for left, i := size, 0; left > 0; left, i = left-fileSize, i+1 {
		config.Storage.Files = append(config.Storage.Files, file{
			Path: fmt.Sprintf("/etc/bench.d/%03d.conf", i), Mode: 0o644, Overwrite: true,
			Contents: contents{"data:," + prose(name, i, min(left, fileSize))},
		})
	}
	// Strings and numbers can always be encoded.
	raw, _ := json.Marshal(config)
	return &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"machineconfiguration.openshift.io/generated-by-controller-version": "bench"}},
		Spec: mcfgv1.MachineConfigSpec{
			OSImageURL: baseImage + strings.Repeat("1", 64), Config: runtime.RawExtension{Raw: raw},
			KernelArguments: []string{"nosmt"}, KernelType: "default",
		},
	}
}

// prose is text that packs about as well as configuration files do.
func prose(name string, seed, size int) string {
	var text strings.Builder
	state := uint32(seed)*2654435761 + uint32(len(name))
	for _, c := range []byte(name) {
		state = (state ^ uint32(c)) * 16777619
	}
	words := []string{"kubelet", "timeout", "enabled", "registry", "cluster", "maximum", "interval", "server", "policy", "address"}
	for text.Len() < size {
		state = state*1664525 + 1013904223
		fmt.Fprintf(&text, "%s-%s=%d;", words[state>>8%10], words[state>>16%10], state>>12)
	}
	return text.String()[:size]
}

// inParallel does n things by so many workers, and returns the first error.
func inParallel(workers, n int, do func(i int) error) error {
	var next atomic.Int64
	var running sync.WaitGroup
	var once sync.Once
	var failed atomic.Bool
	var first error
	for range workers {
		running.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					once.Do(func() { first = err })
					failed.Store(true)
				}
			}
		})
	}
	running.Wait()
	return first
}
