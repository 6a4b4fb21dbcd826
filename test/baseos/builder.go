package baseos

import (
	"context"
	"fmt"
)

// installBuildah is done by apt and not by debootstrap, which configures packages in an order in which buildah's fail. A user who is not
// root maps users with two programs that Debian has as setuid root: in a container without the capability to do anything they may not,
// while those with the one capability that each of them needs may. Debian gives the first user numbers that a user namespace of the
// node may not have; from 100000 on they are free. Registries on this machine speak plain HTTP.
const installBuildah = `set -e
apt-get -qq update
apt-get -qq install --yes --no-install-recommends buildah ca-certificates libcap2-bin uidmap
useradd --create-home --uid 1000 --shell /bin/sh builder
echo builder:100000:65536 > /etc/subuid
echo builder:100000:65536 > /etc/subgid
chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap
setcap cap_setuid=ep /usr/bin/newuidmap
setcap cap_setgid=ep /usr/bin/newgidmap
test -s /etc/containers/policy.json
mkdir -p /etc/containers/registries.conf.d
printf '[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n' > /etc/containers/registries.conf.d/loopback.conf
buildah --version`

// fillBuilder adds buildah.
func (opts Options) fillBuilder(ctx context.Context, root, _ string) error {
	if err := opts.inRoot(ctx, root, installBuildah); err != nil {
		return fmt.Errorf("could not install buildah: %w", err)
	}
	return nil
}
