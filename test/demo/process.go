package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/openshift/machine-config-operator/test/program"
)

// runLogged runs a program whose output goes to a log, and its last line to the display while it is at work.
func (d *demo) runLogged(ctx context.Context, log string, p program.Program) (err error) {
	file, err := d.createLog(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	tail := &program.LastLine{Note: d.show.note}
	p.Log = io.MultiWriter(file, tail)
	if err := p.Run(ctx); err != nil {
		if last := tail.Text(); last != "" && ctx.Err() == nil {
			return fmt.Errorf("%w: %s", err, last)
		}
		return err
	}
	return nil
}
