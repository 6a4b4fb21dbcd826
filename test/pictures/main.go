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
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "pictures:", err)
	os.Exit(1)
}

// run makes the pictures, and ends all that was started.
func run(ctx context.Context, arguments []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("pictures", flag.ContinueOnError)
	root := flags.String("root", "..", "root directory of the repository")
	dir := flags.String("out", "", "directory for state and logs, emptied first (default <root>/_output/pictures)")
	to := flags.String("to", "", "directory for the pictures (default <root>/test/pictures)")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *dir == "" {
		*dir = filepath.Join(*root, "_output", "pictures")
	}
	if *to == "" {
		*to = filepath.Join(*root, "test", "pictures")
	}
	for _, path := range []*string{root, dir, to} {
		if *path, err = filepath.Abs(*path); err != nil {
			return fmt.Errorf("could not resolve a path: %w", err)
		}
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s := &scene{root: *root, dir: *dir, fail: fail, began: time.Now(), out: out}
	defer func() { err = errors.Join(err, s.stop()) }()
	pictures, err := s.record(ctx)
	if err != nil {
		return fmt.Errorf("%w; logs are in %s", err, *dir)
	}
	for name, picture := range pictures {
		path := filepath.Join(*to, name)
		if err := os.WriteFile(path, []byte(picture), 0o644); err != nil {
			return fmt.Errorf("could not write a picture: %w", err)
		}
		s.tell("%s, %d bytes", path, len(picture))
	}
	return nil
}

// record plays the script and draws what was seen of it.
func (s *scene) record(ctx context.Context) (map[string]string, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	scraper, err := newScraper(s.dir, s.controller)
	if err != nil {
		return nil, err
	}
	s.cleanup(scraper.close)
	scraped := s.inBackground(ctx, scraper.run)
	if err := s.play(ctx); err != nil {
		return nil, err
	}
	if err := scraped(); err != nil {
		return nil, err
	}
	status, err := drawStatus(s.watched.text())
	if err != nil {
		return nil, err
	}
	board, err := readDashboard(filepath.Join(s.root, "hack", "deploy", "dashboard.json"))
	if err != nil {
		return nil, err
	}
	drawn, err := board.draw(ctx, scraper)
	if err != nil {
		return nil, err
	}
	return map[string]string{statusPicture: status, dashboardPicture: drawn}, nil
}

// Names of the pictures.
const (
	statusPicture    = "status.svg"
	dashboardPicture = "dashboard.svg"
)

// tell says what happens.
func (s *scene) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "%5.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}
