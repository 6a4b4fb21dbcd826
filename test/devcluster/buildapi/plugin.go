// Package buildapi gives a devcluster's Builds the behaviour of OpenShift's aggregated build API, as an admission plugin of the
// API server: defaults, validation, immutability, and the permission to use a strategy.
//
// An admission plugin and not rules in the CRD, because the rules of the real API are about typed objects (absent, null and
// empty are the same), compare whole specs, and are in force from the first request on.
package buildapi

import (
	"context"
	"errors"
	"fmt"
	"io"

	buildv1 "github.com/openshift/api/build/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/kubernetes/pkg/registry/rbac"
)

// PluginName is the plugin's name among the API server's admission plugins.
const PluginName = "DevclusterBuilds"

var (
	resource = schema.GroupResource{Group: buildv1.GroupName, Resource: "builds"}
	kind     = schema.GroupKind{Group: buildv1.GroupName, Kind: "Build"}
)

// Register makes the plugin known.
func Register(plugins *admission.Plugins) {
	plugins.Register(PluginName, func(io.Reader) (admission.Interface, error) {
		return &plugin{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

type plugin struct {
	*admission.Handler
	authorizer authorizer.Authorizer
}

var (
	_ admission.MutationInterface       = &plugin{}
	_ admission.ValidationInterface     = &plugin{}
	_ admission.InitializationValidator = &plugin{}
	_ initializer.WantsAuthorizer       = &plugin{}
)

// SetAuthorizer is called by the API server before use.
func (p *plugin) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// ValidateInitialization is called by the API server before use.
func (p *plugin) ValidateInitialization() error {
	if p.authorizer == nil {
		return errors.New("could not initialize " + PluginName + ": no authorizer")
	}
	return nil
}

// Admit sets what the real API would store instead of what was sent.
func (p *plugin) Admit(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if !concerns(a) {
		return nil
	}
	build, old, err := builds(a)
	if err != nil {
		return err
	}
	setDefaults(build, old)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(build)
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("could not encode build: %w", err))
	}
	// Metadata stays as it came: the API server has not finished with it.
	object := a.GetObject().(*unstructured.Unstructured).Object
	object["spec"], object["status"] = content["spec"], content["status"]
	return nil
}

// Validate refuses what the real API would refuse.
func (p *plugin) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if !concerns(a) {
		return nil
	}
	build, old, err := builds(a)
	if err != nil {
		return err
	}
	problems := validate(build)
	if old != nil {
		problems = append(problems, validateUpdate(build, old)...)
	}
	if len(problems) != 0 {
		return apierrors.NewInvalid(kind, a.GetName(), problems)
	}
	if rbac.IsOnlyMutatingGCFields(a.GetObject(), a.GetOldObject(), equality.Semantic) {
		return nil
	}
	return p.authorizeStrategy(ctx, a, build)
}

// authorizeStrategy asks for the permission that goes with the strategy, on creation and on every update, as OpenShift does.
// Unlike OpenShift by default, nothing here gives that permission to everybody: administrators are told to take it away.
func (p *plugin) authorizeStrategy(ctx context.Context, a admission.Attributes, build *buildv1.Build) error {
	strategy, subresource := build.Spec.Strategy.Type, ""
	switch strategy {
	case buildv1.DockerBuildStrategyType:
		subresource = "docker"
		if policy := build.Spec.Strategy.DockerStrategy.ImageOptimizationPolicy; policy != nil && *policy != buildv1.ImageOptimizationNone {
			subresource = "optimizeddocker"
		}
	case buildv1.SourceBuildStrategyType:
		subresource = "source"
	case buildv1.CustomBuildStrategyType:
		subresource = "custom"
	case buildv1.JenkinsPipelineBuildStrategyType:
		subresource = "jenkinspipeline"
	}
	decision, reason, err := p.authorizer.Authorize(ctx, authorizer.AttributesRecord{
		User:            a.GetUserInfo(),
		Verb:            "create",
		Namespace:       a.GetNamespace(),
		APIGroup:        resource.Group,
		APIVersion:      "*",
		Resource:        resource.Resource,
		Subresource:     subresource,
		Name:            a.GetName(),
		ResourceRequest: true,
	})
	if decision == authorizer.DecisionAllow {
		return nil
	}
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("could not authorize strategy: %w", err))
	}
	return admission.NewForbidden(a, fmt.Errorf("build strategy %s is not allowed: no create on builds/%s %s", strategy, subresource, reason))
}

func concerns(a admission.Attributes) bool {
	return a.GetResource().GroupResource() == resource && a.GetSubresource() == ""
}

// builds are the typed object of the request and, for an update, the stored one.
func builds(a admission.Attributes) (build, old *buildv1.Build, err error) {
	if build, err = decode(a.GetObject()); err != nil {
		return nil, nil, err
	}
	if a.GetOperation() != admission.Update {
		return build, nil, nil
	}
	old, err = decode(a.GetOldObject())
	return build, old, err
}

func decode(object runtime.Object) (*buildv1.Build, error) {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return nil, apierrors.NewInternalError(fmt.Errorf("could not decode build: unexpected type %T", object))
	}
	build := &buildv1.Build{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, build); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("could not decode build: %v", err))
	}
	return build, nil
}
