package main

const (
	jobPackage = "pkg/controller/build/imagebuilder/job/"

	// Why the simulator does not see a bug.
	oneKindOfEnd = "its Jobs end in a few ways only, and the table of reasons has all"
	itsOwnObject = "its API server does not run what a Job says"
	notAwaited   = "nothing waits for a build that was stopped"
	saysNothing  = "what a pool says of a wait is not among its invariants"
	maySeeAll    = "its programs may watch everything"
)

// jobMutants are about builds that are Jobs.
var jobMutants = []mutant{
	{
		name:   "job-tries-again-by-itself",
		why:    "an attempt that failed runs six times more, under one tag and one record",
		file:   jobPackage + "job.go",
		before: `BackoffLimit:          ptr.To[int32](0),`,
		after:  `BackoffLimit:          ptr.To[int32](6),`,
		unseen: itsOwnObject,
	},
	{
		name:   "job-deadline-before-the-pods",
		why:    "the Job deletes its pod at the deadline, and what that said with it",
		file:   jobPackage + "job.go",
		before: `(2*r.Deadline + netGrace).Seconds()`,
		after:  `(r.Deadline / 2).Seconds()`,
		unseen: itsOwnObject,
	},
	{
		name:   "job-drain-is-an-attempt",
		why:    "four drained nodes use up all attempts",
		file:   jobPackage + "job.go",
		before: `batchv1.PodFailurePolicyActionIgnore`,
		after:  `batchv1.PodFailurePolicyActionCount`,
		unseen: itsOwnObject,
	},
	{
		name:   "job-with-a-token",
		why:    "who breaks out of a build step talks to the API server",
		file:   jobPackage + "pod.go",
		before: `AutomountServiceAccountToken:  ptr.To(false),`,
		after:  `AutomountServiceAccountToken:  ptr.To(true),`,
		unseen: itsOwnObject,
	},
	{
		name:   "changed-proxy-is-foreign",
		why:    "a cluster that gets another proxy has builds at work taken for a stranger's, or never asked for",
		file:   jobPackage + "builder.go",
		before: `b.inputs.Ignore = isSurroundings`,
		after:  `_ = isSurroundings`,
		unseen: itsOwnObject,
	},
	{
		name:   "job-trusts-no-registry",
		why:    "what nodes can pull, builds cannot",
		file:   jobPackage + "job.go",
		before: `range r.RegistryCAs {`,
		after:  `range r.RegistryCAs[:0] {`,
		unseen: itsOwnObject,
	},
	{
		name:   "mended-trust-is-no-news",
		why:    "a pool whose pull failed for a certificate stays failed when nodes trust it",
		file:   "pkg/controller/build/plan/checks.go",
		before: `Surroundings: s.ControllerConfig.Surroundings.Version,`,
		after:  ``,
		unseen: "its ControllerConfig stays as it is",
	},
	{
		name:   "job-proxy-in-the-job",
		why:    "the proxy's password is readable by whoever may read Jobs",
		file:   jobPackage + "pod.go",
		before: `{Name: envOutput, Value: r.Output},`,
		after:  `{Name: envOutput, Value: r.Output}, {Name: "HTTPS_PROXY", Value: r.Proxy.HTTPS},`,
		unseen: itsOwnObject,
	},
	{
		name:   "job-stopped-when-asked",
		why:    "another build of the same pushes while the pod of the first one ends",
		file:   jobPackage + "phase.go",
		before: `condition(f.job, batchv1.JobSuspended) != nil && f.isIdle() {`,
		after:  `f.isIdle() {`,
		unseen: notAwaited,
	},
	{
		name:   "job-counters-alone",
		why:    "a Job whose pod still runs counts as stopped",
		file:   jobPackage + "phase.go",
		before: `ptr.Deref(s.Terminating, 0) == 0 && !slices.ContainsFunc(f.pods, func(pod *corev1.Pod) bool { return !hasEnded(pod) })`,
		after:  `ptr.Deref(s.Terminating, 0) == 0 && !slices.Contains(f.pods, nil)`,
		unseen: notAwaited,
	},
	{
		name:   "job-end-before-the-pods-news",
		why:    "an end is judged without what the pod says, and a permanent failure is tried four times",
		file:   jobPackage + "phase.go",
		before: `		if pod.Status.Phase == corev1.PodFailed {`,
		after:  `		if pod.Status.Phase != corev1.PodSucceeded {`,
		unseen: oneKindOfEnd,
	},
	{
		name:   "job-image-of-a-running-pod",
		why:    "an end without its image counts as whole, and another attempt is made at once",
		file:   jobPackage + "phase.go",
		before: "\to.Phase = imagebuilder.PhaseSucceeded\n",
		after:  "\to.Phase, o.Finished = imagebuilder.PhaseSucceeded, complete.LastTransitionTime.Time\n",
		unseen: oneKindOfEnd,
	},
	{
		name:   "job-first-pod-counts",
		why:    "a build that was driven from its node and waits anew is told to run",
		file:   jobPackage + "phase.go",
		before: `return f.pods[len(f.pods)-1]`,
		after:  `return f.pods[0]`,
		unseen: oneKindOfEnd,
	},
	{
		name:   "job-own-limit-is-a-disruption",
		why:    "a build that outgrows its storage is tried four times",
		file:   jobPackage + "words.go",
		before: `		return reasonEvictedOverLimit, pod.Status.Message`,
		after:  `		return reasonDisrupted, pod.Status.Message`,
		unseen: oneKindOfEnd,
	},
	{
		name:   "job-refusal-is-tried-again",
		why:    "a push that the registry refuses is tried four times",
		file:   jobPackage + "words.go",
		before: ` && !owned.SaysRefused(e.log)`,
		after:  ``,
		unseen: oneKindOfEnd,
	},
	{
		name:   "job-silent-quota",
		why:    "a Job whose pod a quota refuses waits for half an hour without a word",
		file:   jobPackage + "phase.go",
		before: `f.orSilence(warned(f.warningsOf(string(f.job.UID))))`,
		after:  `f.orSilence("", "")`,
		unseen: saysNothing,
	},
	{
		name:   "job-waits-for-permission",
		why:    "where events may not be watched, the controller never starts, also for pools whose images Builds make",
		file:   jobPackage + "notify.go",
		before: `return synced() || watch.refusal.IsKnown()`,
		after:  `return synced()`,
		unseen: maySeeAll,
	},
	{
		name:   "job-trouble-is-a-refusal",
		why:    "an API server that is out of order for a second has ends judged without what the pods say",
		file:   jobPackage + "silence.go",
		before: `if !isRefused(err) {`,
		after:  `if err == nil {`,
		unseen: maySeeAll,
	},
	{
		name:   "job-blind-to-what-runs",
		why:    "a build that runs unseen is given up as one that does not begin",
		file:   jobPackage + "phase.go",
		before: `ptr.Deref(f.job.Status.Ready, 0) > 0`,
		after:  `ptr.Deref(f.job.Status.Ready, 0) < 0`,
		unseen: maySeeAll,
	},
	{
		name:   "job-refused-in-silence",
		why:    "a pool waits for half an hour and does not say that nobody may look why",
		file:   jobPackage + "silence.go",
		before: `return reasonEventsUnknown, f.deaf`,
		after:  `return "", ""`,
		unseen: maySeeAll,
	},
	{
		name:   "job-any-command",
		why:    "a Job that somebody else made, and that runs what he likes, is taken over",
		file:   jobPackage + "foreign.go",
		before: `!slices.Equal(container.Command, wanted.Command) || len(container.Args) > 0`,
		after:  `len(container.Args) > len(wanted.Args)`,
		unseen: itsOwnObject,
	},
	{
		name:   "job-any-inputs",
		why:    "a Job that reads another's inputs is taken over",
		file:   jobPackage + "foreign.go",
		before: `source.Secret.Name != owned.InputName(job.Name, i) ||`,
		after:  `owned.InputName(job.Name, i) == "" ||`,
		unseen: itsOwnObject,
	},
}
