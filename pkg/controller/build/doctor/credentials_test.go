package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestR10R11R12CredentialsAsTheBuilderReadsThem: the doctor says what the controller holds a
// pool for, and warns of what it warns of.
func TestR10R11R12CredentialsAsTheBuilderReadsThem(t *testing.T) {
	const push = "SecretInvalid Secret " + buildtest.PushSecret
	for name, test := range map[string]struct {
		reason, key, file string
		want              []string
		says              string
	}{
		"login":          {reason: "nothing is wrong", key: ".dockerconfigjson", file: `{"auths":{"https://registry.example.com/v1/":{"auth":"dTpw"}}}`},
		"another's":      {reason: "what there is, is said", key: ".dockerconfigjson", file: `{"auths":{"quay.io":{"auth":"dTpw"}}}`, want: []string{"error " + push}, says: `It has "quay.io"`},
		"store":          {reason: "the file is a desktop's", key: ".dockerconfigjson", file: `{"auths":{"registry.example.com":{}},"credsStore":"desktop"}`, want: []string{"error " + push}, says: "the computer on which somebody logged in"},
		"bare":           {reason: "it may be meant", key: ".dockerconfigjson", file: `{"auths":{"registry.example.com":{}}}`, want: []string{"warning SecretEmpty Secret " + buildtest.PushSecret}, says: "there is nothing in it"},
		"other's format": {reason: "the other key", key: ".dockercfg", file: `{"auths":{"registry.example.com":{"auth":"dTpw"}}}`, want: []string{"error " + push}, says: "format of the key .dockerconfigjson"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.Secrets[0].Content.Data = map[string][]byte{test.key: []byte(test.file)}
			findings := Examine(w.Objects)
			require.Equal(t, test.want, listed(findings), test.reason)
			if test.says != "" {
				require.Contains(t, findings[0].Problem, test.says)
				require.Contains(t, findings[0].Repair, "create secret docker-registry")
			}
		})
	}
}

// listed are the findings in a word each.
func listed(findings []Finding) []string {
	var words []string
	for _, f := range findings {
		words = append(words, strings.Join([]string{string(f.Severity), f.Check, f.Object}, " "))
	}
	return words
}

// TestR11InTheWayOfAPull: whether credentials are in the way of a pull depends on the pool.
func TestR11InTheWayOfAPull(t *testing.T) {
	w := newWorld()
	message := "Secret pull, key .dockerconfigjson: the entry is empty"
	w.Decisions = []Decision{{Pool: "worker", State: ledger.StateHeld, Reason: ledger.ReasonSecretInvalid, Message: message}}
	findings := Examine(w.Objects)
	require.Len(t, findings, 1)
	require.Contains(t, findings[0].Problem, message)
	require.Contains(t, findings[0].Repair, "create secret docker-registry")

	w.Secrets[0].Content.Data = map[string][]byte{corev1.DockerConfigKey: []byte("{}")}
	findings = Examine(w.Objects)
	require.Len(t, findings, 1, "it is told once")
	require.True(t, strings.HasPrefix(findings[0].Object, "Secret"))
}

// TestWarningsAreToldOnce: what the look at an object found is not told of its pools again, and
// what several pools share is told of the first.
func TestWarningsAreToldOnce(t *testing.T) {
	w := newWorld()
	w.Secrets[0].Content.Data = map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{"registry.example.com":{}}}`)}
	other := w.worker.DeepCopy()
	other.Name, other.UID, other.Annotations = "infra", "infra", nil
	w.Pools = append(w.Pools, other)
	found := Examine(w.Objects)
	at := slices.IndexFunc(found, func(f Finding) bool { return f.Check == "SecretEmpty" })
	require.GreaterOrEqual(t, at, 0)
	known := found[at].Object + ", " + found[at].Problem
	const news = "MachineConfig rendered-worker-1 puts into the image what looks like a credential"
	for _, pool := range []string{"worker", "infra"} {
		w.Decisions = append(w.Decisions, Decision{Pool: pool, State: ledger.StatePublished, Warnings: []string{known, news}})
	}

	var warnings []Finding
	for _, f := range Examine(w.Objects) {
		if f.Check == "BuildWarning" {
			warnings = append(warnings, f)
		}
	}
	require.Len(t, warnings, 1)
	require.Equal(t, "MachineConfigPool worker", warnings[0].Object)
	require.Contains(t, warnings[0].Problem, news)
}
