package inputs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// settings are complete and valid data with the given keys changed; a nil
// value removes the key.
func settings(changes map[string]*string) map[string]string {
	data := map[string]string{
		constants.BaseImagePullSecretKey:  "pull",
		constants.FinalImagePushSecretKey: "push",
		constants.FinalImagePullspecKey:   "registry.example.com/org/repo",
	}
	for key, value := range changes {
		if value == nil {
			delete(data, key)
		} else {
			data[key] = *value
		}
	}
	return data
}

func text(s string) *string { return &s }

// TestH40ParseSettings: a missing or malformed key is never ignored; the
// problem names the object, the key and the way out.
func TestH40ParseSettings(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		changes map[string]*string
		want    Settings
		// problems are texts that occur in the problems, one each, in order.
		problems []string
	}{
		"complete": {
			reason: "all keys are valid",
			want:   Settings{BaseImagePullSecret: "pull", FinalImagePushSecret: "push", FinalImageRepository: "registry.example.com/org/repo"},
		},
		"no pull secret": {
			reason:  "the node's credentials do without",
			changes: map[string]*string{constants.BaseImagePullSecretKey: text("")},
			want:    Settings{FinalImagePushSecret: "push", FinalImageRepository: "registry.example.com/org/repo"},
		},
		"no pull secret key": {
			reason:  "an absent key is an empty one",
			changes: map[string]*string{constants.BaseImagePullSecretKey: nil},
			want:    Settings{FinalImagePushSecret: "push", FinalImageRepository: "registry.example.com/org/repo"},
		},
		"tag": {
			reason:  "a tag is ignored: every attempt gets its own",
			changes: map[string]*string{constants.FinalImagePullspecKey: text("registry.example.com:5000/org/repo:latest")},
			want:    Settings{BaseImagePullSecret: "pull", FinalImagePushSecret: "push", FinalImageRepository: "registry.example.com:5000/org/repo"},
		},
		"surrounding space": {
			reason:  "a line break at the end of a value is how YAML block scalars are written",
			changes: map[string]*string{constants.FinalImagePullspecKey: text("registry.example.com/org/repo\n"), constants.FinalImagePushSecretKey: text("push\n")},
			want:    Settings{BaseImagePullSecret: "pull", FinalImagePushSecret: "push", FinalImageRepository: "registry.example.com/org/repo"},
		},
		"no push secret": {
			reason:   "an image that cannot be pushed is of no use",
			changes:  map[string]*string{constants.FinalImagePushSecretKey: nil},
			problems: []string{"ConfigMap machine-os-builder-config, key finalImagePushSecretName: is missing or empty; set it to"},
		},
		"push secret is no name": {
			reason:   "a name that no object can have would wait for ever",
			changes:  map[string]*string{constants.FinalImagePushSecretKey: text("Push Secret")},
			problems: []string{`key finalImagePushSecretName: "Push Secret" is not a valid Secret name`},
		},
		"pull secret is no name": {
			reason:   "a name that no object can have would wait for ever",
			changes:  map[string]*string{constants.BaseImagePullSecretKey: text("../etc")},
			problems: []string{`key baseImagePullSecretName: "../etc" is not a valid Secret name`},
		},
		"no pullspec": {
			reason:   "there is nowhere to push to",
			changes:  map[string]*string{constants.FinalImagePullspecKey: text(" ")},
			problems: []string{"key finalImagePullspec: is missing or empty; set it to"},
		},
		"short pullspec": {
			reason:   "which registry a short name means depends on the host",
			changes:  map[string]*string{constants.FinalImagePullspecKey: text("org/repo")},
			problems: []string{`key finalImagePullspec: "org/repo": does not begin with the registry's host name`},
		},
		"scheme": {
			reason:   "a URL is a common mistake",
			changes:  map[string]*string{constants.FinalImagePullspecKey: text("https://images.example.com/org/repo")},
			problems: []string{`key finalImagePullspec: "https://images.example.com/org/repo": is not a valid image pullspec`},
		},
		"digest": {
			reason:   "nobody can know the digest before the build",
			changes:  map[string]*string{constants.FinalImagePullspecKey: text("registry.example.com/org/repo@sha256:" + strings.Repeat("a", 64))},
			problems: []string{"has a digest"},
		},
		"everything": {
			reason: "all problems are told at once",
			changes: map[string]*string{
				constants.BaseImagePullSecretKey: text("A"), constants.FinalImagePushSecretKey: nil, constants.FinalImagePullspecKey: text("org/repo"),
			},
			problems: []string{"baseImagePullSecretName", "finalImagePushSecretName", "finalImagePullspec"},
		},
		"huge value": {
			reason:   "a message has to fit into a condition",
			changes:  map[string]*string{constants.FinalImagePullspecKey: text("x/" + strings.Repeat("é", 1<<20))},
			problems: []string{"finalImagePullspec"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := ParseSettings(settings(test.changes))
			require.Equal(t, DefaultLimits(), got.Limits, "limits that are not set have their defaults, also beside a problem")
			got.Limits = Limits{}
			require.Equal(t, test.want, got, test.reason)
			require.Len(t, problems, len(test.problems), test.reason)
			for i := range problems {
				require.Contains(t, problems[i].String(), test.problems[i], test.reason)
			}
			require.Less(t, len(JoinProblems(problems)), 2000, "the message stays readable")
		})
	}
}

func TestParseBaseImage(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for name, test := range map[string]struct {
		reason, pullspec, want string
		fails                  string
	}{
		"digest":         {reason: "how releases name their OS image", pullspec: "quay.io/org/os" + digest, want: "quay.io/org/os" + digest},
		"tag":            {reason: "a custom OS image may have a tag only", pullspec: "quay.io/org/os:4.20", want: "quay.io/org/os:4.20"},
		"tag and digest": {reason: "the builder would pull by the tag", pullspec: "quay.io/org/os:4.20" + digest, want: "quay.io/org/os" + digest},
		"port":           {reason: "registries have ports", pullspec: "localhost:5000/os", want: "localhost:5000/os"},
		"short":          {reason: "short names are ambiguous", pullspec: "os:4.20", fails: "does not begin with the registry's host name"},
		"empty":          {reason: "nothing is no image", pullspec: "", fails: "is not a valid image pullspec"},
		"bad digest":     {reason: "a digest has 64 digits", pullspec: "quay.io/org/os@sha256:abc", fails: "is not a valid image pullspec"},
		"newline":        {reason: "it would begin another instruction", pullspec: "quay.io/org/os\nRUN true", fails: "is not a valid image pullspec"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseBaseImage(test.pullspec)
			if test.fails != "" {
				require.ErrorContains(t, err, test.fails, test.reason)
				return
			}
			require.NoError(t, err, test.reason)
			require.Equal(t, test.want, got, test.reason)
			again, err := ParseBaseImage(got)
			require.NoError(t, err)
			require.Equal(t, got, again, "what is accepted re-parses to itself")
		})
	}
}

func TestRegistryOf(t *testing.T) {
	require.Equal(t, "registry.example.com:5000", RegistryOf("registry.example.com:5000/org/repo"), "the port is part of the host")
	require.Empty(t, RegistryOf("no pullspec"))
}
