package content

import (
	"cmp"
	"path"
	"slices"
)

// Change is what one config does to a path that another one does not.
type Change struct {
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
	// Action is one of Added, Removed and Changed.
	Action Action `json:"action"`
	// What lists, of a change, the aspects that differ: kind, content, mode, owner,
	// target, enablement, mask, overwrite.
	What []string `json:"what,omitempty"`
}

// Action is what happened to a path.
type Action string

// Actions of a Change.
const (
	Added   Action = "added"
	Removed Action = "removed"
	Changed Action = "changed"
)

// Diff compares what two configs make in an image, sorted by path. It tells that
// content differs, never how.
func Diff(before, after *Content) []Change {
	old := map[string]Entry{}
	for _, entry := range before.described() {
		old[entry.Path] = entry
	}
	var changes []Change
	for _, entry := range after.described() {
		was, existed := old[entry.Path]
		delete(old, entry.Path)
		if !existed {
			changes = append(changes, Change{Path: entry.Path, Kind: entry.Kind, Action: Added})
		} else if what := differences(was, entry); len(what) > 0 {
			changes = append(changes, Change{Path: entry.Path, Kind: entry.Kind, Action: Changed, What: what})
		}
	}
	for name, entry := range old {
		changes = append(changes, Change{Path: name, Kind: entry.Kind, Action: Removed})
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return changes
}

// described are the entries, and the states of units as such.
func (c *Content) described() []Entry {
	all := slices.Clone(c.Entries)
	for _, state := range c.UnitStates {
		entry := Entry{Kind: KindUnit, Path: path.Join(unitsDir, state.Name), Enabled: state.Enabled}
		if state.Unmasked {
			entry.Masked = new(bool)
		}
		all = append(all, entry)
	}
	return all
}

func differences(a, b Entry) (what []string) {
	for _, aspect := range []struct {
		name    string
		differs bool
	}{
		{"kind", a.Kind != b.Kind},
		{"content", a.Hash != b.Hash || a.Size != b.Size || a.Appends != b.Appends},
		{"mode", a.Mode != b.Mode},
		{"owner", a.User != b.User || a.Group != b.Group},
		{"target", a.Target != b.Target || a.Hard != b.Hard},
		{"enablement", !equal(a.Enabled, b.Enabled)},
		{"mask", !equal(a.Masked, b.Masked)},
		{"overwrite", a.Overwrite != b.Overwrite},
	} {
		if aspect.differs {
			what = append(what, aspect.name)
		}
	}
	return what
}

func equal(a, b *bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
