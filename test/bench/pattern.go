package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// The kinds of requests of a cycle.
const (
	patchPools    = "patch machineconfigpools"
	patchStatus   = "patch machineconfigpools/status"
	createSecrets = "create secrets"
	createBuilds  = "create builds"
	deleteSecrets = "delete secrets"
	deleteBuilds  = "delete builds"
	createEvents  = "create events"
)

// pattern is what the controller sent for one pool, in order, by kind.
type pattern struct {
	pool   string
	bodies map[string][]body
	build  string
}

// body is what was sent, and its media type.
type body struct {
	text []byte
	form string
}

// recorder keeps what is sent for one pool.
type recorder struct {
	mu sync.Mutex
	pattern
}

func (r *recorder) see(e exchange) {
	if e.status >= http.StatusBadRequest || len(e.body) == 0 || !bytes.Contains(e.body, []byte(r.pool)) && e.name != r.pool {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies[e.kind] = append(r.bodies[e.kind], body{e.body, e.form})
	if e.kind == createBuilds {
		var build metav1.PartialObjectMetadata
		if json.Unmarshal(e.body, &build) == nil {
			r.build = build.Name
		}
	}
}

func newRecorder(pool string) *recorder {
	return &recorder{pattern: pattern{pool: pool, bodies: map[string][]body{}}}
}

// decode reads what a client sent, in whichever encoding.
func decode(body []byte, into runtime.Object) error {
	if _, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, into); err != nil {
		return fmt.Errorf("could not decode what the controller sent: %w", err)
	}
	return nil
}

// Versions and UIDs stand in two places: those of a merge patch, and those of a JSON
// patch.
var (
	versions = regexp.MustCompile(`("resourceVersion":|"/metadata/resourceVersion","value":)"[^"]*"`)
	uids     = regexp.MustCompile(`("metadata":\{.*"uid":|"/metadata/uid","value":)"[^"]*"`)
)

// of makes what was sent for the recorded pool what is to be sent for this one.
func (b body) of(pool *barePool, recorded string) []byte {
	text := versions.ReplaceAll(b.text, fmt.Appendf(nil, "${1}%q", pool.version))
	text = uids.ReplaceAll(text, fmt.Appendf(nil, "${1}%q", pool.uid))
	return bytes.ReplaceAll(text, []byte(recorded), []byte(pool.name))
}

// disguised are the names that are the controller's, and what stands for them.
var disguised = map[string]string{
	"machineconfiguration.openshift.io/": "machineconfiguratiom.openshift.io/",
	"machine-os-build-controller":        "machine-os-bench-controller",
	`"type":"Build`:                      `"type":"Bench`,
	`"type":"ImageBuild`:                 `"type":"ImageBench`,
}

// disguise keeps a text's length.
func disguise(text []byte) []byte {
	for _, name := range slices.Sorted(maps.Keys(disguised)) {
		text = bytes.ReplaceAll(text, []byte(name), []byte(disguised[name]))
	}
	return text
}
