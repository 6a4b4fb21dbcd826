package main

import (
	"context"
	"fmt"
	"io"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/test/program"
)

func (d *demo) inspectFirstImages(ctx context.Context) error {
	for i, r := range d.built {
		if i > 0 {
			d.show.say("")
		}
		img, _, err := d.inspect(ctx, r)
		if err != nil {
			return err
		}
		if i == 0 {
			d.firstImage = img
		}
	}
	return nil
}

func (d *demo) inspectSecondImage(ctx context.Context) error {
	first, second := d.built[0], d.built[len(d.built)-1]
	if first.Image == second.Image {
		return fmt.Errorf("pool %s got the same image for %s as for %s", second.Pool, second.RenderedConfig, first.RenderedConfig)
	}
	img, expected, err := d.inspect(ctx, second)
	if err != nil {
		return err
	}
	d.show.say("")
	d.show.say("%s  from %s to %s, in the whole image:", second.Pool, shortDigest(first.Image), shortDigest(second.Image))
	return d.showDifference(d.firstImage, img, expected)
}

// inspect pulls an image by its digest, with the credentials of the registry and nothing else, and compares it with the
// rendered config that the cluster has under the name that the pool gave.
func (d *demo) inspect(ctx context.Context, r result) (image, []expectation, error) {
	config, err := d.clients.mcfg.MachineconfigurationV1().MachineConfigs().Get(ctx, r.RenderedConfig, metav1.GetOptions{})
	if err != nil {
		return image{}, nil, fmt.Errorf("could not get MachineConfig %s: %w", r.RenderedConfig, err)
	}
	expected, err := expectations(config.Spec.Config.Raw)
	if err != nil {
		return image{}, nil, err
	}
	img, err := d.pull(ctx, r)
	if err != nil {
		return image{}, nil, err
	}
	files, err := img.files(interesting(expected), io.ReadAll)
	if err != nil {
		return image{}, nil, err
	}
	d.show.say("%s  %s has %s:", r.Pool, shortDigest(r.Image), r.RenderedConfig)
	for _, e := range expected {
		if err := e.check(files); err != nil {
			return image{}, nil, fmt.Errorf("the image of %s is not what its config says: %s: %w", r.RenderedConfig, e.what, err)
		}
		d.show.say("  ok  %-20s %s /%s", e.what, describeMode(e, files[e.path]), e.path)
	}
	for _, label := range []struct{ name, value string }{{poolAnnotation, r.Pool}, {configAnnotation, r.RenderedConfig}} {
		if got := img.labels[label.name]; got != label.value {
			return image{}, nil, fmt.Errorf("the image of %s has label %s=%q, not %q", r.RenderedConfig, label.name, got, label.value)
		}
		d.show.say("  ok  %-20s      %s=%s", "image label", label.name, label.value)
	}
	return img, expected, nil
}

func describeMode(e expectation, file imageFile) string {
	if e.mode < 0 {
		return "link"
	}
	return fmt.Sprintf("%04o", file.mode)
}

// interesting picks the files that the expectations are about.
func interesting(expected []expectation) func(path string) bool {
	paths := map[string]bool{}
	for _, e := range expected {
		paths[e.path] = true
	}
	return func(path string) bool { return paths[path] }
}

func (d *demo) pull(ctx context.Context, r result) (image, error) {
	dir := d.path(dirPulled + "/" + r.RenderedConfig)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return image{}, fmt.Errorf("could not create directory for image: %w", err)
	}
	err := d.runLogged(ctx, logSkopeo, program.Program{Args: []string{
		"skopeo", "copy", "--src-tls-verify=false", "--src-authfile", d.cluster.Registry().AuthFile(), "docker://" + r.Image, "dir:" + dir,
	}})
	if err != nil {
		return image{}, fmt.Errorf("could not pull %s: %w", r.Image, err)
	}
	return openImage(dir)
}
