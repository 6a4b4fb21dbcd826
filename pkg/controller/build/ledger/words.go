package ledger

import (
	"fmt"
	"time"
)

// InWords gives a duration as people say it: 45s, 7m, 1h5m. Seconds matter only while
// there are no minutes.
func InWords(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", int(d.Round(time.Second).Seconds()))
	}
	d = d.Round(time.Minute)
	if d < time.Hour {
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
}
