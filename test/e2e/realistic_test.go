package e2e

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// realistic is a config as large and as mixed as the operator renders them, and what is
// known of it without reading it as the controller does.
type realistic struct {
	files, directories, links, units []object
	// text is the content at each path that is in the image, kept whether it is.
	text map[string]string
	// outside are paths that are left to the node.
	outside map[string]bool
}

// siteCA is a certificate authority of the config's own, which the base image's tool takes
// for trusted without looking at it.
const siteCA = "-----BEGIN CERTIFICATE-----\nc2l0ZQ==\n-----END CERTIFICATE-----\n"

// newRealistic makes the config of a pool on a platform; number tells pools apart.
func newRealistic(platform string, number int) *realistic {
	r := &realistic{text: map[string]string{}, outside: map[string]bool{}}
	r.operatorsFiles(platform)
	r.difficultFiles(number)
	for i := 0; len(r.files) < 88+3*number; i++ {
		r.file(fmt.Sprintf("/etc/site.d/%s/%02d.conf", platform, i), []int{0o644, 0o600, 0o640, 0o755}[i%4], strings.Repeat(fmt.Sprintf("%s %d\n", platform, i), 1+i*i))
	}
	r.nodes()
	r.operatorsUnits(number)
	return r
}

func (r *realistic) config(number int) object {
	return object{
		"ignition": object{"version": []string{"3.4.0", "3.2.0", "3.5.0", "3.1.0"}[number%4]},
		"passwd": object{
			"users":  []object{{"name": "core", "sshAuthorizedKeys": []string{sshKey}}, {"name": "app", "shell": "/sbin/nologin"}},
			"groups": []object{{"name": "team"}},
		},
		"storage": object{"files": r.files, "directories": r.directories, "links": r.links},
		"systemd": object{"units": r.units},
	}
}

// file adds one, encoded in one of three ways.
func (r *realistic) file(name string, mode int, text string) object {
	encoded := plain(text)
	switch len(r.files) % 3 {
	case 1:
		encoded = zipped(text)
	case 2:
		encoded = object{"source": "data:," + url.PathEscape(text)}
	}
	item := object{"path": name, "mode": mode, "overwrite": true, "contents": encoded}
	r.files = append(r.files, item)
	r.text[name] = text
	return item
}

// left adds a file that is left to the node.
func (r *realistic) left(name, text string) object {
	item := r.file(name, 0o644, text)
	delete(r.text, name)
	r.outside[name] = true
	return item
}

// operatorsFiles are at paths that rendered configs have.
func (r *realistic) operatorsFiles(platform string) {
	for _, name := range strings.Fields(`
		/etc/NetworkManager/conf.d/99-keyfiles.conf /etc/NetworkManager/conf.d/sdn.conf /etc/NetworkManager/conf.d/20-keyfiles.conf
		/etc/NetworkManager/dispatcher.d/90-long-hostname /etc/audit/rules.d/mco-audit-quiet-containers.rules
		/etc/containers/policy.json /etc/containers/registries.conf /etc/containers/storage.conf /etc/crio/crio.conf.d/00-default
		/etc/kubernetes/apiserver-url.env /etc/kubernetes/ca.crt /etc/kubernetes/cloud.conf /etc/kubernetes/kubelet-ca.crt /etc/kubernetes/kubelet.conf
		/etc/kubernetes/cni/net.d/.dummy /etc/mco/proxy.env /etc/modules-load.d/iptables.conf /etc/modprobe.d/firewall.conf
		/etc/nodeip-configuration /etc/ostree/auth.info /etc/ssh/sshd_config.d/10-mco.conf /etc/sysconfig/orphaned.conf
		/etc/sysctl.d/arp.conf /etc/sysctl.d/gc-thresh.conf /etc/sysctl.d/inotify.conf /etc/sysctl.d/enable-userfaultfd.conf /etc/sysctl.d/vm-max-map.conf
		/etc/systemd/system.conf.d/10-default-env-godebug.conf /etc/systemd/system.conf.d/kubelet-cgroups.conf /etc/tmpfiles.d/cleanup-cni.conf
		/etc/tmpfiles.d/nm.conf /etc/udev/rules.d/70-persistent.rules /etc/vmware-tools/tools.conf /etc/chrony.conf`) {
		r.file(name, 0o644, "# "+platform+"\n"+name+"\n")
	}
	for _, name := range strings.Fields(`
		/usr/local/bin/configure-ip-forwarding.sh /usr/local/bin/configure-ovs.sh /usr/local/bin/mco-hostname /usr/local/sbin/set-valid-hostname.sh
		/usr/local/bin/nm-clean-initrd-state.sh /usr/local/bin/recover-kubeconfig.sh /var/lib/kubelet/config.json /etc/mco/internal-registry-pull-secret.json
		/etc/machine-config-daemon/node-annotations.json /root/.profile /opt/site/tool /etc/hostname /etc/pki/ca-trust/extracted/site.pem`) {
		r.left(name, "#!/bin/sh\n# "+name+"\n")
	}
	// Every rendered config has this one.
	r.file("/etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt", 0o600, "# the operator's\n"+siteCA)["overwrite"] = true
}

// difficultFiles are those that builds failed on.
func (r *realistic) difficultFiles(number int) {
	r.file("/etc/hosts", 0o644, "127.0.0.1 localhost\n192.0.2.1 api.example.com\n")
	r.file("/etc/resolv.conf", 0o640, "nameserver 192.0.2.53\n")["group"] = object{"name": "adm"}
	r.file("/etc/pki/entitlement/site.pem", 0o600, "a certificate\n")
	r.file("/etc/pki/rpm-gpg/RPM-GPG-KEY-site", 0o644, "a key\n")["user"] = object{"id": 7}
	r.file("/etc/yum.repos.d/redhat.repo", 0o600, "[site]\n")["overwrite"] = false
	r.file("/etc/yum.repos.d/site.repo", 0o644, "[site]\n")["user"] = object{"name": "mail"}
	r.file("/etc/pki/ca-trust/source/anchors/corp.crt", 0o644, siteCA)
	r.file("/etc/ld.so.conf.d/site.conf", 0o644, "/usr/lib/site\n")
	r.file("/etc/base-file", 0o644, "new\n")["overwrite"] = false
	r.file("/etc/owned", 0o440, "x")["user"] = object{"name": "mail"}
	r.file("/etc/systemd/system-preset/10-site.preset", 0o644, "enable preset.service\ndisable base-disabled.service\n")
	r.left("/etc/of-app", "x")["user"] = object{"name": "app"}
	r.left("/etc/of-team", "x")["group"] = object{"name": "team"}
	// What has no content of its own is as large as the base image's.
	r.files = append(r.files,
		object{"path": "/etc/base-mode", "mode": 0o600},
		object{"path": "/etc/base-appended", "mode": 0o644, "append": []object{plain("1\n"), zipped("2\n")}},
		object{"path": "/etc/pki/rpm-gpg/base-appended", "mode": 0o644, "append": []object{plain("3\n")}},
		object{"path": "/etc/base-kept", "append": []object{plain("4\n")}},
		object{"path": "/etc/empty"},
	)
	r.text["/etc/base-mode"], r.text["/etc/base-appended"], r.text["/etc/pki/rpm-gpg/base-appended"], r.text["/etc/base-kept"], r.text["/etc/empty"] = "base\n", "base\n1\n2\n", "base\n3\n", "base\n4\n", ""
	if number%2 == 1 {
		r.file("/etc/etc-like/"+strings.Repeat("long/", 20)+"name with blanks é", 0o644, "x")
	}
}

func (r *realistic) nodes() {
	r.directories = append(r.directories,
		object{"path": "/etc/site", "mode": 0o750, "group": object{"name": "adm"}}, object{"path": "/etc/yum.repos.d/sub", "mode": 0o700},
		object{"path": "/var/lib/site"}, object{"path": "/etc/yum.repos.d"}, object{"path": "/etc/pki"}, object{"path": "/etc/pki/rpm-gpg", "overwrite": true})
	r.outside["/var/lib/site"], r.outside["/etc/pki/rpm-gpg"] = true, true
	r.links = append(r.links,
		object{"path": "/etc/localtime", "target": "../usr/share/zoneinfo/UTC", "overwrite": true},
		object{"path": "/etc/yum.repos.d/link.repo", "target": "site.repo"},
		object{"path": "/etc/pki/rpm-gpg/hard", "target": "/etc/pki/rpm-gpg/base-linked", "hard": true},
		object{"path": "/etc/hard", "target": "/etc/owned", "hard": true},
		object{"path": "/etc/hard-to-app", "target": "/etc/of-app", "hard": true}, object{"path": "/etc/hard-to-hosts", "target": "/etc/hosts", "hard": true})
	r.text["/etc/hard"], r.text["/etc/pki/rpm-gpg/hard"] = "x", "base\n"
	r.outside["/etc/hard-to-app"], r.outside["/etc/hard-to-hosts"] = true, true
}

// operatorsUnits are as rendered configs have them.
func (r *realistic) operatorsUnits(number int) {
	unit := func(name string, fields object) {
		fields["name"] = name
		r.units = append(r.units, fields)
		if text, ok := fields["contents"].(string); ok && text != "" && fields["mask"] != true {
			r.text[path.Join("/etc/systemd/system", name)] = text
		}
		dropins, _ := fields["dropins"].([]object)
		for _, dropin := range dropins {
			if text, ok := dropin["contents"].(string); ok {
				r.text[path.Join("/etc/systemd/system", name+".d", dropin["name"].(string))] = text
			}
		}
	}
	for _, name := range strings.Fields("kubelet crio-wipe node-valid-hostname machine-config-daemon-pull machine-config-daemon-firstboot ovs-configuration nmstate-configuration wait-for-primary-ip rpm-ostreed-site afterburn-hostname") {
		unit(name+".service", object{"enabled": true, "contents": service})
	}
	for _, name := range strings.Fields("kubens kubelet-cleanup disable-mglru nodeip-configuration aws-kubelet-nodename") {
		unit(name+".service", object{"enabled": false, "contents": service})
	}
	for _, name := range strings.Fields("crio ovs-vswitchd ovsdb-server pivot rpm-ostreed zincati docker") {
		unit(name+".service", object{"dropins": []object{{"name": "10-mco-default-env.conf", "contents": "[Service]\nEnvironment=A=" + name + "\n"}, {"name": "20-none.conf"}, {"name": "30-empty.conf", "contents": ""}}})
	}
	unit("openvswitch.service", object{"enabled": false})
	unit("base-enabled.service", object{"enabled": true})
	unit("base-masked.service", object{"mask": false})
	unit("bootupd.socket", object{"mask": true})
	unit("masked-with-content.service", object{"mask": true, "contents": service, "dropins": []object{{"name": "x.conf", "contents": "[Unit]\n"}}})
	unit("site.timer", object{"enabled": true, "contents": "[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n"})
	unit("site.service", object{"contents": "[Service]\nExecStart=/bin/true\n"})
	unit("required.service", object{"enabled": true, "contents": "[Service]\nExecStart=/bin/true\n[Install]\nRequiredBy=network-online.target\n"})
	unit("i@.service", object{"contents": service})
	for i := range 2 + number {
		unit(fmt.Sprintf("i@eth%d.service", i), object{"enabled": true})
	}
	unit("i@off.service", object{"enabled": false})
}
