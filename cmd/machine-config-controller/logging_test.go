package main

import (
	"bytes"
	"flag"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"
)

// TestBodiesAreWithheld: at high verbosity client-go logs whole Secrets.
func TestBodiesAreWithheld(t *testing.T) {
	var log bytes.Buffer
	state := klog.CaptureState()
	t.Cleanup(state.Restore)
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	klog.InitFlags(flags)
	require.NoError(t, flags.Set("logtostderr", "false"))
	require.NoError(t, flags.Set("v", "10"))
	klog.SetOutput(&log)
	klog.SetLogFilter(bodyFilter{})
	t.Cleanup(func() { klog.SetLogFilter(nil) })

	klog.Background().WithValues("pool", "worker").V(8).Info("Response Body", "body", "canary-credential")
	klog.V(8).InfoS("Request Body", "body", []byte("canary-credential"))
	klog.Flush()
	require.Contains(t, log.String(), bodyWithheld)
	require.Contains(t, log.String(), "worker", "the rest of the entry stays")
	require.NotContains(t, log.String(), "canary-credential")
	require.NotContains(t, log.String(), "99 97 110", "nor as a list of bytes")
}

func TestFilterLeavesTheCallersValues(t *testing.T) {
	values := []any{"body", "content", "odd"}
	_, filtered := bodyFilter{}.FilterS("message", values)
	require.Equal(t, "content", values[1])
	require.Equal(t, []any{"body", bodyWithheld, "odd"}, filtered)
	require.Equal(t, []any{"body"}, bodyFilter{}.Filter([]any{"body"}))
	format, args := bodyFilter{}.FilterF("%s", []any{1})
	require.Equal(t, "%s", format)
	require.Equal(t, []any{1}, args)
}
