package inputs

import (
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// customValues are the values of variables, as far as the text of a Containerfile tells.
type customValues struct {
	// global are those of ARG before the first FROM, args and env those of the present stage.
	global, args, env map[string]string
}

func newCustomValues() customValues {
	return customValues{global: map[string]string{}, args: map[string]string{}, env: map[string]string{}}
}

// builderArgs have values that depend on the machine that builds.
var builderArgs = map[string]bool{
	"TARGETPLATFORM": true, "TARGETOS": true, "TARGETARCH": true, "TARGETVARIANT": true,
	"BUILDPLATFORM": true, "BUILDOS": true, "BUILDARCH": true, "BUILDVARIANT": true,
}

// inFrom is the value that a FROM sees.
func (v *customValues) inFrom(name string) (string, bool) {
	value, ok := v.global[name]
	return value, ok
}

// inStage is the value that other instructions see.
func (v *customValues) inStage(name string) (string, bool) {
	if value, ok := v.env[name]; ok {
		return value, true
	}
	value, ok := v.args[name]
	return value, ok
}

// begin begins a stage. It has the environment of what it is made from, but no ARG.
func (v *customValues) begin(env map[string]string) {
	v.args, v.env = map[string]string{}, map[string]string{}
	for name, value := range env {
		v.env[name] = value
	}
}

// arg takes ARG name, or name=value. Which names a builder sets is not for a text to say.
func (v *customValues) arg(words []string, global bool) string {
	target, look := v.args, v.inStage
	if global {
		target, look = v.global, v.inFrom
	}
	before := false
	for _, word := range words {
		name, value, given := strings.Cut(word, "=")
		switch {
		case !isVariable(name):
			return "ARG needs the name of a variable, or name=value"
		case given && builderArgs[name]:
			return "ARG sets " + name + ", which only the builder does; use another name"
		case given:
			before = true
			expanded, _, ok := containerfile.Expand(value, look)
			if !ok {
				// Whatever refers to it is refused.
				delete(target, name)
				continue
			}
			target[name] = expanded
		case before:
			return "ARG has a name without a value behind one with a value, which not all builders read in the same way; write an ARG of its own for " + name
		default:
			delete(target, name)
			if inherited, ok := v.global[name]; ok && !global {
				target[name] = inherited
			}
		}
	}
	return ""
}

// setEnv takes ENV name=value. A value that cannot be told is as good as none.
func (v *customValues) setEnv(words []string) {
	values := map[string]string{}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if expanded, unset, ok := containerfile.Expand(value, v.inStage); ok && len(unset) == 0 {
			values[name] = expanded
		} else {
			delete(v.env, name)
			delete(v.args, name)
		}
	}
	for name, value := range values {
		v.env[name] = value
	}
}

func isVariable(name string) bool {
	for n, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (n == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
