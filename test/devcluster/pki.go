package devcluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLifetime outlives any test or demonstration; nothing here rotates.
const certificateLifetime = 365 * 24 * time.Hour

// pki is the cluster's only certificate authority, with the files that kube-apiserver reads.
type pki struct {
	caCert *x509.Certificate
	caKey  *ecdsa.PrivateKey

	caFile            string
	servingCertFile   string
	servingKeyFile    string
	serviceAccountKey string
}

// keyPair is a PEM-encoded certificate with its key.
type keyPair struct {
	cert, key []byte
}

// loadOrCreatePKI keeps an existing authority, so that kubeconfigs and tokens handed out earlier survive a restart.
func loadOrCreatePKI(dir string) (*pki, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("could not create directory %s: %w", dir, err)
	}
	p := &pki{
		caFile:            filepath.Join(dir, "ca.crt"),
		servingCertFile:   filepath.Join(dir, "apiserver.crt"),
		servingKeyFile:    filepath.Join(dir, "apiserver.key"),
		serviceAccountKey: filepath.Join(dir, "service-account.key"),
	}
	caKeyFile := filepath.Join(dir, "ca.key")
	switch _, err := os.Stat(p.serviceAccountKey); {
	case err == nil:
		return p, p.load(caKeyFile)
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("could not look for earlier certificates: %w", err)
	}
	return p, p.create(caKeyFile)
}

func (p *pki) load(caKeyFile string) error {
	certPEM, err := os.ReadFile(p.caFile)
	if err != nil {
		return fmt.Errorf("could not read CA certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(caKeyFile)
	if err != nil {
		return fmt.Errorf("could not read CA key: %w", err)
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return fmt.Errorf("could not decode CA in %s: no PEM block", filepath.Dir(p.caFile))
	}
	if p.caCert, err = x509.ParseCertificate(certBlock.Bytes); err != nil {
		return fmt.Errorf("could not parse CA certificate: %w", err)
	}
	if p.caKey, err = x509.ParseECPrivateKey(keyBlock.Bytes); err != nil {
		return fmt.Errorf("could not parse CA key: %w", err)
	}
	return nil
}

// create writes the service-account key last: its presence says that the set is complete.
func (p *pki) create(caKeyFile string) error {
	var err error
	if p.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return fmt.Errorf("could not generate CA key: %w", err)
	}
	template := certificateTemplate(pkix.Name{CommonName: "devcluster-ca"})
	template.IsCA = true
	template.KeyUsage |= x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, p.caKey.Public(), p.caKey)
	if err != nil {
		return fmt.Errorf("could not create CA certificate: %w", err)
	}
	if p.caCert, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("could not parse CA certificate: %w", err)
	}
	caKeyPEM, err := encodeKey(p.caKey)
	if err != nil {
		return err
	}
	serving, err := p.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return err
	}
	saKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("could not generate service-account key: %w", err)
	}
	saKeyPEM, err := encodeKey(saKey)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		path    string
		content []byte
	}{
		{p.caFile, encodeCert(der)},
		{caKeyFile, caKeyPEM},
		{p.servingCertFile, serving.cert},
		{p.servingKeyFile, serving.key},
		{p.serviceAccountKey, saKeyPEM},
	} {
		if err := os.WriteFile(f.path, f.content, 0o600); err != nil {
			return fmt.Errorf("could not write %s: %w", f.path, err)
		}
	}
	return nil
}

// client issues a client certificate; the API server takes user and groups from its subject.
func (p *pki) client(user string, groups ...string) (keyPair, error) {
	return p.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (p *pki) issue(request *x509.Certificate) (keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("could not generate key for %s: %w", request.Subject.CommonName, err)
	}
	template := certificateTemplate(request.Subject)
	template.DNSNames = request.DNSNames
	template.IPAddresses = request.IPAddresses
	template.ExtKeyUsage = request.ExtKeyUsage
	der, err := x509.CreateCertificate(rand.Reader, template, p.caCert, key.Public(), p.caKey)
	if err != nil {
		return keyPair{}, fmt.Errorf("could not create certificate for %s: %w", request.Subject.CommonName, err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return keyPair{}, err
	}
	return keyPair{cert: encodeCert(der), key: keyPEM}, nil
}

func (p *pki) caPEM() []byte { return encodeCert(p.caCert.Raw) }

func certificateTemplate(subject pkix.Name) *x509.Certificate {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // never fails, as its documentation promises
	now := time.Now()
	return &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		Subject:               subject,
		NotBefore:             now.Add(-time.Minute),
		NotAfter:              now.Add(certificateLifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
}

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("could not encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}
