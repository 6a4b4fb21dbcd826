package inputs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

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
	require.Empty(t, UnknownKeys(settings(nil)))
	data := settings(map[string]*string{"finalImagePullSpec": text("x"), "extra": text("")})
	for _, key := range KnownKeys() {
		data[key] = "1"
	}
	require.Equal(t, []string{"extra", "finalImagePullSpec"}, UnknownKeys(data), "a misspelt key is found, in order, whatever its value")
}

func TestDataVersion(t *testing.T) {
	require.Equal(t, DataVersion(map[string]string{"a": "1", "b": "2"}), DataVersion(map[string]string{"b": "2", "a": "1"}), "order means nothing")
	require.NotEqual(t, DataVersion(map[string]string{"a": "1b"}), DataVersion(map[string]string{"a1": "b"}), "what is key and what is value does")
}
