package plan

import (
	"cmp"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// creation reads what a build is made of and no cache holds, and creates it.
func (d *decision) creation(request imagebuilder.Request, again bool) []Effect {
	return []Effect{d.loading(&request), StartBuild{Request: request, Again: again}}
}

// loading reads what no cache holds of what the request is for.
func (d *decision) loading(request *imagebuilder.Request) LoadConfig {
	return LoadConfig{Name: request.RenderedConfig, Pool: request.Pool, TrustBundle: d.ControllerConfig.TrustBundle, Custom: d.identity.Custom, Past: d.past}
}

// request asks a backend for the attempt. That its Containerfile cannot be rendered
// is a mistake in the checks of its inputs.
func (d *decision) request(record *ledger.Record) (imagebuilder.Request, *Hold) {
	containerfile, err := d.identity.Recipe(record.Fingerprint).Containerfile()
	if err != nil {
		return imagebuilder.Request{}, hold(ledger.ReasonInternal, "%v; this is a mistake in the BuildController", err)
	}
	return imagebuilder.Request{
		Backend:        d.Settings.Values.Backend,
		Name:           record.Build,
		Pool:           d.Pool.Name,
		PoolUID:        d.Pool.UID,
		Fingerprint:    record.Fingerprint,
		RenderedConfig: record.Config,
		BaseImage:      d.identity.BaseImage,
		Attempt:        record.Attempt,
		Containerfile:  containerfile,
		Volumes:        volumes(d.Entitled.Volumes()),
		PullSecret:     d.Settings.Values.BaseImagePullSecret,
		PushSecret:     d.Settings.Values.FinalImagePushSecret,
		Output:         outputOf(d.identity.Repository, d.identity.Tag, record.Build),
		Deadline:       d.limits().CompletionDeadline,
		Claim:          record.Claimed().String(),
		Proxy:          d.ControllerConfig.Surroundings.Proxy,
		RegistryCAs:    d.ControllerConfig.Surroundings.RegistryCAs,
		Workload:       imagebuilder.Workload(d.Settings.Values.Workload),
	}, nil
}

func volumes(entitled []inputs.Volume) []imagebuilder.Volume {
	var result []imagebuilder.Volume
	for _, v := range entitled {
		result = append(result, imagebuilder.Volume(v))
	}
	return result
}

// outputOf is where the image of an attempt is pushed: every one has a tag of its own, unless
// the image has one.
func outputOf(repository, tag, build string) string { return repository + ":" + cmp.Or(tag, build) }
