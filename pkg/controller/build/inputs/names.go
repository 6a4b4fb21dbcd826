package inputs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	namePrefix      = "machine-os-"
	longestPoolPart = 28
	hashLength      = 10
)

// BuildName names one attempt: the pool for people, a hash for uniqueness, the
// attempt for both. The nonce is whatever makes this attempt different from an
// earlier one of the same pool and fingerprint, so that no name is ever used
// twice: an OpenShift Build whose predecessor's pod still terminates fails.
//
// The name has at most 58 characters of [a-z0-9-], so the name of the build's
// pod, the name of a pod volume and the tag of the image can be made from it
// without being shortened.
func BuildName(pool, poolUID, fingerprint, nonce string, attempt int) string {
	return fmt.Sprintf("%s%s-%s-%d", namePrefix, poolPart(pool), shortHash(pool, poolUID, fingerprint, nonce), attempt)
}

// poolPart shortens a pool's name to what a DNS label allows.
func poolPart(pool string) string {
	part := strings.ReplaceAll(pool, ".", "-")
	if len(part) > longestPoolPart {
		part = part[:longestPoolPart]
	}
	return strings.TrimRight(part, "-")
}

// LabelValue returns the text itself when it is a valid label value, else as
// much of it as fits, made unique by a hash.
func LabelValue(text string) string {
	if len(validation.IsValidLabelValue(text)) == 0 {
		return text
	}
	const longestHead = validation.LabelValueMaxLength - hashLength - 1
	head := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '-'
	}, text)
	if len(head) > longestHead {
		head = head[:longestHead]
	}
	head = strings.Trim(head, "-._")
	if head == "" {
		return shortHash(text)
	}
	return head + "-" + shortHash(text)
}

// DataVersion tells two contents of a ConfigMap apart.
func DataVersion(data map[string]string) string {
	parts := make([]string, 0, 2*len(data))
	for _, key := range slices.Sorted(maps.Keys(data)) {
		parts = append(parts, key, data[key])
	}
	return shortHash(parts...)
}

// shortHash hashes the parts so that no two lists of parts look alike.
func shortHash(parts ...string) string {
	return hashOf(parts...)[:hashLength]
}

// hashOf is the SHA-256, in hexadecimal, of the parts, each preceded by its
// length so that moving a character from one part to the next changes it.
func hashOf(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		// A hash takes whatever is written to it.
		_, _ = fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
