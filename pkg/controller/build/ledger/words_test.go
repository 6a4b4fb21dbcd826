package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "0s", 45 * time.Second: "45s", 100 * time.Second: "2m", 7 * time.Minute: "7m", 59*time.Minute + 40*time.Second: "1h0m", 65 * time.Minute: "1h5m",
	} {
		require.Equal(t, want, InWords(d))
	}
}
