package inputs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation"
)

// poolNames has one valid pool name of every length the API accepts, in the
// shapes that are awkward to shorten.
func poolNames() []string {
	var names []string
	for length := 1; length <= validation.DNS1123SubdomainMaxLength; length++ {
		plain := strings.Repeat("a", length)
		names = append(names, plain)
		if length >= 3 {
			names = append(names,
				"a"+strings.Repeat("-", length-2)+"z",
				(strings.Repeat("a.", length))[:length-1]+"z",
			)
		}
	}
	return names
}

// TestL12NamesOfAnyPool: a pool name of 22 or more characters made a label
// value that the API rejects.
func TestL12NamesOfAnyPool(t *testing.T) {
	for _, pool := range poolNames() {
		name := BuildName(pool, "uid", "fingerprint", "nonce", 4)
		require.Empty(t, validation.IsDNS1123Label(name), "name %q of pool %q has to do for pods, volumes and tags", name, pool)
		require.LessOrEqual(t, len(name)+len("-build"), validation.DNS1123LabelMaxLength, "the pod's name is not shortened")
		tagged, err := reference.ParseNamed("registry.example.com/org/repo:" + name)
		require.NoError(t, err, "the name is a tag")
		require.Equal(t, name, tagged.(reference.Tagged).Tag())
		require.Empty(t, validation.IsValidLabelValue(LabelValue(pool)), "label value of pool %q", pool)
	}
}

func TestBuildNameIsUnique(t *testing.T) {
	seen := map[string]string{}
	long := strings.Repeat("a", 200)
	for _, parts := range [][4]string{
		{"worker", "uid", "fp", "n"},
		{"worker", "uid-2", "fp", "n"},
		{"worker", "uid", "fp-2", "n"},
		{"worker", "uid", "fp", "n-2"},
		{"worke", "ruid", "fp", "n"},
		{"a.b", "uid", "fp", "n"},
		{"a-b", "uid", "fp", "n"},
		{long + "1", "uid", "fp", "n"},
		{long + "2", "uid", "fp", "n"},
	} {
		for attempt := 1; attempt <= 2; attempt++ {
			name := BuildName(parts[0], parts[1], parts[2], parts[3], attempt)
			what := fmt.Sprint(parts, attempt)
			require.NotContains(t, seen, name, "%s and %s have the same name", what, seen[name])
			seen[name] = what
			require.Equal(t, name, BuildName(parts[0], parts[1], parts[2], parts[3], attempt), "the name depends on nothing else")
		}
	}
}

func TestLabelValue(t *testing.T) {
	for name, test := range map[string]struct{ reason, text, want string }{
		"valid":     {reason: "what fits stays readable", text: "worker", want: "worker"},
		"empty":     {reason: "an empty value is valid", text: "", want: ""},
		"too long":  {reason: "as much as fits, and a hash of all", text: strings.Repeat("a", 64), want: strings.Repeat("a", 52) + "-" + shortHash(strings.Repeat("a", 64))},
		"not ASCII": {reason: "characters that are not allowed are replaced", text: "pööl", want: "p--l-" + shortHash("pööl")},
		"nothing":   {reason: "what has nothing valid in it is its hash", text: "///", want: shortHash("///")},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, LabelValue(test.text), test.reason)
			require.Empty(t, validation.IsValidLabelValue(LabelValue(test.text)), test.reason)
		})
	}
}

func TestHashOfKeepsPartsApart(t *testing.T) {
	require.NotEqual(t, hashOf("ab", "c"), hashOf("a", "bc"), "a character that moves to the next part is a change")
	require.NotEqual(t, hashOf("a"), hashOf("a", ""), "an empty part is a part")
}
