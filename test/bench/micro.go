package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// attributes are what tests measured, by name.
type attributes map[string]float64

// microBenchmarks runs the budget tests of the controller's package, which need no
// cluster, with so many pools and cycles, and collects what they measured. A budget that
// is exceeded is not an error here: the table says so.
func microBenchmarks(ctx context.Context, root string, crowd, cycles int, tell func(string, ...any)) (attributes, error) {
	command := exec.CommandContext(ctx, "go", "test", "-count=1", "-json", "-run", "^TestBudget", "-timeout", "3h",
		"./pkg/controller/build", "-crowd", strconv.Itoa(crowd), "-cycles", strconv.Itoa(cycles))
	command.Dir = root
	command.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "KUBE_CACHE_MUTATION_DETECTOR=false")
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("could not run the budget tests: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("could not run the budget tests: %w", err)
	}
	found := attributes{}
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 16<<20)
	var said []string
	for lines.Scan() {
		var event struct{ Action, Test, Key, Value, Output string }
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue
		}
		switch event.Action {
		case "attr":
			if value, err := strconv.ParseFloat(event.Value, 64); err == nil {
				found[event.Key] = value
			}
		case "output", "build-output":
			if said = append(said, event.Output); len(said) > 40 {
				said = said[1:]
			}
		case "pass", "fail":
			if strings.HasPrefix(event.Test, "TestBudget") && !strings.Contains(event.Test, "/") {
				tell("%s: %s", event.Test, event.Action)
			}
		}
	}
	err = command.Wait()
	if len(found) == 0 {
		return nil, fmt.Errorf("could not run the budget tests: %w\n%s", err, strings.Join(said, ""))
	}
	return found, nil
}

// fillMicro fills the rows in that need no cluster.
func fillMicro(t *table, a attributes) {
	syncCalls, restart, events := a["P2.sync"], a["P2.restart"]+a["P2.restarts"], 0.0
	for key, value := range a {
		if strings.HasPrefix(key, "P2.event.") {
			events += value
		}
	}
	t.set("P2", syncCalls+events+restart == 0, map[string]estimate{"sync": exactly(syncCalls), "event": exactly(events), "restart": exactly(restart)},
		"%s / %s / %s", number(syncCalls), number(events), number(restart))
	t.set("P3", a["P3.calls"] == 0, map[string]estimate{"calls": exactly(a["P3.calls"]), "syncs": exactly(a["P3.syncs"]), "pools": exactly(a["P3.pools"])},
		"%s (%s pools, %s syncs)", number(a["P3.calls"]), number(a["P3.pools"]), number(a["P3.syncs"]))
	lookUps := estimate{a["P4.lookups"], a["P4.lookups.low"], a["P4.lookups.high"], 40}
	t.set("P4", lookUps.Value <= 111 && a["P4.allocations"] <= 8, map[string]estimate{"lookups": lookUps, "allocations": exactly(a["P4.allocations"]), "ns": exactly(a["P4.ns"])},
		"%s, %s", lookUps, number(a["P4.allocations"]))
	t.note("P4", "a sync took %s ns on this machine, as loaded as it was", number(a["P4.ns"]))
	t.set("P12", a["P12.requests"] > 0 && a["P12.requests"] <= 20, map[string]estimate{"requests": exactly(a["P12.requests"])}, "%s", number(a["P12.requests"]))
	slope := estimate{a["P15.bytes"], a["P15.bytes"] - a["P15.bytes.margin"], a["P15.bytes"] + a["P15.bytes.margin"], 20}
	flat := slope.Low*a["P15.cycles"] <= flatBytes
	t.set("P15", flat && a["P15.goroutines"] <= 0, map[string]estimate{"bytes": slope, "goroutines": exactly(a["P15.goroutines"]), "cycles": exactly(a["P15.cycles"])},
		"%s goroutines, %s bytes per cycle", number(a["P15.goroutines"]), slope)
	t.note("P15", "%s cycles; up to %d KB in all count as none, at the lower end: caches of the runtime and of libraries fill up", number(a["P15.cycles"]), flatBytes/1000)
}

// flatBytes is how much all cycles together may leave behind, as in the budget.
const flatBytes = 60000
