package content

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	ign "github.com/coreos/ignition/v2/config/v3_5"
	"github.com/coreos/ignition/v2/config/v3_5/types"
	"github.com/coreos/vcontext/report"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

const (
	// MaxConfigBytes bounds spec.config (16 MiB), which is checked before anything
	// of it is read. No API server stores more in one object.
	MaxConfigBytes = 16 << 20

	// MaxContentBytes bounds the content of all files after decompression (64 MiB).
	MaxContentBytes = 64 << 20
)

// Parse reads spec.config of the rendered MachineConfig of that name. The config
// may be of any version from 3.0.0 to 3.5.0 of the Ignition specification, and has
// to be complete: like the node's agent, a build fetches nothing. The problem names
// the object, the field within it, and what to do; it quotes no content.
func Parse(name string, config []byte) (*Content, *inputs.Problem) {
	f := filter{content: &Content{}, object: inputs.MachineConfigObject(name), budget: MaxContentBytes}
	switch {
	case len(config) > MaxConfigBytes:
		return nil, f.problem("spec.config", "is %s; at most %s can be built from, so make the config smaller", size(int64(len(config))), size(MaxConfigBytes))
	case len(bytes.TrimSpace(config)) == 0:
		return nil, f.problem("spec.config", "is empty; expected an Ignition config")
	}
	if problem := f.checkVersion(config); problem != nil {
		return nil, problem
	}
	parsed, findings, err := ign.ParseCompatibleVersion(config)
	if err != nil {
		reason := cmp.Or(wrongType(config), explain(config, findings))
		return nil, f.problem("spec.config", "is not a valid Ignition config of version %s: %s; correct the MachineConfig that it comes from", f.content.Version, reason)
	}
	f.warn(config, findings, &parsed)
	if problem := f.apply(&parsed); problem != nil {
		return nil, problem
	}
	return f.content, nil
}

// checkVersion looks at the version alone, so that a config of another one is told
// so and not whatever else it differs in.
func (f *filter) checkVersion(config []byte) *inputs.Problem {
	var versioned struct {
		Ignition struct {
			Version string `json:"version"`
		} `json:"ignition"`
	}
	if err := json.Unmarshal(config, &versioned); err != nil {
		// The error of a decoder may quote the content.
		return f.problem("spec.config", "is not an Ignition config: it is not valid JSON of the expected form")
	}
	version := versioned.Ignition.Version
	switch {
	case version == "":
		return f.problem("spec.config", "is not an Ignition config: ignition.version is missing")
	case strings.HasPrefix(version, "2."):
		return f.problem("spec.config.ignition.version", "is %s, and configs of version 2 are not built; the operator converts MachineConfigs when it renders them, so have it render this one anew, or write its MachineConfigs in version 3.2.0 or later", shortText(version))
	case !supported[version]:
		return f.problem("spec.config.ignition.version", "is %s; versions 3.0.0 to 3.5.0 can be built", shortText(version))
	}
	f.content.Version = version
	return nil
}

var supported = map[string]bool{"3.0.0": true, "3.1.0": true, "3.2.0": true, "3.3.0": true, "3.4.0": true, "3.5.0": true}

// explain gives the place and reason of the first error in a report. Reasons are
// fixed sentences of Ignition's, save for a few that quote; those are dropped.
func explain(config []byte, findings report.Report) string {
	for _, entry := range findings.Entries {
		if entry.Kind != report.Error {
			continue
		}
		where := cmp.Or(newDocument(config).describe(entry.Context.Path), "it")
		if strings.ContainsAny(entry.Message, "\"'`\\%:") || len(entry.Message) > 120 || entry.Message == "" {
			return where + " is not valid"
		}
		return where + ": " + entry.Message
	}
	return "it cannot be parsed"
}

// problem makes a Problem of the config.
func (f *filter) problem(key, format string, args ...any) *inputs.Problem {
	return &inputs.Problem{Object: f.object, Key: key, Text: fmt.Sprintf(format, args...)}
}

// shortText makes a user's value fit for a message.
func shortText(text string) string {
	const longest = 120
	if len(text) > longest {
		text = text[:longest] + "…"
	}
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, text), "?")
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}

// applied is the part of an Ignition config that an image can express. All of it
// exists in version 3.0 of the specification, so it can be written as any version.
type applied struct {
	Ignition struct {
		Version string `json:"version"`
	} `json:"ignition"`
	Storage struct {
		Directories []types.Directory `json:"directories,omitempty"`
		Files       []types.File      `json:"files,omitempty"`
		Links       []types.Link      `json:"links,omitempty"`
	} `json:"storage"`
	Systemd struct {
		Units []types.Unit `json:"units,omitempty"`
	} `json:"systemd"`
}
