package content

import (
	"cmp"
	"encoding/json"
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
	steps := []func(*types.Config) *inputs.Problem{f.ignition, f.directories, f.files, f.links, f.units, f.users, f.unsupported}
	for _, step := range steps {
		if problem := step(config); problem != nil {
			return problem
		}
	}
	text, err := json.Marshal(f.applied)
	if err != nil {
		return f.problem("spec.config", "cannot be written as JSON")
	}
	c := f.content
	c.Ignition = text
	if c.toApply, c.presets, err = f.withoutInstances(); err != nil {
		return f.problem("spec.config", "cannot be written as JSON")
	}
	slices.SortStableFunc(c.Entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
	})
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

// keeps tells whether a path is part of the image, and notes it if not.
func (f *filter) keeps(name string) bool {
	why := machineLocal(name)
	if why != "" {
		f.leaveOut(path.Clean(name), why)
	}
	return why == ""
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
		if !f.keeps(d.Path) {
			continue
		}
		f.applied.Storage.Directories = append(f.applied.Storage.Directories, d)
		f.add(nodeEntry(KindDirectory, d.Node, d.Mode, defaultDirMode))
	}
	return nil
}

func (f *filter) files(config *types.Config) *inputs.Problem {
	for _, file := range config.Storage.Files {
		if !f.keeps(file.Path) {
			continue
		}
		entry := nodeEntry(KindFile, file.Node, file.Mode, defaultFileMode)
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
		if !f.keeps(link.Path) {
			continue
		}
		target := ""
		if link.Target != nil {
			target = *link.Target
		}
		if util.IsTrue(link.Hard) && machineLocal(target) != "" {
			f.leaveOut(path.Clean(link.Path), "it is a hard link to "+shortText(target)+", which is left to the node")
			continue
		}
		f.applied.Storage.Links = append(f.applied.Storage.Links, link)
		entry := nodeEntry(KindLink, link.Node, nil, 0)
		entry.Target, entry.Hard = target, util.IsTrue(link.Hard)
		f.add(entry)
	}
	return nil
}

func (f *filter) units(config *types.Config) *inputs.Problem {
	for _, unit := range config.Systemd.Units {
		name := path.Join(unitsDir, unit.Name)
		if !f.keeps(name) {
			continue
		}
		entry := Entry{Kind: KindUnit, Path: name, User: rootOwner, Group: rootOwner, Enabled: unit.Enabled, Masked: unit.Mask}
		if !util.NilOrEmpty(unit.Contents) {
			entry.Mode = defaultFileMode
			f.readText(&entry, *unit.Contents)
		}
		if util.IsTrue(unit.Mask) {
			// A link takes the place of the content.
			entry.Target, entry.Mode, entry.Size, entry.Hash = "/dev/null", 0, 0, ""
		}
		// A unit of the base image that gets drop-ins is no entry of its own.
		if !util.NilOrEmpty(unit.Contents) || unit.Enabled != nil || util.IsTrue(unit.Mask) {
			f.add(entry)
		}
		var dropins []types.Dropin
		for _, dropin := range unit.Dropins {
			name := path.Join(unitsDir, unit.Name+".d", dropin.Name)
			if !f.keeps(name) {
				continue
			}
			dropins = append(dropins, dropin)
			if dropin.Contents == nil {
				continue
			}
			entry := Entry{Kind: KindDropIn, Path: name, Mode: defaultFileMode, User: rootOwner, Group: rootOwner}
			f.readText(&entry, *dropin.Contents)
			f.add(entry)
		}
		unit.Dropins = dropins
		f.note(unit)
		f.applied.Systemd.Units = append(f.applied.Systemd.Units, unit)
	}
	return nil
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

func owner(id *int, name *string) string {
	switch {
	case id != nil:
		return strconv.Itoa(*id)
	case !util.NilOrEmpty(name):
		return *name
	}
	return rootOwner
}
