package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

const lookInterval = 25 * time.Millisecond

// view is all that matters at one moment.
type view struct {
	// pool is nil when it does not exist.
	pool   *mcfgv1.MachineConfigPool
	builds []buildv1.Build
	inputs []corev1.Secret
	layers
}

// claim is something that a view has to show.
type claim struct {
	text string
	// missing says what is not so yet; empty when the claim holds.
	missing func(*view) string
}

func (s *story) look(ctx context.Context) (*view, error) {
	v := &view{}
	pool, err := s.mcfg.MachineconfigurationV1().MachineConfigPools().Get(ctx, s.pool, metav1.GetOptions{})
	if err == nil {
		v.pool = pool
	} else if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("could not get the pool: %w", err)
	}
	ours := metav1.ListOptions{LabelSelector: ownedSelector}
	builds, err := s.builds.BuildV1().Builds(devcluster.Namespace).List(ctx, ours)
	if err != nil {
		return nil, fmt.Errorf("could not list Builds: %w", err)
	}
	secrets, err := s.kube.CoreV1().Secrets(devcluster.Namespace).List(ctx, ours)
	if err != nil {
		return nil, fmt.Errorf("could not list Secrets: %w", err)
	}
	v.builds, v.inputs = builds.Items, secrets.Items
	if s.pool == labelPool {
		return v, nil
	}
	v.layers, err = s.lookAtLayers(ctx)
	return v, err
}

// await waits for a view in which all claims hold.
func (s *story) await(ctx context.Context, claims ...claim) (*view, error) {
	var missing []error
	for {
		v, err := s.look(ctx)
		if err != nil {
			// Time may be up in the middle of a look: what was missing before says more.
			return nil, errors.Join(append(missing, err)...)
		}
		missing = nil
		for _, c := range claims {
			if text := c.missing(v); text != "" {
				missing = append(missing, fmt.Errorf("could not see that %s: %s", c.text, text))
			}
		}
		if len(missing) == 0 {
			return v, nil
		}
		select {
		case <-time.After(lookInterval):
		case <-ctx.Done():
			return nil, errors.Join(missing...)
		}
	}
}

// sees is await, and shows the pool as it is then, and what was claimed.
func (s *story) sees(ctx context.Context, claims ...claim) (*view, error) {
	claims = append(claims, foreignUntouched)
	v, err := s.await(ctx, claims...)
	if err != nil {
		return nil, err
	}
	text, err := excerpt(v.pool)
	if err != nil {
		return nil, err
	}
	s.say.command("kubectl get machineconfigpool %s -o yaml", s.pool)
	s.say.block(text)
	s.say.hold(claims)
	return v, nil
}

// says claims that this is the one build condition that is True, for this reason, with these words in its message.
func says(conditionType mcfgv1.MachineConfigPoolConditionType, reason string, words ...string) claim {
	text := fmt.Sprintf("the one build condition that is True is %s (%s)", conditionType, reason)
	if len(words) > 0 {
		text += ", and it names " + strings.Join(words, ", ")
	}
	return claim{text, func(v *view) string {
		if v.pool == nil {
			return "there is no pool"
		}
		isTrue, present := buildConditions(v.pool)
		if present != len(buildConditionTypes) || len(isTrue) != 1 {
			return fmt.Sprintf("of %d build conditions %d are True", present, len(isTrue))
		}
		c := isTrue[0]
		if c.Type != conditionType || c.Reason != reason {
			return fmt.Sprintf("it is %s (%s): %s", c.Type, c.Reason, c.Message)
		}
		for _, word := range words {
			if !strings.Contains(c.Message, word) {
				return fmt.Sprintf("%q is not in its message: %s", word, c.Message)
			}
		}
		return ""
	}}
}

var buildConditionTypes = []mcfgv1.MachineConfigPoolConditionType{
	mcfgv1.MachineConfigPoolBuildPending, mcfgv1.MachineConfigPoolBuilding, mcfgv1.MachineConfigPoolBuildSuccess,
	mcfgv1.MachineConfigPoolBuildFailed, mcfgv1.MachineConfigPoolBuildInterrupted,
}

// isOurs tells whether the controller owns the condition.
func isOurs(conditionType mcfgv1.MachineConfigPoolConditionType) bool {
	return conditionType == mcfgv1.MachineConfigPoolImageBuildDegraded || slices.Contains(buildConditionTypes, conditionType)
}

func buildConditions(pool *mcfgv1.MachineConfigPool) (isTrue []mcfgv1.MachineConfigPoolCondition, present int) {
	for _, c := range pool.Status.Conditions {
		if slices.Contains(buildConditionTypes, c.Type) {
			present++
			if c.Status == corev1.ConditionTrue {
				isTrue = append(isTrue, c)
			}
		}
	}
	return isTrue, present
}

var byDigest = regexp.MustCompile(`^` + regexp.QuoteMeta(repository) + `@sha256:[0-9a-f]{64}$`)

// hasImageOf claims that the published image is that config's.
func hasImageOf(what, config string) claim {
	return claim{"the pool has the image of " + what + ", by digest", func(v *view) string {
		image, of := "", ""
		if v.pool != nil {
			image, of = v.pool.Annotations[imageAnnotation], v.pool.Annotations[imageConfigAnnotation]
		}
		if !byDigest.MatchString(image) || of != config {
			return fmt.Sprintf("the image is %q, of config %q", image, of)
		}
		return ""
	}}
}

// noImage claims that nothing was published yet.
var noImage = claim{"the pool has no image yet", func(v *view) string {
	if v.pool == nil {
		return "there is no pool"
	}
	return v.pool.Annotations[imageAnnotation]
}}

// noInputs claims that no build has anything left to read.
var noInputs = claim{"no input Secret is left", func(v *view) string { return names(v.inputs) }}

// withoutBuild claims that the Build is gone.
func withoutBuild(what, name string) claim {
	return claim{what + " is gone", func(v *view) string {
		if slices.ContainsFunc(v.builds, func(b buildv1.Build) bool { return b.Name == name }) {
			return "it is there"
		}
		return ""
	}}
}

// nothingOfOurs claims that no object of the controller's is left, and nothing on the pool if there is one.
var nothingOfOurs = claim{"no Build, no Secret, no annotation and no condition of the controller is left", func(v *view) string {
	if len(v.builds)+len(v.inputs) > 0 {
		return fmt.Sprintf("%d Builds and Secrets %s are", len(v.builds), names(v.inputs))
	}
	if v.pool == nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(v.pool.Annotations)) {
		if name != foreignAnnotation {
			return "annotation " + name + " is"
		}
	}
	for _, c := range v.pool.Status.Conditions {
		if isOurs(c.Type) {
			return fmt.Sprintf("condition %s is", c.Type)
		}
	}
	return ""
}}

// foreignUntouched claims that the controller leaves alone what is not its own.
var foreignUntouched = claim{"what others wrote on the pool is as they wrote it", func(v *view) string {
	if v.pool == nil {
		return "there is no pool"
	}
	if v.pool.Annotations[foreignAnnotation] != "true" {
		return "the annotation " + foreignAnnotation + " is not"
	}
	for _, c := range v.pool.Status.Conditions {
		if equality.Semantic.DeepEqual(c, foreignCondition) {
			return ""
		}
	}
	return fmt.Sprintf("the condition %s is not", foreignCondition.Type)
}}

func names(secrets []corev1.Secret) string {
	var all []string
	for i := range secrets {
		all = append(all, secrets[i].Name)
	}
	return strings.Join(all, ", ")
}
