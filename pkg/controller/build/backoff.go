package build

import (
	"hash/fnv"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// backOff is an exponential rate limiter with a jitter of up to a fifth, so that
// pools that failed together do not come back together. The jitter depends on the
// pool and on the number of its failures, not on chance.
type backOff struct {
	workqueue.TypedRateLimiter[string]
}

func newBackOff(config Config) workqueue.TypedRateLimiter[string] {
	return backOff{workqueue.NewTypedItemExponentialFailureRateLimiter[string](config.FirstRetryDelay, config.MaxRetryDelay)}
}

// When implements TypedRateLimiter.
func (b backOff) When(pool string) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(pool))
	_, _ = h.Write([]byte{byte(b.NumRequeues(pool))})
	delay := b.TypedRateLimiter.When(pool)
	return delay + delay*time.Duration(h.Sum32()%1000)/5000
}
