package status

import (
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster/clustertest"
)

// TestR53WatchSaysWhatTheServerSays: rows that nobody brings up to date look like those of
// which nothing is new, and what has to be done depends on what is in the way.
func TestR53WatchSaysWhatTheServerSays(t *testing.T) {
	const pools = `machineconfigpools (API group "machineconfiguration.openshift.io")`
	for name, test := range map[string]struct {
		reason string
		to     string
		say    clustertest.Say
		want   []string
	}{
		"credentials taken away": {
			reason: "another login is needed", to: "*", say: clustertest.Say{Code: http.StatusUnauthorized},
			want: []string{"refuses the credentials (401)", "--token", "nothing is known of changes since"},
		},
		"permission taken away": {
			reason: "the verb and the resource are what a Role has", to: "*", say: clustertest.Say{Code: http.StatusForbidden},
			want: []string{"refuses: these credentials may not list " + pools, "(403)"},
		},
		"permission to watch taken away": {
			reason: "listing goes on, so that a question alone would find nothing", to: "watch machineconfigpools", say: clustertest.Say{Code: http.StatusForbidden},
			want: []string{"refuses: these credentials may not watch " + pools, "nothing is known of changes of the pools since"},
		},
		"permission for Builds taken away": {
			reason: "the pools go on", to: "watch builds", say: clustertest.Say{Code: http.StatusForbidden},
			want: []string{`refuses: these credentials may not watch builds (API group "build.openshift.io")`, "what is told of builds is of before"},
		},
		"permission for the settings taken away": {
			reason: "the pools go on", to: "watch configmaps", say: clustertest.Say{Code: http.StatusForbidden},
			want: []string{`refuses: these credentials may not watch configmaps (403)`},
		},
		"no such resource": {
			reason: "the operator was taken away", to: "*", say: clustertest.Say{Code: http.StatusNotFound},
			want: []string{"does not know machineconfigpools (404)", "CustomResourceDefinition"},
		},
		"overloaded": {
			reason: "it passes by itself", to: "*", say: clustertest.Say{Code: http.StatusTooManyRequests}, want: []string{"is overloaded", "(429)"},
		},
		"error of its own": {
			reason: "its own log has more", to: "*", say: clustertest.Say{Code: http.StatusInternalServerError}, want: []string{"(500 Internal Server Error)"},
		},
		"Build API away": {
			reason: "it is served by a program of its own", to: "watch builds", say: clustertest.Say{Code: http.StatusServiceUnavailable},
			want: []string{"(503 Service Unavailable)", "what is told of builds is of before"},
		},
		"certificate changed": {
			reason: "it is not the server that one knew", to: "*", say: clustertest.Say{Err: x509.UnknownAuthorityError{}}, want: []string{"a certificate that is not trusted (TLS)"},
		},
		"no name": {
			reason: "the VPN is gone", to: "*", say: clustertest.Say{Err: &net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}},
			want: []string{"the name api.example.com cannot be resolved (DNS)"},
		},
		"nobody listens": {
			reason: "the server restarts", to: "*", say: clustertest.Say{Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}},
			want: []string{"does not answer", "connection refused"},
		},
		"silence": {
			reason: "a machine that hangs takes connections", to: "*", say: clustertest.Silence, want: []string{"does not answer within 10s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := clustertest.NewAPI()
				w := &watching{t: t, ended: make(chan error, 1)}
				w.start(api.Clients(t, 30*time.Second), &options{output: cluster.Text})
				w.pass(time.Minute)
				before := w.notes.take()
				require.Equal(t, nobodyOptedIn+"\n", before)

				api.Say(test.to, test.say)
				w.pass(5 * time.Minute)
				said := w.notes.take()
				require.Equal(t, 1, strings.Count(said, "The API server "), "it is said once, %s: %s", test.reason, said)
				for _, want := range append(test.want, "The API server "+clustertest.Host+" ") {
					require.Contains(t, said, want, test.reason)
				}

				api.Say(test.to, clustertest.Say{Code: http.StatusOK})
				w.pass(5 * time.Minute)
				require.Equal(t, "The API server answers again.\n", w.notes.take(), test.reason)
				w.end()
			})
		})
	}
}

// TestR53OneTroubleAfterTheOther: what is in the way may change.
func TestR53OneTroubleAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clustertest.NewAPI()
		w := &watching{t: t, ended: make(chan error, 1)}
		w.start(api.Clients(t, 30*time.Second), &options{output: cluster.Text})
		api.Say("*", clustertest.Say{Err: errors.New("no route to host")})
		w.pass(time.Minute)
		api.Say("*", clustertest.Say{Code: http.StatusUnauthorized})
		w.pass(time.Minute)
		said := w.notes.String()
		require.Contains(t, said, "could not be asked")
		require.Contains(t, said, "refuses the credentials")
		require.NotContains(t, said, "answers again")
		w.end()
	})
}

// TestR53RefusedFromTheBeginning: what may not be watched is told when it may be listed.
func TestR53RefusedFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clustertest.NewAPI()
		api.Say("watch machineconfigpools", clustertest.Say{Code: http.StatusForbidden})
		w := &watching{t: t, ended: make(chan error, 1)}
		w.start(api.Clients(t, 30*time.Second), &options{output: cluster.Text})
		w.pass(time.Minute)
		require.Contains(t, w.notes.String(), "may not watch machineconfigpools")
		w.end()
	})
}

// TestR53SilentBeforeTheFirstRow: a watch that cannot begin says so.
func TestR53SilentBeforeTheFirstRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clustertest.NewAPI()
		api.Say("watch builds", clustertest.Silence)
		w := &watching{t: t, ended: make(chan error, 1)}
		w.start(api.Clients(t, 30*time.Second), &options{output: cluster.Text})
		api.Say("list machineconfigpools", clustertest.Say{Code: http.StatusUnauthorized})
		w.pass(time.Minute)
		require.Contains(t, w.notes.String(), "refuses the credentials")
		w.end()
	})
}
