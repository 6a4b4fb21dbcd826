// Package buildrunner plays the part of OpenShift's build controller and builder for build.openshift.io/v1 Builds, so that a Build
// can really run where there is no OpenShift. It is a stand-in for tests and demonstrations and nothing else: no code outside test/
// may import it, and code that works with Builds must not be able to tell it from the real thing.
//
// What it imitates, and how far:
//
//	New ──► Pending ──► Running ──► Complete
//	 │         │           ├──────► Failed      the builder or the deadline says so
//	 │         ├───────────┼──────► Error       the work is gone, or could not be created
//	 └─────────┴───────────┴──────► Cancelled   status.cancelled was set
//
// Each Build gets one "pod" (pod.go): a goroutine with the life of the real build pod, that first waits for what it mounts (the push
// and the pull secret), then rewrites the Dockerfile, then runs the Executor. A pod never writes to the API. It changes its own state
// and asks for a sync; sync.go compares Build and pod and writes the status, as the real controller does with real pods. Pods live in
// memory only: a Build that is Pending or Running when the runner starts has lost its pod, and ends as Error/BuildPodDeleted.
//
// Kept from the real thing because users of Builds trip over it:
//
//   - status goes through the main resource; Builds have no status subresource;
//   - a missing Secret or ConfigMap source holds the Build in New with a reason; a missing push secret holds it in Pending. Both heal
//     by themselves. The real controller looks again only every ten minutes or on a Build event; here it is Options.RecheckInterval;
//   - a failure arrives in two writes: the builder's (phase, reason, message), then the controller's (times and logSnippet). The
//     digest arrives in a write of its own before Complete;
//   - a key named Dockerfile in a Secret or ConfigMap source at the context root replaces the inline Dockerfile after rewriting; a
//     ConfigMap named like a Secret shows the Secret's content; the same source listed twice can never get a pod;
//   - heredocs in an inline Dockerfile lose their body, and the build fails; in a file that replaces it they work, whichever version
//     of buildah there is (heredoc.go);
//   - volumes are there for the steps of a build, read-only, and leave nothing in the image. A missing one is as a missing source;
//   - a name used again while the work of its last owner still ends is held in New, then fails as Error/BuildPodExists;
//   - the layer cache never carries over from one Build to the next.
//
// Not imitated, and refused in New/CannotCreateBuildPodSpec with a message that names the field: strategies other than docker, git,
// binary and image sources, volumes other than whole Secrets and ConfigMaps, postCommit, dockerfilePath, and env from references (Error/UnresolvableEnvironmentVariable).
// There are no real pods, service accounts, quotas or nodes, hence none of their failures.
package buildrunner
