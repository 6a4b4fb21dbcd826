package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	pools := flag.Int("pools", 200, "")
	pairs := flag.Int("pairs", 10, "")
	samples := flag.Int("samples", 100, "")
	workers := flag.Int("workers", 5, "")
	content := flag.Int("content", 1000, "")
	out := flag.String("out", "/tmp/benchout", "")
	flag.Parse()
	if err := try(ctx, *pools, *pairs, *samples, *workers, *content, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func try(ctx context.Context, pools, pairs, samples, workers, content int, out string) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	os.MkdirAll(out, 0o755)
	w, err := newWorld(ctx, dir)
	if err != nil {
		return err
	}
	defer w.stop()
	began := time.Now()
	tell := func(format string, args ...any) {
		fmt.Printf("%6.1fs "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
	}
	r, err := newRace(ctx, w, pools, content, workers, tell)
	if err != nil {
		return err
	}
	for i := range pairs {
		if err := r.pair(ctx, filepath.Join(out, fmt.Sprintf("p8-%d.pprof", i))); err != nil {
			return err
		}
		tell("pair %d: %v / %v = %.3f", i, r.subject[i], r.yard[i], r.subject[i].Seconds()/r.yard[i].Seconds())
	}
	fmt.Println("P8", medianOf(ratiosOf(seconds(r.subject), seconds(r.yard))))
	fmt.Println("subject", r.sent)
	fmt.Println("yard", r.yardSent)
	r.stop()

	f, err := newFleet(ctx, w, "late", 20, content, true)
	if err != nil {
		return err
	}
	s, err := startSubject(w, workers)
	if err != nil {
		return err
	}
	defer s.stop()
	sys, err := startBuildSystem(ctx, w.admin)
	if err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	if err := s.awaitRest(ctx); err != nil {
		return err
	}
	sys.stop()
	end, _ := startProfile(filepath.Join(out, "latency.pprof"))
	l, err := measureLatencies(ctx, f, s, samples, true, tell)
	if err != nil {
		return err
	}
	end()
	for _, q := range []float64{0.5, 0.99} {
		fmt.Println("P6", q, ratioOf(seconds(l.toBuild), seconds(l.create), q), quantile(seconds(l.toBuild), q), median(seconds(l.create)))
		fmt.Println("P7", q, ratioOf(seconds(l.toImage), seconds(l.patch), q), quantile(seconds(l.toImage), q), median(seconds(l.patch)))
	}
	fmt.Println(l.cycles)
	return nil
}
