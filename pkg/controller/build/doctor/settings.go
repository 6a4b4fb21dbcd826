package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// environment looks at what the controller needs to be at work at all.
func (x *examination) environment() {
	if x.BuilderProblem != "" {
		x.find(x.ifOptedIn(), "BuilderUnavailable", "the cluster", x.BuilderProblem,
			x.chosen().About().Remedy)
	}
	x.lease()
	if x.AccountMissing {
		x.find(x.ifOptedIn(), "ServiceAccountMissing", "ServiceAccount "+x.Account, "does not exist, so the controller cannot run under it", "oc apply -f hack/deploy/rbac.yaml")
		return
	}
	x.permissions()
}

// ifOptedIn is an error where a pool suffers from it, and else a warning.
func (x *examination) ifOptedIn() Severity {
	if x.optedIn() {
		return Error
	}
	return Warning
}

// lease looks at whether a controller leads, of those that elect a leader.
func (x *examination) lease() {
	if x.Lease == nil {
		return
	}
	object := "Lease " + x.Lease.Name
	spec := &x.Lease.Spec
	holder := ""
	if spec.HolderIdentity != nil {
		holder = *spec.HolderIdentity
	}
	if holder == "" {
		if spec.RenewTime == nil || x.isOld(spec.RenewTime.Time) {
			x.find(x.ifOptedIn(), "NobodyLeads", object, "was given back, and nobody has taken it: no controller runs with --leader-elect", seeController)
		}
		return
	}
	if spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return
	}
	if late := x.Now.Sub(spec.RenewTime.Time) - time.Duration(*spec.LeaseDurationSeconds)*time.Second; late > grace {
		x.find(x.ifOptedIn(), "LeaseExpired", object, fmt.Sprintf("is held by %s, which last renewed it at %s: that controller does not run any more, and no other one took over",
			holder, spec.RenewTime.UTC().Format(time.RFC3339)), seeController)
	}
}

// settings looks at the ConfigMaps, and at the Secrets that they name.
func (x *examination) settings() {
	x.custom()
	if x.Repositories != nil {
		x.ignored(inputs.IgnoredRepositories(x.Repositories), editRepositories)
	}
	if !x.SettingsKnown {
		return
	}
	if x.Settings == nil {
		if x.optedIn() && !slices.ContainsFunc(x.Pools, func(pool *mcfgv1.MachineConfigPool) bool { return x.isServed(pool) && !x.ByMachineOS(pool) }) {
			// MachineOSConfigs say what is needed.
			return
		}
		x.find(x.ifOptedIn(), "ConfigMapMissing", inputs.ConfigMapObject, "does not exist in namespace "+ctrlcommon.MCONamespace+", so nothing can be built",
			fmt.Sprintf("%screate configmap %s --from-literal=%s=<registry/organisation/repository> --from-literal=%s=<secret> --from-literal=%s=",
				inNamespace, constants.ConfigMapName, constants.FinalImagePullspecKey, constants.FinalImagePushSecretKey, constants.BaseImagePullSecretKey))
		return
	}
	settings, problems := inputs.ReadSettings(x.Settings)
	for _, problem := range problems {
		x.find(x.ifOptedIn(), "ConfigMapInvalid", inputs.ConfigMapObject, "key "+problem.Key+": "+problem.Text, editSettings)
	}
	x.ignored(inputs.IgnoredSettings(x.Settings), editSettings)
	for i := range x.Secrets {
		x.secret(&x.Secrets[i], settings.FinalImageRepository)
	}
}

// secret looks at one that the settings name.
func (x *examination) secret(s *Secret, repository string) {
	object := inputs.SecretObject(s.Name)
	create := fmt.Sprintf("%screate secret docker-registry %s --docker-server=%s --docker-username=… --docker-password=…",
		inNamespace, s.Name, registryOr(repository, s))
	if !s.Exists {
		x.find(x.ifOptedIn(), "SecretMissing", object, "does not exist, and "+inputs.ConfigMapObject+", key "+strings.Join(s.Keys, " and key ")+", names it", create)
		return
	}
	if s.Content == nil {
		return
	}
	again := "create it anew: " + remove("secret", s.Name) + "; " + create
	credentials, problem := inputs.ReadCredentials(s.Content)
	var warning *inputs.Problem
	if problem == nil && repository != "" && slices.Contains(s.Keys, constants.FinalImagePushSecretKey) {
		problem, warning = credentials.CheckPush(repository, inputs.Place{Object: inputs.ConfigMapObject, Key: constants.FinalImagePullspecKey})
	}
	switch {
	case problem != nil && problem.Key != "":
		x.find(x.ifOptedIn(), "SecretInvalid", object, "key "+problem.Key+": "+problem.Text, again)
	case problem != nil:
		x.find(x.ifOptedIn(), "SecretInvalid", object, problem.Text, again)
	case warning != nil:
		x.find(Warning, "SecretEmpty", object, "key "+warning.Key+": "+warning.Text, again)
	}
}

func registryOr(repository string, s *Secret) string {
	if slices.Contains(s.Keys, constants.FinalImagePushSecretKey) && repository != "" {
		return inputs.RegistryOf(repository)
	}
	return "<registry>"
}

// custom looks at the administrators' Containerfile texts.
func (x *examination) custom() {
	if x.Custom == nil {
		return
	}
	pools := make([]string, 0, len(x.Pools))
	for _, pool := range x.Pools {
		pools = append(pools, pool.Name)
	}
	for _, name := range inputs.KeysOf(x.Custom) {
		at := slices.Index(pools, name)
		if at < 0 {
			x.find(Warning, "CustomContentUnused", inputs.CustomObject, inputs.UnusedCustom(name, pools), editCustom)
			continue
		}
		served := x.isServed(x.Pools[at])
		switch custom, problem := inputs.ReadCustom(name, x.Custom); {
		case problem != nil && served:
			x.find(Error, "CustomContentInvalid", inputs.CustomObject, "key "+problem.Key+": "+problem.Text, editCustom)
		case problem != nil:
			x.find(Warning, "CustomContentInvalid", inputs.CustomObject, "key "+problem.Key+": "+problem.Text, editCustom)
		case custom.Any() && !served:
			x.find(Warning, "CustomContentUnused", inputs.CustomObject, fmt.Sprintf("has text for %s, which did not opt in", poolObject(name)), optIn(name))
		}
	}
}

// ignored tells of keys that mean nothing.
func (x *examination) ignored(problem *inputs.Problem, repair string) {
	if problem != nil {
		x.find(Warning, "UnknownKeys", problem.Object, problem.Text, repair)
	}
}
