package devcluster

import (
	"context"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	adminUser = "devcluster-admin"
	// controllersUser is a name of its own so that the audit log can tell the control plane from people and tests.
	controllersUser = "devcluster-controllers"
	mastersGroup    = "system:masters"

	// tokenSeconds is longer than any use of a devcluster: nothing renews the tokens in kubeconfigs.
	tokenSeconds = 7 * 24 * 60 * 60
)

// RESTConfigFor is the configuration of a client that authenticates as the user with the groups; the user need not exist.
// What the client may do is up to RBAC.
func (c *Cluster) RESTConfigFor(user string, groups ...string) (*rest.Config, error) {
	pair, err := c.pki.client(user, groups...)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host: c.serverURL(),
		TLSClientConfig: rest.TLSClientConfig{
			CAData:   c.pki.caPEM(),
			CertData: pair.cert,
			KeyData:  pair.key,
		},
		// Nobody shares this server: waiting for a client-side limit would only slow tests down.
		QPS: -1,
	}, nil
}

// RESTConfig is the configuration of a client that may do everything. Every call returns a copy.
func (c *Cluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.adminConfig) }

// KubeconfigPath is the file for kubectl and others that may do everything.
func (c *Cluster) KubeconfigPath() string { return c.path("kubeconfig") }

// Kubeconfig writes a kubeconfig for an existing service account, with a fresh token from the TokenRequest API, and returns
// its path. Who uses it has exactly the rights that RBAC gives to that service account.
func (c *Cluster) Kubeconfig(ctx context.Context, namespace, name string) (string, error) {
	client, err := kubernetes.NewForConfig(c.adminConfig)
	if err != nil {
		return "", fmt.Errorf("could not create client: %w", err)
	}
	seconds := int64(tokenSeconds)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("could not request token for service account %s/%s: %w", namespace, name, err)
	}
	path := c.path(strings.Join([]string{"kubeconfig", namespace, name}, "-"))
	return path, c.writeKubeconfig(path, namespace, &clientcmdapi.AuthInfo{Token: token.Status.Token})
}

// KubeletKubeconfig writes a kubeconfig for the kubelet of the named node, with a client certificate, and returns its path.
func (c *Cluster) KubeletKubeconfig(node string) (string, error) {
	pair, err := c.pki.client("system:node:"+node, "system:nodes")
	if err != nil {
		return "", err
	}
	path := c.path("kubeconfig-node-" + node)
	return path, c.writeKubeconfig(path, Namespace, &clientcmdapi.AuthInfo{ClientCertificateData: pair.cert, ClientKeyData: pair.key})
}

// CAFile is the certificate of the authority that signed everybody's certificates.
func (c *Cluster) CAFile() string { return c.pki.caFile }

func (c *Cluster) writeAdminKubeconfig() error {
	return c.writeKubeconfig(c.KubeconfigPath(), Namespace, &clientcmdapi.AuthInfo{
		ClientCertificateData: c.adminConfig.CertData,
		ClientKeyData:         c.adminConfig.KeyData,
	})
}

func (c *Cluster) writeKubeconfig(path, namespace string, user *clientcmdapi.AuthInfo) error {
	const name = "devcluster"
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: c.serverURL(), CertificateAuthorityData: c.pki.caPEM()}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: user},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name, Namespace: namespace}},
		CurrentContext: name,
	}
	if err := clientcmd.WriteToFile(config, path); err != nil {
		return fmt.Errorf("could not write kubeconfig %s: %w", path, err)
	}
	return nil
}

func (c *Cluster) serverURL() string { return "https://" + loopback(c.state.APIServerPort) }
