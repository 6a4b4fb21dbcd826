package playednode

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Executor plays containers.
type Executor interface {
	// Execute runs a container to its end. The context ends when the container is killed, and what is returned then does not count.
	Execute(ctx context.Context, c *Container) (exitCode int)
}

// Container is what an executor gets to see of a container, and how it speaks.
type Container struct {
	Command, Args []string
	Env           map[string]string
	// Files are those of the volumes, by their paths.
	Files map[string][]byte
	// Terminate is closed when the container gets SIGTERM.
	Terminate <-chan struct{}

	mu      sync.Mutex
	message string
	log     strings.Builder
	written map[string]int64
	memory  int64
	// full and hungry are told to the node.
	changed chan struct{}
}

// Say writes a line to the log.
func (c *Container) Say(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.WriteString(line + "\n")
}

// Tell writes the termination message.
func (c *Container) Tell(message string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.message = message
}

// Write says how much is in a file.
func (c *Container) Write(path string, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written[path] = size
	c.notify()
}

// Use says how much memory is in use.
func (c *Container) Use(memory int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.memory = memory
	c.notify()
}

func (c *Container) notify() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// size is how much is in files below a directory, but for those below the others.
func (c *Container) size(dir string, others ...string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := int64(0)
	for path, size := range c.written {
		elsewhere := false
		for _, other := range others {
			elsewhere = elsewhere || strings.HasPrefix(path, other+"/")
		}
		if strings.HasPrefix(path, filepath.Clean(dir)) && !elsewhere {
			total += size
		}
	}
	return total
}

// Await waits until the gate opens, nil for none. Told to end before, it says so as the script of the Job backend does, and gives the
// exit code that the container ends with then; 0 to go on.
func (c *Container) Await(ctx context.Context, gate <-chan struct{}) (code int) {
	if gate == nil {
		return 0
	}
	select {
	case <-gate:
		return 0
	case <-c.Terminate:
		c.Tell(`{"step":"build","reason":"Terminated","message":"the pod was told to end, and ended the build"}`)
		return 143
	case <-ctx.Done():
		return 137
	}
}

// Act is an executor for the arguments that the helper of a real node takes, see package node: it does what they say.
type Act struct{}

const (
	plenty = 256 << 20
	// terminated is how a program without a handler ends that is the first in its PID namespace.
	terminated = 2
)

// Execute implements Executor.
func (Act) Execute(ctx context.Context, c *Container) int {
	code, deaf := terminated, false
	for i, step := range c.Args {
		if i == 0 {
			continue // the role
		}
		name, value, _ := strings.Cut(step, ":")
		number, _ := strconv.Atoi(value)
		duration := time.Duration(0)
		switch name {
		case "say":
			c.Say(value)
		case "tell":
			c.Tell(value)
		case "need":
			if _, found := c.Files[value]; !found {
				c.Say("stat " + value + ": no such file or directory")
				return terminated
			}
		case "trap":
			code = number
		case "deaf":
			deaf = true
		case "exit":
			return number
		case "sleep":
			duration = time.Duration(number) * time.Second
		case "hog":
			c.Use(plenty)
			duration = time.Hour
		case "fill":
			c.Write(value, plenty)
			duration = time.Hour
		}
		if !pass(ctx, c, duration, deaf) {
			return code
		}
	}
	return 0
}

// pass waits, and says whether to go on.
func pass(ctx context.Context, c *Container, duration time.Duration, deaf bool) bool {
	terminate := c.Terminate
	if deaf {
		terminate = nil
	}
	select {
	case <-time.After(duration):
		return true
	case <-terminate:
		return false
	case <-ctx.Done():
		return false
	}
}
