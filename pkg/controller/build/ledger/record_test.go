package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const here = "registry.example.com/os"

// failed is the record of an attempt that failed.
func failed() Record {
	return Record{
		Build: "build-1", Fingerprint: "f", Config: "rendered-worker-1", Attempt: 1, ClaimedAt: now.Add(-time.Minute),
		Versions:   Versions{Settings: "s", Push: "1", Pull: "2", Entitled: "3 4"},
		Failure:    &Failure{Reason: "R", Message: "m <&>", Log: "a\nb", Transient: true, At: now},
		Repository: here,
		History: []PastImage{
			{Fingerprint: "f", Build: "b", Image: here + "@sha256:" + strings.Repeat("0", 64)},
			{Fingerprint: "g", Build: "c", Image: "elsewhere.example.com/os@sha256:" + strings.Repeat("1", 64)},
		},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	r := failed()
	again, err := ParseRecord(r.String())
	require.NoError(t, err)
	require.Equal(t, r, *again, "what is written is read")
	require.Equal(t, r.String(), again.String())
	require.Equal(t, 1, strings.Count(r.String(), here), "the repository of past images is written once")
	require.Equal(t, here, r.History[0].Image[:len(here)], "writing changes nothing")
	require.NotContains(t, Record{Build: "b"}.String(), "versions", "what is not known is not written")
}

// TestVersionsAreOneText: the form in which they have been written since the first record.
func TestVersionsAreOneText(t *testing.T) {
	for text, test := range map[string]struct {
		reason   string
		versions Versions
	}{
		"settings=a,push=1":                     {"without a pull Secret", Versions{Settings: "a", Push: "1"}},
		"settings=a,push=1,pull=2,entitled=3 4": {"with everything", Versions{"a", "1", "2", "3 4", ""}},
		"settings=a,push=1,around=5":            {"behind a proxy", Versions{Settings: "a", Push: "1", Surroundings: "5"}},
		"settings=,push=":                       {"with nothing", Versions{}},
	} {
		written, err := test.versions.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(written), test.reason)
		var read Versions
		require.NoError(t, read.UnmarshalText([]byte(text+",later=5")))
		require.Equal(t, test.versions, read, test.reason)
	}
}

func TestParseRecordRefuses(t *testing.T) {
	for name, test := range map[string]struct{ reason, text string }{
		"nothing":        {reason: "an emptied annotation", text: ""},
		"no JSON":        {reason: "a spoiled annotation", text: "{"},
		"no build":       {reason: "it claims nothing", text: `{"fingerprint":"f"}`},
		"no fingerprint": {reason: "it is of no inputs", text: `{"build":"b"}`},
		"no attempt":     {reason: "attempts count from 1", text: `{"build":"b","fingerprint":"f","attempt":0}`},
		"past image":     {reason: "half of an image is none", text: `{"build":"b","fingerprint":"f","attempt":1,"history":["f b"]}`},
		"two outcomes":   {reason: "an attempt that failed has no image", text: `{"build":"b","fingerprint":"f","attempt":1,"image":"r@sha256:` + strings.Repeat("0", 64) + `","failure":{"reason":"r"}}`},
		"wrong type":     {reason: "another program's annotation", text: `{"build":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseRecord(test.text)
			require.Error(t, err, test.reason)
		})
	}
}

func TestOutcomeOnRecord(t *testing.T) {
	var none *Record
	open, success, failure := Record{}, Record{Image: "i"}, failed()
	for _, test := range []struct {
		reason                  string
		record                  *Record
		succeeded, failed, open bool
	}{
		{reason: "without a record there is no attempt", record: none},
		{reason: "a claim", record: &open, open: true},
		{reason: "an image", record: &success, succeeded: true},
		{reason: "a failure", record: &failure, failed: true},
	} {
		require.Equal(t, test.succeeded, test.record.Succeeded(), test.reason)
		require.Equal(t, test.failed, test.record.Failed(), test.reason)
		require.Equal(t, test.open, test.record.IsOpen(), test.reason)
	}
}

// TestHistoryGrowsAndIsBounded: images of earlier configs are kept, but not for ever.
func TestHistoryGrowsAndIsBounded(t *testing.T) {
	var r *Record
	for i := range 10 {
		fingerprint := fmt.Sprintf("fp-%d", i)
		r = &Record{Build: "b", Fingerprint: fingerprint, Config: "c", Image: fmt.Sprintf("image-%d", i), History: r.HistoryFor(fingerprint)}
	}
	require.Len(t, r.History, historyLimit)
	require.Equal(t, "fp-8", r.History[0].Fingerprint, "newest first")

	back := r.HistoryFor("fp-8")
	require.Equal(t, "fp-9", back[0].Fingerprint, "the image that is replaced is remembered")
	for _, past := range back {
		require.NotEqual(t, "fp-8", past.Fingerprint, "what becomes the record is not its own past")
	}
}
