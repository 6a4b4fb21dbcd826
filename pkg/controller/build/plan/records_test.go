package plan

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// FuzzParseRecord: anyone can write an annotation; nothing in it brings the
// controller down or makes it plan without end.
func FuzzParseRecord(f *testing.F) {
	f.Add(claimed(time.Minute).String())
	f.Add(failure(claimed(time.Minute), ledger.Failure{Reason: "R", Transient: true}).String())
	f.Add(`{"build":"b","fingerprint":"f","attempt":-1000000000000,"failure":{"at":"0001-01-01T00:00:00Z","transient":true}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ledger.ParseRecord(text)
		if err != nil {
			return
		}
		r.Fingerprint = wantedFingerprint()
		s := with(ready(), record(*r))
		r.Versions = s.versions()
		require.NotEmpty(t, Compute(s).State)
		s.Pool.Reported = reportedBuild
		require.NotEmpty(t, Compute(s).State)
	})
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
