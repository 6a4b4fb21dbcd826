package inputs

import "github.com/openshift/machine-config-operator/pkg/controller/build/constants"

// Place is where somebody wrote something: an object, and a key or a field of it.
type Place struct {
	Object string
	Key    string
	// Field tells that the key is a field, which people know by its path.
	Field bool
}

// String is how messages name the place.
func (p Place) String() string {
	switch {
	case p.Key == "":
		return p.Object
	case p.Field:
		return p.Object + ", " + p.Key
	}
	return p.Object + ", key " + p.Key
}

// problem is what is wrong there.
func (p Place) problem(text string) Problem {
	return Problem{Object: p.Object, Key: p.Key, Field: p.Field, Text: text}
}

// MachineOSConfigObject is how messages name a MachineOSConfig.
func MachineOSConfigObject(name string) string { return "MachineOSConfig " + name }

// Fields of a MachineOSConfig.
const (
	FieldBuilderType   = "spec.imageBuilder.imageBuilderType"
	FieldPullSecret    = "spec.baseImagePullSecret.name"
	FieldPushSecret    = "spec.renderedImagePushSecret.name"
	FieldPushSpec      = "spec.renderedImagePushSpec"
	FieldContainerfile = "spec.containerFile"
	// FieldPreBuilt is an annotation of it.
	FieldPreBuilt = "annotation " + constants.PreBuiltImageAnnotation
)

// fieldOf is the field of a MachineOSConfig that takes the place of a key of the ConfigMap.
var fieldOf = map[string]string{
	constants.BaseImagePullSecretKey:  FieldPullSecret,
	constants.FinalImagePushSecretKey: FieldPushSecret,
	constants.FinalImagePullspecKey:   FieldPushSpec,
}

// PlaceOf is where the setting is written that has that key in the ConfigMap.
func (s *Settings) PlaceOf(key string) Place {
	if field, ok := fieldOf[key]; ok && s.MachineOSConfig != "" {
		return Place{Object: MachineOSConfigObject(s.MachineOSConfig), Key: field, Field: true}
	}
	return Place{Object: ConfigMapObject, Key: key}
}
