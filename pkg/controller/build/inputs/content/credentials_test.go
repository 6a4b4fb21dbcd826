package content

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Made up, each in the form of its kind.
const (
	pemKey     = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"
	sha512Hash = "$6$rounds=4096$saltsalt$" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ./0123456789abcdefghijkl"
)

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestScan(t *testing.T) {
	for name, test := range map[string]struct {
		reason, text string
		want         []Credential
	}{
		"nothing":             {reason: "most files are harmless", text: "kind: KubeletConfiguration\nmaxPods: 250\n"},
		"empty":               {reason: "an empty file is harmless", text: ""},
		"RSA key":             {reason: "PEM says what it is", text: "x\n" + pemKey, want: []Credential{PrivateKey}},
		"PKCS #8 key":         {reason: "PEM says what it is", text: "-----BEGIN PRIVATE KEY-----", want: []Credential{PrivateKey}},
		"OpenSSH key":         {reason: "PEM says what it is", text: "-----BEGIN OPENSSH PRIVATE KEY-----", want: []Credential{PrivateKey}},
		"PGP key":             {reason: "so does armour", text: "-----BEGIN PGP PRIVATE KEY BLOCK-----", want: []Credential{PrivateKey}},
		"WireGuard key":       {reason: "a tunnel's key is a key", text: "[Interface]\nPrivateKey = " + strings.Repeat("A", 43) + "=", want: []Credential{PrivateKey}},
		"certificate":         {reason: "a certificate is public", text: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
		"public key":          {reason: "a public key is public", text: "-----BEGIN PUBLIC KEY-----"},
		"key in a kubeconfig": {reason: "there it is in base64", text: "client-key-data: " + encoded(pemKey+strings.Repeat("x", 40)), want: []Credential{PrivateKey}},
		"docker config":       {reason: "a name and a password", text: `{"auths":{"quay.example.com":{"auth":"` + encoded("user:password") + `"}}}`, want: []Credential{RegistryCredentials}},
		"plain docker config": {reason: "the same without base64", text: `{"auths": {"quay.example.com": {"username": "u", "password": "p"}}}`, want: []Credential{RegistryCredentials}},
		"identity token":      {reason: "a token is a password", text: `{"auths":{"quay.example.com":{"identitytoken":"t"}}}`, want: []Credential{RegistryCredentials}},
		"old docker config":   {reason: "the form before auths", text: `{"quay.example.com":{"auth":"` + encoded("u:p") + `"}}`, want: []Credential{RegistryCredentials}},
		"docker config in a text": {
			reason: "as a script would write it", text: `echo "{\"auths\":{\"a\":{\"auth\":\"` + encoded("user:password") + `\"}}}"`, want: []Credential{RegistryCredentials},
		},
		"docker config in a Secret": {
			reason: "as a manifest holds it", text: ".dockerconfigjson: " + encoded(`{"auths":{"quay.example.com":{"auth":"`+encoded("user:password")+`"}}}`), want: []Credential{RegistryCredentials},
		},
		"docker config in YAML":  {reason: "whatever the syntax", text: "auths:\n  a:\n    auth: " + encoded("user:password") + "\n", want: []Credential{RegistryCredentials}},
		"empty docker config":    {reason: "nobody can log in with it", text: `{"auths":{}}`},
		"auth of something else": {reason: "not every auth is a name and a password", text: `{"auth":"webhook","mode":"auth: none"}`},
		"SHA-512":                {reason: "the form of /etc/shadow", text: "core:" + sha512Hash + ":18000::::::", want: []Credential{PasswordHash}},
		"MD5":                    {reason: "old, but a hash", text: "$1$salt$0123456789abcdefghijkl", want: []Credential{PasswordHash}},
		"bcrypt":                 {reason: "the form of htpasswd", text: "user:$2y$05$" + strings.Repeat("a", 53), want: []Credential{PasswordHash}},
		"yescrypt":               {reason: "the form of newer systems", text: "$y$j9T$" + strings.Repeat("a", 22) + "$" + strings.Repeat("b", 43), want: []Credential{PasswordHash}},
		"GRUB":                   {reason: "a boot loader has passwords too", text: "password_pbkdf2 root grub.pbkdf2.sha512.10000.AB", want: []Credential{PasswordHash}},
		"shell":                  {reason: "a dollar is not a hash", text: "awk '{print $1$2}'; echo $5 $6$7 ${1}"},
		"several":                {reason: "each kind is told once", text: pemKey + pemKey + sha512Hash, want: []Credential{PasswordHash, PrivateKey}},
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

// TestScanAtSeams: a credential may lie anywhere in a large file.
func TestScanAtSeams(t *testing.T) {
	for offset := windowBytes - 100; offset < windowBytes+100; offset += 41 {
		text := strings.Repeat("x ", offset/2) + pemKey + strings.Repeat(" x", windowBytes/2)
		require.Equal(t, []Finding{{"/etc/a", PrivateKey}}, Scan("/etc/a", []byte(text)), "at %d", offset)
		scan := &scanner{}
		for rest := []byte(text); len(rest) > 0; {
			n := min(1000, len(rest))
			_, _ = scan.Write(rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, []Finding{{"/etc/a", PrivateKey}}, scan.findings("/etc/a"), "in small pieces, at %d", offset)
	}
}

func TestParseFindings(t *testing.T) {
	content := parsed(t, `"storage":{"files":[
			{"path":"/etc/zipped","contents":{"compression":"gzip","source":"`+zipped(pemKey)+`"}},
			{"path":"/etc/appended","append":[{"source":"`+dataURL(sha512Hash)+`"}]},
			{"path":"/var/lib/kubelet/config.json","contents":{"source":"`+dataURL(`{"auths":{"a":{"auth":"`+encoded("u:p")+`"}}}`)+`"}},
			{"path":"/etc/harmless","contents":{"source":"data:,x"}}]},
		"passwd":{"users":[{"name":"core","passwordHash":"`+sha512Hash+`","sshAuthorizedKeys":["-----BEGIN OPENSSH PRIVATE KEY-----"]}]},
		"systemd":{"units":[{"name":"a.service","contents":"[Service]\nEnvironment=K=`+sha512Hash+`\n","dropins":[{"name":"b.conf","contents":"[Service]\nEnvironment=`+sha512Hash+`"}]},
			{"name":"masked.service","mask":true,"contents":"[Service]\nEnvironment=`+sha512Hash+`"}]}`)
	require.Equal(t, []Finding{
		{"/etc/appended", PasswordHash},
		{"/etc/systemd/system/a.service", PasswordHash},
		{"/etc/systemd/system/a.service.d/b.conf", PasswordHash},
		{"/etc/systemd/system/masked.service", PasswordHash},
		{"/etc/zipped", PrivateKey},
		{"passwd.users[core].sshAuthorizedKeys", PrivateKey},
	}, content.Findings, "what the node gets is not told; what the image gets is, wherever it is")
	require.Equal(t, "/etc/zipped (private key)", content.Findings[4].String())
}

func TestWarningAndRefusal(t *testing.T) {
	require.Empty(t, Warning("c", nil), "no findings, no words")
	require.Nil(t, Refusal("c", nil))

	findings := []Finding{{"/etc/a", PrivateKey}, {"/etc/b", RegistryCredentials}}
	require.Equal(t, "MachineConfig c puts into the image what looks like a credential: /etc/a (private key), /etc/b (registry credentials); whoever may pull the image can read it: have it written below /var, which is left to the node", Warning("c", findings))
	require.Equal(t, `MachineConfig c, key spec.config: puts into the image what looks like a credential: /etc/a (private key), /etc/b (registry credentials); have it written below /var, which is left to the node, or set rejectCredentials to "false" in ConfigMap machine-os-builder-config`, Refusal("c", findings).String())

	var many []Finding
	for i := range 1000 {
		many = append(many, Finding{fmt.Sprintf("/etc/%d\n%s", i, strings.Repeat("x", 1000)), PasswordHash})
	}
	message := Warning("c", many)
	require.Contains(t, message, "and 990 more", "a condition holds so much")
	require.Less(t, len(message), 2000)
	require.NotContains(t, message, "\n")
}
