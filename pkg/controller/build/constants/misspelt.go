package constants

import "strings"

// Meant guesses which of the names somebody meant who wrote another one; empty if it
// resembles none, or is one of them.
func Meant(written string, names []string) string {
	plain := plainly(written)
	best, least := "", len(written)+1
	for _, name := range names {
		if name == written {
			return ""
		}
		known := plainly(name)
		distance := len(written) + 1
		switch {
		case plain == known:
			distance = 0
		case hasWord(written, name):
			distance = 1
		default:
			if d := editsBetween(plain, known); d <= tolerated(len(known)) {
				distance = 1 + d
			}
		}
		if distance < least {
			best, least = name, distance
		}
	}
	return best
}

// marks are what is easily written in another way. A replacer is expensive to make.
var marks = strings.NewReplacer("-", "", "_", "", ".", "")

func plainly(name string) string { return marks.Replace(strings.ToLower(name)) }

// hasWord tells whether the name is a part of what is written, between marks.
func hasWord(written, name string) bool {
	written = strings.ToLower(written)
	for _, mark := range []string{".", "-", "_"} {
		if strings.HasPrefix(written, name+mark) || strings.HasSuffix(written, mark+name) {
			return true
		}
	}
	return false
}

// tolerated is how many slips of the keyboard a name of that length may have.
func tolerated(length int) int {
	switch {
	case length < 4:
		return 0
	case length < 12:
		return 1
	}
	return 2
}

// editsBetween counts the characters that were left out, added, replaced or swapped with
// their neighbour.
func editsBetween(a, b string) int {
	var before, last []int
	current := make([]int, len(b)+1)
	for j := range current {
		current[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, current = last, current, make([]int, len(b)+1)
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(last[j]+1, current[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
	}
	return current[len(b)]
}
