// Package openshift runs image builds as Builds of the OpenShift Build API
// (build.openshift.io/v1), made directly: no BuildConfig, no ImageStream.
//
// build.go makes the objects of a request (with delivery.go, where the Containerfile
// cannot go inline) and phase.go reads a Build's status (with reasons.go); all are
// pure. builder.go does the rest, and backend.go tells tools what they show.
//
// Of the Build system's behaviour the adapter relies on, or works around, this:
//
//   - Status is written by clients through the main resource, and there is no
//     status subresource. The adapter sends patches, never whole objects.
//   - An empty kind in output.to means ImageStreamTag, so it is always set.
//   - A missing Secret parks a Build for up to ten minutes, so inputs are created
//     before the Build.
//   - A Secret and a ConfigMap of one name share a pod volume; the inputs are Secrets
//     only, under names that begin with the Build's own unique one.
//   - The builder rewrites inline Dockerfiles and loses the bodies of heredocs, so text
//     with heredocs, or too long to go inline, is an input, which the builder copies
//     over the inline one.
//   - What the inline text's FROM and COPY --from name is pulled before the build, is
//     tried again by the builder, and fails under a reason of its own. All other pulls
//     fail like a step of the build. So inline text that stands in for an input names
//     the images of that, and a Containerfile with an image that only RUN --mount names
//     is an input, too.
//   - Reasons appear in phases that are not terminal; only the phase decides.
//   - A Build can be Complete although its digest was lost.
//   - Build clones carry labels and annotations of the original; a Build is ours
//     only if an annotation repeats its name.
//   - A Build that names a BuildConfig, in a label or an annotation, never starts
//     without one; ours names none.
package openshift
