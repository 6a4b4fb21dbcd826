package simulator

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// informer is one that does not run. It has a cache, and hands the news that it is
// given to those who asked for it, at once.
type informer struct {
	cache.SharedIndexInformer
	handlers []cache.ResourceEventHandler
	// version is the one up to which everything was delivered, and changes what had happened
	// to the kind by then.
	version string
	changes int
}

// LastSyncResourceVersion implements SharedIndexInformer.
func (i *informer) LastSyncResourceVersion() string { return i.version }

func newInformer(object runtime.Object) *informer {
	indexers := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	return &informer{SharedIndexInformer: cache.NewSharedIndexInformer(&cache.ListWatch{}, object, 0, indexers)}
}

// AddEventHandler implements SharedIndexInformer.
func (i *informer) AddEventHandler(handler cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	i.handlers = append(i.handlers, handler)
	return registration{}, nil
}

// registration is of a handler that has everything that there is.
type registration struct {
	cache.ResourceEventHandlerRegistration
}

// HasSynced implements ResourceEventHandlerRegistration.
func (registration) HasSynced() bool { return true }

func (i *informer) added(object any) {
	for _, handler := range i.handlers {
		handler.OnAdd(object, false)
	}
}

func (i *informer) updated(old, object any) {
	for _, handler := range i.handlers {
		handler.OnUpdate(old, object)
	}
}

func (i *informer) deleted(object any) {
	for _, handler := range i.handlers {
		handler.OnDelete(object)
	}
}
