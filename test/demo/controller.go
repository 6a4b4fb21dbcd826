package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/program"
)

// buildController builds the binary from the repository.
func (d *demo) buildController(ctx context.Context) error {
	if d.opts.controller != "" {
		if _, err := os.Stat(d.opts.controller); err != nil {
			return fmt.Errorf("could not find the binary of -controller: %w", err)
		}
		d.show.say("using %s", d.opts.controller)
		return nil
	}
	d.controller = filepath.Join(d.opts.root, "_output", "machine-config-controller")
	if err := d.runLogged(ctx, logGoBuild, program.ControllerBuild(d.opts.root, d.controller)); err != nil {
		return fmt.Errorf("could not build machine-config-controller: %w", err)
	}
	d.show.say("%s", d.controller)
	return nil
}

// startController runs the binary as its service account, with the rights of that and no others.
func (d *demo) startController(ctx context.Context) error {
	kubeconfig, err := d.cluster.Kubeconfig(ctx, devcluster.Namespace, program.ServiceAccount)
	if err != nil {
		return err
	}
	log, err := d.createLog(logController)
	if err != nil {
		return err
	}
	d.cleanup(log.Close)
	_, stop, err := program.Controller{
		Binary: d.controller, Kubeconfig: kubeconfig, Dir: d.opts.out, Log: log, Failed: d.fail, MachineOSConfigs: true,
	}.Start(ctx)
	if err != nil {
		return err
	}
	d.cleanup(func() error { stop(); return nil })
	d.show.say("it runs as service account %s, its caches are full; log: %s", program.ServiceAccount, d.path(logController))
	return nil
}
