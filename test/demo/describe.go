package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// describe shows each pool where an administrator looks.
func (d *demo) describe(ctx context.Context) error {
	if err := d.describeWorker(ctx); err != nil {
		return err
	}
	return d.describeInfra(ctx)
}

// describeWorker shows what the controller leaves behind for people to read.
func (d *demo) describeWorker(ctx context.Context) error {
	pool, err := d.clients.mcfg.MachineconfigurationV1().MachineConfigPools().Get(ctx, poolWorker, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("could not get MachineConfigPool %s: %w", poolWorker, err)
	}
	// Events of objects without a namespace are kept in this one.
	events, err := d.clients.kube.CoreV1().Events(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.kind": "MachineConfigPool", "involvedObject.name": poolWorker}.String(),
	})
	if err != nil {
		return fmt.Errorf("could not list events of MachineConfigPool %s: %w", poolWorker, err)
	}
	d.show.say("kubectl describe machineconfigpool %s, in short:", poolWorker)
	d.show.say("")
	for line := range strings.Lines(describePool(pool, events.Items, time.Now())) {
		d.show.say("%s", strings.TrimSuffix(line, "\n"))
	}
	return nil
}

// describePool leaves out what other controllers wrote, and what is not the case.
func describePool(pool *mcfgv1.MachineConfigPool, events []corev1.Event, now time.Time) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	// No call fails: a strings.Builder takes all.
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(table, format+"\n", args...) }

	put("Name:\t%s", pool.Name)
	put("Configuration:\t%s", pool.Spec.Configuration.Name)
	_ = table.Flush()
	put("Annotations:")
	for _, name := range []string{imageAnnotation, imageConfigAnnotation} {
		put("  %s: %s", name, pool.Annotations[name])
	}
	put("Conditions:")
	_ = table.Flush()
	put("  Type\tStatus\tReason\tMessage")
	var others []string
	for i := range pool.Status.Conditions {
		c := &pool.Status.Conditions[i]
		if c.Status == corev1.ConditionTrue {
			put("  %s\t%s\t%s\t%s", c.Type, c.Status, c.Reason, c.Message)
		} else {
			others = append(others, string(c.Type))
		}
	}
	_ = table.Flush()
	if len(others) > 0 {
		put("  not the case: %s", strings.Join(others, ", "))
	}
	put("Events:")
	_ = table.Flush()
	put("  Type\tReason\tAge\tMessage")
	slices.SortStableFunc(events, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	for i := range events {
		e := &events[i]
		put("  %s\t%s\t%s\t%s", e.Type, e.Reason, now.Sub(e.LastTimestamp.Time).Round(time.Second), e.Message)
	}
	_ = table.Flush()
	return text.String()
}
