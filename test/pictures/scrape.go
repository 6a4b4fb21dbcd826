package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	scrapeInterval = time.Second
	// stretch is how many seconds are told for one of the run.
	stretch = 60
)

// epoch is when the run is told to begin.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// told is the time stamp of what happened so long after the beginning.
func told(elapsed time.Duration) time.Time { return epoch.Add(elapsed * stretch) }

// target are the labels that Prometheus gives to what it scrapes from one pod.
var target = map[string]string{
	"job": "machine-os-build-controller", "namespace": "openshift-machine-config-operator", "instance": "10.128.0.7:8443", "pod": "machine-os-build-controller-0",
}

// scraper keeps what the controller tells.
type scraper struct {
	url      string
	interval time.Duration
	db       *tsdb.DB
	// present are the series of the last scrape, and last is when that is told to have been.
	present map[string]labels.Labels
	last    time.Time
}

func newScraper(dir, address string) (*scraper, error) {
	options := tsdb.DefaultOptions()
	// Nothing of what is told is too long ago.
	options.RetentionDuration = 0
	options.MinBlockDuration = (24 * time.Hour).Milliseconds()
	options.MaxBlockDuration = options.MinBlockDuration
	db, err := tsdb.Open(filepath.Join(dir, dirSeries), nil, nil, options, nil)
	if err != nil {
		return nil, fmt.Errorf("could not open the database: %w", err)
	}
	return &scraper{url: address + "/metrics", interval: scrapeInterval, db: db, present: map[string]labels.Labels{}}, nil
}

func (s *scraper) close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("could not close the database: %w", err)
	}
	return nil
}

// run scrapes until the context ends.
func (s *scraper) run(ctx context.Context) error {
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for began := time.Now(); ; {
		at := told(time.Since(began))
		text, contentType, err := s.get(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = s.add(ctx, text, contentType, at)
		}
		if err != nil {
			return fmt.Errorf("could not scrape the controller: %w", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *scraper) get(ctx context.Context) (text []byte, contentType string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, "", errors.New(response.Status)
	}
	text, err = io.ReadAll(response.Body)
	return text, response.Header.Get("Content-Type"), err
}

// add puts a scrape into the database. A series that was there before and is not any more ends at once, as with Prometheus.
func (s *scraper) add(ctx context.Context, text []byte, contentType string, at time.Time) error {
	parser, err := textparse.New(text, contentType, nil, textparse.ParserOptions{})
	if err != nil {
		return err
	}
	appender := s.db.Appender(ctx)
	now := map[string]labels.Labels{}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(err, appender.Rollback())
		}
		if entry != textparse.EntrySeries {
			continue
		}
		series := seriesOf(parser)
		now[series.String()] = series
		_, _, number := parser.Series()
		if _, err := appender.Append(0, series, at.UnixMilli(), number); err != nil {
			return errors.Join(err, appender.Rollback())
		}
	}
	for name, series := range s.present {
		if _, still := now[name]; still {
			continue
		}
		if _, err := appender.Append(0, series, at.UnixMilli(), math.Float64frombits(value.StaleNaN)); err != nil {
			return errors.Join(err, appender.Rollback())
		}
	}
	s.present, s.last = now, at
	return appender.Commit()
}

// seriesOf are the labels of what was just read, and those of the target.
func seriesOf(parser textparse.Parser) labels.Labels {
	var told labels.Labels
	parser.Labels(&told)
	builder := labels.NewBuilder(told)
	for name, value := range target {
		builder.Set(name, value)
	}
	return builder.Labels()
}
