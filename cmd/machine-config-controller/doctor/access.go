package doctor

import (
	"context"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/doctor"
)

// access is what the service account of the controller may not do.
type access struct {
	account    string
	missing    bool
	denied     []doctor.Permission
	notChecked []string
	// gate tells that the controller goes by MachineOSConfigs, gateKnown that this is known.
	gate, gateKnown bool
}

// gatherAccess asks the API server for what the account may do, on its behalf, or, if
// these are the account's own credentials, for itself. Reviews are created, but nothing
// is kept of them.
func (e examiner) gatherAccess(ctx context.Context, account string) *access {
	a := &access{account: account}
	a.gate, a.gateKnown = e.gatherGate(ctx)
	if account == "" {
		a.notChecked = append(a.notChecked, "permissions of the controller: --service-account is empty")
		return a
	}
	namespace, name, _ := strings.Cut(account, "/")
	if _, err := e.Kube.CoreV1().ServiceAccounts(namespace).Get(ctx, name, metav1.GetOptions{}); apierrors.IsNotFound(err) {
		a.missing = true
		return a
	}
	user := "system:serviceaccount:" + namespace + ":" + name
	ask := e.onBehalfOf(user, namespace)
	if e.isUser(ctx, user) {
		ask = e.forItself
	}
	permissions := doctor.Permissions(e.Backend)
	if a.gate {
		permissions = append(permissions, doctor.MachineOSPermissions()...)
	}
	for _, permission := range permissions {
		allowed, err := ask(ctx, permission)
		if err != nil {
			a.denied = nil
			a.notChecked = append(a.notChecked, fmt.Sprintf("permissions of ServiceAccount %s: %v", account, err))
			return a
		}
		if !allowed {
			a.denied = append(a.denied, permission)
		}
	}
	return a
}

// isUser tells whether these are the credentials of that user.
func (e examiner) isUser(ctx context.Context, user string) bool {
	review, err := e.Kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	return err == nil && review.Status.UserInfo.Username == user
}

func (e examiner) onBehalfOf(user, namespace string) func(context.Context, doctor.Permission) (bool, error) {
	return func(ctx context.Context, p doctor.Permission) (bool, error) {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}, ResourceAttributes: attributesOf(p),
		}}
		review, err := e.Kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return false, err
		}
		return review.Status.Allowed, nil
	}
}

func (e examiner) forItself(ctx context.Context, p doctor.Permission) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributesOf(p)}}
	review, err := e.Kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}

func attributesOf(p doctor.Permission) *authorizationv1.ResourceAttributes {
	resource, subresource, _ := strings.Cut(p.Resource, "/")
	return &authorizationv1.ResourceAttributes{Namespace: p.Namespace, Group: p.Group, Resource: resource, Subresource: subresource, Name: p.Name, Verb: p.Verb}
}
