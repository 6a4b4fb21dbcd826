package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		os.Exit(1) // The story has said what went wrong.
	}
}

// run tells the story. What goes wrong is told by the time it returns.
func run(ctx context.Context, arguments []string, out io.Writer) error {
	flags := flag.NewFlagSet("story", flag.ContinueOnError)
	root := flags.String("root", "..", "root directory of the repository")
	dir := flags.String("out", "", "directory for state and logs, emptied first (default <root>/_output/story)")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *dir == "" {
		*dir = filepath.Join(*root, "_output", "story")
	}
	for _, path := range []*string{root, dir} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("could not resolve %s: %w", *path, err)
		}
		*path = absolute
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	return (&story{root: *root, dir: *dir, fail: fail, say: telling{out}, configs: map[string]string{}}).tell(ctx)
}
