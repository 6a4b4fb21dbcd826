package main

import (
	"sync"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
)

// processRegistry is the registry that /metrics tells of.
type processRegistry struct{}

func (processRegistry) Register(c metrics.Registerable) error { return legacyregistry.Register(c) }

func (processRegistry) CustomRegister(c metrics.StableCollector) error {
	return legacyregistry.CustomRegister(c)
}

// buildMetrics are the process's metrics of its BuildController. There is one registry,
// and so they are registered once.
var buildMetrics = sync.OnceValues(func() (*build.Metrics, error) {
	m := build.NewMetrics()
	return m, m.Register(processRegistry{})
})
