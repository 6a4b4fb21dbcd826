package inputs

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

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

// TestDefaultLimits pins what the documentation promises.
func TestDefaultLimits(t *testing.T) {
	require.Equal(t, Limits{
		MaxConcurrentBuilds: 0, MaxAttempts: 4, QuietPeriod: 5 * time.Second, QuietPeriodCeiling: 30 * time.Second,
		PendingDeadline: 30 * time.Minute, CompletionDeadline: time.Hour, SuccessfulBuildsHistory: 1, FailedBuildsHistory: 3,
	}, DefaultLimits())
}

func TestParseLimits(t *testing.T) {
	for name, test := range map[string]struct {
		reason     string
		key, value string
		want       func(*Limits)
		// problem is what the problem says; empty for none.
		problem string
	}{
		"concurrency":           {reason: "a whole number", key: constants.MaxConcurrentBuildsKey, value: "2", want: func(l *Limits) { l.MaxConcurrentBuilds = 2 }},
		"attempts":              {reason: "a whole number", key: constants.MaxAttemptsKey, value: "1", want: func(l *Limits) { l.MaxAttempts = 1 }},
		"quiet period":          {reason: "seconds; 0 turns it off", key: constants.QuietPeriodKey, value: "0", want: func(l *Limits) { l.QuietPeriod = 0 }},
		"quiet period's limit":  {reason: "seconds", key: constants.QuietPeriodCeilingKey, value: "60", want: func(l *Limits) { l.QuietPeriodCeiling = time.Minute }},
		"pending deadline":      {reason: "seconds", key: constants.PendingDeadlineKey, value: "90", want: func(l *Limits) { l.PendingDeadline = 90 * time.Second }},
		"completion deadline":   {reason: "seconds", key: constants.CompletionDeadlineKey, value: "7200", want: func(l *Limits) { l.CompletionDeadline = 2 * time.Hour }},
		"successes kept":        {reason: "0 keeps none", key: constants.SuccessfulBuildsHistoryLimitKey, value: "0", want: func(l *Limits) { l.SuccessfulBuildsHistory = 0 }},
		"failures kept":         {reason: "a whole number", key: constants.FailedBuildsHistoryLimitKey, value: "10", want: func(l *Limits) { l.FailedBuildsHistory = 10 }},
		"line break":            {reason: "a block scalar of YAML ends with one", key: constants.MaxAttemptsKey, value: "2\n", want: func(l *Limits) { l.MaxAttempts = 2 }},
		"empty":                 {reason: "an empty value is no value", key: constants.MaxAttemptsKey, value: "", want: func(*Limits) {}},
		"no number":             {reason: "a word", key: constants.MaxAttemptsKey, value: "four", problem: `ConfigMap machine-os-builder-config, key maxAttempts: "four" is not a whole number from 1 to 100; leave the key out for the default, 4`},
		"no attempt":            {reason: "no attempt is no build", key: constants.MaxAttemptsKey, value: "0", problem: `"0" is not a whole number from 1 to 100`},
		"negative":              {reason: "there is no such number of builds", key: constants.MaxConcurrentBuildsKey, value: "-1", problem: `"-1" is not a whole number from 0 to 1000`},
		"no time to run":        {reason: "the Build API refuses a deadline of 0", key: constants.CompletionDeadlineKey, value: "0", problem: "is not a whole number from 1 to"},
		"a duration":            {reason: "the key says seconds", key: constants.QuietPeriodKey, value: "5s", problem: `"5s" is not a whole number`},
		"too large for any int": {reason: "a slip of the keyboard", key: constants.PendingDeadlineKey, value: "99999999999999999999", problem: "is not a whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := ParseSettings(settings(map[string]*string{test.key: &test.value}))
			want := DefaultLimits()
			if test.problem != "" {
				require.Len(t, problems, 1, test.reason)
				require.Contains(t, problems[0].String(), test.problem, test.reason)
			} else {
				require.Empty(t, problems, test.reason)
				test.want(&want)
			}
			require.Equal(t, want, got.Limits, test.reason)
		})
	}
}

func TestUnknownKeys(t *testing.T) {
	require.Empty(t, UnknownKeys(&corev1.ConfigMap{Data: settings(nil)}))
	data := settings(map[string]*string{"finalImagePullSpec": text("x"), "extra": text("")})
	for _, key := range KnownKeys() {
		data[key] = "1"
	}
	require.Equal(t, []string{"binary", "extra", "finalImagePullSpec"}, UnknownKeys(&corev1.ConfigMap{Data: data, BinaryData: map[string][]byte{"binary": nil}}),
		"a misspelt key is found, in order, whatever and wherever its value")
}

func TestDataVersion(t *testing.T) {
	require.Equal(t, DataVersion(map[string]string{"a": "1", "b": "2"}), DataVersion(map[string]string{"b": "2", "a": "1"}), "order means nothing")
	require.NotEqual(t, DataVersion(map[string]string{"a": "1b"}), DataVersion(map[string]string{"a1": "b"}), "what is key and what is value does")
}
