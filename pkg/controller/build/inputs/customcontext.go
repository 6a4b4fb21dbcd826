package inputs

import (
	"slices"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// What a build reads beside images is our inputs and the Containerfile itself: there is
// nothing of an administrator's.

// wayOut is where files can come from.
const wayOut = "there are no files of yours to copy from: write the file as a heredoc, as in COPY <<EOF /etc/name, copy it from a stage or an image with COPY --from=, or put it into a MachineConfig"

// copyOf checks COPY.
func (c *customCheck) copyOf(n int, i *containerfile.Instruction) string {
	if len(i.Args) < 2 {
		return "COPY needs a source and a destination"
	}
	sources := i.Args[:len(i.Args)-1]
	from := slices.IndexFunc(i.Flags, func(f containerfile.Flag) bool { return f.Name == "from" })
	switch {
	case from < 0 && len(sources) > len(i.Heredocs):
		return "COPY reads from the build context; " + wayOut
	case from < 0:
		return ""
	case len(i.Heredocs) > 0:
		return "COPY has --from and a heredoc, which is of no stage; write one COPY for each"
	case slices.ContainsFunc(i.Flags[from+1:], func(f containerfile.Flag) bool { return f.Name == "from" }):
		return "COPY has more than one flag --from; write one COPY for each"
	}
	flag := i.Flags[from]
	expanded, reason := c.expand(byCopy, flag.Value, c.values.inStage)
	if reason != "" {
		return reason
	}
	name, reason := c.resolve(byCopy, expanded)
	if reason == "" && "--from="+name != i.Text[flag.Start:flag.End] {
		c.edit(n, containerfile.Edit{Start: flag.Start, End: flag.End}, "--from="+name)
	}
	return reason
}

// How messages name the places that refer to a stage or an image.
const (
	byCopy  = "COPY --from"
	byMount = "RUN --mount=from"
)

// add checks ADD, which may fetch from elsewhere.
func (c *customCheck) add(i *containerfile.Instruction) string {
	if len(i.Args) < 2 {
		return "ADD needs a source and a destination"
	}
	heredocs := len(i.Heredocs)
	for _, source := range i.Args[:len(i.Args)-1] {
		if heredocs > 0 && strings.Contains(source, "<<") {
			heredocs--
			continue
		}
		expanded, unset, ok := containerfile.Expand(source, c.values.inStage)
		switch remote := isURL(source) || ok && isURL(expanded); {
		case !remote && strings.HasPrefix(source, "$") && (!ok || len(unset) > 0):
			return "ADD has a source that begins with a variable that nothing in this stage sets; write where it comes from in full, as in ADD https://…"
		case !remote:
			return "ADD reads from the build context; " + wayOut + ", or ADD a URL that begins with https:// or http://"
		case isRepository(source) || ok && isRepository(expanded):
			return "ADD has the URL of a Git repository, which older builders download as a file; clone it in a RUN, or ADD the URL of an archive"
		}
	}
	return ""
}

func isURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// isRepository tells of URLs that newer builders clone.
func isRepository(source string) bool {
	before, _, _ := strings.Cut(source, "#")
	return strings.HasSuffix(before, ".git")
}

// runOf checks RUN.
func (c *customCheck) runOf(n int, i *containerfile.Instruction) string {
	for _, flag := range i.Flags {
		if flag.Name != "mount" {
			continue
		}
		mount, reason := c.mount(flag.Value)
		if reason != "" {
			return reason
		}
		if written := "--mount=" + mount.String(); written != i.Text[flag.Start:flag.End] {
			if strings.ContainsAny(written, " \t\"'\\") {
				return byMount + " has quotes or blanks in its value; do without them"
			}
			c.edit(n, containerfile.Edit{Start: flag.Start, End: flag.End}, written)
		}
	}
	return ""
}
