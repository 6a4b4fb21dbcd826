package main

import (
	"context"
	"errors"
	"time"
)

// chapterTimeout is for a chapter that got stuck; the slowest one waits for a retry, which takes ten seconds.
const chapterTimeout = 3 * time.Minute

// chapter is one thing that happens to the pool.
type chapter struct {
	title string
	run   func(*story, context.Context) error
}

// chapters are what happens, in order. Each begins where the one before it has left the pool.
var chapters = []chapter{
	{"A cluster, a pool, and the controller under the permissions that it ships with", (*story).start},
	{"Opt in", (*story).optIn},
	{"Change the config in mid-build", (*story).changeConfig},
	{"Break the push secret, and mend it", (*story).breakSecret},
	{"Delete the Build, first one that is done, then one that runs", (*story).deleteBuild},
	{"Opt out in mid-build", (*story).optOut},
	{"Opt in again, and delete the pool in mid-build", (*story).deletePool},
	{"Opt another pool in by a MachineOSConfig, and roll its image out", (*story).createMachineOSConfig},
	{"Change a file in a MachineConfig of that pool", (*story).changeFile},
	{"Change the custom content of the MachineOSConfig", (*story).changeContainerfile},
	{"Request a rebuild", (*story).requestRebuild},
	{"Delete the MachineOSConfig", (*story).deleteMachineOSConfig},
}

// tell goes through the chapters, and ends all that was started.
func (s *story) tell(ctx context.Context) (err error) {
	began := time.Now()
	defer func() {
		if stopErr := s.stop(); stopErr != nil {
			s.say.line("Could not stop everything in order: %v", stopErr)
			err = errors.Join(err, stopErr)
		}
	}()
	s.say.line("The life of two pools, in %d chapters. Builds are played by a script. Logs: %s", len(chapters), s.dir)
	for i, c := range chapters {
		if err := s.take(ctx, i, c); err != nil {
			return err
		}
	}
	s.say.line("")
	s.say.line("That is all, in %.0f s. Nothing of the controller is left.", time.Since(began).Seconds())
	return nil
}

func (s *story) take(ctx context.Context, index int, c chapter) error {
	s.say.line("")
	s.say.line("[%d/%d] %s", index+1, len(chapters), c.title)
	ctx, cancel := context.WithTimeout(ctx, chapterTimeout)
	defer cancel()
	err := c.run(s, ctx)
	// An error of a context says nothing, its cause says why.
	if cause := context.Cause(ctx); cause != nil && err != nil && !errors.Is(err, cause) {
		err = errors.Join(err, cause)
	}
	if err != nil {
		s.say.line("")
		s.say.line("Chapter %d of %d failed: %s.", index+1, len(chapters), c.title)
		s.say.note("why   %v", err)
		s.say.note("logs  %s", s.dir)
	}
	return err
}
