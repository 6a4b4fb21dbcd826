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

// TestEveryMarkIsFound: what a text is looked at for, before the expression is tried on it, has
// a mark of each form.
func TestEveryMarkIsFound(t *testing.T) {
	salted := func(mark string) string { return mark + "saltsalt$" + strings.Repeat("a", 43) }
	for text, reason := range map[string]string{
		salted("$1$"): "MD5", salted("$5$"): "SHA-256", salted("$6$"): "SHA-512", salted("$apr1$"): "htpasswd's MD5",
		"$2$05$" + strings.Repeat("a", 53): "bcrypt, first version", "$2a$05$" + strings.Repeat("a", 53): "bcrypt",
		"$2b$05$" + strings.Repeat("a", 53): "bcrypt", "$2x$05$" + strings.Repeat("a", 53): "bcrypt", "$2y$05$" + strings.Repeat("a", 53): "bcrypt",
		salted("$y$j9T$"): "yescrypt", salted("$gy$j9T$"): "gost-yescrypt", salted("$7$"): "scrypt",
		"{SHA}" + strings.Repeat("a", 27) + "=": "LDAP's", "{SSHA}" + strings.Repeat("a", 32): "LDAP's, salted", "{SSHA512}" + strings.Repeat("a", 90): "LDAP's, longer",
		"$argon2id$v=19": "Argon2", "$argon2d$v=19": "Argon2", "$argon2i$v=19": "Argon2", "$sha1$4096$": "NetBSD's", "grub.pbkdf2.sha512.10000": "GRUB's",
	} {
		require.Equal(t, []Finding{{Path: "x", Kind: PasswordHash}}, Scan("x", []byte("user:"+text+":rest")), reason)
	}
	for text, reason := range map[string]string{
		"PrivateKey": "WireGuard's", "Privatekey": "as written by hand", "privateKey": "as in JSON", "privatekey": "in lower case",
		"PresharedKey": "WireGuard's, of both", "Presharedkey": "as written by hand", "presharedKey": "as in JSON", "presharedkey": "in lower case",
	} {
		require.Equal(t, []Finding{{Path: "x", Kind: PrivateKey}}, Scan("x", []byte(text+" = "+strings.Repeat("a", 43)+"=")), reason)
	}
	for text, reason := range map[string]string{
		"ghp_" + strings.Repeat("a", 36): "personal", "gho_" + strings.Repeat("a", 36): "OAuth", "ghu_" + strings.Repeat("a", 36): "of a user to an app",
		"ghs_" + strings.Repeat("a", 36): "of an app", "ghr_" + strings.Repeat("a", 36): "to refresh", "github_pat_" + strings.Repeat("a", 22): "personal, of one repository",
	} {
		require.Equal(t, []Finding{{Path: "x", Kind: Token}}, Scan("x", []byte(text)), reason)
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

// TestR36CredentialsInFixedForms: each in the form that the program which reads it fixes.
func TestR36CredentialsInFixedForms(t *testing.T) {
	const hunter = "hunter2"
	jwt := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJlLW9mLWl0"
	for name, test := range map[string]struct {
		reason, text string
		want         []Credential
	}{
		"proxy of the cluster":    {reason: "what the operator writes to /etc/mco/proxy.env", text: "HTTP_PROXY=http://user:" + hunter + "@proxy.example.com:3128\nNO_PROXY=.svc\n", want: []Credential{URLPassword}},
		"proxy in a drop-in":      {reason: "the same, for units", text: "[Service]\nEnvironment=\"HTTPS_PROXY=http://user:" + hunter + "@proxy.example.com:3128\"\n", want: []Credential{URLPassword}},
		"proxy without a scheme":  {reason: "curl takes it", text: "https_proxy=user:" + hunter + "@proxy.example.com:3128", want: []Credential{URLPassword}},
		"curlrc":                  {reason: "a line of its own", text: "proxy-user = \"user:" + hunter + "\"\n", want: []Credential{URLPassword}},
		"encoded":                 {reason: "an @ in a password", text: "http_proxy=http://user:%40bc@proxy.example.com", want: []Credential{URLPassword}},
		"IPv6 proxy":              {reason: "an address", text: "http://user:" + hunter + "@[fd00::1]:3128", want: []Credential{URLPassword}},
		"no user":                 {reason: "some databases have none", text: "redis://:" + hunter + "@db.example.com", want: []Credential{URLPassword}},
		"git":                     {reason: "a token in place of a password", text: "url = https://oauth2:" + hunter + "@git.example.com/a.git", want: []Credential{URLPassword}},
		"in base64":               {reason: "as manifests hold it", text: "data: " + encoded("HTTP_PROXY=http://user:"+hunter+"@proxy.example.com:3128\n"), want: []Credential{URLPassword}},
		"proxy without password":  {reason: "an address is public", text: "HTTP_PROXY=http://proxy.example.com:3128\nHTTPS_PROXY=http://user@proxy.example.com:3128\n"},
		"variable":                {reason: "the value is elsewhere", text: "HTTP_PROXY=http://$USER:$PASSWORD@proxy\nurl=http://user:${PASSWORD}@proxy\n"},
		"example":                 {reason: "it stands for a value", text: "# http://user:password@proxy.example.com or http://user:<password>@proxy, http://user:***@proxy"},
		"time and mail":           {reason: "an @ behind a slash is no user", text: "see http://example.com:80/a:b@c and mailto:a@b.c at 10:20"},
		"ssh":                     {reason: "there is no password", text: "ssh://git@git.example.com:22/a.git"},
		"netrc":                   {reason: "curl, git and dnf read it", text: "machine git.example.com\n login user\n password " + hunter + "\n", want: []Credential{Password}},
		"netrc default":           {reason: "for any host", text: "default login user password " + hunter, want: []Credential{Password}},
		"pgpass":                  {reason: "PostgreSQL's", text: "db.example.com:5432:app:user:" + hunter + "\n", want: []Credential{Password}},
		"pgpass with stars":       {reason: "any database", text: "# mine\n*:*:*:user:" + hunter, want: []Credential{Password}},
		"passwd":                  {reason: "no password is in it", text: "root:x:0:0:root:/root:/bin/bash\ncore:x:1000:1000:CoreOS Admin:/var/home/core:/bin/bash\n"},
		"dnf proxy":               {reason: "a key of dnf.conf", text: "proxy_password=" + hunter, want: []Credential{Password}},
		"wireless":                {reason: "wpa_supplicant's and NetworkManager's", text: "[wifi-security]\npsk=" + hunter, want: []Credential{Password}},
		"LDAP":                    {reason: "nslcd's and sssd's", text: "bindpw = " + hunter, want: []Credential{Password}},
		"PAM":                     {reason: "a word of its own meaning", text: "password    requisite     pam_pwquality.so\npassword sufficient pam_unix.so\n"},
		"kubeconfig, token":       {reason: "a token of a user", text: "clusters:\n- name: a\nusers:\n- name: b\n  user:\n    token: 0123456789abcdef", want: []Credential{Token}},
		"kubeconfig, password":    {reason: "long gone, still read", text: "clusters: []\nusers:\n- user:\n    password: " + hunter, want: []Credential{Password}},
		"kubeconfig, key":         {reason: "a client's certificate has a key", text: "client-key-data: " + encoded(pemKey+strings.Repeat("x", 40)), want: []Credential{PrivateKey}},
		"kubeconfig, files":       {reason: "the files are elsewhere", text: "clusters: []\nusers:\n- user:\n    tokenFile: /var/run/token\n    client-key: /var/lib/a.pem"},
		"OpenShift token":         {reason: "of oc whoami -t", text: "TOKEN=sha256~" + strings.Repeat("a", 43), want: []Credential{Token}},
		"a digest":                {reason: "of an image", text: "quay.io/a/b@sha256:" + strings.Repeat("a", 64)},
		"service account":         {reason: "a JSON web token", text: "token=" + jwt, want: []Credential{Token}},
		"bearer":                  {reason: "a header", text: `curl -H "Authorization: Bearer 0123456789abcdef"`, want: []Credential{Token}},
		"basic":                   {reason: "a header", text: `Authorization: Basic ` + encoded("user:"+hunter), want: []Credential{Token}},
		"bearer variable":         {reason: "the value is elsewhere", text: `curl -H "Authorization: Bearer $TOKEN" -H "Authorization: Bearer ${TOKEN}"`},
		"GitHub":                  {reason: "they have a mark of their own", text: "ghp_" + strings.Repeat("a1", 18), want: []Credential{Token}},
		"GitLab":                  {reason: "they have a mark of their own", text: "glpat-" + strings.Repeat("a", 20), want: []Credential{Token}},
		"Slack":                   {reason: "they have a mark of their own", text: "xoxb-0123456789-abc", want: []Credential{Token}},
		"AWS":                     {reason: "the secret part", text: "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = " + strings.Repeat("a/B+", 10), want: []Credential{CloudKey}},
		"AWS environment":         {reason: "the same as variables", text: "AWS_SECRET_ACCESS_KEY=" + strings.Repeat("a/B+", 10), want: []Credential{CloudKey}},
		"AWS names":               {reason: "the public part", text: "aws_access_key_id = AKIAIOSFODNN7EXAMPLE"},
		"Azure":                   {reason: "a connection string", text: "AccountName=a;AccountKey=" + strings.Repeat("a", 86) + "==;", want: []Credential{CloudKey}},
		"Google":                  {reason: "a service account's file", text: `{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\nMIIB"}`, want: []Credential{PrivateKey}},
		"htpasswd, apr1":          {reason: "Apache's", text: "user:$apr1$saltsalt$" + strings.Repeat("a", 22), want: []Credential{PasswordHash}},
		"htpasswd, SHA":           {reason: "Apache's, older", text: "user:{SHA}" + strings.Repeat("a", 27) + "=", want: []Credential{PasswordHash}},
		"LDAP hash":               {reason: "salted", text: "userPassword: {SSHA}" + strings.Repeat("a", 32), want: []Credential{PasswordHash}},
		"encrypted key":           {reason: "a passphrase may be guessed", text: "-----BEGIN ENCRYPTED PRIVATE KEY-----", want: []Credential{PrivateKey}},
		"registries and a mirror": {reason: "nothing to log in with", text: "[[registry]]\nlocation = \"quay.io\"\n[[registry.mirror]]\nlocation = \"mirror.example.com:5000\"\n"},
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

// TestR36RemediesThatCanBeFollowed: nobody can move what the operator renders.
func TestR36RemediesThatCanBeFollowed(t *testing.T) {
	env, dropIn, other := Finding{"/etc/mco/proxy.env", URLPassword}, Finding{"/etc/systemd/system/crio.service.d/10-mco-default-env.conf", URLPassword}, Finding{"/etc/a", URLPassword}
	for _, message := range []string{Warning("c", []Finding{env, dropIn}), Refusal("c", []Finding{env, dropIn}).String()} {
		require.Contains(t, message, "oc edit proxy cluster")
		require.NotContains(t, message, "/var")
	}
	require.Contains(t, Warning("c", []Finding{other}), "below /var")
	require.NotContains(t, Warning("c", []Finding{other}), "proxy cluster")
	both := Warning("c", []Finding{env, other})
	require.Contains(t, both, "below /var")
	require.Contains(t, both, "proxy cluster")
}
