package e2e

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

// canary is written wherever a config can hold a credential that an image must not.
const canary = "canary-f7c1b0d2-credential"

// TestNoCredentialInTheImage looks through every byte of an image: its layers, its
// labels, environment and history, and its manifest.
func TestNoCredentialInTheImage(t *testing.T) {
	b := startBuilds(t)
	pullSecret := `{"auths":{"quay.example.com":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("user:"+canary)) + `","password":"` + canary + `"}}}`
	const kept, inBase64 = "this is in the image, and shows that it would be found", "so does this, which is encoded"
	in := input{
		MachineConfig: machineConfig(t, object{
			"ignition": object{"version": "3.4.0", "proxy": object{"httpProxy": "https://user:" + canary + "@proxy.example.com"}},
			"passwd":   object{"users": []object{{"name": "core", "passwordHash": "$6$" + canary}, {"name": "other", "passwordHash": canary, "gecos": canary}}},
			"storage": object{
				"files": []object{
					{"path": "/var/lib/kubelet/config.json", "mode": 0o600, "contents": plain(pullSecret)},
					{"path": "/root/.docker/config.json", "mode": 0o600, "contents": object{"source": "data:," + canary}},
					{"path": "/usr/local/etc/token", "append": []object{plain(canary)}},
					{"path": "/run/secret", "contents": plain(canary)},
					{"path": "/etc/mco/internal-registry-pull-secret.json", "contents": plain(pullSecret)},
					{"path": "/etc/kept", "contents": plain(kept)},
					{"path": "/etc/kept-in-base64", "contents": plain(encoded(inBase64))},
				},
				"luks": []object{{"name": "data", "device": "/dev/sda1", "keyFile": plain(canary)}},
			},
		}),
		// A private key in it keeps an image from being built at all.
		TrustBundle: certificate(t),
	}
	in.MachineConfig.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": canary}
	out, image := b.build(t, in)
	require.Empty(t, out.Findings, "nothing in the image looks like a credential")

	haystacks := append([][]byte{image.manifest, image.config}, image.layers...)
	require.Greater(t, len(haystacks), 4, "one layer per instruction, so that none hides another")
	for i, haystack := range haystacks {
		for _, form := range forms(canary) {
			require.False(t, bytes.Contains(haystack, form), "part %d of the image has a credential, as %q", i, form)
		}
	}
	require.True(t, foundIn(image.layers, kept), "a file of the config is in the image; if it is not found, nor would be a credential")
	require.True(t, foundIn(image.layers, string(forms(encoded(inBase64))[0])), "nor would one in base64")
}

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// forms are what text looks like in a file: as it is, and in base64 wherever it may
// begin there.
func forms(text string) [][]byte {
	all := [][]byte{[]byte(text)}
	for offset := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte("xxx"[:offset] + text))
		// The first and last characters depend on what is around the text.
		all = append(all, []byte(encoded[4:len(encoded)-4]))
	}
	return all
}

func foundIn(layers [][]byte, text string) bool {
	for _, layer := range layers {
		if bytes.Contains(layer, []byte(text)) {
			return true
		}
	}
	return false
}
