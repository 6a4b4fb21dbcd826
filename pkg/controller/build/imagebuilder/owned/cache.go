package owned

import (
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// Cache is an informer's content as far as it bears a mark.
type Cache struct {
	mark     Mark
	what     string
	informer cache.SharedIndexInformer
	indexer  cache.Indexer

	// byPool indexes by the pool's full name, which does not fit into a label, and byBuild
	// by the build that an object is or belongs to. Several backends may share an informer,
	// so the names of the indices have that of the backend.
	byPool, byBuild string

	// deleted holds the UIDs of objects that were deleted and that the cache may still
	// show, so that each is deleted once.
	deleted sync.Map
}

// NewCache makes one over an informer that was not started yet and may hold more than
// what bears the mark. what names its objects for errors, such as "Builds".
func NewCache(mark Mark, what string, informer cache.SharedIndexInformer) (*Cache, error) {
	c := &Cache{
		mark: mark, what: what, informer: informer, indexer: informer.GetIndexer(),
		byPool: mark.Backend + "/pool", byBuild: mark.Backend + "/build",
	}
	err := informer.AddIndexers(cache.Indexers{c.byPool: c.index(mark.Pool), c.byBuild: c.index(mark.Build)})
	if err != nil {
		return nil, fmt.Errorf("could not index %s: %w", what, err)
	}
	return c, nil
}

func (c *Cache) index(by func(*metav1.ObjectMeta) string) cache.IndexFunc {
	return func(object any) ([]string, error) {
		meta := MetaOf(object)
		if meta == nil || c.mark.Pool(meta) == "" {
			return nil, nil
		}
		return []string{by(meta)}, nil
	}
}

// MetaOf is an object's metadata, also that of the tombstone of one whose deletion was
// missed; nil for what has none.
func MetaOf(object any) *metav1.ObjectMeta {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	if accessor, ok := object.(metav1.ObjectMetaAccessor); ok {
		meta, _ := accessor.GetObjectMeta().(*metav1.ObjectMeta)
		return meta
	}
	return nil
}

// OfPool are the objects that were made for the pool.
func (c *Cache) OfPool(pool string) ([]any, error) { return c.lookUp(c.byPool, pool) }

// OfBuild are the objects that are the build of that name, or belong to it.
func (c *Cache) OfBuild(build string) ([]any, error) { return c.lookUp(c.byBuild, build) }

func (c *Cache) lookUp(index, value string) ([]any, error) {
	objects, err := c.indexer.ByIndex(index, value)
	if err != nil {
		return nil, fmt.Errorf("could not look up %s: %w", c.what, err)
	}
	return objects, nil
}

// Shows tells whether the cache has the object of that name and UID, with the mark.
func (c *Cache) Shows(name cache.ObjectName, uid types.UID) bool {
	// Looking up a key does not fail.
	object, exists, _ := c.indexer.GetByKey(name.String())
	if !exists {
		return false
	}
	meta := MetaOf(object)
	return meta.UID == uid && c.mark.Pool(meta) != ""
}

// IsDeleted tells whether the object of that UID was deleted, whatever the cache shows.
func (c *Cache) IsDeleted(uid types.UID) bool {
	_, deleted := c.deleted.Load(uid)
	return deleted
}

// RememberDeleted records that an object was deleted, for as long as the cache shows
// it: the event of its deletion, which ends that, may have come before the reply.
func (c *Cache) RememberDeleted(name cache.ObjectName, uid types.UID) {
	c.deleted.Store(uid, true)
	if !c.Shows(name, uid) {
		c.deleted.Delete(uid)
	}
}

// Notify has enqueue called with the pool of each object that changes. It panics on an
// informer that was stopped. The function that it returns tells whether all that there
// was at the start has been told of.
func (c *Cache) Notify(enqueue func(pool string)) (synced func() bool) {
	notify := func(object any) {
		if meta := MetaOf(object); meta != nil {
			if pool := c.mark.Pool(meta); pool != "" {
				enqueue(pool)
			}
		}
	}
	registration, err := c.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: notify,
		UpdateFunc: func(old, object any) {
			if !sameVersion(old, object) {
				notify(object)
			}
		},
		DeleteFunc: func(object any) {
			if meta := MetaOf(object); meta != nil {
				c.deleted.Delete(meta.UID)
			}
			notify(object)
		},
	})
	if err != nil {
		panic(fmt.Sprintf("could not watch %s: %v", c.what, err))
	}
	return registration.HasSynced
}

func sameVersion(old, object any) bool {
	x, y := MetaOf(old), MetaOf(object)
	return x != nil && y != nil && x.ResourceVersion == y.ResourceVersion
}
