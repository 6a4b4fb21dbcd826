package openshift

import (
	"strings"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// cut is what the build controller keeps of a line of the log.
func cut(line string) string {
	const longest, head, tail = 120, 58, 59
	if len(line) <= longest {
		return line
	}
	return line[:head] + "..." + line[len(line)-tail:]
}

// lines are the ways in which builders tell of the answer of a registry.
func lines(answer string) []string {
	const repository = "registry.example.com/organisation-of-some-length/team/machine-os-images"
	return []string{
		answer,
		"error: build error: Failed to push image: " + answer,
		"error: build error: Failed to push image: writing blob: initiating layer upload to /v2/" + repository + "/blobs/uploads/ in registry.example.com: " + answer,
		"error: build error: Failed to push image: trying to reuse blob sha256:" + strings.Repeat("a", 64) + " at destination: checking whether a blob exists in " + repository + ": " + answer,
		"error: build error: failed to pull image: initializing source docker://" + repository + ":tag: reading manifest tag in " + repository + ": " + answer,
		// The answer at the beginning, and much behind it.
		answer + "; also, " + strings.Repeat("something else happened, ", 20),
	}
}

// TestR04RefusalsAreRecognised: what registries answer, in their own words, in every line
// that it comes in, cut as the build controller cuts it.
func TestR04RefusalsAreRecognised(t *testing.T) {
	const path = "organisation-of-some-length/team/machine-os-images"
	for registry, answers := range map[string][]string{
		"distribution": {"unauthorized: authentication required", "denied: requested access to the resource is denied", "received unexpected HTTP status: 403 Forbidden", "unexpected status code 401 Unauthorized", "error parsing HTTP 403 response body: unexpected end of JSON input: \"\""},
		"client":       {"unable to retrieve auth token: invalid username/password: unauthorized: bad login", "requesting bearer token: invalid status code from registry 401 (Unauthorized)", "requesting bearer token: invalid status code from registry 403 (Forbidden)"},
		"Quay":         {"unauthorized: access to the requested resource is not authorized", "unauthorized: Invalid Username or Password"},
		"Harbor":       {"unauthorized: unauthorized to access repository: " + path + ", action: push: unauthorized to access repository: " + path + ", action: push", "unauthorized: unauthorized to access repository: " + path + ", action: pull: unauthorized to access repository: " + path + ", action: pull"},
		"Docker Hub":   {"denied: requested access to the resource is denied", "unauthorized: incorrect username or password", "unauthorized: access token has insufficient scopes"},
		"ECR": {
			"denied: Your authorization token has expired. Reauthenticate and try again.", "no basic auth credentials",
			"denied: User: arn:aws:sts::123456789012:assumed-role/builders/i-0123456789 is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-central-1:123456789012:repository/" + path + " because no identity-based policy allows the ecr:InitiateLayerUpload action",
			"name unknown: The repository with name '" + path + "' does not exist in the registry with id '123456789012'",
		},
		"GCR and GAR": {
			"denied: Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource \"projects/project-of-some-length/locations/europe-west3/repositories/os\" (or it may not exist)",
			"unauthorized: failed authentication",
			"denied: Token exchange failed for project 'p'. Caller does not have permission 'storage.buckets.get'. To configure permissions, follow instructions at: https://cloud.google.com/container-registry/docs/access-control",
			"denied: Unauthenticated request. Unauthenticated requests do not have permission \"artifactregistry.repositories.uploadArtifacts\" on resource \"projects/p/locations/l/repositories/r\" (or it may not exist)",
		},
		"ACR":         {"unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.", "denied: client with IP '192.0.2.1' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."},
		"GHCR":        {"denied: permission_denied: write_package", "denied: permission_denied: The token provided does not match expected scopes.", "unauthorized: unauthenticated: User cannot be authenticated with the token provided.", "denied: denied"},
		"GitLab":      {"denied: access forbidden", "denied: requested access to the resource is denied", "unauthorized: HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled and you must use a personal access token instead of a password. See https://gitlab.example.com/help/topics/git/troubleshooting_git#error-on-git-fetch-http-basic-access-denied"},
		"Artifactory": {"unauthorized: The client does not have permission to push to the repository", "unauthorized: BAD_CREDENTIAL", "unknown: Authentication is required", "denied: Wrong username was used"},
		"Nexus":       {"unauthorized: access to the requested resource is not authorized", "denied: User is not allowed: requested access to the resource is denied"},
		"OpenShift":   {"unauthorized: authentication required", "authentication required", "denied: requested access to the resource is denied"},
	} {
		for _, answer := range answers {
			all := lines(answer)
			if registry == "client" {
				// Of these, what is at the beginning of a line is not yet the answer.
				all = all[:len(all)-1]
			}
			for _, line := range all {
				require.False(t, attemptsAgain(cut(line)), "%s: %s\nof %s", registry, cut(line), line)
				require.False(t, attemptsAgain("Copying blob sha256:aaaa\nWarning: Push failed, retrying in 5s ...\n"+cut(line)), "%s: among others", registry)
			}
		}
	}
}

// TestR04TroubleThatPassesIsTriedAgain: whatever else is in the line.
func TestR04TroubleThatPassesIsTriedAgain(t *testing.T) {
	for _, answer := range []string{
		"received unexpected HTTP status: 500 Internal Server Error", "received unexpected HTTP status: 502 Bad Gateway", "received unexpected HTTP status: 503 Service Unavailable",
		"received unexpected HTTP status: 504 Gateway Timeout", "requesting bearer token: invalid status code from registry 503 (Service Unavailable)", "requesting bearer token: invalid status code from registry 429 (Too Many Requests)",
		"toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit", "toomanyrequests: retry-after: 1ms, allowed: 44000/minute",
		"dial tcp 192.0.2.1:443: connect: connection refused", "dial tcp: lookup registry.example.com on 192.0.2.53:53: no such host", "net/http: TLS handshake timeout", "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
		"read tcp 192.0.2.2:40312->192.0.2.1:443: read: connection reset by peer", "unexpected EOF", "http: server gave HTTP response to HTTPS client", "blob upload unknown: blob upload unknown to registry", "dial tcp 192.0.2.1:443: i/o timeout",
		"unknown: unexpected error while pushing, layer 401 of 403", "",
	} {
		for _, line := range lines(answer) {
			require.True(t, attemptsAgain(cut(line)), "%s\nof %s", cut(line), line)
		}
	}
}

func attemptsAgain(log string) bool {
	build := buildFor(testRequest())
	build.Status = buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonPushImageToRegistryFailed, Message: "Failed to push the image to the registry.", LogSnippet: log}
	o := observation(build)
	return o.Phase == imagebuilder.PhaseFailed && o.Transient
}
