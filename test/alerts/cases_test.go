package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// states are those that a pool can be in.
var states = []string{"NotReported", "Contradictory", "Held", "Queued", "Settling", "Pending", "Stuck", "Retrying", "Building", "Published", "Failed", "Interrupted"}

// series are what two replicas tell, each minute.
type series struct{ lines []string }

func (s *series) add(name, labels, values string) {
	s.lines = append(s.lines, fmt.Sprintf(`  %s{namespace=%q,instance=%s} %s`, name, namespace, labels, values))
}

// phase is what a pool says for some minutes.
type phase struct {
	minutes int
	state   string
	reason  string
	stale   time.Duration
}

// pool tells of a pool, one phase after the other.
func (s *series) pool(name string, phases ...phase) {
	for _, state := range states {
		values := ""
		for _, p := range phases {
			n := 0
			if p.state == state {
				n = 1
			}
			values += fmt.Sprintf("%dx%d ", n, p.minutes-1)
		}
		s.add("machine_os_builder_pool_state", fmt.Sprintf(`"a",pool=%q,state=%q`, name, state), values)
	}
	at, stale := 0, ""
	total := length(phases)
	for _, p := range phases {
		values := blank(at) + fmt.Sprintf("1x%d ", p.minutes-1) + blank(total-at-p.minutes)
		s.add("machine_os_builder_pool_reason", fmt.Sprintf(`"a",pool=%q,reason=%q`, name, p.reason), values)
		step := 60
		if p.stale == 0 {
			step = 0
		}
		stale += fmt.Sprintf("%d+%dx%d ", int(p.stale.Seconds()), step, p.minutes-1)
		at += p.minutes
	}
	s.add("machine_os_builder_image_stale_seconds", fmt.Sprintf(`"a",pool=%q`, name), stale)
}

func length(phases []phase) int {
	n := 0
	for _, p := range phases {
		n += p.minutes
	}
	return n
}

// blank is for minutes without a value. The first of them tells that the series ended.
func blank(minutes int) string {
	if minutes <= 0 {
		return ""
	}
	return strings.TrimSuffix(fmt.Sprintf("stale _x%d ", minutes-1), "_x0 ") + " "
}

func (s *series) working(instance, values string) {
	s.add("machine_os_builder_working", fmt.Sprintf("%q", instance), values)
}

func (s *series) text() string { return "load 1m\n" + strings.Join(s.lines, "\n") + "\n" }

// TestAlerts: each alert fires for what it is for, and nothing else does.
func TestAlerts(t *testing.T) {
	settled := phase{minutes: 240, state: "Published", reason: "ImagePublished"}
	for name, test := range map[string]struct {
		reason string
		phases []phase
		// want is the alert and what it says in its labels or its description.
		want []string
	}{
		"settled": {reason: "the pool has what it wants", phases: []phase{settled}},
		"cycle": {reason: "a build takes its time", phases: []phase{
			{minutes: 60, state: "Published", reason: "ImagePublished"},
			{minutes: 2, state: "Pending", reason: "BuildCreated", stale: time.Second},
			{minutes: 50, state: "Building", reason: "BuildRunning", stale: 2 * time.Minute},
		}},
		"failed": {reason: "somebody has to mend it", want: []string{"MachineOSBuildFailing", "worker"}, phases: []phase{
			{minutes: 10, state: "Building", reason: "BuildRunning", stale: time.Minute},
			{minutes: 7, state: "Failed", reason: "BuildFailed", stale: 11 * time.Minute},
		}},
		"failed for hours": {reason: "one alert per trouble", want: []string{"MachineOSBuildFailing", "worker"}, phases: []phase{
			{minutes: 300, state: "Failed", reason: "AttemptsExhausted", stale: time.Minute},
		}},
		"failed and mended": {reason: "it was seen to", phases: []phase{
			{minutes: 10, state: "Failed", reason: "BuildFailed", stale: time.Minute},
			{minutes: 10, state: "Building", reason: "BuildRunning", stale: 11 * time.Minute},
		}},
		"one failed attempt": {reason: "it is tried again", phases: []phase{
			{minutes: 30, state: "Retrying", reason: "RetryScheduled", stale: time.Minute},
		}},
		"secret missing": {reason: "somebody has to make it", want: []string{"MachineOSBuildStuck", "SecretMissing"}, phases: []phase{
			{minutes: 20, state: "Held", reason: "SecretMissing", stale: time.Minute},
		}},
		"secret missing for hours": {reason: "one alert per trouble", want: []string{"MachineOSBuildStuck", "SecretMissing"}, phases: []phase{
			{minutes: 300, state: "Held", reason: "SecretMissing", stale: time.Minute},
		}},
		"secret missing since a moment": {reason: "it may be about to be made", phases: []phase{
			{minutes: 12, state: "Held", reason: "SecretMissing", stale: time.Minute},
		}},
		"failed since a moment": {reason: "a change may be on its way", phases: []phase{
			{minutes: 4, state: "Failed", reason: "BuildFailed", stale: time.Minute},
		}},
		"secret missing for a moment": {reason: "it is being made", phases: []phase{
			{minutes: 10, state: "Held", reason: "SecretMissing", stale: time.Minute},
			{minutes: 10, state: "Building", reason: "BuildRunning", stale: 11 * time.Minute},
		}},
		"pod not scheduled": {reason: "it would be given up after half an hour", want: []string{"MachineOSBuildStuck", "BuildStuck"}, phases: []phase{
			{minutes: 2, state: "Pending", reason: "BuildCreated", stale: time.Second},
			{minutes: 17, state: "Stuck", reason: "BuildStuck", stale: 2 * time.Minute},
		}},
		"paused": {reason: "that is somebody's will, for however long", phases: []phase{
			{minutes: 600, state: "Held", reason: "PoolPaused", stale: time.Minute},
		}},
		"not rendering": {reason: "the operator has an alert of its own for that", phases: []phase{
			{minutes: 600, state: "Held", reason: "RenderDegraded", stale: time.Minute},
		}},
		"queued": {reason: "its turn will come", phases: []phase{
			{minutes: 100, state: "Queued", reason: "Queued", stale: time.Minute},
		}},
		"queued for hours": {reason: "its turn should have come", want: []string{"MachineOSImageStale", "2h"}, phases: []phase{
			{minutes: 130, state: "Queued", reason: "Queued", stale: time.Minute},
		}},
		"cancelled for hours": {reason: "somebody may have forgotten it", want: []string{"MachineOSImageStale", "worker"}, phases: []phase{
			{minutes: 130, state: "Interrupted", reason: "BuildCancelled", stale: time.Minute},
		}},
		"retrying for hours": {reason: "each attempt fails for another passing reason", want: []string{"MachineOSImageStale", "worker"}, phases: []phase{
			{minutes: 80, state: "Building", reason: "BuildRunning", stale: time.Minute},
			{minutes: 50, state: "Retrying", reason: "RetryScheduled", stale: 81 * time.Minute},
		}},
		"ignored": {reason: "the controller does nothing about a new config", want: []string{"MachineOSImageStale", "worker"}, phases: []phase{
			{minutes: 130, state: "Published", reason: "ImagePublished", stale: time.Minute},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &series{}
			s.pool("worker", test.phases...)
			s.pool("infra", phase{minutes: length(test.phases), state: "Published", reason: "ImagePublished"})
			s.working("a", "1x1000")
			s.working("b", "0x1000")
			requireFiring(t, s, length(test.phases)-1, test.reason, test.want)
		})
	}
}

// TestDown is about the one alert that is not about a pool.
func TestDown(t *testing.T) {
	down := []string{"MachineOSBuilderDown", namespace}
	for name, test := range map[string]struct {
		reason       string
		first, other string
		gate         string
		want         []string
	}{
		"leader and standby":  {reason: "one works", first: "1x60", other: "0x60", gate: "1x60"},
		"handed over":         {reason: "there is a moment without a leader", first: "1x20 0x39", other: "0x25 1x34", gate: "1x60"},
		"restarting":          {reason: "a node may be rebooting", first: "1x48", other: "_"},
		"gone":                {reason: "nothing is there to be scraped", first: "1x20", other: "_", want: down},
		"never there":         {reason: "it was not even started", first: "_", other: "_", want: down},
		"nobody leads":        {reason: "none gets the lease", first: "1x20 0x39", other: "0x60", gate: "1x60", want: down},
		"feature gate is off": {reason: "then there is nothing to do", first: "_", other: "_", gate: "0x60"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &series{}
			s.working("a", test.first)
			s.working("b", test.other)
			if test.gate != "" {
				s.add("kubernetes_feature_enabled", `"a",name="OnClusterBuild",stage="ALPHA"`, test.gate)
			}
			requireFiring(t, s, 59, test.reason, test.want)
		})
	}
}

// requireFiring checks that at most one alert fires, and what it says.
func requireFiring(t *testing.T, s *series, minutes int, reason string, want []string) {
	t.Helper()
	alerts := firing(t, s.text(), time.Duration(minutes)*time.Minute)
	var names []string
	for _, alert := range alerts {
		names = append(names, alert.Labels.Get("alertname"))
	}
	if len(want) == 0 {
		require.Empty(t, names, reason)
		return
	}
	require.Equal(t, want[:1], names, reason)
	require.Equal(t, namespace, alerts[0].Labels.Get("namespace"), "alerts are routed by it")
	description := alerts[0].Annotations.Get("description")
	for _, label := range []string{"pool", "reason"} {
		require.Contains(t, description, alerts[0].Labels.Get(label), "the description tells the %s", label)
	}
	for _, what := range want[1:] {
		require.Contains(t, description, what, reason)
	}
}
