package ledger

import "time"

const (
	// firstRestraint and longestRestraint bound for how long a controller refrains
	// from writing what it wrote before.
	firstRestraint   = 10 * time.Second
	longestRestraint = 10 * time.Minute
)

// Restraint is about repeating what was written last in one place. Two who see different
// things, one of them by a cache that is behind, would else put back what the other one
// wrote, without end and as fast as they can. One that writes the same once more waits the
// longer the more often it did. The zero value has written nothing.
type Restraint struct {
	text  string
	at    time.Time
	times int
}

// Wait is how long to refrain from writing the text.
func (r *Restraint) Wait(text string, now time.Time) time.Duration {
	if now.Before(r.at) {
		r.at = now
	}
	if r.times == 0 || r.text != text {
		return 0
	}
	wait := firstRestraint
	for i := 1; i < r.times && wait < longestRestraint; i++ {
		wait = min(2*wait, longestRestraint)
	}
	return max(r.at.Add(wait).Sub(now), 0)
}

// Wrote remembers what was written.
func (r *Restraint) Wrote(text string, now time.Time) {
	if r.text != text {
		r.times = 0
	}
	r.text, r.at, r.times = text, now, r.times+1
}
