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
			// The backend and its pods have tests of their own.
			got.Backend, got.BuildFor, got.Workload = "", "", Workload{}
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

// TestR23BooleansAndNumbersAsPeopleWriteThem: what can be meant in one way only is read so,
// and what is refused says how it is written.
func TestR23BooleansAndNumbersAsPeopleWriteThem(t *testing.T) {
	for value, want := range map[string]bool{
		"true": true, "True": true, "TRUE": true, "yes": true, "Yes": true, "on": true, "enabled": true, "1": true, "t": true, "ture": true, "'true'": true, `"true"`: true,
		"false": false, "False": false, "no": false, "NO": false, "off": false, "disabled": false, "0": false, "": false, `""`: false, "flase": false,
	} {
		settings, problems := ParseSettings(validSettings(constants.RejectCredentialsKey, value))
		require.Empty(t, problems, value)
		require.Equal(t, want, settings.RejectCredentials, value)
	}
	for _, value := range []string{"maybe", "2", "warn", "-"} {
		_, problems := ParseSettings(validSettings(constants.RejectCredentialsKey, value))
		require.Len(t, problems, 1, value)
		require.Contains(t, problems[0].Text, `neither "true" nor "false"`)
	}
	for value, hint := range map[string]string{"5m": "(that would be 300)", "1h": "(that would be 3600)", "30 s": "(that would be 30)", "1m30s": "(that would be 90)"} {
		_, problems := ParseSettings(validSettings(constants.PendingDeadlineKey, value))
		require.Len(t, problems, 1, value)
		require.Contains(t, problems[0].Text, hint)
	}
	settings, problems := ParseSettings(validSettings(constants.PendingDeadlineKey, `"300"`))
	require.Empty(t, problems, "quotation marks are of the file that it was in")
	require.Equal(t, 5*time.Minute, settings.Limits.PendingDeadline)
}

func validSettings(key, value string) map[string]string {
	return map[string]string{constants.FinalImagePullspecKey: "quay.io/acme/os", constants.FinalImagePushSecretKey: "push", key: value}
}

// TestR06WhatTheAPIRefusesIsInvalid: what the API of Builds would refuse of a setting is
// found in the setting.
func TestR06WhatTheAPIRefusesIsInvalid(t *testing.T) {
	long := strings.Repeat("a", 230)
	for name, test := range map[string]struct{ reason, key, value, fails string }{
		"IPv6":                   {reason: "its grammar has no brackets", key: constants.FinalImagePullspecKey, value: "[fd00::1]:5000/ocp/os", fails: "has an IPv6 address for the registry, which the API of Builds refuses"},
		"IPv6, no port":          {reason: "the same", key: constants.FinalImagePullspecKey, value: "[fd00::1]/ocp/os", fails: "has an IPv6 address"},
		"IPv4":                   {reason: "an address like a name", key: constants.FinalImagePullspecKey, value: "10.0.0.1:5000/ocp/os"},
		"255 with the host":      {reason: "the host counts", key: constants.FinalImagePullspecKey, value: "registry.example.com/ocp/" + long},
		"more than 255":          {reason: "elsewhere only the path counts", key: constants.FinalImagePullspecKey, value: "registry.example.com/ocp/a" + long, fails: "is longer than the 255 characters, host name included"},
		"port 0":                 {reason: "nobody listens there", key: constants.FinalImagePullspecKey, value: "registry.example.com:0/ocp/os", fails: "ports are from 1 to 65535"},
		"port 99999":             {reason: "a slip of the keyboard", key: constants.FinalImagePullspecKey, value: "registry.example.com:99999/ocp/os", fails: "ports are from 1 to 65535"},
		"a port of many digits":  {reason: "no integer", key: constants.FinalImagePullspecKey, value: "registry.example.com:99999999999999999999/ocp/os", fails: "ports are from 1 to 65535"},
		"a port of letters":      {reason: "no number", key: constants.FinalImagePullspecKey, value: "registry.example.com:https/ocp/os", fails: "is not a valid image pullspec"},
		"upper case":             {reason: "repositories have none", key: constants.FinalImagePullspecKey, value: "registry.example.com/OCP/os", fails: "must be lowercase"},
		"a scheme":               {reason: "no part of a name", key: constants.FinalImagePullspecKey, value: "https://registry.example.com/ocp/os", fails: "leave that out"},
		"a name with a slash":    {reason: "a namespace cannot be named", key: constants.FinalImagePushSecretKey, value: "other/push", fails: "is not a valid Secret name"},
		"a name in upper case":   {reason: "no DNS name", key: constants.FinalImagePushSecretKey, value: "Push", fails: "is not a valid Secret name"},
		"a name of 253":          {reason: "the longest", key: constants.FinalImagePushSecretKey, value: strings.Repeat("a", 253)},
		"a name of 254":          {reason: "one more", key: constants.FinalImagePushSecretKey, value: strings.Repeat("a", 254), fails: "is not a valid Secret name"},
		"a pull secret of 254":   {reason: "the same for pulling", key: constants.BaseImagePullSecretKey, value: strings.Repeat("a", 254), fails: "is not a valid Secret name"},
		"a pull secret of blank": {reason: "as if it were left out", key: constants.BaseImagePullSecretKey, value: " "},
		"no time to run":         {reason: "a deadline is positive", key: constants.CompletionDeadlineKey, value: "0", fails: "is not a whole number from 1"},
		"negative time to run":   {reason: "a deadline is positive", key: constants.CompletionDeadlineKey, value: "-1", fails: "is not a whole number from 1"},
		"half a second to run":   {reason: "the API has whole ones", key: constants.CompletionDeadlineKey, value: "0.5", fails: "is not a whole number from 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := ParseSettings(validSettings(test.key, test.value))
			if test.fails == "" {
				require.Empty(t, problems, test.reason)
				return
			}
			require.Len(t, problems, 1, test.reason)
			require.Contains(t, problems[0].Text, test.fails, test.reason)
			require.Equal(t, test.key, problems[0].Key)
		})
	}
}
