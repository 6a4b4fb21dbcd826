package content

import (
	"cmp"
	"path"
	"slices"
	"strconv"

	"github.com/coreos/ignition/v2/config/util"
	"github.com/coreos/ignition/v2/config/v3_5/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// filter sorts a config into what goes into the image and what does not.
type filter struct {
	content *Content
	object  string
	applied applied
	// accounts are those that the config makes, gone the paths that are left to the node.
	accounts accounts
	gone     map[string]bool
	// instances are the enablement of units that Ignition cannot be given, see presets.go.
	instances instances
	// budget is how much content may still be read.
	budget int64
}

const (
	unitsDir        = "/etc/systemd/system"
	defaultFileMode = 0o644
	defaultDirMode  = 0o755
	rootOwner       = "root"
)

func (f *filter) apply(config *types.Config) *inputs.Problem {
	f.applied.Ignition.Version = f.content.Version
	f.accounts = findAccounts(config.Passwd)
	steps := []func(*types.Config) *inputs.Problem{f.ignition, f.directories, f.files, f.links, f.units, f.users, f.unsupported}
	for _, step := range steps {
		if problem := step(config); problem != nil {
			return problem
		}
	}
	c := f.content
	rest, part, err := separate(f.applied)
	if err == nil {
		c.apart = part
		c.toApply, c.presets, err = f.withoutInstances(rest)
	}
	if err != nil {
		return f.problem("spec.config", "cannot be written as JSON")
	}
	slices.SortStableFunc(c.Entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
	})
	f.derive()
	slices.SortFunc(c.UnitStates, func(a, b UnitState) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Users, func(a, b User) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.LeftOut, func(a, b LeftOut) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
	})
	slices.SortFunc(c.Findings, compareFindings)
	c.Findings = slices.Compact(c.Findings)
	return nil
}

func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
}

func (f *filter) leaveOut(what, why string) {
	f.content.LeftOut = append(f.content.LeftOut, LeftOut{What: what, Why: why})
}

// keeps tells whether something at a path is part of the image, and notes it if not.
func (f *filter) keeps(kind Kind, name string, overwrite bool) bool {
	why := cmp.Or(machineLocal(name), whyMounted(kind, name, overwrite))
	return f.keepsUnless(name, why)
}

// keepsNode does so for what has an owner.
func (f *filter) keepsNode(kind Kind, node types.Node) bool {
	return f.keeps(kind, node.Path, util.IsTrue(node.Overwrite)) &&
		f.keepsUnless(node.Path, cmp.Or(f.accounts.why(node), whyNotCopied(node)))
}

func (f *filter) keepsUnless(name, why string) bool {
	if why == "" {
		return true
	}
	name = path.Clean(name)
	if f.gone == nil {
		f.gone = map[string]bool{}
	}
	f.gone[name] = true
	f.leaveOut(name, why)
	return false
}

// ignition is about how a config is fetched and completed.
func (f *filter) ignition(config *types.Config) *inputs.Problem {
	sources := config.Ignition.Config
	if len(sources.Merge) > 0 || !util.NilOrEmpty(sources.Replace.Source) {
		return f.problem("spec.config.ignition.config", "refers to another config, but a build fetches none; put the content of that config into MachineConfigs")
	}
	const why = "it is for fetching, and a build fetches nothing"
	if len(config.Ignition.Security.TLS.CertificateAuthorities) > 0 {
		f.leaveOut("ignition.security.tls", why)
	}
	proxy := config.Ignition.Proxy
	if proxy.HTTPProxy != nil || proxy.HTTPSProxy != nil || len(proxy.NoProxy) > 0 {
		f.leaveOut("ignition.proxy", why)
	}
	return nil
}

func (f *filter) directories(config *types.Config) *inputs.Problem {
	for _, d := range config.Storage.Directories {
		if !f.keepsNode(KindDirectory, d.Node) {
			continue
		}
		f.applied.Storage.Directories = append(f.applied.Storage.Directories, d)
		entry := nodeEntry(KindDirectory, d.Node, d.Mode, defaultDirMode)
		entry.keep(d.Node, d.Mode)
		f.add(entry)
	}
	return nil
}

func (f *filter) files(config *types.Config) *inputs.Problem {
	for _, file := range config.Storage.Files {
		if !f.keepsNode(KindFile, file.Node) {
			continue
		}
		if file.Contents.Source != nil {
			// The node's agent overwrites whatever the config says, and Ignition would fail.
			file.Overwrite = util.BoolToPtr(true)
		}
		entry := nodeEntry(KindFile, file.Node, file.Mode, defaultFileMode)
		entry.keep(file.Node, file.Mode)
		resources := file.Append
		if file.Contents.Source != nil {
			resources = append([]types.Resource{file.Contents}, file.Append...)
		}
		entry.Appends = file.Contents.Source == nil && len(file.Append) > 0
		if problem := f.read(&entry, resources); problem != nil {
			return problem
		}
		// They are for fetching, and may hold credentials.
		file.Contents.HTTPHeaders = nil
		file.Append = slices.Clone(file.Append)
		for i := range file.Append {
			file.Append[i].HTTPHeaders = nil
		}
		f.applied.Storage.Files = append(f.applied.Storage.Files, file)
		f.add(entry)
	}
	return nil
}

func (f *filter) links(config *types.Config) *inputs.Problem {
	for _, link := range config.Storage.Links {
		if !f.keepsNode(KindLink, link.Node) {
			continue
		}
		target := ""
		if link.Target != nil {
			target = *link.Target
		}
		if why := f.whyNoHardLink(link, target); !f.keepsUnless(link.Path, why) {
			continue
		}
		f.applied.Storage.Links = append(f.applied.Storage.Links, link)
		entry := nodeEntry(KindLink, link.Node, nil, 0)
		entry.Target, entry.Hard = target, util.IsTrue(link.Hard)
		f.add(entry)
	}
	return nil
}

// whyNoHardLink tells why there cannot be a hard link; empty if there can, or it is none.
func (f *filter) whyNoHardLink(link types.Link, target string) string {
	switch {
	case !util.IsTrue(link.Hard):
		return ""
	case machineLocal(target) != "", f.gone[path.Clean("/"+target)]:
		return "it is a hard link to " + shortText(target) + ", which is left to the node"
	case isMounted(target) != isMounted(link.Path):
		return "it is a hard link to " + shortText(target) + ", and something is mounted over one of both while an image is built"
	}
	return ""
}

func (f *filter) add(entry Entry) { f.content.Entries = append(f.content.Entries, entry) }

func nodeEntry(kind Kind, node types.Node, mode *int, defaultMode uint32) Entry {
	entry := Entry{
		Kind: kind, Path: path.Clean(node.Path), Mode: defaultMode, Overwrite: util.IsTrue(node.Overwrite),
		User: owner(node.User.ID, node.User.Name), Group: owner(node.Group.ID, node.Group.Name),
	}
	if mode != nil {
		// Special bits have no effect in the versions that are built.
		entry.Mode = uint32(*mode) & 0o777
	}
	return entry
}

// keep notes what stays of something that the base image has, unless it is overwritten.
func (e *Entry) keep(node types.Node, mode *int) {
	said := func(id *int, name *string) bool { return id != nil || !util.NilOrEmpty(name) }
	e.KeepsMode = !e.Overwrite && mode == nil
	e.KeepsOwner = !e.Overwrite && (!said(node.User.ID, node.User.Name) || !said(node.Group.ID, node.Group.Name))
}

func owner(id *int, name *string) string {
	switch {
	case id != nil:
		return strconv.Itoa(*id)
	case !util.NilOrEmpty(name):
		return *name
	}
	return rootOwner
}
