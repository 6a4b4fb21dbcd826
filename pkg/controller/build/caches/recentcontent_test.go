package caches

import (
	"fmt"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

var recentNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func configOf(name, uid, version string, created time.Time, size int) *mcfgv1.MachineConfig {
	return &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(uid), ResourceVersion: version, CreationTimestamp: metav1.NewTime(created)},
		Spec:       mcfgv1.MachineConfigSpec{Config: runtime.RawExtension{Raw: make([]byte, size)}},
	}
}

func TestRecentContent(t *testing.T) {
	kept := configOf("rendered-worker-1", "uid", "7", recentNow, 3)
	for name, test := range map[string]struct {
		reason string
		asked  *mcfgv1.MachineConfig
		want   int
	}{
		"the same":        {reason: "it was created moments ago", asked: kept, want: 3},
		"another version": {reason: "its content may be another one", asked: configOf("rendered-worker-1", "uid", "8", recentNow, 0)},
		"another object":  {reason: "it was deleted and created again", asked: configOf("rendered-worker-1", "other", "7", recentNow, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			recent := NewRecentContent(clocktesting.NewFakePassiveClock(recentNow))
			recent.keep(kept)
			require.Len(t, recent.Take(test.asked), test.want, test.reason)
			require.Empty(t, recent.Take(test.asked), "a config is built once")
		})
	}
}

func TestRecentContentKeepsOnlyWhatIsAskedFor(t *testing.T) {
	for name, config := range map[string]*mcfgv1.MachineConfig{
		"old":          configOf("rendered-worker-1", "uid", "7", recentNow.Add(-2*time.Minute), 3),
		"not rendered": configOf("99-worker-ssh", "uid", "7", recentNow, 3),
		"empty":        configOf("rendered-worker-1", "uid", "7", recentNow, 0),
	} {
		t.Run(name, func(t *testing.T) {
			recent := NewRecentContent(clocktesting.NewFakePassiveClock(recentNow))
			recent.keep(config)
			require.Empty(t, recent.entries, "nobody builds from it soon")
		})
	}
}

// TestRecentContentIsBounded: of a flood the first ones are kept, and what nobody asks
// for goes.
func TestRecentContentIsBounded(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(recentNow)
	recent := NewRecentContent(clock)
	flood := func(first int) {
		for i := first; i < first+20; i++ {
			recent.keep(configOf(fmt.Sprintf("rendered-%d", i), fmt.Sprint(i), "1", clock.Now(), recentBytes/10))
		}
	}
	flood(0)
	require.Len(t, recent.entries, 10)
	require.NotEmpty(t, recent.Take(configOf("rendered-0", "0", "1", recentNow, 0)), "the first one is asked for first")
	recent.keep(configOf("rendered-1", "1", "1", recentNow, recentBytes/10))
	require.Len(t, recent.entries, 9, "a repetition counts once")

	clock.SetTime(recentNow.Add(2 * time.Minute))
	flood(100)
	require.Len(t, recent.entries, 10, "what nobody asked for has made room")
	for i := range 200 {
		recent.Take(configOf("", fmt.Sprint(i), "1", recentNow, 0))
	}
	require.Zero(t, recent.bytes)
}

// TestInformersHandContentOver: what the transform drops from the cache is at hand.
func TestInformersHandContentOver(t *testing.T) {
	recent := NewRecentContent(clocktesting.NewFakePassiveClock(recentNow))
	stripped, err := stripAndKeep(recent)(configOf("rendered-worker-1", "uid", "7", recentNow, 3))
	require.NoError(t, err)
	require.Empty(t, stripped.(*mcfgv1.MachineConfig).Spec.Config.Raw)
	require.Len(t, recent.Take(stripped.(*mcfgv1.MachineConfig)), 3)
}
