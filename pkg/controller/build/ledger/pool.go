package ledger

import (
	"strconv"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Pool is what a MachineConfigPool says: what it asks for, and what stands on it of its
// image and its newest build.
type Pool struct {
	Name string
	UID  types.UID
	// Version is the resourceVersion.
	Version string

	// Layered tells that the pool opted in.
	Layered        bool
	Deleting       bool
	Paused         bool
	RenderDegraded bool

	// WantedConfig is spec.configuration.name; empty until a config was rendered.
	WantedConfig string

	// Image and ImageConfig are the published annotations.
	Image       string
	ImageConfig string

	// RebuildRequested is an administrator's token for one more build of the same
	// inputs; RebuildObserved is the one that was acted on last.
	RebuildRequested string
	RebuildObserved  string

	// Record is the memory of the newest attempt; nil when there is none or it cannot
	// be read, which RecordProblem tells apart: what a spoiled record said is found out
	// anew from the builds, or built anew.
	Record        *Record
	RecordProblem error

	// Reported is what the conditions tell, of the attempt on record or an earlier one.
	Reported Reported
	// HasTraces tells that the pool carries any annotation or condition of ours.
	HasTraces bool
}

// Read reads what stands on a pool.
func Read(pool *mcfgv1.MachineConfigPool) Pool {
	p := Pool{
		Name:             pool.Name,
		UID:              pool.UID,
		Version:          pool.ResourceVersion,
		Layered:          IsLayered(pool),
		Deleting:         pool.DeletionTimestamp != nil,
		Paused:           pool.Spec.Paused,
		RenderDegraded:   isMachineConfigPoolConditionTrue(pool.Status.Conditions, mcfgv1.MachineConfigPoolRenderDegraded),
		WantedConfig:     pool.Spec.Configuration.Name,
		Image:            pool.Annotations[constants.DesiredOSImageAnnotation],
		ImageConfig:      pool.Annotations[constants.DesiredOSImageConfigAnnotation],
		RebuildRequested: requestOf(pool.Annotations[constants.RebuildRequestedAnnotation]),
		RebuildObserved:  pool.Annotations[constants.RebuildObservedAnnotation],
		Reported:         ReadConditions(pool.Status.Conditions),
	}
	if text, ok := pool.Annotations[constants.BuildRecordAnnotation]; ok {
		p.Record, p.RecordProblem = ParseRecord(text)
	}
	for _, annotation := range ourAnnotations {
		if _, ok := pool.Annotations[annotation]; ok {
			p.HasTraces = true
		}
	}
	for i := range pool.Status.Conditions {
		p.HasTraces = p.HasTraces || isTrace(&pool.Status.Conditions[i])
	}
	return p
}

var ourAnnotations = constants.PoolAnnotations()

// IsLayered tells whether the pool opted into image builds: it carries the label
// layering-enabled with any value but one that says no.
func IsLayered(pool *mcfgv1.MachineConfigPool) bool {
	value, ok := pool.Labels[ctrlcommon.LayeringEnabledPoolLabel]
	return ok && !isNo(value)
}

func isNo(value string) bool {
	yes, known := constants.Boolean(strings.TrimSpace(value))
	return known && !yes
}

// requestOf is the request for a rebuild; empty for none. A word that says no requests
// nothing, but a number may be anything that somebody counts.
func requestOf(value string) string {
	if _, err := strconv.Atoi(value); err != nil && isNo(value) {
		return ""
	}
	return value
}

// HasImageOfWanted tells whether the published image is of the wanted config.
func (p *Pool) HasImageOfWanted() bool {
	return p.Image != "" && p.WantedConfig != "" && p.ImageConfig == p.WantedConfig
}

// RequestedRebuild is the request for a rebuild that was not acted on yet; empty for none.
// The record tells of it as well as the annotation: those who write the pool anew from a
// manifest of theirs keep the request, and may take away either.
func (p *Pool) RequestedRebuild() string {
	if p.RebuildRequested == p.RebuildObserved || RebuildMark(p.RebuildRequested) == p.Record.RebuildOf() {
		return ""
	}
	return p.RebuildRequested
}
