package plan

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

func TestRecordRoundTrip(t *testing.T) {
	r := failure(claimed(time.Minute), Failure{Reason: "R", Message: "m <&>", Log: "a\nb", Transient: true})
	r.History = []PastImage{{Fingerprint: "f", Config: "c", Build: "b", Image: image}}
	again, err := ParseRecord(r.String())
	require.NoError(t, err)
	require.Equal(t, r, *again, "what is written is read")
	require.Equal(t, r.String(), again.String())
}

func TestParseRecordRefuses(t *testing.T) {
	for name, test := range map[string]struct{ reason, text string }{
		"nothing":        {reason: "an emptied annotation", text: ""},
		"no JSON":        {reason: "a spoiled annotation", text: "{"},
		"no build":       {reason: "it claims nothing", text: `{"fingerprint":"f"}`},
		"no fingerprint": {reason: "it is of no inputs", text: `{"build":"b"}`},
		"no attempt":     {reason: "attempts count from 1", text: `{"build":"b","fingerprint":"f","attempt":0}`},
		"past image":     {reason: "half of an image is none", text: `{"build":"b","fingerprint":"f","attempt":1,"history":["f c b"]}`},
		"wrong type":     {reason: "another program's annotation", text: `{"build":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseRecord(test.text)
			require.Error(t, err, test.reason)
		})
	}
}

// FuzzParseRecord: anyone can write an annotation; nothing in it brings the
// controller down or makes it plan without end.
func FuzzParseRecord(f *testing.F) {
	f.Add(claimed(time.Minute).String())
	f.Add(failure(claimed(time.Minute), Failure{Reason: "R", Transient: true}).String())
	f.Add(`{"build":"b","fingerprint":"f","attempt":-1000000000000,"failure":{"at":"0001-01-01T00:00:00Z","transient":true}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRecord(text)
		if err != nil {
			return
		}
		r.Fingerprint = wantedFingerprint()
		s := with(ready(), record(*r))
		r.Versions = s.versions()
		require.NotEmpty(t, Compute(s).State)
		s.Pool.ReportedBuild = true
		require.NotEmpty(t, Compute(s).State)
	})
}

func TestRetryDelay(t *testing.T) {
	for attempt := 1; attempt < 5; attempt++ {
		shortest := firstDelay << (attempt - 1)
		delay := retryDelay("fingerprint", attempt)
		require.GreaterOrEqual(t, delay, shortest, "the delay doubles")
		require.Less(t, delay, shortest+shortest/5, "and the jitter is at most a fifth")
		require.Equal(t, delay, retryDelay("fingerprint", attempt), "and the same on every look")
	}
	require.Less(t, retryDelay("a", 1<<62), 2*longestDelay, "however many attempts there were, and whoever says so")
	require.NotEqual(t, retryDelay("a", 1), retryDelay("b", 1), "pools that failed together do not return together")
}

// TestFailureTextsAreBounded: anyone who can write a Build's status can write
// megabytes into its message.
func TestFailureTextsAreBounded(t *testing.T) {
	long := with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseFailed, permanent, func(b *imagebuilder.Observation) {
		b.Message = strings.Repeat("é", 1<<20)
		b.Log = strings.Repeat("x", 1<<20) + "the end"
	}))
	p := Compute(long)
	written := p.Effects[0].(WriteRecord).Record
	require.Less(t, len(written.String()), 10000)
	require.Less(t, len(p.Message), 10000)
	require.True(t, utf8.ValidString(written.Failure.Message), "no character is cut in two")
	require.True(t, strings.HasSuffix(written.Failure.Log, "the end"), "the end of a log says what failed")

	recorded := Compute(with(long, record(written)))
	require.Equal(t, []string{"DeleteInputs build-1"}, outline(recorded.Effects), "what was cut is recognised as recorded")
}
