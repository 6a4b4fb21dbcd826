package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const (
	controller = "./pkg/controller/build"
	simulator  = controller + "/buildtest/simulator"
)

// runner tries mutants.
type runner struct {
	root             string
	pairs, schedules int
	// replay is the one schedule to run; empty for all.
	replay string
	// sound is the simulator of the controller without a bug.
	sound string
}

// prepare makes sure that the tests are content with the controller as it is, and
// builds the simulator of it.
func (r *runner) prepare(ctx context.Context, directory string) error {
	r.sound = filepath.Join(directory, "sound.test")
	if output, err := r.compile(ctx, r.sound); err != nil {
		return fmt.Errorf("the controller does not compile: %w\n%s", err, output)
	}
	if output, err := r.run(ctx, r.root, "go", "test", "-vet=off", stripped, "-skip", "TestSimulation", "-timeout", "5m", controller+"/..."); err != nil {
		return fmt.Errorf("the tests fail without a mutant: %w\n%s", err, tail(output))
	}
	return nil
}

// stripped leaves out what only a debugger needs: that makes linking a good deal
// faster.
const stripped = "-ldflags=-s -w"

func (r *runner) compile(ctx context.Context, program string, arguments ...string) (string, error) {
	arguments = append([]string{"test", "-c", "-vet=off", stripped, "-o", program}, arguments...)
	return r.run(ctx, r.root, "go", append(arguments, simulator)...)
}

// verdict is what caught a mutant; by is empty for a survivor.
type verdict struct{ by, broken string }

// try has the simulator look for the bug, and then the unit tests.
func (r *runner) try(ctx context.Context, m *mutant) (verdict, error) {
	directory, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return verdict{}, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	overlay, err := m.overlay(r.root, directory)
	if err != nil {
		return verdict{}, err
	}
	if r.replay != "" || m.unseen == "" {
		v, err := r.simulate(ctx, m, directory, overlay)
		if err != nil || v.by != "" || r.replay != "" {
			return v, err
		}
	}
	// The tests next to the bug are the first to know, and those of commands are with them.
	all := controller + "/..."
	if strings.HasPrefix(m.file, "cmd/") {
		all = "./cmd/..."
	}
	for _, packages := range []string{"./" + path.Dir(m.file), all} {
		if v, err := r.unitTest(ctx, m, overlay, packages); err != nil || v.by != "" {
			return v, err
		}
	}
	return verdict{}, nil
}

var (
	brokenLine   = regexp.MustCompile(`simulation_test\.go:\d+: (\d+: .*)`)
	scheduleLine = regexp.MustCompile(`replay: .* -schedule '([^']*)'`)
	failedTest   = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
)

// simulate runs the simulator until the first failure.
func (r *runner) simulate(ctx context.Context, m *mutant, directory, overlay string) (verdict, error) {
	program := filepath.Join(directory, "simulator.test")
	if output, err := r.compile(ctx, program, "-overlay", overlay); err != nil {
		return verdict{}, fmt.Errorf("it does not compile: %w\n%s", err, output)
	}
	if r.replay != "" {
		output, err := r.play(ctx, program, m.played, r.replay)
		_, _ = fmt.Fprintln(os.Stdout, output)
		return r.judge(ctx, output, err)
	}
	if m.known != "" {
		if output, err := r.play(ctx, program, m.played, m.known); err != nil {
			return r.judge(ctx, output, err)
		}
	}
	output, err := r.play(ctx, program, m.played, "")
	return r.judge(ctx, output, err)
}

// play runs one schedule, or, without one, all of them until the first failure.
func (r *runner) play(ctx context.Context, program, played, schedule string) (string, error) {
	return r.run(ctx, filepath.Join(r.root, simulator), program,
		"-test.run", "TestSimulation$", "-test.v", "-test.timeout", "40m", "-fail-fast", "-sampled", "1", "-backend", played,
		"-pairs", strconv.Itoa(r.pairs), "-schedules", strconv.Itoa(r.schedules), "-schedule", schedule)
}

// judge reads what caught the mutant out of the simulator's output. A schedule that
// the controller fails without the mutant, too, proves nothing.
func (r *runner) judge(ctx context.Context, output string, err error) (verdict, error) {
	if err == nil {
		return verdict{}, nil
	}
	broken, schedule := brokenLine.FindStringSubmatch(output), scheduleLine.FindStringSubmatch(output)
	if broken == nil || schedule == nil {
		return verdict{}, fmt.Errorf("the simulator failed without a schedule: %w\n%s", err, tail(output))
	}
	if output, err := r.play(ctx, r.sound, "", schedule[1]); err != nil {
		return verdict{}, fmt.Errorf("the schedule that caught it fails without it, too: %w\n%s", err, tail(output))
	}
	return verdict{by: "-schedule '" + schedule[1] + "'", broken: clip(strings.TrimSuffix(broken[1], ", which is"))}, nil
}

// unitTest runs the other tests of the packages.
func (r *runner) unitTest(ctx context.Context, m *mutant, overlay, packages string) (verdict, error) {
	output, err := r.run(ctx, r.root, "go", "test", "-vet=off", stripped, "-overlay", overlay, "-skip", "TestSimulation", "-timeout", "5m", packages)
	if err == nil {
		return verdict{}, nil
	}
	name := failedName(output)
	if name == "" {
		return verdict{}, fmt.Errorf("the tests failed, but none of them by name: %w\n%s", err, tail(output))
	}
	return verdict{by: name, broken: "the simulator does not see it: " + m.unseen}, nil
}

// failedName is the first test that failed, by its subtest if there is one.
func failedName(output string) string {
	name := ""
	for _, failed := range failedTest.FindAllStringSubmatch(output, 2) {
		if name == "" || strings.HasPrefix(failed[1], name+"/") {
			name = failed[1]
		}
	}
	return name
}

// run executes a command on one processor, so that the schedules of a simulation
// run in their order, and the same one is the first to fail each time.
func (r *runner) run(ctx context.Context, directory, name string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = directory
	command.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400")
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", fmt.Errorf("could not run %s: %w", name, err)
	}
	return output.String(), err
}

// clip keeps a line short.
func clip(text string) string {
	const most = 100
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// tail is the end of an output, which says what was wrong.
func tail(output string) string {
	const most = 3000
	return output[max(0, len(output)-most):]
}
