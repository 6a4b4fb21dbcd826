package content

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/coreos/ignition/v2/config/util"
	"github.com/coreos/ignition/v2/config/v3_5/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// mount is a path that a step of a build has something else mounted over, so that no
// step can write to what the image has there.
type mount struct {
	path string
	// directory tells that it is one.
	directory bool
}

// mounts are those of every builder, and those of volumes, whether there is an object
// for them or not: what a config makes is to be the same when somebody creates it.
var mounts = findMounts()

func findMounts() []mount {
	// Builders give each step the builder's own names and servers. What else they
	// mount is below /run, /proc, /sys and /dev, where an image has nothing.
	found := []mount{{path: "/etc/hosts"}, {path: "/etc/resolv.conf"}}
	all := inputs.Entitled{Entitlement: true, Repositories: true, SigningKeys: true}
	for _, volume := range all.Volumes() {
		found = append(found, mount{path: volume.Path, directory: true})
	}
	return found
}

// isMounted tells whether something is mounted over the path, or over a directory that
// it lies in.
func isMounted(name string) bool {
	name = path.Clean("/" + name)
	for _, m := range mounts {
		if name == m.path || strings.HasPrefix(name, m.path+"/") {
			return true
		}
	}
	return false
}

// whyMounted tells why something of that kind cannot be made at a path because of what
// is mounted; empty if it can. Files and directories can be copied to where something is
// mounted. What has to be removed first cannot, and a link would have the builder mount
// over what it leads to.
func whyMounted(kind Kind, name string, overwrite bool) string {
	name = path.Clean("/" + name)
	for _, m := range mounts {
		below := strings.HasPrefix(name, m.path+"/")
		above := strings.HasPrefix(m.path, strings.TrimSuffix(name, "/")+"/")
		if name != m.path && !below && !above {
			continue
		}
		possible := false
		switch kind {
		case KindFile:
			possible = below && m.directory || name == m.path && !m.directory
		case KindDirectory:
			possible = !overwrite && (above || m.directory)
		case KindLink:
			possible = below && m.directory
		}
		if !possible {
			return "something is mounted over " + m.path + " while an image is built"
		}
	}
	return ""
}

// apart is the part of a config that is applied apart from the rest and then copied, see
// the script mounted.sh.
type apart struct {
	// config is for Ignition; empty if there is no such part.
	config []byte
	// paths has what config makes or links to, a line each, and owners what has owners by
	// name: a line with those and one with the path.
	paths, owners string
}

// separate takes what is mounted over out of the config.
func separate(whole applied) (rest applied, part apart, err error) {
	rest = whole
	rest.Storage.Directories, rest.Storage.Files, rest.Storage.Links = nil, nil, nil
	var taken applied
	taken.Ignition = whole.Ignition
	for _, directory := range whole.Storage.Directories {
		if isMounted(directory.Path) {
			part.add(&directory.Node)
			taken.Storage.Directories = append(taken.Storage.Directories, directory)
		} else {
			rest.Storage.Directories = append(rest.Storage.Directories, directory)
		}
	}
	for _, file := range whole.Storage.Files {
		if isMounted(file.Path) {
			part.add(&file.Node)
			taken.Storage.Files = append(taken.Storage.Files, file)
		} else {
			rest.Storage.Files = append(rest.Storage.Files, file)
		}
	}
	for _, link := range whole.Storage.Links {
		if isMounted(link.Path) {
			part.add(&link.Node)
			if link.Target != nil && util.IsTrue(link.Hard) && !hasControls(*link.Target) {
				// It may be a file of the base image.
				part.bring(path.Clean(*link.Target))
			}
			taken.Storage.Links = append(taken.Storage.Links, link)
		} else {
			rest.Storage.Links = append(rest.Storage.Links, link)
		}
	}
	if part.paths != "" {
		part.config, err = json.Marshal(taken)
	}
	return rest, part, err
}

// bring notes a path of which the script is to bring along what the base image has there.
func (a *apart) bring(name string) {
	if line := name + "\n"; !strings.Contains("\n"+a.paths, "\n"+line) {
		a.paths += line
	}
}

// add notes a node, and takes the names of its owners from it: Ignition would look for
// them where there is no user.
func (a *apart) add(node *types.Node) {
	name := path.Clean(node.Path)
	a.bring(name)
	owner := ""
	if node.User.ID == nil && node.User.Name != nil {
		owner = *node.User.Name
	}
	if node.Group.ID == nil && node.Group.Name != nil && *node.Group.Name != "" {
		owner += ":" + *node.Group.Name
	}
	if owner != "" {
		a.owners += owner + "\n" + name + "\n"
	}
	node.User.Name, node.Group.Name = nil, nil
}

// whyNotCopied tells why a node that is mounted over cannot be handed to the script, which
// reads lines; empty if it can.
func whyNotCopied(node types.Node) string {
	if !isMounted(node.Path) {
		return ""
	}
	if hasControls(node.Path) {
		return "its path is not one that every tool takes"
	}
	for _, name := range []*string{node.User.Name, node.Group.Name} {
		if name != nil && *name != "" && !userName.MatchString(*name) {
			return "its owner's name is not one that every tool takes"
		}
	}
	return ""
}

func hasControls(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' })
}
