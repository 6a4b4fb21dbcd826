package main

// handlerMutants are about what wakes the controller up.
var handlerMutants = []mutant{
	{
		name: "tombstones-dropped",
		why:  "a deletion that happened while the watch was down is never acted on",
		file: "pkg/controller/build/handlers.go",
		before: `				object = tombstone.Obj
`,
		after: `				_ = tombstone
				return
`,
	},
	{
		name:   "opt-out-as-an-edge",
		why:    "a pool that is opted out while the controller restarts keeps its builds and annotations",
		file:   "pkg/controller/build/handlers.go",
		before: `		AddFunc: enqueue,`,
		after: `		AddFunc: func(object any, isInInitialList bool) {
			if k != watchedPools || slices.Contains(ctrl.layeredPools(), nameOf(object)) {
				enqueue(object, isInInitialList)
			}
		},`,
	},
	{
		name:   "binary-edit-passes-for-a-touch",
		why:    "custom content that is replaced by a file with other bytes is built when something else happens",
		file:   "pkg/controller/build/watched.go",
		before: ` && maps.EqualFunc(x.BinaryData, y.BinaryData, bytes.Equal)`,
		after:  ` && (bytes.Equal(nil, nil) || true)`,
		unseen: "its ConfigMaps have no binary data",
	},
	{
		name: "courtesy-without-end",
		why:  "a call that hangs for one pool holds up the looks at all others",
		file: "pkg/controller/build/controller.go",
		before: `		case <-ctrl.config.Clock.After(courtesy):
`,
		after: `		case <-ctrl.config.Clock.After(courtesy + time.Hour):
`,
		unseen: "it works on one pool at a time",
	},
	{
		name:   "secret-event-lost",
		why:    "the Secret that a pool waits for is made, and nobody notices",
		file:   "pkg/controller/build/observer.go",
		before: `append(names, settings.FinalImagePushSecret, settings.BaseImagePullSecret)`,
		after:  `append(names, settings.BaseImagePullSecret)`,
	},
	{
		name:   "freed-place-unannounced",
		why:    "pools wait for a place to build in that was given back long ago",
		file:   "pkg/controller/build/handlers.go",
		before: "		ctrl.queue.Add(pool)\n		ctrl.enqueueWaiting()\n",
		after:  "		ctrl.queue.Add(pool)\n",
	},
	{
		name:   "secrets-not-watched",
		why:    "the Secret that a pool waits for is made, and nobody notices",
		file:   "pkg/controller/build/watched.go",
		before: "	for k, informer := range informers {\n",
		after:  "	for k, informer := range informers {\n		if kind(k) == watchedSecrets {\n			continue\n		}\n",
	},
	{
		name:   "configmap-not-watched",
		why:    "edited settings have no effect until something else happens",
		file:   "pkg/controller/build/watched.go",
		before: "	{kind: watchedConfigMaps, name: constants.ConfigMapName, concerns: all,",
		after:  "		{kind: watchedConfigMaps, name: constants.ConfigMapName, concerns: func(*Controller, string) []string { return nil },",
	},
}

// syncMutants are about one sync: what it sees, what it reports, and what the queue
// does next.
var syncMutants = []mutant{
	{
		name:   "own-writes-forgotten",
		why:    "a sync right after a write works on the state before it, and meets a conflict",
		file:   "pkg/controller/build/sync.go",
		before: `if ctrl.memory.isWritePending(pool, ctrl.config.Clock.Now()) {`,
		after:  `if ctrl.memory.isWritePending(pool, ctrl.config.Clock.Now()) && pool.Name == "" {`,
		unseen: "it costs a conflict, no more",
	},
	{
		name:   "rest-deaf-to-the-builder",
		why:    "inputs that the cache shows late are never removed",
		file:   "pkg/controller/build/handlers.go",
		before: "	ctrl.memory.disturb(pool)\n",
		after:  "",
		unseen: "what its caches show late comes with news of the pool, too",
	},
	{
		name:   "rest-blind-to-settings",
		why:    "another repository in the ConfigMap has no effect on pools that have their image",
		file:   "pkg/controller/build/watched.go",
		before: "name: constants.ConfigMapName, concerns: all, rests: inNamespace(constants.ConfigMapName), values: true, unchanged: sameData}",
		after:  "name: constants.ConfigMapName, concerns: all, values: true, unchanged: sameData}",
		unseen: "nobody in it moves to another repository",
	},
	{
		name:   "rest-too-early",
		why:    "a pool whose inputs are to be removed is left as it is",
		file:   "pkg/controller/build/sync.go",
		before: `has && len(p.Effects) == 0 && p.RequeueAfter == 0`,
		after:  `has`,
		unseen: "what an effect changes is news",
	},
	{
		name:   "lane-for-nobody",
		why:    "a pool that is opted in waits until ten thousand others were looked at",
		file:   "pkg/controller/build/queue.go",
		before: `if len(l.own) > 0 && (l.streak < longestStreak || len(l.all) == 0) {`,
		after:  `if len(l.all) == 0 {`,
		unseen: "its queue has no lanes",
	},
	{
		name:   "content-of-another-version",
		why:    "an image is built from a config as it was before it was edited",
		file:   "pkg/controller/build/caches/recentcontent.go",
		before: `return r.remove(recentKey{config.UID, config.ResourceVersion})`,
		after:  "for key := range r.entries {\n\t\tif key.uid == config.UID {\n\t\t\treturn r.remove(key)\n\t\t}\n\t}\n\treturn nil",
		unseen: "its caches have no content at hand",
	},
	{
		name:   "builds-by-pool-name",
		why:    "a pool that was deleted and made again takes over the builds of the one before",
		file:   "pkg/controller/build/observer.go",
		before: `return b.PoolUID != pool.UID })`,
		after:  `return b.PoolUID == "" })`,
		unseen: "its garbage collector leaves nothing of a deleted pool to take over",
	},
	{
		name:   "conflict-swallowed",
		why:    "what met a conflict is taken for done",
		file:   "pkg/controller/build/errors.go",
		before: `verdict{backOff: true, after: p.RequeueAfter, quiet`,
		after:  `verdict{backOff: !apierrors.IsConflict(err), quiet`,
	},
	{
		name:   "forgotten-after-retries",
		why:    "an outage that is longer than a few retries leaves a pool behind for good",
		file:   "pkg/controller/build/errors.go",
		before: `	if v.backOff {`,
		after:  `	if v.backOff && ctrl.queue.NumRequeues(name) < 5 {`,
		known:  "back outage@1000",
	},
	{
		name:   "forbidden-is-final",
		why:    "a role that is granted a moment late is never made use of",
		file:   "pkg/controller/build/errors.go",
		before: `verdict{backOff: true, after: p.RequeueAfter, quiet`,
		after:  `verdict{backOff: !apierrors.IsForbidden(err), quiet`,
	},
	{
		name:   "back-off-never-reset",
		why:    "after a bad day every conflict costs minutes",
		file:   "pkg/controller/build/errors.go",
		before: "	ctrl.queue.Forget(name)\n",
		after:  "",
		unseen: "it has all the time in the world",
	},
	{
		name:   "status-written-every-sync",
		why:    "each write wakes the controller up to write the same again",
		file:   "pkg/controller/build/reporter.go",
		before: `	if !changed {`,
		after:  `	if !changed && len(conditions) == 0 {`,
	},
	{
		name:   "status-in-the-spec",
		why:    "a patch of the pool that bypasses the status subresource does not change the status",
		file:   "pkg/controller/build/reporter.go",
		before: `types.JSONPatchType, patch, "status"); !`,
		after:  `types.JSONPatchType, patch); !`,
	},
	{
		name:   "no-restraint",
		why:    "two controllers put back what the other one wrote, as fast as they can",
		file:   "pkg/controller/build/reporter.go",
		before: `now); wait > 0 {`,
		after:  `now); wait > time.Hour {`,
		unseen: "its two controllers catch up with each other at each step",
	},
	{
		name:   "event-with-every-report",
		why:    "the same failure is announced again and again",
		file:   "pkg/controller/build/reporter.go",
		before: `p.Announces(&told)`,
		after:  `p.Event != "" || p.Announces(&told)`,
		unseen: "events are for people, and change nothing",
	},
	{
		name:   "grace-for-no-write",
		why:    "after a restore of the database, versions run backwards and a pool is never looked at again",
		file:   "pkg/controller/build/memory.go",
		before: ` && now.Sub(r.written.at).Abs() < writeGrace`,
		after:  ``,
		unseen: "its versions only grow",
	},
	{
		name:   "promise-never-expires",
		why:    "a place that was promised to a build which was never created is lost",
		file:   "pkg/controller/build/slots.go",
		before: `if left <= 0 || left > promiseGrace || other == pool {`,
		after:  `if other == pool {`,
		unseen: "what was promised is created sooner or later",
	},
	{
		name:   "limit-ignored",
		why:    "all pools build at the same time, whatever the administrator says",
		file:   "pkg/controller/build/slots.go",
		before: `at < effect.Limit-used {`,
		after:  `at < effect.Limit {`,
		unseen: "the limit is of one controller, and it may run two",
	},
}
