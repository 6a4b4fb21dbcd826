package containerfile

import "strings"

// Stage is what begins at a FROM.
type Stage struct {
	// Name is empty for a stage without one.
	Name string
	// Base is the stage or image that it is made from.
	Base string
	// From is the index of its FROM among the instructions, and End that behind its last one.
	From, End int
}

// Stages are all stages. What comes before the first is of none.
func (f *File) Stages() []Stage {
	var stages []Stage
	for n := range f.Instructions {
		i := &f.Instructions[n]
		if i.Name == "from" {
			stage := Stage{From: n}
			if len(i.Args) > 0 {
				stage.Base = i.Args[0]
			}
			if len(i.Args) == 3 {
				stage.Name = i.Args[2]
			}
			stages = append(stages, stage)
		}
		if len(stages) > 0 {
			stages[len(stages)-1].End = n + 1
		}
	}
	return stages
}

// stageBefore finds a stage by name among those before the one with the index. Of two with
// one name it is the later; -1 for none.
func stageBefore(stages []Stage, index int, name string) int {
	for n := index - 1; n >= 0; n-- {
		if stages[n].Name == name && name != "" {
			return n
		}
	}
	return -1
}

// Root follows the last stage down to the one that it is made from in the end, and returns
// that and all on the way, the last one first.
func (f *File) Root() []Stage {
	stages := f.Stages()
	var way []Stage
	for n := len(stages) - 1; n >= 0; n = stageBefore(stages, n, stages[n].Base) {
		way = append(way, stages[n])
	}
	return way
}

// Reference is a place that names a stage or an image.
type Reference struct {
	// Name is as builders read it, without quotes. Variables are as they were written.
	Name string
	// By is how messages name the place.
	By string
	// Index is that of the instruction.
	Index int
}

// Names of the places.
const (
	byFrom  = "FROM"
	byCopy  = "COPY --from"
	byMount = "RUN --mount"
)

// References are all places that name a stage or an image, in their order.
func (f *File) References() []Reference {
	var found []Reference
	for n := range f.Instructions {
		i := &f.Instructions[n]
		if i.Name == "from" && len(i.Args) > 0 {
			found = append(found, Reference{Name: i.Args[0], By: byFrom, Index: n})
		}
		for _, flag := range i.Flags {
			switch {
			case i.Name == "copy" && flag.Name == "from":
				found = append(found, Reference{Name: flag.Value, By: byCopy, Index: n})
			case i.Name == "run" && flag.Name == "mount":
				if from, ok := ParseMount(flag.Value).Get("from"); ok {
					found = append(found, Reference{Name: from, By: byMount, Index: n})
				}
			}
		}
	}
	return found
}

// Image is an image that a build pulls.
type Image struct {
	Pullspec string
	// Ahead tells that builders pull it before they build anything.
	Ahead bool
}

// Scratch is what a stage is made from that is made from nothing.
const Scratch = "scratch"

// Images are all images that a Containerfile without variables names, each once.
func (f *File) Images() []Image {
	stages := f.Stages()
	var images []Image
	known := map[string]int{}
	for _, reference := range f.References() {
		stage := 0
		for stage+1 < len(stages) && stages[stage+1].From <= reference.Index {
			stage++
		}
		if reference.Name == Scratch || stageBefore(stages, stage, reference.Name) >= 0 {
			continue
		}
		n, ok := known[reference.Name]
		if !ok {
			n = len(images)
			known[reference.Name] = n
			images = append(images, Image{Pullspec: reference.Name})
		}
		images[n].Ahead = images[n].Ahead || reference.By != byMount
	}
	return images
}

// Mount is the value of a flag --mount.
type Mount []MountOption

// MountOption is a part of it.
type MountOption struct {
	Key, Value string
	Given      bool
}

// ParseMount splits a value.
func ParseMount(value string) Mount {
	var mount Mount
	for part := range strings.SplitSeq(value, ",") {
		key, value, given := strings.Cut(part, "=")
		mount = append(mount, MountOption{Key: key, Value: value, Given: given})
	}
	return mount
}

// Get is the value of an option.
func (m Mount) Get(key string) (string, bool) {
	for _, option := range m {
		if option.Key == key {
			return option.Value, true
		}
	}
	return "", false
}

// String is the value as it is written, with the type in front, where the oldest builder
// looks for it.
func (m Mount) String() string {
	kind := "bind"
	var parts []string
	for _, option := range m {
		switch {
		case option.Key == "type":
			kind = option.Value
		case option.Given:
			parts = append(parts, option.Key+"="+option.Value)
		default:
			parts = append(parts, option.Key)
		}
	}
	return strings.Join(append([]string{"type=" + kind}, parts...), ",")
}
