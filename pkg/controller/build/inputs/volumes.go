package inputs

import "cmp"

// Volume is an object in the operator's namespace that the steps of a build see as
// files, and that leaves nothing in the image.
type Volume struct {
	// Name is the name of the object; exactly one of the kinds is meant.
	Name      string
	ConfigMap bool
	// Path is the directory that the object's keys are files of, read-only.
	Path string
}

// Names of the objects that give a build access to entitled content, and where
// they belong: the paths that subscription-manager and dnf read.
const (
	EntitlementSecretName  = "etc-pki-entitlement"
	RepositoriesConfigName = "etc-yum-repos-d"
	SigningKeysSecretName  = "etc-pki-rpm-gpg"
)

// Entitled tells which of the objects with entitled content exist.
type Entitled struct {
	Entitlement bool
	// EntitlementName is the name of the Secret with the entitlement, where it is another one.
	EntitlementName string
	Repositories    bool
	SigningKeys     bool
}

// EntitlementSecretOf is the Secret with the entitlement that the operator makes for a pool.
func EntitlementSecretOf(pool string) string { return EntitlementSecretName + "-" + pool }

// EntitlementSecret is the name of the Secret with the entitlement.
func (e Entitled) EntitlementSecret() string { return cmp.Or(e.EntitlementName, EntitlementSecretName) }

// Volumes are the volumes for what exists. They are not part of the fingerprint:
// an entitlement is renewed every few weeks and says nothing of the image.
func (e Entitled) Volumes() []Volume {
	var volumes []Volume
	if e.Entitlement {
		volumes = append(volumes, Volume{Name: e.EntitlementSecret(), Path: "/etc/pki/entitlement"})
	}
	if e.Repositories {
		volumes = append(volumes, Volume{Name: RepositoriesConfigName, ConfigMap: true, Path: "/etc/yum.repos.d"})
	}
	if e.SigningKeys {
		volumes = append(volumes, Volume{Name: SigningKeysSecretName, Path: "/etc/pki/rpm-gpg"})
	}
	return volumes
}

// ExtensionsRepository is the definition of the repository in the extensions image,
// for administrators whose own definitions hide the one that the build writes. It
// is absent from other steps, so it has to be skippable.
const ExtensionsRepository = "[coreos-extensions]\nname=CoreOS extensions\nenabled=1\ngpgcheck=0\nskip_if_unavailable=1\n" +
	"baseurl=file:///run/extensions/usr/share/rpm-ostree/extensions/\n"

// ExtensionsRepositoryKey is the key that ExtensionsRepository has to have.
const ExtensionsRepositoryKey = "coreos-extensions.repo"

// CheckRepositories looks for a conflict between entitled repositories and
// packages: a volume is read-only, so the build cannot add the repository of the
// extensions image to it. The keys are those of the ConfigMap.
func (e Entitled) CheckRepositories(packages Packages, keys []string) *Problem {
	if !e.Repositories || !packages.Any() {
		return nil
	}
	for _, key := range keys {
		if key == ExtensionsRepositoryKey {
			return nil
		}
	}
	return &Problem{
		Object: "ConfigMap " + RepositoriesConfigName, Key: ExtensionsRepositoryKey,
		Text: "is missing; extensions and kernel types come from a repository that has to be among yours: add the key with baseurl=file:///run/extensions/usr/share/rpm-ostree/extensions/, gpgcheck=0 and skip_if_unavailable=1",
	}
}
