// Package registry asks registries about images that were pushed to them. It looks up a
// manifest's digest and nothing else, so it sends one request for it, and those by which a
// registry has it log in.
package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// ErrMissing is returned for an image that the registry says it does not have.
var ErrMissing = errors.New("the registry has no such image")

// ErrDenied is returned where the registry does not say, to whoever has these credentials,
// whether it has the image.
var ErrDenied = errors.New("the registry refuses the credentials")

// ErrUnanswered is returned where nothing is known of the image. That may pass.
var ErrUnanswered = errors.New("the registry gives no answer")

// Question is about one image.
type Question struct {
	// Repository is host[:port]/path, and Tag the tag, or digest, in it.
	Repository, Tag string
	// User and Password log in; both are empty for an image that anyone may read.
	User, Password string
	// Certificates are, in PEM, of authorities that are trusted beside the system's.
	Certificates [][]byte
}

// answerWithin bounds one question, redirections and log-ins included.
const answerWithin = 15 * time.Second

// Client asks over the network, through the proxy that the process's environment names. The
// zero value is ready to use.
type Client struct{}

// Digest is the digest, algorithm included, of the manifest that the tag names. The error is
// ErrMissing, ErrDenied or ErrUnanswered.
func (Client) Digest(ctx context.Context, q Question) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	repository, err := remote.NewRepository(q.Repository)
	if err != nil {
		return "", unanswered(q, err)
	}
	transport, err := transportFor(q.Certificates)
	if err != nil {
		return "", unanswered(q, err)
	}
	defer transport.CloseIdleConnections()
	client := &auth.Client{Client: &http.Client{Transport: transport}}
	if q.User != "" {
		client.Credential = auth.StaticCredential(repository.Reference.Host(), auth.Credential{Username: q.User, Password: q.Password})
	}
	repository.Client = client
	manifest, err := repository.Resolve(ctx, q.Tag)
	var refused *errcode.ErrorResponse
	switch {
	case err == nil:
		return manifest.Digest.String(), nil
	case errors.Is(err, errdef.ErrNotFound):
		return "", fmt.Errorf("%s:%s: %w", q.Repository, q.Tag, ErrMissing)
	case errors.Is(err, auth.ErrBasicCredentialNotFound), errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden):
		return "", fmt.Errorf("%s:%s: %w", q.Repository, q.Tag, ErrDenied)
	}
	return "", unanswered(q, err)
}

// unanswered has the words that tell the one cause from the other: no such host, no trust.
func unanswered(q Question, err error) error {
	return fmt.Errorf("could not ask for %s:%s, %w: %w", q.Repository, q.Tag, ErrUnanswered, err)
}

// transportFor is one of its own for each question: what is trusted changes with the cluster.
func transportFor(certificates [][]byte) (*http.Transport, error) {
	trusted, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("could not read the system's certificates: %w", err)
	}
	for _, pem := range certificates {
		// What is no certificate is reported where it is configured.
		trusted.AppendCertsFromPEM(pem)
	}
	defaults, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("could not ask a registry: the process has a transport of another kind")
	}
	transport := defaults.Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
	return transport, nil
}
