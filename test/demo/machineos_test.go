package main

import (
	"bytes"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func osObjects(progress mcfgv1.BuildProgress, config, digest, image string) (*mcfgv1.MachineOSConfig, *mcfgv1.MachineOSBuild) {
	c := &mcfgv1.MachineOSConfig{ObjectMeta: metav1.ObjectMeta{Name: "infra", Annotations: map[string]string{currentBuildAnnotation: "infra-1"}}}
	c.Spec.MachineConfigPool.Name = "infra"
	c.Status.CurrentImagePullSpec = mcfgv1.ImageDigestFormat(image)
	c.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, Reason: "ImagePublished", Message: "Sentence."}, {Type: "Degraded", Status: metav1.ConditionFalse}}
	b := &mcfgv1.MachineOSBuild{ObjectMeta: metav1.ObjectMeta{Name: "infra-1"}}
	b.Spec.MachineOSConfig.Name, b.Spec.MachineConfig.Name = "infra", config
	b.Status.Conditions = []metav1.Condition{{Type: string(progress), Status: metav1.ConditionTrue, Reason: "Reason", Message: "Sentence."}}
	b.Status.DigestedImagePushSpec = mcfgv1.ImageDigestFormat(digest)
	b.Status.Builder = &mcfgv1.MachineOSBuilderReference{ImageBuilderType: mcfgv1.JobBuilder, Job: &mcfgv1.ObjectReference{Name: "job-1"}}
	return c, b
}

// TestFollowerOfMachineOSConfigs: an image counts from when nodes would be given it.
func TestFollowerOfMachineOSConfigs(t *testing.T) {
	for name, test := range map[string]struct {
		reason        string
		progress      mcfgv1.BuildProgress
		config        string
		digest, image string
		published     bool
		err, summary  string
	}{
		"prepared":  {reason: "it waits", progress: mcfgv1.MachineOSBuildPrepared, config: "config", summary: "MachineOSBuild infra-1 is Prepared (Reason): Sentence."},
		"building":  {reason: "the image is that of before", progress: mcfgv1.MachineOSBuilding, config: "config", image: "os@sha256:0", summary: "MachineOSBuild infra-1 is Building (Reason): Sentence."},
		"failed":    {reason: "nothing more comes", progress: mcfgv1.MachineOSBuildFailed, config: "config", err: "MachineOSBuild infra-1 is Failed (Reason): Sentence."},
		"old":       {reason: "that of the wanted config comes yet", progress: mcfgv1.MachineOSBuildFailed, config: "before", summary: "MachineOSBuild infra-1 is Failed (Reason): Sentence."},
		"half said": {reason: "one of the two is written later", progress: mcfgv1.MachineOSBuildSucceeded, config: "config", digest: "os@sha256:1", image: "os@sha256:0", summary: "MachineOSBuild infra-1 is Succeeded (Reason): Sentence."},
		"published": {reason: "both name it", progress: mcfgv1.MachineOSBuildSucceeded, config: "config", digest: "os@sha256:1", image: "os@sha256:1", published: true, summary: "MachineOSBuild infra-1 is Succeeded (Reason): Sentence."},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFollower(&display{out: &bytes.Buffer{}})
			pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "infra", Annotations: map[string]string{imageAnnotation: "os@sha256:1", imageConfigAnnotation: "config"}}}
			pool.Spec.Configuration.Name = "config"
			c, b := osObjects(test.progress, test.config, test.digest, test.image)
			f.see(c)
			f.see(pool)
			f.see(b)
			wanted := map[string]string{"infra": "config"}
			done, err := f.look(wanted)
			if test.err != "" {
				require.EqualError(t, err, test.err, test.reason)
				return
			}
			require.NoError(t, err, test.reason)
			assert.Equal(t, test.summary, f.summary(wanted))
			if !test.published {
				require.Empty(t, done, test.reason)
				return
			}
			p := done["infra"]
			assert.False(t, p.at.IsZero())
			p.at = publication{}.at
			assert.Equal(t, publication{image: "os@sha256:1", build: "job-1", osConfig: "infra", osBuild: "infra-1"}, p, test.reason)
		})
	}
}

func TestDescribeOSConfig(t *testing.T) {
	c, b := osObjects(mcfgv1.MachineOSBuildSucceeded, "config", "os@sha256:1", "os@sha256:1")
	assert.Equal(t, `Name:                     infra
Machine Config Pool:      infra
Current Image Pull Spec:  os@sha256:1
Conditions:
  Type   Status  Reason          Message
  Ready  True    ImagePublished  Sentence.
  not the case: Degraded

NAME     PREPARED  BUILDING  SUCCEEDED  INTERRUPTED  FAILED   JOB
infra-1  Unknown   Unknown   True       Unknown      Unknown  job-1
`, describeOSConfig(&osConfig{c, b}))
}
