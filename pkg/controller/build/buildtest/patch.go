package buildtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	k8stesting "k8s.io/client-go/testing"
)

// patch applies a merge patch or a JSON patch. Of a kind with a status subresource it
// changes either the status or everything else; Builds have none.
func (a *API) patch(resource schema.GroupVersionResource, key string, stored runtime.Object, action k8stesting.PatchActionImpl) (runtime.Object, error) {
	patched, expected, err := patchedBy(resource, stored, action)
	if err != nil {
		return nil, err
	}
	accessor, _ := meta.Accessor(stored)
	for field, actual := range map[string]string{"resourceVersion": accessor.GetResourceVersion(), "uid": string(accessor.GetUID())} {
		if value, ok := expected[field]; ok && value != actual {
			return nil, apierrors.NewConflict(resource.GroupResource(), action.Name, fmt.Errorf("%s is %s, not %v", field, actual, value))
		}
	}
	if err := validateMachineOSBuild(stored, patched); err != nil {
		return nil, err
	}
	if equality.Semantic.DeepEqual(stored, patched) {
		// A patch that changes nothing makes no new version.
		return patched, nil
	}
	a.version++
	patchedAccessor, _ := meta.Accessor(patched)
	patchedAccessor.SetResourceVersion(strconv.Itoa(a.version))
	a.set(resource.Resource, key, patched)
	return patched.DeepCopyObject(), nil
}

// patchedBy is a copy of the object with the patch applied, and the version and UID that the
// patch expects it to have.
func patchedBy(resource schema.GroupVersionResource, stored runtime.Object, action k8stesting.PatchActionImpl) (patched runtime.Object, expected map[string]any, err error) {
	switch action.PatchType {
	case types.MergePatchType:
		var patch map[string]any
		if err := json.Unmarshal(action.Patch, &patch); err != nil {
			return nil, nil, apierrors.NewBadRequest(err.Error())
		}
		metadata, _ := patch["metadata"].(map[string]any)
		expected = map[string]any{}
		for _, field := range []string{"resourceVersion", "uid"} {
			if value, ok := metadata[field]; ok {
				expected[field] = value
				delete(metadata, field)
			}
		}
		switch {
		case action.Subresource == "status":
			patch = map[string]any{"status": patch["status"]}
		case resource.Resource != "builds":
			delete(patch, "status")
		}
		patched, err = mergeInto(stored, patch)
		if err != nil {
			err = apierrors.NewBadRequest(err.Error())
		}
		return patched, expected, err
	case types.JSONPatchType:
		pool, ok := stored.(*mcfgv1.MachineConfigPool)
		if !ok || action.Subresource != "status" {
			return nil, nil, apierrors.NewBadRequest("JSON patches are for the status of pools")
		}
		return operate(pool, action.Patch)
	}
	return nil, nil, apierrors.NewBadRequest("the type of patch is not supported")
}

// operate applies a JSON patch (RFC 6902) that is about the version of a pool and its
// conditions: what such a patch is for here. An operation that misses its place is refused, as
// the API server does, before any version is looked at. The library that the API server applies
// them with takes the status through JSON for each, and was a tenth of what a simulation took; on a
// real server the controller's patches are applied by the integration tests.
func operate(stored *mcfgv1.MachineConfigPool, text []byte) (*mcfgv1.MachineConfigPool, map[string]any, error) {
	var operations []struct {
		Op, Path string
		Value    json.RawMessage
	}
	if err := json.Unmarshal(text, &operations); err != nil {
		return nil, nil, apierrors.NewBadRequest(err.Error())
	}
	pool, expected := stored.DeepCopy(), map[string]any{}
	for _, o := range operations {
		place, isCondition := strings.CutPrefix(o.Path, "/status/conditions/")
		switch {
		case o.Op == "replace" && o.Path == "/metadata/resourceVersion":
			expected["resourceVersion"] = strings.Trim(string(o.Value), `"`)
			continue
		case !isCondition || o.Op != "add" && o.Op != "replace" || (o.Op == "add") != (place == "-"):
			return nil, nil, apierrors.NewBadRequest(fmt.Sprintf("the operation %s of %s is not supported", o.Op, o.Path))
		}
		var condition mcfgv1.MachineConfigPoolCondition
		if err := json.Unmarshal(o.Value, &condition); err != nil {
			return nil, nil, apierrors.NewBadRequest(err.Error())
		}
		if o.Op == "add" && len(pool.Status.Conditions) > 0 {
			pool.Status.Conditions = append(pool.Status.Conditions, condition)
			continue
		}
		i, err := strconv.Atoi(place)
		if err != nil || i < 0 || i >= len(pool.Status.Conditions) {
			return nil, nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", "there is nothing at "+o.Path, 0, false)
		}
		pool.Status.Conditions[i] = condition
	}
	return pool, expected, nil
}

// mergeInto applies a JSON merge patch (RFC 7386) to a copy of the object. Only the fields that
// it is about are taken through JSON.
func mergeInto(object runtime.Object, patch map[string]any) (runtime.Object, error) {
	patched := object.DeepCopyObject()
	if annotations, ok := onlyAnnotations(patch); ok {
		annotate(patched, annotations)
		return patched, nil
	}
	fields := reflect.ValueOf(patched).Elem()
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
		change, ok := patch[name].(map[string]any)
		if !ok {
			continue
		}
		field := fields.Field(i)
		text, err := json.Marshal(field.Interface())
		if err != nil {
			return nil, err
		}
		var document map[string]any
		if err := json.Unmarshal(text, &document); err != nil {
			return nil, err
		}
		if text, err = json.Marshal(merge(document, change)); err != nil {
			return nil, err
		}
		field.SetZero()
		if err := json.Unmarshal(text, field.Addr().Interface()); err != nil {
			return nil, err
		}
	}
	return patched, nil
}

// onlyAnnotations are what the patch changes of the annotations, if it changes nothing else:
// most do not, and simulations apply millions.
func onlyAnnotations(patch map[string]any) (annotations map[string]any, ok bool) {
	metadata, isMap := patch["metadata"].(map[string]any)
	if !isMap || len(patch) != 1 || len(metadata) != 1 {
		return nil, false
	}
	annotations, ok = metadata["annotations"].(map[string]any)
	for _, value := range annotations {
		_, isText := value.(string)
		ok = ok && (isText || value == nil)
	}
	return annotations, ok
}

// annotate applies a merge patch of annotations.
func annotate(object runtime.Object, annotations map[string]any) {
	accessor, _ := meta.Accessor(object)
	merged := map[string]string{}
	maps.Copy(merged, accessor.GetAnnotations())
	for key, value := range annotations {
		if text, ok := value.(string); ok {
			merged[key] = text
		} else {
			delete(merged, key)
		}
	}
	if len(merged) == 0 {
		merged = nil
	}
	accessor.SetAnnotations(merged)
}

func merge(target, patch map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(target, key)
		case map[string]any:
			inner, _ := target[key].(map[string]any)
			target[key] = merge(inner, value)
		default:
			target[key] = value
		}
	}
	return target
}
