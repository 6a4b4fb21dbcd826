package inputs

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// mountKind is a type of RUN --mount, with what the oldest and the newest supported builder
// both take for it (buildah's internal/parse and internal/volumes).
type mountKind struct {
	name string
	// flags are options that have no value, and values those that have one.
	flags, values []string
	// needs is the option without which builders refuse it: in the words of a message, and with
	// the names that it goes by.
	needs   string
	neededs []string
	// missing is what builds are given none of; empty for what needs nothing.
	missing string
}

var (
	targets     = []string{"target", "dst", "destination"}
	propagation = []string{"shared", "rshared", "private", "rprivate", "slave", "rslave"}
	readOnly    = []string{"ro", "readonly"}
	harmless    = []string{"nosuid", "nodev", "noexec"}

	mountKinds = []mountKind{
		{
			name: "bind", needs: "a target", neededs: targets,
			flags:  slices.Concat([]string{"bind-nonrecursive", "U", "Z", "z", "rw", "readwrite"}, readOnly, harmless, propagation),
			values: slices.Concat([]string{"from", "source", "src", "bind-propagation", "consistency"}, targets),
		},
		{
			name: "cache", needs: "a target", neededs: targets,
			flags:  slices.Concat([]string{"U", "Z", "z"}, readOnly, harmless, propagation),
			values: slices.Concat([]string{"id", "from", "source", "src", "sharing", "mode", "uid", "gid"}, targets),
		},
		{
			name: "tmpfs", needs: "a target", neededs: targets,
			flags:  slices.Concat([]string{"tmpcopyup"}, readOnly, harmless),
			values: slices.Concat([]string{"tmpfs-size", "tmpfs-mode"}, targets),
		},
		{
			name: "secret", needs: "an id", neededs: []string{"id"}, missing: "a secret",
			values: slices.Concat([]string{"id", "required", "mode", "uid", "gid"}, targets),
		},
		{
			name: "ssh", missing: "an agent",
			values: slices.Concat([]string{"id", "required", "mode", "uid", "gid"}, targets),
		},
	}

	// wordsOf are the values of options that have few.
	wordsOf = map[string][]string{"sharing": {"shared", "locked"}, "bind-propagation": propagation}

	octal   = regexp.MustCompile(`^[0-7]{1,11}$`)
	decimal = regexp.MustCompile(`^[0-9]{1,9}$`)
)

// mount checks the value of --mount, and writes out what it refers to.
func (c *customCheck) mount(value string) (containerfile.Mount, string) {
	if strings.ContainsAny(value, " \t\"'\\") {
		return nil, "RUN --mount has quotes or blanks in its value; do without them"
	}
	mount := containerfile.ParseMount(value)
	if reason := namesOf(mount); reason != "" {
		return nil, "RUN --mount has " + reason
	}
	name, typed := mount.Get("type")
	if !typed {
		name = "bind"
	}
	at := slices.IndexFunc(mountKinds, func(k mountKind) bool { return k.name == name })
	if at < 0 {
		names := make([]string, 0, len(mountKinds))
		for _, kind := range mountKinds {
			names = append(names, kind.name)
		}
		return nil, "RUN --mount has a type that builders do not know; they know " + strings.Join(names, ", ")
	}
	from := slices.IndexFunc(mount, func(o containerfile.MountOption) bool { return o.Key == "from" })
	if from < 0 && name == "bind" {
		return nil, "RUN --mount without from= mounts the build context; " + wayOut
	}
	if reason := mountKinds[at].check(mount); reason != "" {
		return nil, "RUN --mount=type=" + name + " " + reason
	}
	if from < 0 {
		return mount, ""
	}
	expanded, reason := c.expand(byMount, mount[from].Value, c.values.inStage)
	if reason != "" {
		return nil, reason
	}
	if mount[from].Value, reason = c.resolve(byMount, expanded); reason == "" && name == "cache" && c.images[mount[from].Value] {
		reason = "RUN --mount=type=cache refers to an image, and a cache can only begin with files of a stage; begin a stage with FROM that image AS a name, and refer to that"
	}
	return mount, reason
}

// namesOf tells what is wrong with the names of the options, whatever the type.
func namesOf(mount containerfile.Mount) string {
	seen := map[string]bool{}
	for _, option := range mount {
		switch lower := strings.ToLower(option.Key); {
		case seen[option.Key]:
			return "an option twice; leave one of them away"
		case (lower == "from" || lower == "type") && (option.Key != lower || option.Value == ""):
			return "an option " + lower + " that builders do not know; write it in lower case, with a value"
		case strings.Contains(option.Key, "$"):
			return "a variable in place of the name of an option; write it in full"
		}
		seen[option.Key] = true
	}
	return ""
}

// check tells what builders would refuse, when the step's turn comes.
func (k *mountKind) check(mount containerfile.Mount) string {
	for _, option := range mount {
		if option.Key == "type" {
			continue
		}
		if reason := k.option(option); reason != "" {
			return reason
		}
	}
	has := func(name string) bool { _, ok := mount.Get(name); return ok }
	if k.needs != "" && !slices.ContainsFunc(k.neededs, has) {
		return "needs " + k.needs
	}
	return ""
}

func (k *mountKind) option(option containerfile.MountOption) string {
	flag := slices.Contains(k.flags, option.Key)
	switch name := named(option.Key); {
	case !flag && !slices.Contains(k.values, option.Key):
		return "has the option " + name + ", which not all builders know; they know " + strings.Join(slices.Concat(k.values, k.flags), ", ")
	case flag && option.Given:
		return "has a value behind the option " + name + ", which newer builders refuse; leave it away"
	case flag:
		return ""
	case option.Value == "":
		return "has the option " + name + " without a value"
	}
	return k.value(option.Key, option.Value)
}

// value checks the value of an option. One with a variable in it is not known here.
func (k *mountKind) value(name, value string) string {
	if strings.Contains(value, "$") {
		return ""
	}
	words, few := wordsOf[name]
	switch {
	case few && !slices.Contains(words, value):
		return "has another value of " + name + " than builders know; they know " + strings.Join(words, ", ")
	case name == "mode" && !octal.MatchString(value):
		return "has a value of mode that is no octal number"
	case (name == "uid" || name == "gid") && !decimal.MatchString(value):
		return "has a value of " + name + " that is no number"
	case name == "required":
		required, err := strconv.ParseBool(value)
		if err != nil {
			return "has a value of required that is neither true nor false"
		}
		if required {
			return "needs " + k.missing + ", and builds are given none; leave required away if the step can do without"
		}
	}
	return ""
}
