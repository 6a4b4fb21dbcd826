package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// estimate is a number with its 95 % interval.
type estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// N is how many samples, or pairs of them, it is made from.
	N int `json:"n"`
}

// exactly is a number that was counted.
func exactly(value float64) estimate { return estimate{value, value, value, 1} }

// quantile is the value below which the share q of the samples is.
func quantile(samples []float64, q float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

func median(samples []float64) float64 { return quantile(samples, 0.5) }

const resamples = 2000

// medianOf is the median of the samples. Its interval comes from drawing as many of
// them again and again, with a fixed seed.
func medianOf(samples []float64) estimate {
	return bootstrap(len(samples), func(drawn []int) float64 { return median(pick(samples, drawn)) })
}

// ratioOf is a quantile of the samples over the median of those of the yardstick
// that were taken next to them.
func ratioOf(samples, yardstick []float64, q float64) estimate {
	return bootstrap(len(samples), func(drawn []int) float64 {
		return quantile(pick(samples, drawn), q) / median(pick(yardstick, drawn))
	})
}

// ratiosOf are the pairs' own.
func ratiosOf(samples, yardstick []float64) []float64 {
	ratios := make([]float64, len(samples))
	for i := range samples {
		ratios[i] = samples[i] / yardstick[i]
	}
	return ratios
}

func pick(from []float64, drawn []int) []float64 {
	picked := make([]float64, len(drawn))
	for i, at := range drawn {
		picked[i] = from[at]
	}
	return picked
}

func bootstrap(n int, of func(drawn []int) float64) estimate {
	if n == 0 {
		return estimate{math.NaN(), math.NaN(), math.NaN(), 0}
	}
	drawn := make([]int, n)
	for i := range drawn {
		drawn[i] = i
	}
	e := estimate{Value: of(drawn), N: n}
	chance := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, resamples)
	for i := range values {
		for j := range drawn {
			drawn[j] = chance.IntN(n)
		}
		values[i] = of(drawn)
	}
	e.Low, e.High = quantile(values, 0.025), quantile(values, 0.975)
	return e
}

func seconds(durations []time.Duration) []float64 {
	result := make([]float64, len(durations))
	for i, d := range durations {
		result[i] = d.Seconds()
	}
	return result
}
