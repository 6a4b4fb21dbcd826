package build

import (
	"maps"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// life is a pool's life up to a point, and what it goes on to.
type life struct {
	reason string
	live   func(h *harness)
	// goOn is what happens after that; nil for the end of the newest build.
	goOn func(h *harness)
}

func (h *harness) ask(request string) {
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		metav1SetAnnotation(p, constants.RebuildRequestedAnnotation, request)
	})
}

func metav1SetAnnotation(p *mcfgv1.MachineConfigPool, key, value string) {
	if p.Annotations == nil {
		p.Annotations = map[string]string{}
	}
	p.Annotations[key] = value
}

func (h *harness) fail(reason buildv1.StatusReason) {
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, reason, "it failed")
	h.settle(worker)
}

func (h *harness) optIn(layered bool) {
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		p.Labels = map[string]string{}
		if layered {
			p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = ""
		}
	})
}

func (h *harness) cancelled() {
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseCancelled, buildv1.StatusReasonCancelledBuild, "cancelled")
	h.settle(worker)
}

// goes takes the pool to another config, and its build, if there is one, to its end.
func (h *harness) goes(config string) {
	h.want(config)
	h.clock.Step(time.Minute)
	h.settle(worker)
	if len(h.activeBuilds()) > 0 {
		h.complete(worker)
	}
}

// lives are those that a pool can have had when somebody takes its annotations away.
func lives() map[string]life {
	const one, two = "rendered-worker-1", "rendered-worker-2"
	first := func(h *harness) { h.settle(worker) }
	published := func(h *harness) { h.settle(worker); h.complete(worker) }
	later := func(h *harness) { h.pass(time.Hour, worker) }
	return map[string]life{
		"opted out and in, under a leader whose clock is behind": {reason: "what is newer is not a matter of clocks", live: func(h *harness) {
			first(h)
			h.optIn(false)
			h.settle(worker)
			h.clock.SetTime(h.clock.Now().Add(-6 * time.Hour))
			h.restart()
			h.optIn(true)
			h.settle(worker)
		}},
		"pending": {reason: "the build goes on", live: first},
		"running": {reason: "the build goes on", live: func(h *harness) {
			first(h)
			h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning)
			h.settle(worker)
		}},
		"published": {reason: "the image is there", live: published, goOn: later},
		"failed":    {reason: "it would fail again", live: func(h *harness) { first(h); h.fail(buildv1.StatusReasonDockerBuildFailed) }, goOn: later},
		"cancelled": {reason: "somebody wanted that", live: func(h *harness) { first(h); h.cancelled() }, goOn: later},
		"being cancelled": {reason: "somebody wants that", live: func(h *harness) {
			first(h)
			h.api.EditBuild(h.newestBuild(worker), func(b *buildv1.Build) { b.Status.Cancelled = true })
			h.settle(worker)
		}, goOn: func(h *harness) { h.cancelled(); later(h) }},
		"retrying": {reason: "the next attempt has its time", live: func(h *harness) { first(h); h.fail(buildv1.StatusReasonBuildPodEvicted) },
			goOn: func(h *harness) { h.pass(time.Second, worker); h.pass(time.Minute, worker); h.complete(worker) }},
		"all attempts failed": {reason: "they count", live: func(h *harness) {
			first(h)
			for range 3 {
				h.fail(buildv1.StatusReasonBuildPodEvicted)
				h.pass(10*time.Minute, worker)
			}
			h.fail(buildv1.StatusReasonBuildPodEvicted)
		}, goOn: later},
		"given up": {reason: "it waited for its whole deadline", live: func(h *harness) { first(h); h.pass(31*time.Minute, worker); h.stopAll() },
			goOn: func(h *harness) { h.pass(time.Minute, worker); h.complete(worker) }},
		"given up for good": {reason: "that was the last attempt", live: func(h *harness) {
			h.editSettings(map[string]string{constants.MaxAttemptsKey: "1"})
			first(h)
			h.pass(31*time.Minute, worker)
			h.stopAll()
		}, goOn: later},
		"superseded": {reason: "the old one is stopped, the new one runs", live: func(h *harness) { first(h); h.want(two); h.pass(time.Minute, worker) }},
		"superseded and wanted again": {reason: "nobody cancelled it", live: func(h *harness) {
			first(h)
			h.want(two)
			h.pass(time.Minute, worker)
			h.want(one)
			h.pass(time.Minute, worker)
			h.stopAll()
		}},
		"back to an image": {reason: "the image of before is known", live: func(h *harness) { published(h); h.goes(two); h.goes(one) }, goOn: later},
		"back to an image later": {reason: "what is known is not lost either", live: func(h *harness) { published(h); h.goes(two) },
			goOn: func(h *harness) { h.goes(one); h.goes(two); h.goes(one) }},
		"rebuild running": {reason: "the request was acted on", live: func(h *harness) { published(h); h.ask("1"); h.pass(time.Minute, worker) }},
		"rebuild done":    {reason: "the request was acted on", live: func(h *harness) { published(h); h.ask("1"); h.pass(time.Minute, worker); h.complete(worker) }, goOn: later},
		"rebuild failed": {reason: "the request was acted on", live: func(h *harness) {
			published(h)
			h.ask("1")
			h.pass(time.Minute, worker)
			h.fail(buildv1.StatusReasonDockerBuildFailed)
		}, goOn: later},
		"rebuild cancelled": {reason: "the request was acted on", live: func(h *harness) { published(h); h.ask("1"); h.pass(time.Minute, worker); h.cancelled() }, goOn: later},
		"rebuild, then another config": {reason: "the request was acted on", live: func(h *harness) {
			published(h)
			h.ask("1")
			h.pass(time.Minute, worker)
			h.complete(worker)
			h.goes(two)
		}, goOn: func(h *harness) { later(h); h.goes(one) }},
		"rebuild of another config, and back": {reason: "the request was acted on, by a build that was stopped", live: func(h *harness) {
			published(h)
			h.want(two)
			h.pass(time.Minute, worker)
			h.ask("1")
			h.pass(time.Minute, worker)
			h.want(one)
			h.pass(time.Minute, worker)
			h.stopAll()
			h.pass(time.Minute, worker)
		}, goOn: later},
		"two rebuilds": {reason: "the last one counts", live: func(h *harness) {
			published(h)
			for _, request := range []string{"1", "2", "1"} {
				h.ask(request)
				h.pass(time.Minute, worker)
				h.complete(worker)
			}
		}, goOn: later},
		"a long request": {reason: "it is any text", live: func(h *harness) {
			published(h)
			h.ask(string(make([]byte, 4000)))
			h.pass(time.Minute, worker)
			h.complete(worker)
		}, goOn: later},
	}
}

// stopAll lets every Build that was asked to end come to its end.
func (h *harness) stopAll() {
	h.t.Helper()
	for _, b := range h.api.Builds() {
		if b.Status.Cancelled && !buildtest.Ended(b) {
			h.stopped(b.Name)
		}
	}
	h.settle(worker)
}

// TestR43StrippingBuildsNothing: whoever writes the pool anew, without our annotations or
// with those of an earlier day, causes no build that there would not have been otherwise, and
// changes nothing about where the pool comes to.
func TestR43StrippingBuildsNothing(t *testing.T) {
	newLife := func(t *testing.T) *harness { return layeredHarness(t, "rendered-worker-1", "rendered-worker-2") }
	outcome := func(h *harness, l life) (builds int, annotations map[string]string, condition string) {
		if l.goOn != nil {
			l.goOn(h)
		} else {
			h.complete(worker)
		}
		pool := h.api.Pool(worker)
		annotations = maps.Clone(pool.Annotations)
		delete(annotations, constants.BuildRecordAnnotation)
		told := ledger.ReadConditions(pool.Status.Conditions)
		return h.created, annotations, string(told.State) + " " + told.Reason
	}
	for name, l := range lives() {
		undisturbed := newLife(t)
		undisturbed.count()
		l.live(undisturbed)
		wantBuilds, wantAnnotations, wantCondition := outcome(undisturbed, l)
		for _, form := range []string{"all annotations", "the record", "the acknowledgement", "once more and again", "those of the beginning"} {
			t.Run(name+", "+form, func(t *testing.T) {
				h := newLife(t)
				h.count()
				var early map[string]string
				h.api.Before = func(buildtest.Call) {
					if p := h.api.Pool(worker); early == nil && p.Annotations[constants.BuildRecordAnnotation] != "" {
						early = maps.Clone(p.Annotations)
					}
				}
				l.live(h)
				h.api.Before = nil
				times := 1
				if form == "once more and again" {
					times = 3
				}
				for range times {
					h.rewrite(form, early)
					h.settle(worker)
				}
				builds, annotations, condition := outcome(h, l)
				require.Equal(t, wantBuilds, builds, l.reason)
				require.Equal(t, wantCondition, condition, l.reason)
				require.Equal(t, wantAnnotations, annotations, l.reason)
			})
		}
	}
}

// rewrite writes the pool's annotations anew.
func (h *harness) rewrite(form string, early map[string]string) {
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		request, asked := p.Annotations[constants.RebuildRequestedAnnotation]
		switch form {
		case "the record":
			delete(p.Annotations, constants.BuildRecordAnnotation)
		case "the acknowledgement":
			delete(p.Annotations, constants.RebuildObservedAnnotation)
		case "those of the beginning":
			p.Annotations = maps.Clone(early)
		default:
			p.Annotations = nil
		}
		if asked {
			metav1SetAnnotation(p, constants.RebuildRequestedAnnotation, request)
		}
	})
}

// count has the Builds counted that the controller creates.
func (h *harness) count() {
	h.api.LoseReply = func(call buildtest.Call) error {
		if call.Verb == "create" && call.Resource == "builds" {
			h.created++
		}
		return nil
	}
}

// TestR43SettingsWrittenAnew: ConfigMaps and Secrets whose content is the same lead to
// nothing, however often they are written.
func TestR43SettingsWrittenAnew(t *testing.T) {
	for _, state := range []string{"published", "failed"} {
		h := layeredHarness(t, "rendered-worker-1")
		h.count()
		h.settle(worker)
		if state == "failed" {
			h.fail(buildv1.StatusReasonDockerBuildFailed)
		} else {
			h.complete(worker)
		}
		for range 3 {
			h.api.Remove("configmaps", ctrlcommon.MCONamespace, constants.ConfigMapName)
			h.api.Put(buildtest.SettingsConfigMap())
			h.pass(time.Minute, worker)
		}
		require.Equal(t, 1, h.created, state)
	}
}

// TestR46RecordEditedByHand: what stands on the pool is read with care, too.
func TestR46RecordEditedByHand(t *testing.T) {
	for name, edit := range map[string]func(*ledger.Record){
		"image elsewhere":       func(r *ledger.Record) { r.Image = evil + "@" + buildtest.Digest(666) },
		"image by tag":          func(r *ledger.Record) { r.Image = buildtest.Repository + ":latest" },
		"another config":        func(r *ledger.Record) { r.Config = "rendered-evil" },
		"no attempt":            func(r *ledger.Record) { r.Attempt = -1 },
		"no name":               func(r *ledger.Record) { r.Build = "../../pods/x" },
		"more than any number":  func(r *ledger.Record) { r.Number = 1 << 62 },
		"durations of nonsense": func(r *ledger.Record) { r.Took = []int64{-1 << 62, -5} },
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
			h.settle(worker)
			h.complete(worker)
			record := *h.record(worker)
			edit(&record)
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.BuildRecordAnnotation] = record.String() })
			h.settle(worker)
			h.requireNothingEvil()
			h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
			require.Len(t, h.api.Builds(), 1, "the image is there, and not built again")
			require.Empty(t, h.eventsWith("NameTaken"))

			h.want("rendered-worker-2")
			h.settle(worker)
			h.complete(worker)
			h.requirePublished(worker, "rendered-worker-2", buildtest.Digest(1))
		})
	}
}

// TestR46PastImagesElsewhere: an image that somebody wrote into the history of the record is
// not published when its config is wanted again.
func TestR46PastImagesElsewhere(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.settle(worker)
	h.complete(worker)
	h.want("rendered-worker-2")
	h.settle(worker)
	h.complete(worker)
	record := *h.record(worker)
	require.Len(t, record.History, 1)
	record.History[0].Image = evil + "@" + buildtest.Digest(666)
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.BuildRecordAnnotation] = record.String() })
	h.want("rendered-worker-1")
	h.settle(worker)
	require.NotContains(t, h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation], evil)
	h.complete(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
}
