// Package keyring compares how the controller reads credentials with how builders do: by Kubernetes' own keyring.
package keyring
