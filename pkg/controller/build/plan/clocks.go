package plan

import "time"

// Instants come from several clocks: the API server's, the build system's, that of the
// leader before this one, and our own, which may be set back. A wait is never longer than
// its own length for that: whatever lies in the future is taken for an instant of another
// clock, and counts from when it was seen there first.

// began is the instant, or, of one in the future, when it was seen first.
func (s *Snapshot) began(at time.Time) time.Time {
	if !at.After(s.Now) {
		return at
	}
	if s.ahead != nil {
		*s.ahead = append(*s.ahead, at)
	}
	if seen, ok := s.FirstSeen[at.UnixNano()]; ok && !seen.After(s.Now) {
		return seen
	}
	return s.Now
}

// passed is how long ago the instant was.
func (s *Snapshot) passed(at time.Time) time.Duration { return s.Now.Sub(s.began(at)) }
