package main

// executeMutants are about how a decision is carried out.
var executeMutants = []mutant{
	{
		name:   "pool-written-blindly",
		why:    "a decision on a state that has passed overwrites what others wrote since",
		file:   "pkg/controller/build/ledger/patches.go",
		before: `	metadata := map[string]any{"resourceVersion": pool.ResourceVersion}`,
		after:  `	metadata := map[string]any{}`,
		known:  "pruned freeze-machineconfigpools@10",
	},
	{
		name:   "conditions-written-blindly",
		why:    "a report on a state that has passed lands on the conditions of others, by their place",
		file:   "pkg/controller/build/ledger/patches.go",
		before: "		{\"replace\", \"/metadata/resourceVersion\", pool.ResourceVersion},\n",
		after:  "",
	},
	{
		name:   "published-without-config",
		why:    "nodes cannot tell which config the image is of",
		file:   "pkg/controller/build/ledger/patches.go",
		before: "		constants.DesiredOSImageConfigAnnotation: record.Config,\n",
		after:  "",
	},
	{
		name:   "rebuild-unacknowledged",
		why:    "one request leads to builds without end",
		file:   "pkg/controller/build/ledger/patches.go",
		before: `	if rebuild != "" {`,
		after:  `	if rebuild != "" && len(annotations) == 0 {`,
	},
	{
		name: "adopted-unconfirmed",
		why:  "a build that was stopped a moment ago is taken for one that an administrator cancelled",
		file: "pkg/controller/build/plan/effects.go",
		before: `	if e.Exists {
		return isWorthFollowing(&live)
	}`,
		after: `	if e.Exists {
		return true
	}`,
		known: "waver late@11",
	},
	{
		name: "stopped-unconfirmed",
		why:  "a build that another controller has claimed since is stopped",
		file: "pkg/controller/build/plan/effects.go",
		before: `	case StopBuild:
		return true
`,
		after:  ``,
		unseen: "its controllers catch up with each other before they stop a build",
	},
	{
		name:   "deleted-unconfirmed",
		why:    "a pool that was opted out and in again within the cache's lag loses its image",
		file:   "pkg/controller/build/plan/effects.go",
		before: `return !e.Recorded`,
		after:  `return e.Recorded`,
		unseen: "nobody in it opts out and in again within the lag of a cache",
	},
	{
		name:   "inputs-deleted-unconfirmed",
		why:    "a build that is about to run loses its inputs",
		file:   "pkg/controller/build/plan/effects.go",
		before: `return !e.Finished`,
		after:  `return e.Finished`,
		unseen: "nobody in it opts out and in again within the lag of a cache",
	},
	{
		name:   "started-again-unconfirmed",
		why:    "a claim in a stale cache brings back a build of a pool that is gone",
		file:   "pkg/controller/build/plan/effects.go",
		before: `return e.Again`,
		after:  `return false`,
		unseen: "its garbage collector is prompt",
	},
	{
		name:   "config-of-another-version",
		why:    "what is built is not what the fingerprint says",
		file:   "pkg/controller/build/executor.go",
		before: `	if cached.ResourceVersion != config.ResourceVersion {`,
		after:  `	if cached.Name != config.Name {`,
		unseen: "its rendered configs never change, as those of the render controller",
	},
	{
		name:   "conditions-left-on-opt-out",
		why:    "a pool that is not layered says for ever that it was built",
		file:   "pkg/controller/build/executor.go",
		before: `len(kept) < len(x.pool.Status.Conditions) {`,
		after:  `len(kept) > len(x.pool.Status.Conditions) {`,
	},
	{
		name:   "annotation-left-on-opt-out",
		why:    "a pool that is not layered still tells nodes of an image",
		file:   "pkg/controller/build/constants/constants.go",
		before: "DesiredOSImageAnnotation, DesiredOSImageConfigAnnotation, BuildRecordAnnotation",
		after:  "DesiredOSImageAnnotation, BuildRecordAnnotation",
	},
}

// adapterMutants are about OpenShift Builds.
var adapterMutants = []mutant{
	{
		name: "already-exists-is-an-error",
		why:  "a pool whose request was granted and the reply lost is stuck",
		file: "pkg/controller/build/imagebuilder/owned/inputs.go",
		before: `	_, err := client.Create(ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {`,
		after: `	_, err := client.Create(ctx, secret, metav1.CreateOptions{})
	if err != nil && r.Name == "" {`,
	},
	{
		name:   "foreign-object-taken-over",
		why:    "a build runs with inputs that someone else made",
		file:   "pkg/controller/build/imagebuilder/owned/mark.go",
		before: `	return m.Pool(meta) == r.Pool && o.PoolUID == r.PoolUID && o.Fingerprint == r.Fingerprint && o.Attempt == r.Attempt`,
		after:  `	return o.Name == r.Name`,
		unseen: "nobody in it takes names on purpose",
	},
	{
		name:   "place-never-released",
		why:    "builds that have ended count as running, and the queue stands still",
		file:   "pkg/controller/build/imagebuilder/openshift/builder.go",
		before: `mark.Pool(&build.ObjectMeta) != "" && observation(build).Phase.IsActive() {`,
		after:  `mark.Pool(&build.ObjectMeta) != "" {`,
	},
	{
		name:   "deleted-by-name",
		why:    "a build of the same name, made since, is deleted in place of the old one",
		file:   "pkg/controller/build/imagebuilder/owned/mark.go",
		before: `Preconditions: &metav1.Preconditions{UID: &uid}, `,
		after:  ``,
		unseen: "names are never used twice, so it takes a second fault of the controller",
	},
	{
		name:   "another-backends-objects",
		why:    "two backends stop and tidy each other's builds",
		file:   "pkg/controller/build/imagebuilder/owned/mark.go",
		before: `	return backend == m.Backend || !marked && m.Unmarked`,
		after:  `	return backend == m.Backend || marked || m.Unmarked`,
		unseen: "it has one backend",
	},
	{
		name:   "stopped-by-name",
		why:    "a build of the same name, made since, is cancelled in place of the old one",
		file:   "pkg/controller/build/imagebuilder/openshift/builder.go",
		before: "fmt.Appendf(nil, `{\"metadata\":{\"uid\":%q},\"status\":{\"cancelled\":true}}`, uid)",
		after:  "[]byte(`{\"status\":{\"cancelled\":true}}`)",
		unseen: "names are never used twice, so it takes a second fault of the controller",
	},
	{
		name:   "conflict-is-absence",
		why:    "a build that was changed a moment ago is taken for gone, and runs on",
		file:   "pkg/controller/build/imagebuilder/openshift/builder.go",
		before: `getErr == nil && existing.UID != uid {`,
		after:  `getErr == nil && existing != nil {`,
	},
	{
		name:   "tag-for-a-digest",
		why:    "nodes boot whatever the tag points to by then",
		file:   "pkg/controller/build/imagebuilder/openshift/phase.go",
		before: `	return reference.TrimNamed(target).Name() + "@" + to.ImageDigest`,
		after:  `	return target.String()`,
	},
	{
		name:   "digest-not-checked",
		why:    "an image that nobody can pull is published",
		file:   "pkg/controller/build/imagebuilder/openshift/phase.go",
		before: `to == nil || !digestForm.MatchString(to.ImageDigest) || build`,
		after:  `to == nil || build`,
	},
	{
		name:   "complete-is-running",
		why:    "a build that has ended is never noticed",
		file:   "pkg/controller/build/imagebuilder/openshift/phase.go",
		before: "	case buildv1.BuildPhaseCancelled:\n		o.Phase = imagebuilder.PhaseStopped\n",
		after:  "	case buildv1.BuildPhaseCancelled:\n		o.Phase = imagebuilder.PhaseRunning\n",
	},
}

// inputMutants are about what an image is made of.
var inputMutants = []mutant{
	{
		name:   "fingerprint-without-pool",
		why:    "images of different pools are taken for each other",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		i.Pool,\n",
		after:  "",
		unseen: "builds are looked up by pool first, so it takes a second fault of the controller",
	},
	{
		name:   "fingerprint-without-config",
		why:    "another config is not built",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		i.RenderedConfig,\n",
		after:  "",
	},
	{
		name:   "fingerprint-without-generation",
		why:    "a config that was edited by hand is not built",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		strconv.FormatInt(i.RenderedConfigGeneration, 10),\n",
		after:  "		strconv.Itoa(0),\n",
		unseen: "its rendered configs never change, as those of the render controller",
	},
	{
		name:   "fingerprint-without-base",
		why:    "a new release of the base image is not built on",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		i.BaseImage,\n",
		after:  "",
		unseen: "its base images differ together with the config",
	},
	{
		name:   "fingerprint-without-repository",
		why:    "nodes are told to pull from a repository that is given up",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		i.Repository,\n",
		after:  "",
		unseen: "its repository never changes",
	},
	{
		name:   "fingerprint-without-template",
		why:    "a controller with another Containerfile publishes the images of the old one",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		recipeHash,\n",
		after:  "",
		unseen: "its controllers are all of one release",
	},
	{
		name:   "fingerprint-without-custom-content",
		why:    "what administrators wrote never reaches the nodes",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		i.Custom.hash,\n",
		after:  "",
		known:  "good/custom-content",
	},
	{
		name:   "fingerprint-without-packages",
		why:    "an extension that was added is not installed",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		strings.Join(i.Packages.Extensions, \",\"),\n		strings.Join(i.Packages.Names(), \",\"),\n",
		after:  "		strings.Join(nil, \"\"),\n",
		unseen: "its configs have no extensions",
	},
	{
		name:   "fingerprint-without-trust-bundle",
		why:    "certificates that were added are not trusted",
		file:   "pkg/controller/build/inputs/identity.go",
		before: "		i.TrustBundleHash,\n",
		after:  "",
		unseen: "it has no additional certificates",
	},
	{
		name:   "credential-in-a-message",
		why:    "whoever may read pools and events reads the registry's password",
		file:   "pkg/controller/build/inputs/secret.go",
		before: `problem(key, "is not valid JSON of registry credentials; create the Secret with 'oc create secret docker-registry'")`,
		after:  `problem(key, "is not valid JSON of registry credentials: %s", content)`,
		known:  "good/malformed-secret",
	},
}
