package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
)

// discoveryOf answers with what is next; the last answer stays.
type discoveryOf struct {
	discovery.DiscoveryInterface
	answers []any
	asked   int
}

func (d *discoveryOf) ServerResourcesForGroupVersion(string) (*metav1.APIResourceList, error) {
	d.asked++
	answer := d.answers[0]
	if len(d.answers) > 1 {
		d.answers = d.answers[1:]
	}
	if err, failed := answer.(error); failed {
		return nil, err
	}
	list := &metav1.APIResourceList{}
	for _, name := range answer.([]string) {
		list.APIResources = append(list.APIResources, metav1.APIResource{Name: name})
	}
	return list, nil
}

// TestServesMachineOSConfigs: from then on conditions of pools are written accordingly, so what
// passes is not taken for an answer.
func TestServesMachineOSConfigs(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		answers []any
		serves  bool
		asked   int
	}{
		"from 4.18 on":  {reason: "both kinds came together", answers: []any{[]string{"machineconfigpools", "machineosconfigs", "machineosconfigs/status"}}, serves: true, asked: 1},
		"before":        {reason: "nobody else goes by the label", answers: []any{[]string{"machineconfigpools"}}, asked: 1},
		"no such group": {reason: "there are no pools either", answers: []any{apierrors.NewNotFound(metav1.Unversioned.WithResource("x").GroupResource(), "x")}, asked: 1},
		"later":         {reason: "the API server is restarted", answers: []any{apierrors.NewServiceUnavailable("x"), apierrors.NewServiceUnavailable("x"), []string{"machineosconfigs"}}, serves: true, asked: 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &discoveryOf{answers: test.answers}
				require.Equal(t, test.serves, servesMachineOSConfigs(t.Context(), client, time.Second), test.reason)
				require.Equal(t, test.asked, client.asked)
			})
		})
	}
}
