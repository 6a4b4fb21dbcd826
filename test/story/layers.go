package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/nodecontroller"
)

const (
	currentBuildAnnotation = "machineconfiguration.openshift.io/current-machine-os-build"
	rebuildAnnotation      = "machineconfiguration.openshift.io/rebuild"
)

// layers is what matters of MachineOSConfigs at one moment.
type layers struct {
	configs  []mcfgv1.MachineOSConfig
	osBuilds []mcfgv1.MachineOSBuild
	jobs     []batchv1.Job
	// nodes are those of pools.
	nodes []corev1.Node
}

func (s *story) lookAtLayers(ctx context.Context) (l layers, err error) {
	group := s.mcfg.MachineconfigurationV1()
	configs, err := group.MachineOSConfigs().List(ctx, metav1.ListOptions{})
	if err != nil {
		return l, fmt.Errorf("could not list MachineOSConfigs: %w", err)
	}
	builds, err := group.MachineOSBuilds().List(ctx, metav1.ListOptions{})
	if err != nil {
		return l, fmt.Errorf("could not list MachineOSBuilds: %w", err)
	}
	jobs, err := s.kube.BatchV1().Jobs(devcluster.Namespace).List(ctx, metav1.ListOptions{LabelSelector: ownedSelector})
	if err != nil {
		return l, fmt.Errorf("could not list Jobs: %w", err)
	}
	nodes, err := s.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: roleLabel + imagePool})
	if err != nil {
		return l, fmt.Errorf("could not list nodes: %w", err)
	}
	return layers{configs.Items, builds.Items, jobs.Items, nodes.Items}, nil
}

// config is the MachineOSConfig of the pool; nil for none.
func (l *layers) config(pool string) *mcfgv1.MachineOSConfig {
	for i := range l.configs {
		if l.configs[i].Spec.MachineConfigPool.Name == pool {
			return &l.configs[i]
		}
	}
	return nil
}

// current is the MachineOSBuild that the MachineOSConfig names; nil for none.
func (l *layers) current(pool string) *mcfgv1.MachineOSBuild {
	config := l.config(pool)
	for i := range l.osBuilds {
		if config != nil && l.osBuilds[i].Name == config.Annotations[currentBuildAnnotation] {
			return &l.osBuilds[i]
		}
	}
	return nil
}

// image is what the MachineOSConfig of the pool has.
func (l *layers) image(pool string) string {
	if config := l.config(pool); config != nil {
		return string(config.Status.CurrentImagePullSpec)
	}
	return ""
}

// isAt claims that the MachineOSBuild that counts is of the config, and that this is the one condition of it that is True.
func isAt(pool string, progress mcfgv1.BuildProgress, config string) claim {
	return claim{fmt.Sprintf("MachineOSConfig %s names a MachineOSBuild of %s, and the one condition of that which is True is %s", pool, config, progress), func(v *view) string {
		build := v.current(pool)
		switch {
		case build == nil:
			return "it names none that is there"
		case build.Spec.MachineConfig.Name != config:
			return "it names one of " + build.Spec.MachineConfig.Name
		}
		var isTrue []string
		for _, c := range build.Status.Conditions {
			if c.Status == metav1.ConditionTrue {
				isTrue = append(isTrue, c.Type)
			}
		}
		if !slices.Equal(isTrue, []string{string(progress)}) {
			return fmt.Sprintf("True are %v", isTrue)
		}
		return ""
	}}
}

// hasNewImage claims that the image of the MachineOSBuild that counts is on the MachineOSConfig, by digest, and is another one than
// before. It is what starts the roll-out.
func hasNewImage(pool, before string) claim {
	return claim{"status.currentImagePullSpec of MachineOSConfig " + pool + " is the image of that MachineOSBuild, by digest, and a new one", func(v *view) string {
		build, image := v.current(pool), v.image(pool)
		if build == nil || !byDigest.MatchString(image) || image == before || string(build.Status.DigestedImagePushSpec) != image {
			return fmt.Sprintf("it is %q", image)
		}
		if !meta.IsStatusConditionTrue(v.config(pool).Status.Conditions, "Ready") {
			return "it is not Ready"
		}
		return ""
	}}
}

// keepsImage claims that the image of before is still on the MachineOSConfig.
func keepsImage(pool, image string) claim {
	return claim{"MachineOSConfig " + pool + " still has the image of before", func(v *view) string {
		if v.image(pool) != image {
			return fmt.Sprintf("it has %q", v.image(pool))
		}
		return ""
	}}
}

// oneBuild claims that of every config there is one MachineOSBuild at most, since some readers take any.
var oneBuild = claim{"there is one MachineOSBuild for each config at most", func(v *view) string {
	seen := map[string]bool{}
	for i := range v.osBuilds {
		config := v.osBuilds[i].Spec.MachineConfig.Name
		if seen[config] {
			return "there are two for " + config
		}
		seen[config] = true
	}
	return ""
}}

// nodesAre claims that every node of the pool has become this, by what its annotations say; empty for the base.
func nodesAre(text string, of func(v *view) (config, image string)) claim {
	return claim{text, func(v *view) string {
		config, image := of(v)
		for i := range v.nodes {
			is := v.nodes[i].Annotations
			for _, at := range [][2]string{{nodecontroller.DesiredConfig, config}, {nodecontroller.CurrentConfig, config}, {nodecontroller.DesiredImage, image}, {nodecontroller.CurrentImage, image}} {
				if is[at[0]] != at[1] {
					return fmt.Sprintf("node %s has %q for %s", v.nodes[i].Name, is[at[0]], at[0])
				}
			}
		}
		if len(v.nodes) != nodesOfPool {
			return fmt.Sprintf("there are %d", len(v.nodes))
		}
		return ""
	}}
}

// nodesStay claims that no node was told of anything new.
func nodesStay(config, image string) claim {
	return nodesAre("no node was told of anything new", func(*view) (string, string) { return config, image })
}

// nodesFollow claims that nodes have the config and the image that the MachineOSConfig has.
func nodesFollow(config string) claim {
	return nodesAre("both nodes have become that image, with "+config, func(v *view) (string, string) { return config, v.image(imagePool) })
}

// poolIsQuiet claims that a pool that a MachineOSConfig opts in says no more than whether its image could be built.
var poolIsQuiet = claim{"of the controller's conditions the pool has ImageBuildDegraded alone, and that is False", func(v *view) string {
	if v.pool == nil {
		return "there is no pool"
	}
	found := false
	for _, c := range v.pool.Status.Conditions {
		switch {
		case !isOurs(c.Type):
		case c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded || c.Status != corev1.ConditionFalse:
			return fmt.Sprintf("%s is %s", c.Type, c.Status)
		default:
			found = true
		}
	}
	if !found {
		return "it has none"
	}
	return ""
}}

// seesLayers is await, and shows MachineOSBuilds, the MachineOSConfig and the nodes as they are then, and what was claimed.
func (s *story) seesLayers(ctx context.Context, claims ...claim) (*view, error) {
	claims = append(claims, foreignUntouched)
	v, err := s.await(ctx, claims...)
	if err != nil {
		return nil, err
	}
	s.say.command("kubectl get machineosbuilds")
	s.say.block(buildTable(v.osBuilds))
	if config := v.config(imagePool); config != nil {
		text, err := configExcerpt(config)
		if err != nil {
			return nil, err
		}
		s.say.command("kubectl get machineosconfig %s -o yaml", imagePool)
		s.say.block(text)
	}
	s.say.command("kubectl get nodes -l %s%s, the annotations in short", roleLabel, imagePool)
	s.say.block(nodeTable(v.nodes))
	s.say.hold(claims)
	return v, nil
}

// table aligns columns as kubectl does.
func table(rows [][]string) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		// A strings.Builder takes all.
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
	return text.String()
}

// buildTable has the columns of the API.
func buildTable(builds []mcfgv1.MachineOSBuild) string {
	types := []mcfgv1.BuildProgress{
		mcfgv1.MachineOSBuildPrepared, mcfgv1.MachineOSBuilding, mcfgv1.MachineOSBuildSucceeded, mcfgv1.MachineOSBuildInterrupted, mcfgv1.MachineOSBuildFailed,
	}
	rows := [][]string{{"NAME"}}
	for _, t := range types {
		rows[0] = append(rows[0], strings.ToUpper(string(t)))
	}
	for i := range builds {
		row := []string{builds[i].Name}
		for _, t := range types {
			status := ""
			if c := meta.FindStatusCondition(builds[i].Status.Conditions, string(t)); c != nil {
				status = string(c.Status)
			}
			row = append(row, status)
		}
		rows = append(rows, row)
	}
	return table(rows)
}

func nodeTable(nodes []corev1.Node) string {
	rows := [][]string{{"NODE", "DESIRED CONFIG", "DESIRED IMAGE", "CURRENT CONFIG", "CURRENT IMAGE"}}
	for i := range nodes {
		row := []string{nodes[i].Name}
		for _, name := range []string{nodecontroller.DesiredConfig, nodecontroller.DesiredImage, nodecontroller.CurrentConfig, nodecontroller.CurrentImage} {
			row = append(row, short(nodes[i].Annotations[name]))
		}
		rows = append(rows, row)
	}
	return table(rows)
}

// short is as much of a name or of a digest as people compare.
func short(text string) string {
	const longest = 24
	if text == "" {
		return "-"
	}
	if _, digest, found := strings.Cut(text, "@"); found {
		text = digest
	}
	if len(text) <= longest {
		return text
	}
	return text[:longest-1] + "…"
}

// configExcerpt is what matters here of a MachineOSConfig. Conditions that are False are only named.
func configExcerpt(config *mcfgv1.MachineOSConfig) (string, error) {
	status, conditions, notTrue := map[string]any{}, []metav1.Condition{}, []string(nil)
	for _, c := range config.Status.Conditions {
		if c.Status == metav1.ConditionTrue {
			conditions = append(conditions, c)
		} else {
			notTrue = append(notTrue, c.Type)
		}
	}
	status["conditions"] = conditions
	if image := config.Status.CurrentImagePullSpec; image != "" {
		status["currentImagePullSpec"] = image
	}
	if build := config.Status.MachineOSBuild; build != nil {
		status["machineOSBuild"] = map[string]any{"name": build.Name}
	}
	text, err := yaml.Marshal(map[string]any{"metadata": map[string]any{"annotations": config.Annotations}, "status": status})
	if err != nil {
		return "", fmt.Errorf("could not encode MachineOSConfig %s: %w", config.Name, err)
	}
	if len(notTrue) > 0 {
		text = append(text, "  # False: "+strings.Join(notTrue, ", ")+"\n"...)
	}
	return string(text), nil
}
