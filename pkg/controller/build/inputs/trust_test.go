package inputs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func certificate(t testing.TB, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// der is the content of a block.
func der(t testing.TB, block string) []byte {
	t.Helper()
	decoded, _ := pem.Decode([]byte(block))
	require.NotNil(t, decoded)
	return decoded.Bytes
}

func block(label string, content []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: content}))
}

// strict is a certificate that Go's parser refuses and OpenSSL takes.
func strict(t testing.TB, change func(der []byte)) string {
	t.Helper()
	content := der(t, certificate(t, "strict"))
	change(content)
	_, err := x509.ParseCertificate(content)
	require.Error(t, err)
	return block("CERTIFICATE", content)
}

func TestParseTrustBundle(t *testing.T) {
	first, second := certificate(t, "first"), certificate(t, "second")
	for name, test := range map[string]struct{ reason, bundle, want string }{
		"none":        {reason: "most clusters have none"},
		"white space": {reason: "the same with a line break", bundle: "\n \n"},
		"one":         {reason: "a certificate stays as it is", bundle: first, want: first},
		"two":         {reason: "their order too", bundle: second + first, want: second + first},
		"twice":       {reason: "it does no harm", bundle: first + first, want: first + first},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := ParseTrustBundle([]byte(test.bundle))
			require.Nil(t, problem, test.reason)
			require.Equal(t, test.want, string(got), test.reason)
		})
	}
}

// TestR27EveryBlockIsACertificate: however certificates were put together, all of them are
// read; certificates vanished without a word.
func TestR27EveryBlockIsACertificate(t *testing.T) {
	first, second, third := certificate(t, "first"), certificate(t, "second"), certificate(t, "third")
	trimmed := func(s string) string { return strings.TrimSuffix(s, "\n") }
	each := func(s, before, after string) (lines string) {
		for line := range strings.Lines(s) {
			lines += before + trimmed(line) + after + "\n"
		}
		return lines
	}
	negative := strict(t, func(der []byte) {
		at := bytes.Index(der, []byte{0xa0, 3, 2, 1, 2, 2, 1, 1})
		require.Positive(t, at)
		der[at+7] = 0x81
	})
	algorithm := strict(t, func(der []byte) {
		// Another algorithm outside than inside.
		id := []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}
		der[bytes.LastIndex(der, id)+7] = 3
	})
	for name, test := range map[string]struct{ reason, bundle, want string }{
		"joined":                    {reason: "the operator puts two ConfigMaps together", bundle: trimmed(first) + second, want: first + second},
		"three joined":              {reason: "and a third one", bundle: trimmed(first) + trimmed(second) + third, want: first + second + third},
		"joined by a blank":         {reason: "a list in YAML that was folded", bundle: trimmed(first) + " " + second, want: first + second},
		"comment behind END":        {reason: "which one it is", bundle: trimmed(first) + " # the old one\n" + second, want: first + second},
		"comment joined behind END": {reason: "without a blank", bundle: trimmed(first) + "# second\n" + second, want: first + second},
		"comment before BEGIN":      {reason: "a comment without a line break", bundle: "# first" + first + second, want: first + second},
		"text before BEGIN":         {reason: "a name", bundle: "corp root: " + first, want: first},
		"line ends":                 {reason: "Windows writes those", bundle: strings.ReplaceAll(first+second, "\n", "\r\n"), want: first + second},
		"old line ends":             {reason: "so did other systems", bundle: strings.ReplaceAll(first, "\n", "\r"), want: first},
		"doubled line ends":         {reason: "somebody pasted it", bundle: strings.ReplaceAll(first, "\n", "\n\n") + second, want: first + second},
		"byte order mark":           {reason: "some editors write one", bundle: "\ufeff" + first, want: first},
		"indented":                  {reason: "cut out of YAML", bundle: each(first+second, "    ", ""), want: first + second},
		"tabs":                      {reason: "likewise", bundle: each(first, "\t", ""), want: first},
		"blanks behind":             {reason: "copied from a terminal", bundle: each(first+second, "", "   "), want: first + second},
		"no-break spaces":           {reason: "copied from a page", bundle: each(first, "", "\u00a0"), want: first},
		"two blanks":                {reason: "what is meant is clear", bundle: strings.Replace(first, "BEGIN C", "BEGIN  C", 1), want: first},
		"one line each":             {reason: "a form that holds one line", bundle: strings.ReplaceAll(trimmed(first), "\n", " ") + "\n" + strings.ReplaceAll(second, "\n", " "), want: first + second},
		"no line break at all":      {reason: "line breaks were taken away", bundle: strings.ReplaceAll(first+second, "\n", ""), want: first + second},
		"longer lines":              {reason: "OpenSSL breaks lines where it is told to", bundle: strings.Replace(first, first[len(first)/2:len(first)/2+1], first[len(first)/2:len(first)/2+1], 1), want: first},
		"no padding":                {reason: "programs leave it out", bundle: strings.ReplaceAll(first, "=", ""), want: first},
		"comments":                  {reason: "text between certificates is for people", bundle: "# first\n" + first + "\nsecond:\n  CN=second, O=corp\n" + second + "that is all", want: first + second},
		"bag attributes":            {reason: "what openssl pkcs12 writes", bundle: "Bag Attributes\n    friendlyName: first\nsubject=CN=first\n\nissuer=CN=first\n\n" + first + second, want: first + second},
		"attributes":                {reason: "they are no part of a certificate", bundle: strings.Replace(first, "-----\n", "-----\nName: value\nOther: x\n\n", 1), want: first},
		"blank line within":         {reason: "somebody pasted it", bundle: strings.Replace(first, "-----\n", "-----\n\n", 1), want: first},
		"dashes in text":            {reason: "a ruler is no block", bundle: "-----\n" + first + "----- end of first -----\n-- begin here --\n" + second, want: first + second},
		"prose":                     {reason: "words are no blocks", bundle: "The front-end certificate, and the back-end: BEGIN with the first\n" + first, want: first},
		"commented out":             {reason: "whoever wrote it does not want it", bundle: each(first, "# ", "") + second + each(third, "#", ""), want: second},
		"old label":                 {reason: "OpenSSL's old name for it", bundle: block("X509 CERTIFICATE", der(t, first)), want: first},
		"negative serial number":    {reason: "Go refuses it, and OpenSSL takes it", bundle: first + negative + second, want: first + negative + second},
		"another algorithm outside": {reason: "likewise", bundle: algorithm, want: algorithm},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := ParseTrustBundle([]byte(test.bundle))
			require.Nil(t, problem, "%s: %v", test.reason, problem)
			require.Equal(t, test.want, string(got), test.reason)
		})
	}
}

// TestR27OrTheBundleIsRefused: what begins like a block, and is no certificate, is told with
// its number, its line and the reason, and quoted nowhere.
func TestR27OrTheBundleIsRefused(t *testing.T) {
	first, second := certificate(t, "first"), certificate(t, "second")
	content := der(t, first)
	lines := strings.Count(first, "\n")
	next := func(n int) string { return fmt.Sprintf("block 2, which begins in line %d, ", n) }
	for name, test := range map[string]struct{ reason, bundle, says string }{
		"no PEM":              {reason: "it is quoted nowhere", bundle: "canary", says: "has no PEM certificate; it has to be a series of CERTIFICATE blocks"},
		"DER":                 {reason: "what browsers export", bundle: string(content), says: "form DER; write it as PEM, with 'openssl x509 -inform DER"},
		"UTF-16":              {reason: "what Windows calls Unicode", bundle: "\xff\xfe-\x00-\x00", says: "UTF-16; save it as UTF-8"},
		"only comments":       {reason: "nothing is left", bundle: "#" + strings.ReplaceAll(first, "\n", "\n#"), says: "has no PEM certificate"},
		"larger than 1MB":     {reason: "no ConfigMap holds it", bundle: first + strings.Repeat("x", MaxTrustBundleBytes), says: "is larger than 1 MiB"},
		"private key":         {reason: "everybody may read a bundle", bundle: first + block("PRIVATE KEY", []byte("canary")), says: next(lines+1) + "is a private key, which must not be where everybody may read it"},
		"RSA key":             {reason: "another form of it", bundle: first + block("RSA PRIVATE KEY", []byte("canary")), says: "is a private key"},
		"encrypted key":       {reason: "another form of it", bundle: first + "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nY2FuYXJ5\n-----END RSA PRIVATE KEY-----\n", says: "is a private key"},
		"only a key":          {reason: "the wrong file", bundle: block("EC PRIVATE KEY", []byte("canary")), says: "block 1, which begins in line 1, is a private key"},
		"request":             {reason: "the wrong file", bundle: first + block("CERTIFICATE REQUEST", []byte("canary")), says: next(lines+1) + "is a request"},
		"new request":         {reason: "its other name", bundle: block("NEW CERTIFICATE REQUEST", []byte("canary")), says: "is a request"},
		"revocation list":     {reason: "not to be trusted", bundle: first + block("X509 CRL", []byte("canary")), says: "is a list of revoked certificates"},
		"trusted certificate": {reason: "it may say that it is not trusted", bundle: first + block("TRUSTED CERTIFICATE", content), says: next(lines+1) + "is a TRUSTED CERTIFICATE, which also says what not to trust it for"},
		"PKCS #7":             {reason: "what Windows exports", bundle: block("PKCS7", []byte("canary")), says: "PKCS #7; take the certificates out of it"},
		"public key":          {reason: "the wrong file", bundle: first + block("PUBLIC KEY", []byte("canary")), says: "is a public key"},
		"something":           {reason: "whatever it is", bundle: first + block("OPENSSH THING", []byte("canary")), says: `is a "OPENSSH THING" and not a CERTIFICATE`},

		"no certificate":        {reason: "update-ca-trust would fail on it", bundle: first + block("CERTIFICATE", []byte("canary")), says: next(lines+1) + "is not a valid certificate"},
		"cut content":           {reason: "the end is missing", bundle: first + block("CERTIFICATE", content[:len(content)-9]), says: "is not a valid certificate"},
		"more content":          {reason: "two certificates in one block", bundle: first + block("CERTIFICATE", append(bytes.Clone(content), content...)), says: "is not a valid certificate"},
		"changed within":        {reason: "a length that is wrong", bundle: first + block("CERTIFICATE", bytes.Replace(content, []byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 9, 2, 1, 2}, 1)), says: "is not a valid certificate"},
		"empty":                 {reason: "the content was lost", bundle: first + "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", says: next(lines+1) + "is empty"},
		"not base64":            {reason: "a character that was damaged", bundle: first + second[:90] + "*" + second[91:], says: next(lines+1) + fmt.Sprintf("has a character in line %d that is not base64", lines+2)},
		"a missing character":   {reason: "a slip of the keyboard", bundle: first + second[:40] + second[41:], says: next(lines + 1)},
		"line breaks spelt out": {reason: "from an environment variable", bundle: first + strings.ReplaceAll(second, "\n", `\n`), says: next(lines+1) + `has \n written out in line`},
		"quoted mail":           {reason: "copied from a mail", bundle: "> " + strings.ReplaceAll(strings.TrimSpace(first), "\n", "\n> "), says: "block 1, which begins in line 1, has a character in line 2 that is not base64"},
		"elided":                {reason: "documentation, not a certificate", bundle: first + "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n", says: "that is not base64"},

		"cut off":              {reason: "the file ends too early", bundle: first + second[:len(second)/2], says: next(lines+1) + "has no END line: the bundle ends before it"},
		"cut in the END":       {reason: "even later", bundle: first + second[:len(second)-8], says: "has a damaged last line, line "},
		"cut in the BEGIN":     {reason: "even earlier", bundle: first + "-----BEGIN CERTIF", says: next(lines+1) + "has a damaged first line"},
		"END is missing":       {reason: "a line was lost", bundle: strings.Replace(first, "-----END CERTIFICATE-----\n", "", 1) + second, says: fmt.Sprintf("block 1, which begins in line 1, has no END line before the next block begins, in line %d", lines)},
		"BEGIN is missing":     {reason: "a line was lost", bundle: first + strings.TrimPrefix(second, "-----BEGIN CERTIFICATE-----\n"), says: "has an END line without a BEGIN line before it"},
		"ends otherwise":       {reason: "two files were mixed up", bundle: strings.Replace(first, "END CERTIFICATE", "END PRIVATE KEY", 1), says: fmt.Sprintf("ends as something else in line %d", lines)},
		"four hyphens":         {reason: "not all was copied", bundle: first + second[1:], says: next(lines+1) + "has a damaged first line; it has to be -----BEGIN CERTIFICATE-----"},
		"four at its end":      {reason: "one was deleted", bundle: first + strings.Replace(second, "-----\n", "----\n", 1), says: "has a damaged first line"},
		"four at the END":      {reason: "one was deleted", bundle: strings.Replace(first, "-----END", "----END", 1), says: fmt.Sprintf("has a damaged last line, line %d", lines)},
		"dashes":               {reason: "a word processor", bundle: strings.ReplaceAll(first, "-----", "\u2014\u2013"), says: "has a damaged first line"},
		"no hyphens":           {reason: "a program took them for decoration", bundle: strings.ReplaceAll(first, "-----", ""), says: "has a damaged first line"},
		"lower case":           {reason: "a program that means well", bundle: strings.ReplaceAll(strings.ReplaceAll(first, "BEGIN CERTIFICATE", "begin certificate"), "END CERTIFICATE", "end certificate"), says: "has a damaged first line"},
		"no blank":             {reason: "a slip of the keyboard", bundle: strings.Replace(first, "BEGIN C", "BEGINC", 1), says: "has a damaged first line"},
		"commented out partly": {reason: "one line was forgotten", bundle: "# " + first, says: ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := ParseTrustBundle([]byte(test.bundle))
			if test.says == "" {
				require.Nil(t, problem, "%s: %v", test.reason, problem)
				require.Equal(t, first, string(got))
				return
			}
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.String(), "ControllerConfig machine-config-controller, key spec.additionalTrustBundle: ")
			require.Contains(t, problem.String(), test.says, test.reason)
			require.NotContains(t, problem.String(), "canary")
			require.NotContains(t, problem.String(), base64.StdEncoding.EncodeToString([]byte("canary")))
			requireMessage(t, *problem)
		})
	}
	_, problem := ParseTrustBundle([]byte(strings.Repeat(block("TRUSTED CERTIFICATE", []byte("canary")), 100)))
	requireMessage(t, *problem)
	require.Contains(t, problem.Text, "and so on, with 100 blocks in all")
	require.Contains(t, problem.Text, "ConfigMap user-ca-bundle in namespace openshift-config")
}
