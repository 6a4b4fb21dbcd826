// Package job runs image builds as Jobs of Kubernetes (batch/v1) whose pod runs buildah,
// for clusters without the Build capability.
//
// job.go and pod.go make the objects of a request, with the script of assets, whose
// interface is in README.md; foreign.go compares them. phase.go reads a Job with its pods
// and what was said of them, with reasons.go, which sorts every reason into what another
// attempt may help, what none can help, and what keeps a pod from starting. All these are
// pure. builder.go and notify.go do the rest, and backend.go tells tools what they show.
//
// Of Kubernetes' behaviour the adapter relies on, or works around, this:
//
//   - Jobs are deleted with their pods orphaned unless a request says otherwise, so each
//     names the propagation.
//   - A Job tries again by itself, under one name. Attempts are the plan's, each with a
//     name and a tag, so backoffLimit is 0. Only a pod that was disrupted, as by the drain
//     of its node, is replaced by the Job: a roll-out of the very image drains the builders.
//   - An end has two steps: FailureTarget or SuccessCriteriaMet, and, when no pod of the
//     Job works any more, Failed or Complete. Only the latter is an end. On a node that is
//     lost the second step never comes, and the plan gives the build up.
//   - The deadline of a Job deletes its pods, and what they said with them. That of the pod
//     is the real one; the Job's is later, for pods that never end and replacements without
//     end.
//   - A suspended Job is not finished. Its condition Suspended comes as soon as its pod was
//     asked to end, which is then still at work, for ever on a node that is lost.
//   - A Job whose pod cannot be created, as for a quota, says so in events only, and so
//     does a pod whose volumes are not there.
//   - Where pods or events may not be watched, a Job still comes to an end by its own
//     conditions, and its counter of ready pods says that one runs. What is not known, and
//     why, is told in place of a reason (silence.go).
//   - A pod that is told to end and exits with 0 counts as one that succeeded, so the script
//     does not.
//   - Counters of a Job's status lag behind its pods, so none of them is read but those
//     that say that something is still at work.
package job
