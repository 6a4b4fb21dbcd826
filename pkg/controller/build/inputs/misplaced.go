package inputs

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// What is in an object, and where nobody looks. A key that counts holds the build up when
// its value cannot be read; one that does not count is announced, and holds up nothing.

// ReadSettings is ParseSettings of the whole ConfigMap: a setting that arrived as binary
// data is a problem, and not absent.
func ReadSettings(configMap *corev1.ConfigMap) (Settings, []Problem) {
	settings, found := ParseSettings(configMap.Data)
	if len(configMap.BinaryData) == 0 {
		return settings, found
	}
	var problems []Problem
	binary := false
	for _, key := range knownKeys {
		if content, ok := configMap.BinaryData[key]; ok {
			binary = true
			problems = append(problems, Problem{Object: ConfigMapObject, Key: key, Text: describeBinary(content)})
			continue
		}
		for _, problem := range found {
			if problem.Key == key {
				problems = append(problems, problem)
			}
		}
	}
	if !binary {
		return settings, found
	}
	return Settings{Limits: DefaultLimits()}, problems
}

// ReadCustom is ParseCustom of the pool's key of the ConfigMap, nil for none. Text that
// arrived as binary data is a problem, and not absent.
func ReadCustom(pool string, configMap *corev1.ConfigMap) (Custom, *Problem) {
	if configMap == nil {
		return Custom{}, nil
	}
	if content, ok := configMap.BinaryData[pool]; ok {
		return Custom{}, &Problem{Object: CustomObject, Key: pool, Text: describeBinary(content)}
	}
	return ParseCustom(pool, configMap.Data[pool])
}

// describeBinary says why the content of a key is not text that can be read, and how it
// becomes that. Clients put into binaryData what is not UTF-8.
func describeBinary(content []byte) string {
	const again = "; save the file as UTF-8, and create the ConfigMap from it again"
	const is = "is binary data (binaryData), and only text is read: "
	switch {
	case len(content) == 0:
		return is + "it is empty; remove the key there, and write text under data"
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}), bytes.HasPrefix(content, []byte{0xfe, 0xff}):
		return is + "it is UTF-16, which some editors call Unicode" + again
	case bytes.HasPrefix(content, []byte{0x1f, 0x8b}):
		return is + "it is compressed with gzip; create the ConfigMap again from what it is made of"
	case utf8.Valid(content):
		return is + "it is text all the same; move it from binaryData to data, decoded from base64"
	}
	at := 0
	for at < len(content) {
		r, size := utf8.DecodeRune(content[at:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		at += size
	}
	return fmt.Sprintf("%sthe byte 0x%02x in line %d is not UTF-8%s", is, content[at], 1+bytes.Count(content[:at], []byte("\n")), again)
}

// KeysOf are the keys of a ConfigMap, wherever their values are, in order.
func KeysOf(configMap *corev1.ConfigMap) []string {
	keys := slices.Collect(maps.Keys(configMap.Data))
	keys = slices.AppendSeq(keys, maps.Keys(configMap.BinaryData))
	slices.Sort(keys)
	return keys
}

// oneLine names keys in a message. An API server takes no characters in them that a line could
// not have, a file may have any.
func oneLine(keys []string) string {
	names := make([]string, 0, len(keys))
	for _, key := range keys {
		names = append(names, safe(key))
	}
	return fmt.Sprintf("%.500s", strings.Join(names, ", "))
}

// UnknownKeys returns the keys of the ConfigMap with settings that mean nothing, in
// order. A misspelt key would otherwise be ignored without a word.
func UnknownKeys(configMap *corev1.ConfigMap) []string {
	return slices.DeleteFunc(KeysOf(configMap), func(key string) bool { return slices.Contains(knownKeys, key) })
}

// IgnoredSettings says which keys of the ConfigMap mean nothing; nil for none.
func IgnoredSettings(configMap *corev1.ConfigMap) *Problem {
	unknown := UnknownKeys(configMap)
	if len(unknown) == 0 {
		return nil
	}
	return &Problem{Object: ConfigMapObject, Text: fmt.Sprintf("has keys that mean nothing and are ignored: %s; the known ones are %s",
		oneLine(unknown), strings.Join(knownKeys, ", "))}
}

// IgnoredCustom says which keys of the ConfigMap with custom content are no pool's; nil
// for none. The pools are all that there are.
func IgnoredCustom(configMap *corev1.ConfigMap, pools []string) *Problem {
	var ignored []string
	for _, key := range KeysOf(configMap) {
		if !slices.Contains(pools, key) {
			ignored = append(ignored, safe(key)+hintAt(key, pools))
		}
	}
	if len(ignored) == 0 {
		return nil
	}
	return &Problem{Object: CustomObject, Text: fmt.Sprintf("has keys that are the name of no MachineConfigPool and are ignored: %.500s; %s", strings.Join(ignored, ", "), thePools(pools))}
}

// UnusedCustom says of one key of the ConfigMap with custom content that it is no pool's.
func UnusedCustom(key string, pools []string) string {
	return fmt.Sprintf("has a key %q, and there is no pool of that name%s; %s", key, hintAt(key, pools), thePools(pools))
}

func thePools(pools []string) string {
	if len(pools) == 0 {
		return "there are no pools"
	}
	pools = slices.Sorted(slices.Values(pools))
	return fmt.Sprintf("the pools are %.1000s", strings.Join(pools, ", "))
}

func hintAt(key string, pools []string) string {
	if meant := constants.Meant(key, pools); meant != "" {
		return " (is " + meant + " meant?)"
	}
	return ""
}

// RepositoriesObject is how messages name the ConfigMap with repositories.
const RepositoriesObject = "ConfigMap " + RepositoriesConfigName

// IgnoredRepositories says which keys of the ConfigMap no package manager reads; nil for
// none.
func IgnoredRepositories(configMap *corev1.ConfigMap) *Problem {
	ignored := slices.DeleteFunc(KeysOf(configMap), func(key string) bool { return strings.HasSuffix(key, ".repo") })
	if len(ignored) == 0 {
		return nil
	}
	return &Problem{Object: RepositoriesObject, Text: fmt.Sprintf("has keys that dnf does not read: %s; the names of definitions of repositories end with .repo", oneLine(ignored))}
}
