package plan

import (
	"fmt"
	"time"
)

// progressStep is how often the message of a running build is brought up to date.
const progressStep = time.Minute

// howFar is how far a build is that runs for elapsed, when those of its pool usually
// run for usually; zero if that is not known. The text stays the same for a whole
// progressStep, however often it is asked for.
func howFar(elapsed, usually time.Duration) string {
	text := ""
	if elapsed >= progressStep {
		text = ", building for " + inWords(elapsed.Truncate(progressStep))
	}
	if usually > 0 {
		text += ", usually " + inWords(usually)
	}
	return text
}

// inWords gives a duration as people say it: 45s, 7m, 1h5m. Seconds matter only while
// there are no minutes.
func inWords(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", int(d.Round(time.Second).Seconds()))
	}
	d = d.Round(time.Minute)
	if d < time.Hour {
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
}
