package inputs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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

func TestParseTrustBundle(t *testing.T) {
	first, second := certificate(t, "first"), certificate(t, "second")
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("canary")}))
	headers := strings.Replace(first, "-----\n", "-----\nName: value\n\n", 1)
	for name, test := range map[string]struct{ reason, bundle, want, fails string }{
		"none":            {reason: "most clusters have none"},
		"white space":     {reason: "the same with a line break", bundle: "\n \n"},
		"one":             {reason: "a certificate stays as it is", bundle: first, want: first},
		"two":             {reason: "their order too", bundle: second + first, want: second + first},
		"comments":        {reason: "text between certificates is for people", bundle: "# first\n" + first + "\nsecond:\n" + second, want: first + second},
		"headers":         {reason: "attributes are no part of a certificate", bundle: headers, want: first},
		"private key":     {reason: "nothing but certificates may get into the image", bundle: first + key, want: first},
		"only a key":      {reason: "then there is no certificate", bundle: key, fails: "key spec.additionalTrustBundle: has no PEM certificate"},
		"no PEM":          {reason: "it is quoted nowhere", bundle: "canary", fails: "has no PEM certificate"},
		"broken":          {reason: "update-ca-trust would fail on it", bundle: first + "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n", fails: "has a block that is not a valid certificate"},
		"larger than 1MB": {reason: "no ConfigMap holds it", bundle: first + strings.Repeat("x", MaxTrustBundleBytes), fails: "is larger than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := ParseTrustBundle([]byte(test.bundle))
			if test.fails != "" {
				require.NotNil(t, problem, test.reason)
				require.Contains(t, problem.String(), "ControllerConfig machine-config-controller, key spec.additionalTrustBundle: ")
				require.Contains(t, problem.String(), test.fails, test.reason)
				require.NotContains(t, problem.String(), "canary")
				return
			}
			require.Nil(t, problem, test.reason)
			require.Equal(t, test.want, string(got), test.reason)
		})
	}
}
