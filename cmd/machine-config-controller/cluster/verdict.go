package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Request is what was asked of the API server, in the words of a Role.
type Request struct{ Verb, Group, Resource string }

// String names the permission that it takes.
func (r Request) String() string {
	if r.Group == "" {
		return r.Verb + " " + r.Resource
	}
	return fmt.Sprintf("%s %s (API group %q)", r.Verb, r.Resource, r.Group)
}

// requestError is the error of a request.
type requestError struct {
	request Request
	what    string
	err     error
}

func (e *requestError) Error() string { return "could not " + e.what + ": " + e.err.Error() }

func (e *requestError) Unwrap() error { return e.err }

// Failed tells what could not be done; nil if it could.
func Failed(request Request, what string, err error) error {
	if err == nil {
		return nil
	}
	return &requestError{request, what, err}
}

// Explain says in front of an error what it means that a request had no good answer. Other
// errors stay as they are.
func (c *Clients) Explain(err error) error {
	if err == nil {
		return nil
	}
	if verdict := c.Verdict(err); verdict != "" {
		return fmt.Errorf("the API server %s: %w", verdict, err)
	}
	return err
}

// Server is the address of the API server; empty where there is none.
func (c *Clients) Server() string {
	if c.answers == nil {
		return ""
	}
	return c.answers.server
}

// Verdict is what the API server does, its address first where it has one; empty if the
// error is of something else.
func (c *Clients) Verdict(err error) string {
	var request Request
	if failed := (*requestError)(nil); errors.As(err, &failed) {
		request = failed.request
	}
	verdict := c.answers.verdict(err, request)
	if verdict == "" {
		return ""
	}
	return strings.TrimSpace(c.Server() + " " + verdict)
}

func (a *answers) verdict(err error, request Request) string {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return ofStatus(int(status.Status().Code), request)
	}
	if verdict := ofConnection(err); verdict != "" {
		return verdict
	}
	var timed net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded) && a != nil && a.timeout > 0:
		return fmt.Sprintf("does not answer within %s; --request-timeout gives it more time", inWords(a.timeout))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timed) && timed.Timeout():
		return "does not answer in time"
	}
	return ofNetwork(err)
}

// ofStatus is about an answer that is an error.
func ofStatus(code int, request Request) string {
	what := request.Resource
	if what == "" {
		what = "what was asked for"
	}
	switch {
	case code == http.StatusUnauthorized:
		return "refuses the credentials (401): they are missing, expired or taken away; log in again, or choose others by --context, --user or --token"
	case code == http.StatusForbidden && request.Verb == "":
		return "refuses: these credentials lack a permission (403)"
	case code == http.StatusForbidden:
		return fmt.Sprintf("refuses: these credentials may not %s (403)", request)
	case code == http.StatusNotFound:
		return fmt.Sprintf("does not know %s (404): it is not that of an OpenShift cluster, or a CustomResourceDefinition is missing", what)
	case code == http.StatusTooManyRequests:
		return "is overloaded, and puts requests off (429)"
	case code >= http.StatusInternalServerError:
		return fmt.Sprintf("does not answer as it should, but with an error of its own (%d %s)", code, http.StatusText(code))
	}
	return ""
}

// ofConnection is about a connection that does not come to be, for a reason that waiting
// does not mend.
func ofConnection(err error) string {
	var (
		unresolved  *net.DNSError
		unverified  *tls.CertificateVerificationError
		unknown     x509.UnknownAuthorityError
		misnamed    x509.HostnameError
		invalid     x509.CertificateInvalidError
		notTLS      tls.RecordHeaderError
		isUntrusted = errors.As(err, &unverified) || errors.As(err, &unknown) || errors.As(err, &misnamed) || errors.As(err, &invalid)
	)
	switch {
	case errors.As(err, &unresolved):
		return fmt.Sprintf("cannot be found: the name %s cannot be resolved (DNS)", unresolved.Name)
	case isUntrusted:
		return "shows a certificate that is not trusted (TLS); see --certificate-authority and --tls-server-name"
	case errors.As(err, &notTLS), errors.Is(err, http.ErrSchemeMismatch):
		return "does not speak TLS; see the address"
	}
	return ""
}

// ofNetwork is about what may pass.
func ofNetwork(err error) string {
	var operation *net.OpError
	var asked *url.Error
	switch {
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		return "cannot be reached through the proxy"
	case errors.As(err, &operation) && operation.Op == "remote error":
		return "breaks the connection off, as it does with a client certificate that it does not take"
	case errors.As(err, &operation), errors.As(err, &asked) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return "does not answer"
	case errors.As(err, &asked) && !errors.Is(err, context.Canceled):
		return "could not be asked"
	}
	return ""
}

// inWords leaves out what is zero at the end of a time.
func inWords(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
