package inputs

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// nodeCredentialsKey has what nodes pull images of the operating system with: the cluster's
// pull secret, merged with the logins at its own registry.
const nodeCredentialsKey = "spec.internalRegistryPullSecret"

// ReadNodeCredentials reads the ControllerConfig's spec.internalRegistryPullSecret. What is
// not there, or cannot be read, is not known.
func ReadNodeCredentials(text []byte) (c Credentials, known bool) {
	if len(text) == 0 {
		return Credentials{}, false
	}
	c, why := parseCredentials("", corev1.DockerConfigJsonKey, text)
	return c, why == ""
}

// NodeLogin warns of a repository of the MachineOSConfig that the nodes have no credentials
// for; nil for nothing. Where the registry asks for some, each node degrades that is to boot
// the image.
func (c *MachineOSConfig) NodeLogin(nodes Credentials, repository string) *Problem {
	if nodes.Serve(repository + ":") {
		return nil
	}
	p := c.place(FieldPushSpec).problem(fmt.Sprintf(
		"nodes will pull from %s, and have no credentials for it (%s, key %s); unless anybody may pull there, add an entry for %s to the cluster's pull secret, Secret pull-secret in namespace openshift-config",
		repository, ControllerConfigObject, nodeCredentialsKey, RegistryOf(repository)))
	return &p
}
