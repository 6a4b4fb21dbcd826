package inputs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
)

// ControllerConfigObject is how messages name the ControllerConfig.
const ControllerConfigObject = "ControllerConfig machine-config-controller"

// MaxTrustBundleBytes bounds spec.additionalTrustBundle (1 MiB). The bundle comes
// from a ConfigMap, which cannot be larger.
const MaxTrustBundleBytes = 1 << 20

// Hash tells contents apart; it is empty for none.
func Hash(content []byte) string {
	if len(content) == 0 {
		return ""
	}
	return hashOf(string(content))
}

// ParseTrustBundle checks spec.additionalTrustBundle of the ControllerConfig and
// returns its certificates as PEM, in their order; nil for an empty bundle.
// Whatever else is in the bundle (text, attributes, keys) is left out, so that
// nothing but certificates can reach the image through it.
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
	for rest := bundle; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, problem("has a block that is not a valid certificate; mend or remove it")
		}
		// Writing to a buffer does not fail.
		_ = pem.Encode(&certificates, &pem.Block{Type: block.Type, Bytes: block.Bytes})
	}
	if certificates.Len() == 0 {
		return nil, problem("has no PEM certificate; it has to be a series of CERTIFICATE blocks")
	}
	return certificates.Bytes(), nil
}
