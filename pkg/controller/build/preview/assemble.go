package preview

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/content"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// New tells what the controller would do about the pool on these objects with that
// backend, and with
// withDiff what its next image has that the published one has not. The creation is nil
// where nothing is to be created. An error is one of the program itself: whatever can
// be wrong with the objects is in the report.
func New(objects build.Objects, backend imagebuilder.Backend, withDiff bool) (*Report, *imagebuilder.Objects, error) {
	p, err := build.NewPreview(objects)
	if err != nil {
		return nil, nil, err
	}
	pool := p.Snapshot.Pool
	r := &Report{
		Pool: pool.Name, State: string(p.Plan.State), Reason: p.Plan.Reason, Message: p.Plan.Message,
		Config: pool.WantedConfig, Published: pool.Image, PublishedConfig: pool.ImageConfig,
	}
	r.decide(&p)
	for _, secret := range p.Assumed {
		r.NotChecked = append(r.NotChecked, inputs.SecretObject(secret)+": it is not at hand, so it is taken for one that exists and has the credentials")
	}
	r.warn(&objects, &p)
	config := findConfig(objects.Configs, pool.WantedConfig)
	if config != nil {
		found, warnings := newContent(config, p.Snapshot.Custom.Value)
		r.Content, r.Warnings = found, append(r.Warnings, warnings...)
	}
	var creation *imagebuilder.Objects
	if p.Request != nil && p.Request.Context != nil {
		if creation, err = r.describe(&p, backend); err != nil {
			return nil, nil, err
		}
	}
	if r.Content != nil && r.Image != nil && r.Image.Certificates > 0 {
		for _, derived := range content.DerivedOfTrustBundle() {
			r.Content.Derived = append(r.Content.Derived, Derived(derived))
		}
	}
	if withDiff {
		if r.Diff, err = newDiff(objects, &p, config); err != nil {
			return nil, nil, err
		}
	}
	return r, creation, nil
}

// Claim is what the controller would put on the pool before it creates the objects; empty
// where nothing is to be created.
func (r *Report) Claim() string {
	if r.request == nil {
		return ""
	}
	return r.request.Claim
}

// decide sets the outcome. What a pool does not report has no reason of its own.
func (r *Report) decide(p *build.Preview) {
	switch p.Plan.State {
	case ledger.StatePublished:
		r.Outcome = NothingToBuild
	case ledger.StateFailed, ledger.StateInterrupted:
		r.Outcome = Blocked
	case ledger.StateHeld, ledger.StateSettling:
		r.Outcome = Blocked
	case ledger.StateDeleting:
		r.Outcome, r.Reason, r.Message = NothingToBuild, string(ledger.StateDeleting), "MachineConfigPool "+r.Pool+" is being deleted."
	case ledger.StateNotOptedIn:
		r.Outcome, r.Reason = Blocked, string(ledger.StateNotOptedIn)
		r.Message = fmt.Sprintf("MachineConfigPool %s did not opt in: its label %s is absent or \"false\"; set it, to any other value, to have its image built",
			r.Pool, ctrlcommon.LayeringEnabledPoolLabel)
	default:
		r.Outcome = WouldBuild
	}
}

// warn tells of what holds up nothing and may still be a mistake.
func (r *Report) warn(objects *build.Objects, p *build.Preview) {
	r.warnOfIgnored(objects)
	for _, effect := range p.Plan.Effects {
		if publish, ok := effect.(plan.Publish); ok {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the image %s is not on the pool yet: it was built before, and is published without a build", publish.Record.Image))
		}
	}
	if warning := p.Snapshot.Warning(); warning != "" && warning != p.Plan.Warning {
		r.Warnings = append(r.Warnings, warning)
	}
}

// warnOfIgnored tells of what people wrote and nobody reads. Which pools there are is
// known only of a cluster, so keys that are no pool's are the doctor's.
func (r *Report) warnOfIgnored(objects *build.Objects) {
	for _, notice := range ledger.Notices(objects.Pool) {
		r.Warnings = append(r.Warnings, notice.Message())
	}
	for _, configMap := range objects.ConfigMaps {
		var problem *inputs.Problem
		switch configMap.Name {
		case constants.ConfigMapName:
			problem = inputs.IgnoredSettings(configMap)
		case inputs.RepositoriesConfigName:
			problem = inputs.IgnoredRepositories(configMap)
		}
		if problem != nil {
			r.Warnings = append(r.Warnings, problem.String())
		}
	}
}

// describe fills in what is known of the build.
func (r *Report) describe(p *build.Preview, backend imagebuilder.Backend) (*imagebuilder.Objects, error) {
	request := p.Request
	packages, problems := inputs.ParsePackages(r.Config, p.Snapshot.Config.KernelType, p.Snapshot.Config.Extensions)
	if len(problems) > 0 {
		return nil, fmt.Errorf("could not describe packages: %s", inputs.JoinProblems(problems))
	}
	custom := p.Snapshot.Custom.Value.Text()
	r.Fingerprint = request.Fingerprint
	r.Image = &Image{
		BaseImage: request.BaseImage, Kernel: packages.Kernel, Extensions: packages.Extensions, Packages: packages.Names(),
		CustomLines: strings.Count(custom, "\n"), Certificates: bytes.Count(p.Snapshot.ControllerConfig.TrustBundle, []byte("-----BEGIN CERTIFICATE-----")),
		PushedTo: p.Snapshot.Settings.Values.FinalImageRepository,
	}
	for _, newer := range packages.Newer() {
		r.Image.Packages = append(r.Image.Packages, newer+" (if the extensions image has it)")
	}
	// Its error was a reason not to get here.
	r.Image.ExtensionsImage, _ = inputs.ChooseExtensionsImage(r.Config, p.Snapshot.Config.ExtensionsImage, p.Snapshot.ControllerConfig.ExtensionsImage, packages)
	for _, volume := range request.Volumes {
		kind := "Secret "
		if volume.ConfigMap {
			kind = "ConfigMap "
		}
		r.Image.Mounted = append(r.Image.Mounted, kind+volume.Name+" at "+volume.Path)
	}
	r.Containerfile = withhold(request.Containerfile, custom)
	if r.Outcome == NothingToBuild || r.Outcome == WouldBuild && !p.Starts && r.Reason != ledger.ReasonQueued {
		return nil, nil
	}
	made := backend.Objects(ctrlcommon.MCONamespace, *request)
	for _, secret := range made.Secrets {
		for key, value := range secret.Data {
			r.Inputs = append(r.Inputs, Input{Secret: secret.Name, Key: key, Bytes: len(value)})
		}
	}
	shown, err := withholdIn(made.Build, custom)
	if err != nil {
		return nil, err
	}
	r.Build, r.request, r.kind = shown, request, imagebuilder.Of(backend, request.Backend).About().Kind
	return &made, nil
}

// withhold takes custom content out of a Containerfile if it looks like a credential.
func withhold(containerfile, custom string) string {
	found := content.Scan("", []byte(custom))
	if len(found) == 0 {
		return containerfile
	}
	return strings.ReplaceAll(containerfile, custom,
		fmt.Sprintf("# (%d lines are not shown: they hold what looks like a credential, of the kind %s)\n", strings.Count(custom, "\n"), found[0].Kind))
}

// withholdIn is a copy of the object, of which no text has custom content that looks like
// a credential.
func withholdIn(object runtime.Object, custom string) (runtime.Object, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("could not show the build: %w", err)
	}
	shown := reflect.New(reflect.TypeOf(object).Elem()).Interface().(runtime.Object)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(edited(fields, custom).(map[string]any), shown); err != nil {
		return nil, fmt.Errorf("could not show the build: %w", err)
	}
	return shown, nil
}

// edited withholds in each text of a JSON value.
func edited(value any, custom string) any {
	switch v := value.(type) {
	case string:
		return withhold(v, custom)
	case []any:
		for i := range v {
			v[i] = edited(v[i], custom)
		}
	case map[string]any:
		for key := range v {
			v[key] = edited(v[key], custom)
		}
	}
	return value
}

func findConfig(configs []*mcfgv1.MachineConfig, name string) *mcfgv1.MachineConfig {
	at := slices.IndexFunc(configs, func(c *mcfgv1.MachineConfig) bool { return c.Name == name })
	if at < 0 {
		return nil
	}
	return configs[at]
}
