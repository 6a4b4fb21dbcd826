package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string][]int{"": nil, "100": {100}, "300,100,300": {100, 300}} {
		sizes, err := parseSizes(text)
		require.NoError(t, err)
		require.Equal(t, want, sizes)
	}
	for _, text := range []string{"many", "1", "0", "-5", "100;300"} {
		_, err := parseSizes(text)
		require.ErrorContains(t, err, "as in -sizes 100,300,1000", text)
	}
}

// TestPlots: each size is a mark, in multiples of what was timed next to it.
func TestPlots(t *testing.T) {
	b := &bench{table: newTable(), out: t.TempDir(), bySize: map[int]*sizeResult{}}
	add := func(pools int, controller float64) {
		b.bySize[pools] = &sizeResult{
			Pools: pools, Reactions: reactions{Create: []float64{0.001}, Idle: []float64{0.004, 0.004}, Busy: []float64{0.005, 0.009}},
			Memory: memoryOf{Pools: pools, Content: 150000, Controller: controller, Plain: 2 * controller},
		}
	}
	add(100, 80e6)
	require.NoError(t, b.drawPlots())
	require.NoFileExists(t, b.out+"/memory.svg", "one size is no line")
	add(1000, 200e6)
	require.NoError(t, b.drawPlots())
	require.FileExists(t, b.out+"/memory.svg")
	require.FileExists(t, b.out+"/reaction.svg")

	all := []*sizeResult{b.bySize[100], b.bySize[1000]}
	for _, want := range []string{">100</text>", ">1000</text>", ">400</text>", ">the plain objects alone</text>", "2 configs of 150 KB for each pool"} {
		require.Contains(t, b.memoryPlot(all), want)
	}
	for _, want := range []string{">at rest, p99</text>", ">while all are looked at, p50</text>", ">10</text>", ">in creates of an object of 1 KB</text>"} {
		require.Contains(t, b.reactionPlot(all), want)
	}
}
