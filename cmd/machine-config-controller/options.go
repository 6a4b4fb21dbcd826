package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	componentbaseconfig "k8s.io/component-base/config"
	"k8s.io/component-base/config/options"
	"k8s.io/component-base/featuregate"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// onClusterBuild is the feature gate of the BuildController.
const onClusterBuild featuregate.Feature = "OnClusterBuild"

// machineOSConfigs is the feature gate of pools that MachineOSConfigs opt in.
const machineOSConfigs featuregate.Feature = "MachineOSConfigs"

// startOptions are the flags of the start command.
type startOptions struct {
	kubeconfig    string
	qps           float32
	burst         int
	workers       int
	bindAddress   string
	healthAddress string
	featureGates  featuregate.MutableFeatureGate
	// replaceBuilder tells to hold the Lease of the operator's own builder.
	replaceBuilder bool
	leaderElection componentbaseconfig.LeaderElectionConfiguration
}

func newStartOptions() *startOptions {
	gates := featuregate.NewFeatureGate()
	// It fails only on a feature that is known already.
	if err := gates.Add(map[featuregate.Feature]featuregate.FeatureSpec{
		onClusterBuild:   {Default: false, PreRelease: featuregate.Alpha},
		machineOSConfigs: {Default: false, PreRelease: featuregate.Alpha},
	}); err != nil {
		panic(err)
	}
	return &startOptions{
		qps:          50,
		burst:        100,
		workers:      5,
		bindAddress:  "127.0.0.1:8797",
		featureGates: gates,
		// OpenShift's recommendation: survive a minute without an API server.
		leaderElection: componentbaseconfig.LeaderElectionConfiguration{
			LeaseDuration:     metav1.Duration{Duration: 137 * time.Second},
			RenewDeadline:     metav1.Duration{Duration: 107 * time.Second},
			RetryPeriod:       metav1.Duration{Duration: 26 * time.Second},
			ResourceLock:      "leases",
			ResourceName:      constants.ControllerName,
			ResourceNamespace: ctrlcommon.MCONamespace,
		},
	}
}

func (o *startOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.kubeconfig, "kubeconfig", o.kubeconfig, "Kubeconfig file of the cluster. Empty: the service account of the pod.")
	flags.Float32Var(&o.qps, "kube-api-qps", o.qps, "Requests per second to the API server, on average, per client.")
	flags.IntVar(&o.burst, "kube-api-burst", o.burst, "Requests to the API server at once, per client.")
	flags.IntVar(&o.workers, "workers", o.workers, "How many pools are worked on at once.")
	flags.StringVar(&o.bindAddress, "bind-address", o.bindAddress, "Address, as host:port, to serve /healthz, /readyz and /metrics on. Port 0 chooses a free one.")
	flags.StringVar(&o.healthAddress, "health-bind-address", o.healthAddress, "Another address, as host:port, to serve only /healthz and /readyz on. Empty: none.")
	flags.BoolVar(&o.replaceBuilder, "replace-machine-os-builder", o.replaceBuilder, "With the feature gate MachineOSConfigs: hold the Lease on which the operator's own builder elects its leader, so that it does nothing, and build what MachineOSConfigs ask for in its place.")
	o.featureGates.AddFlag(flags)
	options.BindLeaderElectionFlags(&o.leaderElection, flags)
}

// validate reports every flag that makes no sense.
func (o *startOptions) validate() error {
	var errs []error
	if o.workers < 1 {
		errs = append(errs, fmt.Errorf("--workers is %d, but at least 1 is needed", o.workers))
	}
	if o.qps <= 0 {
		errs = append(errs, fmt.Errorf("--kube-api-qps is %v, but has to be greater than 0", o.qps))
	}
	if o.burst < 1 {
		errs = append(errs, fmt.Errorf("--kube-api-burst is %d, but at least 1 is needed", o.burst))
	}
	if _, _, err := net.SplitHostPort(o.bindAddress); err != nil {
		errs = append(errs, fmt.Errorf("--bind-address %q is not host:port: %w", o.bindAddress, err))
	}
	if o.healthAddress != "" {
		if _, _, err := net.SplitHostPort(o.healthAddress); err != nil {
			errs = append(errs, fmt.Errorf("--health-bind-address %q is not host:port: %w", o.healthAddress, err))
		}
	}
	return errors.Join(errs...)
}
