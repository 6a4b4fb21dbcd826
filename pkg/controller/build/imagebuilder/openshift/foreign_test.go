package openshift

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestR46WhatDecidesTheImageIsCompared: a Build that says it is ours is compared, field by
// field, with what we would have written, as far as a field decides what is in the image and
// where it goes. What clusters add on their own is let be.
func TestR46WhatDecidesTheImageIsCompared(t *testing.T) {
	ours := func(r imagebuilder.Request) *buildv1.Build { return asCached(buildFor(r)) }
	docker := func(b *buildv1.Build) *buildv1.DockerBuildStrategy { return b.Spec.Strategy.DockerStrategy }
	mode := ptr.To(int32(0o600))
	for name, test := range map[string]struct {
		reason string
		change func(*buildv1.Build)
		// says is a text that occurs in what is found; empty for nothing.
		says string
	}{
		"as it was made": {reason: "it is ours", change: func(*buildv1.Build) {}},

		"output elsewhere":      {reason: "somebody else's registry", change: func(b *buildv1.Build) { b.Spec.Output.To.Name = "evil.example.com/x/y:1" }, says: "evil.example.com"},
		"output, another tag":   {reason: "the tag may be that of an image in use", change: func(b *buildv1.Build) { b.Spec.Output.To.Name = "registry.example.com/org/os:latest" }, says: "spec.output.to"},
		"output to a stream":    {reason: "it goes to the cluster's own registry", change: func(b *buildv1.Build) { b.Spec.Output.To.Kind = "ImageStreamTag" }, says: "ImageStreamTag"},
		"output of a namespace": {reason: "a pullspec has none", change: func(b *buildv1.Build) { b.Spec.Output.To.Namespace = "default" }, says: "spec.output.to"},
		"no output":             {reason: "nothing is pushed", change: func(b *buildv1.Build) { b.Spec.Output.To = nil }, says: "spec.output.to"},

		"another Containerfile": {reason: "another image", change: func(b *buildv1.Build) { b.Spec.Source.Dockerfile = ptr.To("FROM scratch\nCOPY . /\n") }, says: "dockerfile"},
		"the stub alone":        {reason: "its input was to take the place of it", change: func(b *buildv1.Build) { b.Spec.Source.Dockerfile = ptr.To(stub(nil)); b.Spec.Source.Secrets = nil }, says: "dockerfile"},
		"no Containerfile":      {reason: "it comes from somewhere else", change: func(b *buildv1.Build) { b.Spec.Source.Dockerfile = nil }, says: "dockerfile"},
		"a hash as text": {reason: "what looks as if the cache had it is a comment", says: "dockerfile", change: func(b *buildv1.Build) {
			b.Spec.Source.Dockerfile = ptr.To(strippedPrefix + imagebuilder.ContainerfileHash(recipe))
		}},
		"git":         {reason: "a context of somebody else's", change: func(b *buildv1.Build) { b.Spec.Source.Git = &buildv1.GitBuildSource{URI: "https://evil"} }, says: "git"},
		"binary":      {reason: "a context of somebody else's", change: func(b *buildv1.Build) { b.Spec.Source.Binary = &buildv1.BinaryBuildSource{} }, says: "binary"},
		"images":      {reason: "files of another image", change: func(b *buildv1.Build) { b.Spec.Source.Images = []buildv1.ImageSource{{}} }, says: "images"},
		"a ConfigMap": {reason: "a key Dockerfile takes the place of ours", change: func(b *buildv1.Build) { b.Spec.Source.ConfigMaps = []buildv1.ConfigMapBuildSource{{}} }, says: "configMaps"},
		"context dir": {reason: "the files are others", change: func(b *buildv1.Build) { b.Spec.Source.ContextDir = "sub" }, says: "contextDir"},
		"a Secret more": {reason: "a key Dockerfile takes the place of ours", change: func(b *buildv1.Build) {
			b.Spec.Source.Secrets = append(b.Spec.Source.Secrets, secretSource(b.Name+"-in-2"))
		}, says: "secrets"},
		"a Secret less":  {reason: "the config is not in it", change: func(b *buildv1.Build) { b.Spec.Source.Secrets = b.Spec.Source.Secrets[:1] }, says: "secrets"},
		"another Secret": {reason: "its content is somebody else's", change: func(b *buildv1.Build) { b.Spec.Source.Secrets[0].Secret.Name = "evil" }, says: "evil"},
		"Secret elsewhere": {reason: "the Containerfile does not find it", says: "secrets", change: func(b *buildv1.Build) {
			b.Spec.Source.Secrets[1].DestinationDir = "sub"
		}},
		"order of Secrets": {reason: "the later one wins", says: "secrets", change: func(b *buildv1.Build) {
			s := b.Spec.Source.Secrets
			s[0], s[1] = s[1], s[0]
		}},

		"another base": {reason: "it takes the place of the last FROM", change: func(b *buildv1.Build) { docker(b).From = &corev1.ObjectReference{Kind: outputKind, Name: "evil"} }, says: "evil"},
		"another file": {reason: "it is read in place of ours", change: func(b *buildv1.Build) { docker(b).DockerfilePath = "Other" }, says: "dockerfilePath"},
		"a variable":   {reason: "it is set in every step: BASH_ENV runs what it likes", change: func(b *buildv1.Build) { docker(b).Env = []corev1.EnvVar{{Name: "BASH_ENV", Value: "x"}} }, says: "BASH_ENV"},
		"an argument":  {reason: "the Containerfile may have it", change: func(b *buildv1.Build) { docker(b).BuildArgs = []corev1.EnvVar{{Name: "BASE"}} }, says: "BASE"},
		"a hook":       {reason: "it is a step more", change: func(b *buildv1.Build) { b.Spec.PostCommit.Script = "true" }, says: "postCommit"},
		"another strategy": {reason: "it runs an image of somebody else's", change: func(b *buildv1.Build) {
			b.Spec.Strategy = buildv1.BuildStrategy{CustomStrategy: &buildv1.CustomBuildStrategy{}}
		}, says: "strategy"},
		"two strategies": {reason: "which one counts is not ours to say", change: func(b *buildv1.Build) { b.Spec.Strategy.SourceStrategy = &buildv1.SourceBuildStrategy{} }, says: "strategy"},
		"a volume": {reason: "packages may come from it", says: "evil", change: func(b *buildv1.Build) {
			docker(b).Volumes = append(docker(b).Volumes, buildVolumes([]imagebuilder.Volume{{Name: "evil", Path: "/etc/yum.repos.d"}})...)
		}},
		"a volume elsewhere": {reason: "it hides something else", says: "volumes", change: func(b *buildv1.Build) {
			docker(b).Volumes[0].Mounts[0].DestinationPath = "/usr/bin"
		}},
		"other keys of a volume": {reason: "they are other files", says: "volumes", change: func(b *buildv1.Build) {
			docker(b).Volumes[0].Source.Secret.Items = []corev1.KeyToPath{{Key: "a", Path: "b"}}
		}},

		"defaults of the API": {reason: "the API server fills them in", change: func(b *buildv1.Build) {
			docker(b).Volumes[0].Source.Secret.DefaultMode, docker(b).Volumes[1].Source.ConfigMap.DefaultMode = mode, mode
			b.Generation = 2
			b.Status.Phase = buildv1.BuildPhaseNew
		}},
		"a volume that is gone": {reason: "which ones there are depends on when it was made", change: func(b *buildv1.Build) { docker(b).Volumes = docker(b).Volumes[:1] }},
		"proxies": {reason: "clusters add them", change: func(b *buildv1.Build) {
			for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
				docker(b).Env = append(docker(b).Env, corev1.EnvVar{Name: name, Value: "proxy.example.com"})
				docker(b).BuildArgs = append(docker(b).BuildArgs, corev1.EnvVar{Name: name, Value: "proxy.example.com"})
			}
		}},
		"resources, selectors, accounts": {reason: "clusters add them", change: func(b *buildv1.Build) {
			b.Spec.Resources.Requests = corev1.ResourceList{}
			b.Spec.NodeSelector = map[string]string{"kubernetes.io/arch": "amd64"}
			b.Spec.ServiceAccount = "builder"
			b.Spec.MountTrustedCA = ptr.To(true)
			b.Spec.CompletionDeadlineSeconds = nil
			b.Spec.TriggeredBy = []buildv1.BuildTriggerCause{{Message: "somebody"}}
			b.Spec.Output.ImageLabels = []buildv1.ImageLabel{{Name: "cluster", Value: "1"}}
			b.Labels["added"], b.Annotations["added"] = "by a webhook", "by a webhook"
			docker(b).ForcePull, docker(b).NoCache = true, true
			docker(b).PullSecret, b.Spec.Output.PushSecret = nil, &corev1.LocalObjectReference{Name: "rewritten"}
			docker(b).ImageOptimizationPolicy = ptr.To(buildv1.ImageOptimizationNone)
		}},
		"paths that say the same": {reason: "the API server cleans them", change: func(b *buildv1.Build) {
			b.Spec.Source.ContextDir, docker(b).DockerfilePath, b.Spec.Source.Secrets[0].DestinationDir = ".", "./Dockerfile", "./"
		}},
		"what is recomputed": {reason: "types are derived from what is set", change: func(b *buildv1.Build) { b.Spec.Source.Type, b.Spec.Strategy.Type = "", "" }},
	} {
		t.Run(name, func(t *testing.T) {
			wanted, request := buildFor(comparedRequest()), comparedRequest()
			stored := buildFor(request)
			test.change(stored)
			found := differs(asCached(stored), wanted)
			if test.says == "" {
				require.Empty(t, found, test.reason)
			} else {
				require.Contains(t, found, test.says, test.reason)
			}
			cached, err := Strip(stored.DeepCopy())
			require.NoError(t, err)
			if name != "a hash as text" {
				require.Equal(t, found, differs(cached.(*buildv1.Build), wanted), "the cache tells the same as the API")
			}
		})
	}
	require.Empty(t, differs(ours(testRequest()), buildFor(testRequest())), "the stub is what is asked for where the Containerfile is an input")
}

// recipe is a Containerfile that goes inline.
const recipe = "FROM quay.example.com/os AS base\nRUN true\n"

func comparedRequest() imagebuilder.Request {
	r := testRequest()
	r.Containerfile = recipe
	return r
}

func secretSource(name string) buildv1.SecretBuildSource {
	return buildv1.SecretBuildSource{Secret: corev1.LocalObjectReference{Name: name}}
}

// TestStripIsRepeatable: a cache may hand to Strip what it has stripped before.
func TestStripIsRepeatable(t *testing.T) {
	once, err := Strip(buildFor(comparedRequest()))
	require.NoError(t, err)
	twice, err := Strip(once.(*buildv1.Build).DeepCopy())
	require.NoError(t, err)
	require.Equal(t, once, twice)
	require.NotContains(t, *once.(*buildv1.Build).Spec.Source.Dockerfile, "RUN true")
	require.Equal(t, imagebuilder.ContainerfileHash(recipe), observation(once.(*buildv1.Build)).Containerfile)
}
