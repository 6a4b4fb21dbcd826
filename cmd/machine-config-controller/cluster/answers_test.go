package cluster_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster/clustertest"
)

// TestR51SilenceEnds: a server that takes connections and says nothing is given up, and named.
func TestR51SilenceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clustertest.NewAPI()
		api.Say("*", clustertest.Silence)
		c := api.Clients(t, 30*time.Second)
		for name, ask := range map[string]func() error{
			"a question": func() error { return c.Reach(t.Context()) },
			"pools":      func() error { _, err := c.Pools(t.Context()); return err },
			"everything": func() error { _, err := c.Gather(t.Context(), "worker"); return err },
			"a list before a watch": func() error {
				_, err := c.ForWatch().Kube.CoreV1().ConfigMaps("").List(t.Context(), metav1.ListOptions{})
				return err
			},
		} {
			began := time.Now()
			err := c.Explain(ask())
			require.ErrorContains(t, err, "the API server "+clustertest.Host+" does not answer within 30s; --request-timeout gives it more time: ", name)
			require.Equal(t, 30*time.Second, time.Since(began), name)
		}
		// client-go takes a watch that does not begin for one of which nothing comes.
		_, err := c.ForWatch().Kube.CoreV1().ConfigMaps("").Watch(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		require.Contains(t, verdicts(c), "watch configmaps: "+clustertest.Host+" does not answer within 30s; --request-timeout gives it more time")
	})
}

func verdicts(c *cluster.Clients) (all []string) {
	for _, trouble := range c.Troubles() {
		all = append(all, trouble.Request.String()+": "+trouble.Verdict)
	}
	return all
}

// TestR51WatchesLast: that a request is bounded does not end what is meant to last.
func TestR51WatchesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.NewAPI().Clients(t, 30*time.Second)
		w, err := c.ForWatch().Kube.CoreV1().ConfigMaps("").Watch(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		synctest.Wait()
		select {
		case <-w.ResultChan():
			require.Fail(t, "the watch ended")
		default:
		}
		w.Stop()
	})
}

// TestR51NoLimit: 0 is as long as it takes.
func TestR51NoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clustertest.NewAPI()
		api.Say("*", clustertest.Silence)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		require.Error(t, api.Clients(t, 0).Reach(ctx))
		require.Error(t, ctx.Err(), "nothing else ended it")
	})
}

// TestR51WhatIsInTheWay: each trouble leads to another remedy, so each has its own words.
func TestR51WhatIsInTheWay(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		say    clustertest.Say
		want   string
	}{
		"name":           {reason: "no VPN", say: clustertest.Say{Err: &net.DNSError{Name: "api.example.com", Err: "no such host"}}, want: "cannot be found: the name api.example.com cannot be resolved (DNS)"},
		"nobody listens": {reason: "a restart", say: clustertest.Say{Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, want: "does not answer"},
		"hung up":        {reason: "a balancer without servers", say: clustertest.Say{Err: io.EOF}, want: "does not answer"},
		"proxy":          {reason: "HTTPS_PROXY", say: clustertest.Say{Err: &net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}}, want: "cannot be reached through the proxy"},
		"unknown CA":     {reason: "another cluster at the same address", say: clustertest.Say{Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, want: "a certificate that is not trusted"},
		"other name":     {reason: "an address in place of a name", say: clustertest.Say{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "api"}}, want: "--tls-server-name"},
		"expired":        {reason: "a cluster that was off for long", say: clustertest.Say{Err: x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}}, want: "a certificate that is not trusted"},
		"no TLS":         {reason: "another port", say: clustertest.Say{Err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}}, want: "does not speak TLS"},
		"client's":       {reason: "a client certificate that expired", say: clustertest.Say{Err: &net.OpError{Op: "remote error", Err: errors.New("tls: expired certificate")}}, want: "client certificate"},
		"plugin":         {reason: "no request was made", say: clustertest.Say{Err: errors.New("getting credentials: exec: executable oc not found")}, want: "could not be asked"},
		"401":            {reason: "log in again", say: clustertest.Say{Code: http.StatusUnauthorized}, want: "refuses the credentials (401)"},
		"403":            {reason: "ask for a role", say: clustertest.Say{Code: http.StatusForbidden}, want: `refuses: these credentials may not list machineconfigpools (API group "machineconfiguration.openshift.io") (403)`},
		"404":            {reason: "plain Kubernetes", say: clustertest.Say{Code: http.StatusNotFound}, want: "does not know machineconfigpools (404)"},
		"429":            {reason: "wait", say: clustertest.Say{Code: http.StatusTooManyRequests}, want: "is overloaded"},
		"500":            {reason: "look at its log", say: clustertest.Say{Code: http.StatusInternalServerError}, want: "an error of its own (500"},
		"503":            {reason: "it restarts", say: clustertest.Say{Code: http.StatusServiceUnavailable}, want: "an error of its own (503"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := clustertest.NewAPI()
				api.Say("*", test.say)
				c := api.Clients(t, 30*time.Second)
				err := c.Explain(c.Reach(t.Context()))
				require.ErrorContains(t, err, "the API server "+clustertest.Host+" ", test.reason)
				require.ErrorContains(t, err, test.want, test.reason)
				require.ErrorContains(t, err, "could not list MachineConfigPools: ", test.reason)
			})
		})
	}
}
