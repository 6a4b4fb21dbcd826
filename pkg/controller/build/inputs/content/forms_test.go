package content

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestR36CredentialsOfNodes: those of the daemons that a node runs, each as their manual page
// has it. Beside each form is something of the same program, or alike, that is public.
func TestR36CredentialsOfNodes(t *testing.T) {
	const hunter = "hunter2"
	for name, test := range map[string]struct {
		reason, text string
		want         []Credential
	}{
		"802.1X":             {reason: "a connection of NetworkManager", text: "[connection]\nid=office\n[802-1x]\nidentity=node\npassword=" + hunter + "\n", want: []Credential{Password}},
		"PPPoE":              {reason: "it has no user beside it", text: "[connection]\ntype=pppoe\n[pppoe]\npassword=" + hunter + "\n", want: []Credential{Password}},
		"key's password":     {reason: "the key may lie on the node", text: "[connection]\n[802-1x]\nprivate-key=/etc/a.pem\nprivate-key-password=" + hunter, want: []Credential{Password}},
		"WEP":                {reason: "old, and a key", text: "[connection]\n[wifi-security]\nwep-key0=" + hunter, want: []Credential{Password}},
		"MACsec":             {reason: "a key of its own name", text: "[connection]\n[macsec]\nmka-cak=" + strings.Repeat("0a", 16), want: []Credential{Password}},
		"modem":              {reason: "of the card in it", text: "[connection]\n[gsm]\npin=4711", want: []Credential{Password}},
		"VPN":                {reason: "plugins name theirs freely", text: "[connection]\n[vpn-secrets]\nXauth password=" + hunter, want: []Credential{Password}},
		"tunnel":             {reason: "NetworkManager's WireGuard", text: "[connection]\n[wireguard]\nprivate-key=" + strings.Repeat("A", 43) + "=", want: []Credential{PrivateKey}},
		"asked for":          {reason: "flags say where it is", text: "[connection]\n[802-1x]\npassword-flags=1\nprivate-key=/etc/a.pem\npin-flags=1\n"},
		"wpa_supplicant":     {reason: "in quotes", text: "network={\n  identity=\"node\"\n  password=\"" + hunter + "\"\n}\n", want: []Credential{Password}},
		"its key's password": {reason: "a name of its own", text: "network={\n  private_key_passwd=\"" + hunter + "\"\n}\n", want: []Credential{Password}},
		"iSCSI":              {reason: "/etc/iscsi/iscsid.conf", text: "node.session.auth.username = node\nnode.session.auth.password = " + hunter + "\n", want: []Credential{Password}},
		"iSCSI, discovery":   {reason: "of the other side", text: "discovery.sendtargets.auth.password_in=" + hunter, want: []Credential{Password}},
		"iSCSI, as shipped":  {reason: "comments are examples", text: "#node.session.auth.password = password\n# node.session.auth.password_in = x\n"},
		"chrony":             {reason: "/etc/chrony.keys", text: "# mine\n10 SHA256 HEX:" + strings.Repeat("0A", 32) + "\n", want: []Credential{Password}},
		"chrony, text":       {reason: "the same as words", text: "1 MD5 ASCII:" + hunter, want: []Credential{Password}},
		"chrony, old":        {reason: "without a mark", text: "25 SHA1 " + hunter + hunter, want: []Credential{Password}},
		"chrony.conf":        {reason: "the number of a key is public", text: "server ntp.example.com iburst key 10\nkeyfile /etc/chrony.keys\n"},
		"IPsec":              {reason: "/etc/ipsec.d/a.secrets", text: "@left @right : PSK \"" + hunter + "\"\n", want: []Credential{Password}},
		"IPsec, hexadecimal": {reason: "libreswan's", text: ": PSK 0x" + strings.Repeat("0a", 16), want: []Credential{Password}},
		"IPsec, XAUTH":       {reason: "of a user", text: "@user : XAUTH \"" + hunter + "\"", want: []Credential{Password}},
		"IPsec, policy":      {reason: "how, and not with what", text: "conn a\n  authby=secret\n  ike=aes256-sha2\n"},
		"swanctl":            {reason: "strongSwan's", text: "secrets {\n  ike-a {\n    secret = " + hunter + "\n  }\n}\n", want: []Credential{Password}},
		"CIFS":               {reason: "mount.cifs reads it", text: "username=node\npassword=" + hunter + "\ndomain=EXAMPLE\n", want: []Credential{Password}},
		"MySQL":              {reason: ".my.cnf", text: "[client]\nuser = node\npassword = \"" + hunter + "\"\n", want: []Credential{Password}},
		"agent":              {reason: "YAML of a collector of logs", text: "output:\n  hosts: [a]\n  username: \"node\"\n  password: \"" + hunter + "\"\n", want: []Credential{Password}},
		"agent, JSON":        {reason: "the same", text: `{"host":"a","username":"node","password":"` + hunter + `"}`, want: []Credential{Password}},
		"agent, variable":    {reason: "the value is elsewhere", text: "username: node\npassword: ${PASSWORD}\n"},
		"agent, file":        {reason: "the value is elsewhere", text: "username: node\npassword: /run/secrets/a\n"},
		"Insights":           {reason: "commented out", text: "[insights-client]\n#username=\n#password=\n"},
		"SSSD":               {reason: "the password to bind with", text: "[domain/a]\nldap_default_authtok = " + hunter, want: []Credential{Password}},
		"SNMP":               {reason: "snmpd.conf", text: "createUser node SHA \"" + hunter + hunter + "\" AES\n", want: []Credential{Password}},
		"mail":               {reason: "Postfix' sasl_passwd", text: "[smtp.example.com]:587 node@example.com:" + hunter + "\n", want: []Credential{Password}},
		"mail, map":          {reason: "a relay", text: "[smtp.example.com]:587\nexample.com smtp:[smtp.example.com]:25\n"},
		"OpenStack":          {reason: "clouds.yaml", text: "clouds:\n  a:\n    auth:\n      auth_url: https://a\n      application_credential_secret: " + hunter + hunter, want: []Credential{Password}},
		"environment":        {reason: "programs read it by its name", text: "PGPASSWORD=" + hunter + "\n", want: []Credential{Password}},
		"unit":               {reason: "the same of a unit", text: "[Service]\nEnvironment=\"A=b\" \"REGISTRY_PASSWORD=" + hunter + "\"\n", want: []Credential{Password}},
		"profile":            {reason: "the same for shells", text: "export OS_PASSWORD='" + hunter + "'\n", want: []Credential{Password}},
		"asked of a file":    {reason: "a path is none", text: "ADMIN_PASSWORD_FILE=/run/a\nADMIN_PASSWORD=/run/a\nADMIN_PASSWORD=$(cat /run/a)\nADMIN_PASSWORD=\nADMIN_PASSWORD=\"\"\n"},
		"yes and no":         {reason: "whether there is one", text: "REQUIRE_PASSWORD=true\nNO_PASSWORD=1\nASK_PASSWORD=no\n"},
		"token":              {reason: "of an agent", text: "Environment=AGENT_TOKEN=0123456789abcdef0123456789abcdef\n", want: []Credential{Token}},
		"token's name":       {reason: "too short to be one", text: "AGENT_TOKEN=default\n"},
		"TSIG":               {reason: "named's and nsupdate's", text: "key \"a\" {\n  algorithm hmac-sha256;\n  secret \"" + strings.Repeat("aB3/", 8) + "=\";\n};\n", want: []Credential{PrivateKey}},
		"OpenVPN":            {reason: "a static key", text: "-----BEGIN OpenVPN Static key V1-----\n0a\n", want: []Credential{PrivateKey}},
		"SSH2":               {reason: "of other clients", text: "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", want: []Credential{PrivateKey}},
		"SSH2, public":       {reason: "a public key is public", text: "---- BEGIN SSH2 PUBLIC KEY ----"},
		"PKCS #12":           {reason: "a key in its wrapping", text: "\x30\x82\x01\x00\x02\x01\x03\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02\xa0\x82", want: []Credential{PrivateKey}},
		"PKCS #12, trust":    {reason: "certificates are public", text: "\x30\x82\x01\x00\x02\x01\x03\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03\xa0\x82"},
		"a library":          {reason: "it knows the numbers of all", text: "\x00\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x00"},
		"DER, RSA":           {reason: "PEM without its armour", text: "\x30\x82\x04\xbd\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04\x82\x04\xa7", want: []Credential{PrivateKey}},
		"DER, certificate":   {reason: "it is public", text: "\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82\x01\x0f\x00"},
		"DER, RSA, old":      {reason: "PKCS #1", text: "\x30\x82\x04\xa3\x02\x01\x00\x02\x82\x01\x01\x00\xc3", want: []Credential{PrivateKey}},
		"DER, EC":            {reason: "PKCS #8", text: "\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08", want: []Credential{PrivateKey}},
		"Java, key":          {reason: "a key store", text: "\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x01a", want: []Credential{PrivateKey}},
		"Java, trust":        {reason: "certificates are public", text: "\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00\x01a"},
		"Kerberos":           {reason: "a keytab", text: "\x05\x02\x00\x00\x00\x3b\x00\x01\x00\x0bEXAMPLE.COM", want: []Credential{PrivateKey}},
		"Azure":              {reason: "cloud.conf", text: `{"tenantId":"a","aadClientId":"b","aadClientSecret":"` + hunter + hunter + `"}`, want: []Credential{CloudKey}},
		"Azure, managed":     {reason: "what the installer writes", text: `{"aadClientId":"","aadClientSecret":"","useManagedIdentityExtension":true}`},
		"vSphere":            {reason: "cloud.conf", text: "[Global]\nuser = \"node\"\npassword = \"" + hunter + "\"\nsecret-name = \"vsphere-creds\"\n", want: []Credential{Password}},
		"vSphere, Secret":    {reason: "what the installer writes", text: "[Global]\nsecret-name = \"vsphere-creds\"\nsecret-namespace = \"kube-system\"\ninsecure-flag = \"1\"\n"},
		"Docker Hub":         {reason: "a mark of its own", text: "dckr_pat_" + strings.Repeat("a", 27), want: []Credential{Token}},
		"npm":                {reason: "a mark of its own", text: "npm_" + strings.Repeat("a", 36), want: []Credential{Token}},
		"PyPI":               {reason: "a mark of its own", text: "pypi-AgEIcHlwaS5vcmc" + strings.Repeat("a", 30), want: []Credential{Token}},
		"Vault":              {reason: "a mark of its own", text: "hvs." + strings.Repeat("a", 24), want: []Credential{Token}},
		"Tailscale":          {reason: "a mark of its own", text: "tskey-auth-" + strings.Repeat("a", 20), want: []Credential{Token}},
		"Dynatrace":          {reason: "a mark of its own", text: "dt0c01." + strings.Repeat("A", 24) + "." + strings.Repeat("B", 64), want: []Credential{Token}},
		"GitLab's runner":    {reason: "a mark of its own", text: "glrt-" + strings.Repeat("a", 20), want: []Credential{Token}},
		"Slack's app":        {reason: "a mark of its own", text: "xapp-1-A0123456789-0123", want: []Credential{Token}},
	} {
		t.Run(name, func(t *testing.T) {
			var want []Finding
			for _, kind := range test.want {
				want = append(want, Finding{Path: "/etc/a", Kind: kind})
			}
			require.Equal(t, want, Scan("/etc/a", []byte(test.text)), test.reason)
		})
	}
}
