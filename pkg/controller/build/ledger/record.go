package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Record is the controller's memory of the newest build attempt of a pool. It
// is kept in an annotation of the pool, because Builds can be pruned at any
// time and the caches may lag: the claim of an attempt, its outcome, and the
// images of earlier inputs have to outlive both.
type Record struct {
	// Build is the name of the attempt's build.
	Build string `json:"build"`
	// Fingerprint identifies the inputs of the attempt.
	Fingerprint string `json:"fingerprint"`
	// Kind is that of the inputs, Identity.Kind, where images of a kind stand in for each
	// other; empty where they do not.
	Kind string `json:"kind,omitempty"`
	// Config is the rendered MachineConfig of the attempt.
	Config string `json:"config"`
	// Attempt counts the attempts at this fingerprint from 1.
	Attempt int `json:"attempt"`
	// Number grows from record to record of the pool, of whichever fingerprint: a record
	// that another's manifest has brought back is told by it from the newest one.
	Number int64 `json:"number,omitempty"`
	// Repository is where the attempt's image is pushed.
	Repository string `json:"repository,omitempty"`
	// Tag is the image's there, and the name of the MachineOSBuild that tells of it; empty
	// where there is none, and the tag is the build's name.
	Tag string `json:"tag,omitempty"`
	// Rebuild is the RebuildMark of the request for a rebuild that was acted on last.
	Rebuild string `json:"rebuild,omitempty"`
	// ClaimedAt is when the attempt was decided on.
	ClaimedAt time.Time `json:"claimedAt"`
	// Before is the mark of what the conditions told when the attempt was claimed: as
	// long as they tell the same, they are of an earlier attempt. See Reported.Mark.
	Before string `json:"before,omitempty"`
	// Versions are those of the settings and the credentials at that time, which
	// do not decide the image, but may decide whether it can be built.
	Versions Versions `json:"versions,omitzero"`

	// Warning says what of the config looks like a credential.
	Warning string `json:"warning,omitempty"`

	// Image is the pullspec, by digest, of an attempt that succeeded.
	Image string `json:"image,omitempty"`
	// Failure is the outcome of an attempt that did not.
	Failure *Failure `json:"failure,omitempty"`

	// History holds images of other inputs, newest first.
	History []PastImage `json:"history,omitempty"`
	// Took is for how many seconds the pool's last builds ran that made an image,
	// newest first.
	Took []int64 `json:"took,omitempty"`
}

// PreBuiltBuild is the name of the build of an image that nobody here built.
const PreBuiltBuild = "pre-built-image"

// Versions tell apart what a build uses and what does not decide its image. It is written
// as one text, key=value with commas in between, in which no value has a comma.
type Versions struct {
	Settings string
	Push     string
	// Pull is empty where no pull Secret is configured, and Entitled where there is no
	// entitled content.
	Pull     string
	Entitled string
	// Surroundings are the proxy and the certificates of registries; empty where there
	// are none.
	Surroundings string
}

// MarshalText implements encoding.TextMarshaler.
func (v Versions) MarshalText() ([]byte, error) {
	text := "settings=" + v.Settings + ",push=" + v.Push
	if v.Pull != "" {
		text += ",pull=" + v.Pull
	}
	if v.Entitled != "" {
		text += ",entitled=" + v.Entitled
	}
	if v.Surroundings != "" {
		text += ",around=" + v.Surroundings
	}
	return []byte(text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. What it does not know it leaves out.
func (v *Versions) UnmarshalText(text []byte) error {
	*v = Versions{}
	for part := range strings.SplitSeq(string(text), ",") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "settings":
			v.Settings = value
		case "push":
			v.Push = value
		case "pull":
			v.Pull = value
		case "entitled":
			v.Entitled = value
		case "around":
			v.Surroundings = value
		}
	}
	return nil
}

// Failure is why an attempt ended without an image.
type Failure struct {
	// Reason and Message are the backend's words.
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
	// Log is the end of the build's log.
	Log string `json:"log,omitempty"`
	// Transient tells that another attempt at the same inputs may succeed.
	Transient bool `json:"transient,omitempty"`
	// Interrupted tells that someone stopped the build on purpose.
	Interrupted bool `json:"interrupted,omitempty"`
	// At is when the attempt ended.
	At time.Time `json:"at"`
}

// PastImage is an image that was built earlier and can be published again
// without a build when its inputs are wanted again.
// It is written as its values, with spaces in between: there are several in each record, and a
// record is written twice for each build.
type PastImage struct {
	Fingerprint string
	Build       string
	// Image is written without the repository where that is the record's.
	Image string
	// Kind is Record.Kind.
	Kind string
}

// MarshalText implements encoding.TextMarshaler. None of the values has a space.
func (p PastImage) MarshalText() ([]byte, error) {
	return []byte(strings.TrimSpace(p.Fingerprint + " " + p.Build + " " + p.Image + " " + p.Kind)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *PastImage) UnmarshalText(text []byte) error {
	values := strings.Fields(string(text))
	if len(values) == 3 {
		values = append(values, "")
	}
	if len(values) != 4 {
		return fmt.Errorf("a past image has %d values instead of fingerprint, build, image and, if there is one, kind", len(values))
	}
	*p = PastImage{values[0], values[1], values[2], values[3]}
	return nil
}

// historyLimit bounds the annotation's size.
const historyLimit = 5

// tookLimit bounds how many durations are kept: enough for a median that one odd
// build does not move, few enough that it follows a pool that grows.
const tookLimit = 5

// ParseRecord reads the annotation's value.
func ParseRecord(text string) (*Record, error) {
	var record Record
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		return nil, fmt.Errorf("could not read build record: %w", err)
	}
	if record.Build == "" || record.Fingerprint == "" || record.Attempt < 1 {
		return nil, errors.New("could not read build record: build, fingerprint or attempt is missing")
	}
	if problems := validation.IsDNS1123Subdomain(record.Build); len(problems) > 0 {
		return nil, fmt.Errorf("could not read build record: %.100q is no name of a build", record.Build)
	}
	if record.Image != "" && !IsByDigest(record.Image) {
		return nil, fmt.Errorf("could not read build record: %.100q is no image by its digest", record.Image)
	}
	if record.Image != "" && record.Failure != nil {
		return nil, errors.New("could not read build record: it tells of an image and of a failure")
	}
	for i := range record.History {
		if past := &record.History[i]; strings.HasPrefix(past.Image, "@") {
			past.Image = record.Repository + past.Image
		}
	}
	record.Number = min(max(record.Number, 0), mostRecords)
	record.Took = slices.DeleteFunc(record.Took, func(seconds int64) bool { return seconds < 0 })
	return &record, nil
}

var byDigest = regexp.MustCompile(`^[^@\s]+@sha256:[0-9a-f]{64}$`)

// IsByDigest tells whether the pullspec names one image for good.
func IsByDigest(pullspec string) bool { return byDigest.MatchString(pullspec) }

// IsIn tells whether the image, by its digest, lies in the repository.
func IsIn(image, repository string) bool {
	name, _, _ := strings.Cut(image, "@")
	return repository != "" && name == repository && IsByDigest(image)
}

// Claimed is the record without an outcome, as it was when its attempt was claimed.
func (r Record) Claimed() Record {
	r.Image, r.Failure = "", nil
	return r
}

// mostRecords is beyond any number of records; whoever writes a larger one ends the count.
const mostRecords = 1 << 50

// NextNumber is that of the record which comes after this one, and is written on the pool of
// that resourceVersion. A pool that opts out and in again begins anew, so that numbers do not
// begin at 1; versions only grow, whereas the next leader's clock may be behind.
func (r *Record) NextNumber(version string) int64 {
	// One that is no number, as of a file, counts for nothing.
	number, _ := strconv.ParseInt(version, 10, 64)
	if r != nil {
		number = max(number, r.Number+1)
	}
	return min(max(number, 1), mostRecords)
}

// RebuildMark stands for a request for a rebuild, which may be any text; empty for none.
func RebuildMark(request string) string {
	if request == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(request))
	return hex.EncodeToString(sum[:5])
}

// RebuildOf is the Rebuild of the record; empty for none.
func (r *Record) RebuildOf() string {
	if r == nil {
		return ""
	}
	return r.Rebuild
}

// String renders the annotation's value.
func (r Record) String() string {
	r.History = slices.Clone(r.History)
	for i := range r.History {
		if past := &r.History[i]; IsIn(past.Image, r.Repository) {
			past.Image = strings.TrimPrefix(past.Image, r.Repository)
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		// Strings, numbers and times within years 0 to 9999 always marshal.
		panic(err)
	}
	return string(text)
}

// IsOfMachineOS tells whether a MachineOSConfig had opted the pool in.
func (r *Record) IsOfMachineOS() bool { return r != nil && r.Tag != "" }

// Succeeded tells whether the record is of an attempt that made an image.
func (r *Record) Succeeded() bool { return r != nil && r.Image != "" }

// Failed tells whether the record is of an attempt that ended without an image.
func (r *Record) Failed() bool { return r != nil && r.Failure != nil }

// Interrupted tells whether the record is of an attempt that somebody ended on purpose.
func (r *Record) Interrupted() bool { return r.Failed() && r.Failure.Interrupted }

// IsOpen tells whether the record is of an attempt that has no outcome yet.
func (r *Record) IsOpen() bool { return r != nil && !r.Succeeded() && !r.Failed() }

// PastImageOf finds the image of the given inputs; nil if there is none.
func (r *Record) PastImageOf(fingerprint string) *PastImage {
	if r == nil {
		return nil
	}
	for i := range r.History {
		if r.History[i].Fingerprint == fingerprint {
			return &r.History[i]
		}
	}
	return nil
}

// NewestOfKind finds the newest image of the kind; nil if there is none.
func (r *Record) NewestOfKind(kind string) *PastImage {
	if r == nil || kind == "" {
		return nil
	}
	if r.Image != "" && r.Kind == kind {
		return &PastImage{Fingerprint: r.Fingerprint, Build: r.Build, Image: r.Image, Kind: kind}
	}
	for i := range r.History {
		if r.History[i].Kind == kind {
			return &r.History[i]
		}
	}
	return nil
}

// Holds tells whether the image is on record, as the newest or a past one.
func (r *Record) Holds(image string) bool {
	return r != nil && (r.Image == image || slices.ContainsFunc(r.History, func(p PastImage) bool { return p.Image == image }))
}

// HistoryFor is the history that a new record for the given inputs inherits:
// this record's image in front, nothing of those inputs themselves.
func (r *Record) HistoryFor(fingerprint string) []PastImage {
	if r == nil {
		return nil
	}
	var history []PastImage
	if r.Image != "" {
		history = append(history, PastImage{Fingerprint: r.Fingerprint, Build: r.Build, Image: r.Image, Kind: r.Kind})
	}
	history = append(history, r.History...)
	history = slices.DeleteFunc(history, func(p PastImage) bool { return p.Fingerprint == fingerprint })
	return history[:min(len(history), historyLimit)]
}

// Inherit adds the images of other records to those that are remembered, newest first.
func (r *Record) Inherit(others []*Record) {
	slices.SortFunc(others, func(x, y *Record) int { return cmp.Compare(y.Number, x.Number) })
	for _, other := range others {
		if other.Fingerprint != r.Fingerprint && r.PastImageOf(other.Fingerprint) == nil && len(r.History) < historyLimit {
			r.History = append(r.History, PastImage{Fingerprint: other.Fingerprint, Build: other.Build, Image: other.Image, Kind: other.Kind})
		}
	}
}

// TookWith are the durations of the record, with another one in front unless it is
// zero.
func (r *Record) TookWith(newest time.Duration) []int64 {
	var took []int64
	if newest > 0 {
		took = append(took, int64(newest/time.Second))
	}
	if r != nil {
		took = append(took, r.Took...)
	}
	return took[:min(len(took), tookLimit)]
}

// Usually is for how long the pool's builds run: the median of the last ones that made
// an image; zero while there were none.
func (r *Record) Usually() time.Duration {
	if r == nil || len(r.Took) == 0 {
		return 0
	}
	return time.Duration(slices.Sorted(slices.Values(r.Took))[len(r.Took)/2]) * time.Second
}

// SameAs compares failures without their time.
func (f *Failure) SameAs(other *Failure) bool {
	if f == nil || other == nil {
		return f == other
	}
	a, b := *f, *other
	a.At, b.At = time.Time{}, time.Time{}
	return a == b
}
