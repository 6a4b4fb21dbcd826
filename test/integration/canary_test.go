package integration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// canaries are credentials, by where they are. None may be found elsewhere.
var canaries = map[string]string{
	"push secret":      "canary-of-the-push-secret",
	"malformed secret": "canary-of-a-malformed-secret",
	"pull secret":      "canary-of-the-pull-secret",
	"entitlement":      "canary-of-the-entitlement",
	"file":             "canary-of-a-file-in-the-config",
	"password hash":    "canary-of-a-password-hash",
	"malformed config": "canary-of-a-malformed-config",
}

// canaryForms are what text looks like as it is, and in base64 wherever in a text it
// may begin.
func canaryForms(text string) []string {
	all := []string{text}
	for offset := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte("xxx"[:offset] + text))
		// The first and last characters depend on what is around the text.
		all = append(all, encoded[4:len(encoded)-4])
	}
	return all
}

// findCanaries names those that are in the text.
func findCanaries(text string) []string {
	var found []string
	for where, canary := range canaries {
		if slices.ContainsFunc(canaryForms(canary), func(form string) bool { return strings.Contains(text, form) }) {
			found = append(found, where)
		}
	}
	slices.Sort(found)
	return found
}

// putSecret creates a Secret, or gives the one there is other content; it goes with the test.
func putSecret(t *testing.T, name string, kind corev1.SecretType, key, value string) {
	t.Helper()
	secrets := shared.kube.CoreV1().Secrets(devcluster.Namespace)
	object := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: kind, Data: map[string][]byte{key: []byte(value)}}
	_ = secrets.Delete(t.Context(), name, metav1.DeleteOptions{})
	_, err := secrets.Create(t.Context(), object, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = secrets.Delete(context.Background(), name, metav1.DeleteOptions{}) })
}

func dockerConfig(host, password string) string {
	auth := base64.StdEncoding.EncodeToString([]byte("user:" + password))
	return fmt.Sprintf(`{"auths":{%q:{"username":"user","password":%q,"auth":%q}}}`, host, password, auth)
}

func createConfigOf(t *testing.T, ignition string) string {
	t.Helper()
	name := fmt.Sprintf("rendered-%d-%s", configs.Add(1), strings.Repeat("0", 32))
	config := &mcfgv1.MachineConfig{ObjectMeta: metav1.ObjectMeta{Name: name}}
	config.Spec.OSImageURL = "quay.example.com/os@sha256:" + strings.Repeat("1", 64)
	config.Spec.Config = runtime.RawExtension{Raw: []byte(ignition)}
	_, err := shared.mcfg.MachineconfigurationV1().MachineConfigs().Create(t.Context(), config, metav1.CreateOptions{})
	require.NoError(t, err)
	return name
}

// TestSecretsStayInSecrets has the controller, at the highest verbosity, meet
// credentials in all the places where it reads them, in good and in malformed
// objects, while builds are refused, fail and succeed. It then looks for them in the
// log, in the metrics, and in every object that is no Secret.
func TestSecretsStayInSecrets(t *testing.T) {
	settings := map[string]string{
		"finalImagePullspec": repository, "finalImagePushSecretName": "push", "baseImagePullSecretName": "pull",
		"rejectCredentials": "true", "quietPeriodSeconds": "0",
	}
	createConfigMap(t, "machine-os-builder-config", settings)
	putSecret(t, "pull", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, dockerConfig("quay.example.com", canaries["pull secret"]))
	putSecret(t, "etc-pki-entitlement", corev1.SecretTypeOpaque, "entitlement-key.pem", canaries["entitlement"])
	putSecret(t, "push", corev1.SecretTypeOpaque, corev1.DockerConfigJsonKey, `{"auths":{"registry.example.com":{"auth":`+canaries["malformed secret"]+`}}}`)

	file := "data:;base64," + base64.StdEncoding.EncodeToString([]byte(dockerConfig("registry.example.com", canaries["file"])))
	good := fmt.Sprintf(`{"ignition":{"version":"3.4.0"},"passwd":{"users":[{"name":"core","passwordHash":"$6$%s"}]},
		"storage":{"files":[{"path":"/var/lib/kubelet/config.json","mode":384,"contents":{"source":%q}}]}}`, canaries["password hash"], file)
	refused := strings.ReplaceAll(good, "/var/lib/kubelet/config.json", "/etc/leak.json")
	malformed := fmt.Sprintf(`{"ignition":{"version":"3.4.0"},"storage":{"files":[{"path":7,"contents":{"source":"data:,%s"}}]}}`, canaries["malformed config"])

	p := startBuildController(t, "-v", "10")
	createPool(t, "canary", createConfigOf(t, malformed))
	var said []string
	reach := func(reason string) { said = append(said, awaitReason(t, "canary", reason)) }
	reach("SecretInvalid")
	putSecret(t, "push", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, dockerConfig("registry.example.com", canaries["push secret"]))
	reach("RenderedConfigInvalid")
	wantConfig(t, "canary", createConfigOf(t, refused))
	reach("CredentialsInConfig")
	shared.script.Decide(func(buildrunner.Job) buildrunner.Script {
		return buildrunner.Script{Log: "it failed\n", Err: buildrunner.NewFailure(buildv1.StatusReasonDockerBuildFailed, fmt.Errorf("exit 1"))}
	})
	t.Cleanup(succeedAtOnce)
	wantConfig(t, "canary", createConfigOf(t, good))
	reach("BuildFailed")
	succeedAtOnce()
	config := createConfigOf(t, strings.ReplaceAll(good, "384", "256"))
	wantConfig(t, "canary", config)
	awaitImage(t, "canary", config)

	elsewhere := everythingButSecrets(t)
	elsewhere["metrics"] = p.metrics()
	p.stop()
	elsewhere["the log"] = p.logText()
	require.Contains(t, elsewhere["the log"], bodyWithheld, "the verbosity is not one at which bodies would be logged: this proves less than it says")
	for where, text := range elsewhere {
		require.NotEmpty(t, text, where)
		require.Empty(t, findCanaries(text), "%s has credentials", where)
	}
	require.Empty(t, findCanaries(strings.Join(said, "\n")), "what the pool said in between")

	rest, err := clientcmd.BuildConfigFromFlags("", shared.kubeconfig)
	require.NoError(t, err)
	require.NotEmpty(t, rest.BearerToken)
	_, signature, _ := strings.Cut(strings.TrimPrefix(rest.BearerToken, "ey"), ".")
	require.NotContains(t, elsewhere["the log"], signature, "the service account's own token")

	var inSecrets strings.Builder
	for _, name := range []string{"push", "pull", "etc-pki-entitlement"} {
		secret, err := shared.kube.CoreV1().Secrets(devcluster.Namespace).Get(t.Context(), name, metav1.GetOptions{})
		require.NoError(t, err)
		inSecrets.WriteString(asJSON(t, secret))
	}
	require.Equal(t, []string{"entitlement", "pull secret", "push secret"}, findCanaries(inSecrets.String()), "where they are, they are found")
	require.Equal(t, []string{"malformed secret"}, findCanaries(canaries["malformed secret"]))
	require.Equal(t, []string{"file", "password hash"}, findCanaries(decoded(t, good)))
}

// bodyWithheld is what the log has in place of what the API server was sent and sent.
const bodyWithheld = "(withheld: it may hold credentials)"

// decoded is a config with its files' contents next to it.
func decoded(t *testing.T, ignition string) string {
	t.Helper()
	_, encoded, _ := strings.Cut(ignition, ";base64,")
	encoded, _, _ = strings.Cut(encoded, `"`)
	content, err := base64.StdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	return ignition + string(content)
}

// everythingButSecrets is all that the controller writes in the cluster, or might.
func everythingButSecrets(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	put := func(what string, list any, err error) {
		t.Helper()
		require.NoError(t, err)
		all[what] = asJSON(t, list)
	}
	pool, err := shared.mcfg.MachineconfigurationV1().MachineConfigPools().Get(t.Context(), "canary", metav1.GetOptions{})
	put("the pool", pool, err)
	builds, err := shared.builds.BuildV1().Builds(devcluster.Namespace).List(t.Context(), metav1.ListOptions{})
	put("Builds", builds, err)
	configMaps, err := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace).List(t.Context(), metav1.ListOptions{})
	put("ConfigMaps", configMaps, err)
	leases, err := shared.kube.CoordinationV1().Leases(devcluster.Namespace).List(t.Context(), metav1.ListOptions{})
	put("leases", leases, err)
	events, err := shared.kube.CoreV1().Events("").List(t.Context(), metav1.ListOptions{})
	put("events", events, err)
	return all
}

func asJSON(t *testing.T, object any) string {
	t.Helper()
	text, err := json.Marshal(object)
	require.NoError(t, err)
	return string(text)
}

// metrics is what Prometheus would read.
func (p *process) metrics() string {
	match := serving.FindStringSubmatch(p.ownLog())
	require.NotNil(p.t, match)
	response, err := http.Get("http://" + match[1] + "/metrics")
	require.NoError(p.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	return string(body)
}
