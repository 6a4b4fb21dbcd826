package constants

import (
	"slices"
	"strconv"
	"strings"
)

var (
	// yes and no are what people write besides what Go's own parser takes.
	yes = []string{"true", "yes", "y", "on", "enable", "enabled"}
	// long are those that still say the same with a slip of the keyboard.
	long = []string{"true", "false", "enable", "enabled", "disable", "disabled"}
	no   = []string{"false", "no", "n", "off", "disable", "disabled", "none", "never", "opt-out"}
)

// Boolean reads a value that is a yes or a no; known is false for one that is neither.
func Boolean(text string) (value, known bool) {
	if value, err := strconv.ParseBool(text); err == nil {
		return value, true
	}
	switch word := strings.ToLower(text); {
	case slices.Contains(yes, word):
		return true, true
	case slices.Contains(no, word):
		return false, true
	}
	if text == "" {
		return false, false
	}
	meant := Meant(text, long)
	return slices.Contains(yes, meant), meant != ""
}

// IsPlainNo tells of a no that every program takes for one.
func IsPlainNo(text string) bool {
	value, err := strconv.ParseBool(text)
	return err == nil && !value
}
