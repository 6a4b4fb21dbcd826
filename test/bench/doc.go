// Bench measures what the controller costs, against what was promised, and prints the
// table of promises, P1 to P20, with a measured column. `make bench` runs it.
//
// Machines are small and noisy, so no row is an absolute time. Calls, bytes, allocations
// and heap are counted. What takes time is divided by a yardstick that is timed in turns
// with it, in the same process, against the same API server, with the same limit of
// requests per second (10,000, so none); the table has the median of the pairs and its
// 95 % interval, which comes from drawing the pairs again 2,000 times.
//
// The controller runs in this process, wired up as machine-config-controller does it,
// with the informers and transforms that ship, on a real kube-apiserver and etcd (package
// devcluster). A transport counts what its clients send. Quiet periods are 0.
//
//	row            how it is measured
//	P1, P13, P14   pools go, one at a time, from a new config to its image, through the phases New,
//	               Pending, Running and Complete. Counted at the transport: requests but for lists,
//	               watches and events; status patches and events by the three changes of state; bytes of
//	               all bodies but those of Builds and Secrets. Every cycle also deletes the Build before.
//	P2, P3, P12,   tests TestBudget… of pkg/controller/build, without a cluster, on a virtual clock
//	P15
//	P4             as P2; the yardstick is a look-up in the lister, 18 ns on a calm machine
//	P5             what each object adds to the heap in the shipped cache, over what it adds in a plain one.
//	               Lists come from a server that keeps nothing, in a process without an API server.
//	P6             from the answer to the pool's update to the answer to the creation of the Build, which
//	               the transport sees, over the creation of a ConfigMap of 1 KB. The controller is at rest before.
//	P7             from the answer to the Build's completion to the answer to the patch that puts the pullspec
//	               on the pool, over a patch of an annotation of such a pool
//	P8             from one write that gives all pools another image to want (the repository changes) to the
//	               controller's last answer. The yardstick sends what was recorded from the controller: the
//	               same writes, of the same sizes, in the same order, as often, by as many workers, and
//	               reads and watches nothing. Builds are completed, for both, with one write each.
//	P9             P8 for ten times as many pools. The growth is that of T(controller) / T(bare loop), times
//	               the 10.5 by which the bare loop's time grows on a calm machine.
//	P10            from the start of the controller to the last pool that it looks at, over the time that the
//	               same informers take without it
//	P11            P6 while the controller looks at all pools because of an edit of the ConfigMap, again as
//	               soon as it is through, over P6 at rest. What changes nothing that is read wakes no pool at all.
//	P20            what the process of the shipped binary takes of the machine's memory (RSS) when it has come to
//	               rest, with all of its caches filled by such a server as in P5, over what a process with plain
//	               caches of the same pools and configs takes more than one with a single pool. The pools have not
//	               opted in: a server that keeps nothing cannot show what the controller writes. Of the plain
//	               objects there are as many as make 400 MB of JSON; the rest is in proportion.
//	plots          P6, P11 and P20 for each number of pools that -sizes names, each in a process of its own
//
// CPU profiles and their summaries are beside the results; samples of the controller's own
// goroutines bear the label part=controller, all others are the API server's, etcd's, the
// garbage collector's and those of the yardstick.
//
// The tests of this package are the budget of `make test`: what was counted must not grow.
package main
