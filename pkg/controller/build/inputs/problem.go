package inputs

import (
	"fmt"
	"strings"
)

// Problem is something wrong with an object that an administrator can mend.
type Problem struct {
	// Object is the object's kind and name, such as "ConfigMap machine-os-builder-config".
	Object string
	// Key is the key or field within the object; empty when the object as a
	// whole is the problem.
	Key string
	// Field tells that the key is a field, see Place.
	Field bool
	// Text says what is wrong and how to mend it, without the object and key.
	Text string
}

// String renders the problem as one sentence for a condition or an event.
func (p Problem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("%s %s", p.Object, p.Text)
	}
	return fmt.Sprintf("%s: %s", Place{Object: p.Object, Key: p.Key, Field: p.Field}, p.Text)
}

// MachineConfigObject is how messages name a rendered MachineConfig.
func MachineConfigObject(name string) string { return "MachineConfig " + name }

// JoinProblems renders all problems as one message, in the given order.
func JoinProblems(problems []Problem) string {
	texts := make([]string, 0, len(problems))
	for _, p := range problems {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, "; ")
}
