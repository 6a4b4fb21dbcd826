package devcluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"golang.org/x/crypto/bcrypt"

	// The registry finds its kind of authentication and of storage by name.
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

const registryUser = "devcluster"

// Registry is an OCI registry over plain HTTP on loopback. It answers nobody without the right credentials.
type Registry struct {
	host, password string
	authFile       string
	app            *handlers.App
	server         *http.Server
	closeLog       func() error
}

// Host is the registry's host:port, the first part of the names of its images.
func (r *Registry) Host() string { return r.host }

// Username is the only user that the registry knows.
func (r *Registry) Username() string { return registryUser }

// Password is that user's password.
func (r *Registry) Password() string { return r.password }

// DockerConfigJSON has the registry's credentials in the form of a Secret of type kubernetes.io/dockerconfigjson.
func (r *Registry) DockerConfigJSON() []byte {
	type entry struct {
		Username string `json:"username"`
		Password string `json:"password"`
		Auth     string `json:"auth"`
	}
	auth := base64.StdEncoding.EncodeToString([]byte(registryUser + ":" + r.password))
	content, err := json.Marshal(map[string]map[string]entry{"auths": {r.host: {registryUser, r.password, auth}}})
	if err != nil {
		panic(err) // maps of strings always encode
	}
	return content
}

// AuthFile has the same content as DockerConfigJSON, for tools that take an --authfile.
func (r *Registry) AuthFile() string { return r.authFile }

func startRegistry(dir string, s *state) (*Registry, error) {
	redirectLogrus()
	closeLog, err := logrusTarget.open(filepath.Join(dir, "registry.log"))
	if err != nil {
		return nil, err
	}
	r := &Registry{password: s.RegistryPassword, authFile: filepath.Join(dir, "registry-auth.json"), closeLog: closeLog}
	if err := r.serve(dir, s); err != nil {
		return nil, errors.Join(err, closeLog())
	}
	return r, nil
}

func (r *Registry) serve(dir string, s *state) error {
	passwords := filepath.Join(dir, "registry.htpasswd")
	// The registry hashes on every request of a build: the cheapest hash is good enough on loopback.
	hash, err := bcrypt.GenerateFromPassword([]byte(r.password), bcrypt.MinCost)
	if err != nil {
		return fmt.Errorf("could not hash registry password: %w", err)
	}
	if err := os.WriteFile(passwords, fmt.Appendf(nil, "%s:%s\n", registryUser, hash), 0o600); err != nil {
		return fmt.Errorf("could not write registry password: %w", err)
	}
	if r.app, err = newRegistryApp(registryConfiguration(filepath.Join(dir, "registry"), passwords, r.password)); err != nil {
		return err
	}
	listener, err := listen(&s.RegistryPort)
	if err != nil {
		return errors.Join(err, r.app.Shutdown())
	}
	r.host = listener.Addr().String()
	if err := os.WriteFile(r.authFile, r.DockerConfigJSON(), 0o600); err != nil {
		return errors.Join(fmt.Errorf("could not write registry credentials: %w", err), listener.Close(), r.app.Shutdown())
	}
	r.server = &http.Server{Handler: r.app, ReadHeaderTimeout: time.Minute}
	// Serve ends with ErrServerClosed, when stop says so; any other end shows in the clients.
	go func() { _ = r.server.Serve(listener) }()
	return nil
}

func registryConfiguration(data, passwords, secret string) *configuration.Configuration {
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem":  {"rootdirectory": data},
			"delete":      {"enabled": true},
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
		},
		Auth: configuration.Auth{"htpasswd": {"realm": "devcluster", "path": passwords}},
	}
	config.HTTP.Secret = secret
	return config
}

// newRegistryApp turns the panics by which the registry reports a configuration it cannot work with into errors.
func newRegistryApp(config *configuration.Configuration) (app *handlers.App, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("could not create registry: %v", reason)
		}
	}()
	return handlers.NewApp(context.Background(), config), nil
}

func (r *Registry) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	err := r.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		// A client in the middle of a transfer: its connection goes with the cluster.
		err = r.server.Close()
	}
	return errors.Join(err, r.app.Shutdown(), r.closeLog())
}
