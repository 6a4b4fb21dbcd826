package inputs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"strings"
)

// ControllerConfigObject is how messages name the ControllerConfig.
const ControllerConfigObject = "ControllerConfig machine-config-controller"

// MaxTrustBundleBytes bounds spec.additionalTrustBundle (1 MiB). The bundle comes
// from a ConfigMap, which cannot be larger.
const MaxTrustBundleBytes = 1 << 20

// trustOrigin is where a person mends a bundle. The operator puts several together, and
// does not mind where one ends and the next one begins.
const trustOrigin = "mend it where it comes from: ConfigMap user-ca-bundle in namespace openshift-config, and the one that spec.trustedCA of the Proxy names"

// mostTrustProblems is how many blocks a message tells of.
const mostTrustProblems = 3

// Hash tells contents apart; it is empty for none.
func Hash(content []byte) string {
	if len(content) == 0 {
		return ""
	}
	return hashOf(string(content))
}

// ParseTrustBundle checks spec.additionalTrustBundle of the ControllerConfig and
// returns its certificates as PEM, in their order; nil for an empty bundle.
// Text between them, attributes and blocks that are commented out are left out, so that
// nothing but certificates can reach the image through it. Everything else that begins
// like a block is a certificate, or the problem says which one it is, and why it is none.
func ParseTrustBundle(bundle []byte) ([]byte, *Problem) {
	problem := func(text string) *Problem {
		return &Problem{Object: ControllerConfigObject, Key: "spec.additionalTrustBundle", Text: text}
	}
	if len(bytes.TrimSpace(bundle)) == 0 {
		return nil, nil
	}
	if len(bundle) > MaxTrustBundleBytes {
		return nil, problem("is larger than 1 MiB; remove certificates that are not needed")
	}
	var certificates bytes.Buffer
	var wrong []string
	for _, block := range blocksOf(string(bundle)) {
		if block.problem == "" {
			block.problem = whyNoCertificate(&block)
		}
		if block.problem != "" {
			wrong = append(wrong, fmt.Sprintf("block %d, which begins in line %d, %s", block.number, block.line, block.problem))
			continue
		}
		// Writing to a buffer does not fail.
		_ = pem.Encode(&certificates, &pem.Block{Type: labelCertificate, Bytes: block.content})
	}
	switch {
	case len(wrong) > mostTrustProblems:
		return nil, problem(fmt.Sprintf("%s; and so on, with %d blocks in all; %s", strings.Join(wrong[:mostTrustProblems], "; "), len(wrong), trustOrigin))
	case len(wrong) > 0:
		return nil, problem(strings.Join(wrong, "; ") + "; " + trustOrigin)
	case certificates.Len() == 0:
		return nil, problem("has no PEM certificate; it has to be a series of CERTIFICATE blocks" + describeNoPEM(bundle))
	}
	return certificates.Bytes(), nil
}

const labelCertificate = "CERTIFICATE"

// otherLabels are blocks that people put into bundles, and what to do with them.
var otherLabels = []struct{ suffix, why string }{
	{"PRIVATE KEY", "is a private key, which must not be where everybody may read it; take it out, and have it replaced"},
	{"TRUSTED CERTIFICATE", "is a TRUSTED CERTIFICATE, which also says what not to trust it for, and that would be lost; if it is to be trusted for everything, write it anew with 'openssl x509 -in FILE'"},
	{"CERTIFICATE REQUEST", "is a request for a certificate, and not yet one"},
	{"CRL", "is a list of revoked certificates, which nobody can trust; take it out"},
	{"PKCS7", "is a collection in the form PKCS #7; take the certificates out of it with 'openssl pkcs7 -in FILE -print_certs'"},
	{"CMS", "is a collection in the form CMS; take the certificates out of it with 'openssl pkcs7 -in FILE -print_certs'"},
	{"PUBLIC KEY", "is a public key without a certificate; take it out"},
}

// whyNoCertificate says why a block that is whole is not a certificate; empty for one.
func whyNoCertificate(b *pemBlock) string {
	switch b.label {
	case labelCertificate, "X509 CERTIFICATE":
		if _, err := x509.ParseCertificate(b.content); err != nil && !looksLikeCertificate(b.content) {
			return "is not a valid certificate: its base64 decodes to something else"
		}
		return ""
	}
	for _, other := range otherLabels {
		if strings.HasSuffix(b.label, other.suffix) {
			return other.why
		}
	}
	return "is a " + quote(b.label) + " and not a CERTIFICATE; take it out"
}

// describeNoPEM says what a bundle is that has no blocks, if that can be told.
func describeNoPEM(bundle []byte) string {
	switch {
	case bytes.HasPrefix(bundle, []byte{0xff, 0xfe}), bytes.HasPrefix(bundle, []byte{0xfe, 0xff}):
		return ", and is UTF-16; save it as UTF-8"
	case looksLikeCertificate(bundle):
		return ", and is a certificate in the form DER; write it as PEM, with 'openssl x509 -inform DER -in FILE'"
	}
	return ""
}

// looksLikeCertificate tells whether the DER has the structure of a certificate. Go's
// parser also looks into its values, and refuses some that the tools of machines take,
// such as a serial number below zero.
func looksLikeCertificate(der []byte) bool {
	outer, ok := elements(der)
	if !ok || len(outer) != 1 || !haveTags(outer, asn1.TagSequence) || !isWellFormed(outer, deepestNesting) {
		return false
	}
	parts, ok := elements(outer[0].Bytes)
	return ok && len(parts) == 3 && haveTags(parts, asn1.TagSequence, asn1.TagSequence, asn1.TagBitString) && looksSigned(parts[0].Bytes)
}

// looksSigned tells whether the DER has the structure of what is signed of a certificate.
func looksSigned(der []byte) bool {
	fields, ok := elements(der)
	if ok && len(fields) > 0 && fields[0].Class == asn1.ClassContextSpecific && fields[0].Tag == 0 {
		// The version.
		fields = fields[1:]
	}
	// Serial number, algorithm, issuer, validity, subject, key.
	if !ok || !haveTags(fields, asn1.TagInteger, asn1.TagSequence, asn1.TagSequence, asn1.TagSequence, asn1.TagSequence, asn1.TagSequence) {
		return false
	}
	for _, extra := range fields[6:] {
		if extra.Class != asn1.ClassContextSpecific {
			return false
		}
	}
	validity, ok := elements(fields[3].Bytes)
	if !ok || len(validity) != 2 {
		return false
	}
	key, ok := elements(fields[5].Bytes)
	return ok && len(key) == 2 && haveTags(key, asn1.TagSequence, asn1.TagBitString)
}

// elements are the values that follow one another.
func elements(der []byte) (values []asn1.RawValue, ok bool) {
	for rest := der; len(rest) > 0; {
		var value asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &value); err != nil {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// deepestNesting is deeper than anything in a certificate.
const deepestNesting = 32

// isWellFormed tells whether the values are made of values down to the last one.
func isWellFormed(values []asn1.RawValue, depth int) bool {
	for i := range values {
		if !values[i].IsCompound {
			continue
		}
		inner, ok := elements(values[i].Bytes)
		if !ok || depth == 0 || !isWellFormed(inner, depth-1) {
			return false
		}
	}
	return true
}

func haveTags(values []asn1.RawValue, tags ...int) bool {
	if len(values) < len(tags) {
		return false
	}
	for i, tag := range tags {
		if values[i].Class != asn1.ClassUniversal || values[i].Tag != tag {
			return false
		}
	}
	return true
}
