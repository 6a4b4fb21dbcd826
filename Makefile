# Targets for people and for CI. `make help` explains them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

OUTPUT     := _output
CONTROLLER := $(OUTPUT)/machine-config-controller
LINT       := $(OUTPUT)/bin/golangci-lint
# How long each fuzz target runs in `make fuzz`.
FUZZTIME   ?= 30s
# How many random schedules `make simulate` runs, besides those of single faults
# and PAIRS of them, and from which seed.
SCHEDULES  ?= 70000
PAIRS      ?= 20000
SEED       ?= 1
# The same with Jobs, of which a schedule takes several times as long.
JOB_SCHEDULES ?= 3000
JOB_PAIRS     ?= 4000
# The same of pools that MachineOSConfigs opt in.
MACHINEOS_SCHEDULES ?= 3000
MACHINEOS_PAIRS     ?= 2000
# Which of the seeded bugs `make mutants` tries, and the one schedule to try them with.
ONLY       ?=
SCHEDULE   ?=
# BENCH has flags for `make bench`, such as '-only P8 -pools 200'; -help lists them.
BENCH      ?=
# KEEP=1 leaves the demo's cluster up until Ctrl-C.
KEEP       ?=
# IMAGE_BUILDER=Job has the demo build with Jobs alone, on a real Kubernetes node.
IMAGE_BUILDER ?=

VERSION_PACKAGE := k8s.io/component-base/version
# component-base panics on a version that is not a semantic one.
GIT_VERSION := $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || echo v0.0.0-$$(git describe --always --dirty 2>/dev/null || echo unknown))
GIT_COMMIT  := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
GIT_STATE   := $(shell test -z "$$(git status --porcelain 2>/dev/null)" && echo clean || echo dirty)
# One for all parts of a `make test`, which else link the same program with another date each.
BUILD_DATE  ?= $(shell date -u +%Y-%m-%dT%H:%M:%SZ)
export BUILD_DATE := $(BUILD_DATE)
LDFLAGS := -X $(VERSION_PACKAGE).gitVersion=$(GIT_VERSION) -X $(VERSION_PACKAGE).gitCommit=$(GIT_COMMIT) \
	-X $(VERSION_PACKAGE).gitTreeState=$(GIT_STATE) -X $(VERSION_PACKAGE).buildDate=$(BUILD_DATE)
# For programs that build the controller themselves.
export CONTROLLER_LDFLAGS = $(LDFLAGS)

# Builds a program of the module test, with the cluster in it: Kubernetes itself.
COMPILE := hack/patiently.sh "Compiling Kubernetes, of which the cluster in one process is made. This takes four minutes on a fresh machine of two processors, and is once only." \
	go build -C test -o ../$(OUTPUT)/bin/

# The repository may belong to another user than the one who builds, as in CI.
export GOFLAGS ?= -buildvcs=false

.PHONY: help
help: ## Explain the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: $(if $(filter Job,$(IMAGE_BUILDER)),node-tools) ## Show the main job: a cluster, pools opted in by a label and by a MachineOSConfig, real OS images (root on Debian; KEEP=1 leaves it up; IMAGE_BUILDER=Job)
	@$(COMPILE)demo ./demo
	@exec $(OUTPUT)/bin/demo -root . $(if $(KEEP),-keep) $(if $(IMAGE_BUILDER),-image-builder $(IMAGE_BUILDER))

.PHONY: story
story: ## Tell what an administrator lives through with a pool, and with one of a MachineOSConfig, and check it (a minute, builds are played)
	@$(COMPILE)story ./story
	@exec $(OUTPUT)/bin/story -root .

.PHONY: pictures
pictures: ## Draw the pictures of the README anew, from a run of the real controller (two minutes, builds are played)
	@$(COMPILE)pictures ./pictures
	@exec $(OUTPUT)/bin/pictures -root .

# How tests are run. hack/testtable has them write events in place of text.
GOTEST ?= go test
# The parts of `make test`, in an order in which what is quick to fail comes first.
PARTS ?= packages unit docs parsers budget fuzz-briefly simulate alerts integration node-tests e2e

.PHONY: test
test: ## Run all tests, install what they need, and end with a table of what they took
	@go run ./hack/testtable $(PARTS)

.PHONY: check
check: ## Run what one runs before a commit: format, vet, unit tests, a small simulation
	@unformatted=$$(gofmt -l cmd pkg hack test); [ -z "$$unformatted" ] || { echo "gofmt -w $$unformatted" >&2; exit 1; }
	go vet ./...
	$(GOTEST) ./pkg/... ./cmd/... ./hack/...

# What decides has no goroutines that the race detector could tell of, and takes several
# times as long with it. The simulation has one program act at a time; its schedules are among
# those of `make simulate`, and not run twice.
SINGLE := doctor inputs inputs/content ledger plan preview status buildtest/simulator
SINGLE := $(SINGLE:%=./pkg/controller/build/%)
# These tests of the controller have no goroutines either: they sync one pool after the other.
SINGLE_TESTS := ^(TestMachineOSCrashes|TestMachineOSLeaseIsLost|TestR43StrippingBuildsNothing)$$
# Those of hack come after: the seeded bugs have all that the controller imports compiled,
# which is not to happen twice at the same time.
.PHONY: unit
unit: ## Run the unit tests of the controller, with the race detector where there are races
	$(GOTEST) -race -skip '$(SINGLE_TESTS)' $$(go list ./pkg/... ./cmd/... | grep -vxF "$$(go list $(SINGLE))")
	$(GOTEST) -run '$(SINGLE_TESTS)' ./pkg/controller/build
	$(GOTEST) -skip '^TestSimulation$$' $(SINGLE)
	$(GOTEST) ./hack/...

.PHONY: docs
docs: ## Compare the documentation and manifests with the code
	cd test && $(GOTEST) -count=1 ./docs/...

.PHONY: parsers
parsers: ## Compare our reading of Containerfiles with those of the oldest and the newest builder
	cd test/parsers && $(GOTEST) -count=1 ./...
	cd test/parsers && $(GOTEST) -count=1 -modfile=oldest.mod ./...

# The detector of mutated cache entries keeps what it has seen, which is what is measured.
.PHONY: budget
budget: ## Check that the controller costs no more calls, bytes, allocations and heap than it did
	KUBE_CACHE_MUTATION_DETECTOR=false $(GOTEST) -count=1 ./pkg/controller/build -run TestBudget
	cd test && $(GOTEST) -count=1 -timeout 20m ./bench

.PHONY: bench
bench: ## Measure the controller against the table of promises, with up to 10,000 pools, and plot it (takes long; BENCH='-only P8' for less)
	@$(COMPILE)bench ./bench
	@exec $(OUTPUT)/bin/bench -root . -out $(OUTPUT)/bench $(BENCH)

.PHONY: simulate
simulate: ## Run the controller under every single fault, PAIRS of them, and SCHEDULES random combinations
	GOGC=400 $(GOTEST) ./pkg/controller/build/buildtest/simulator -run 'TestSimulation$$' -v -timeout 30m -backend builds -sampled 1 -pairs $(PAIRS) -schedules $(SCHEDULES) -seed $(SEED)
	GOGC=400 $(GOTEST) ./pkg/controller/build/buildtest/simulator -run 'TestSimulation$$' -v -timeout 30m -backend jobs -sampled 1 -pairs $(JOB_PAIRS) -schedules $(JOB_SCHEDULES) -seed $(SEED)
	GOGC=400 $(GOTEST) ./pkg/controller/build/buildtest/simulator -run 'TestSimulation$$' -v -timeout 30m -backend machineosconfigs -sampled 1 -pairs $(MACHINEOS_PAIRS) -schedules $(MACHINEOS_SCHEDULES) -seed $(SEED)

.PHONY: soak
soak: ## Simulate a million schedules; SEED=… for others
	GOGC=400 $(GOTEST) ./pkg/controller/build/buildtest/simulator -run 'TestSimulation$$' -v -timeout 4h -sampled 1 -pairs $(PAIRS) -schedules 970000 -seed $(SEED)

# ONLY=… for those whose names match; ONLY=… SCHEDULE='…' shows what happens.
.PHONY: mutants
mutants: ## Put one bug at a time into the controller, and show which schedule or test catches it
	@time go run ./hack/mutants -only '$(ONLY)' -schedule '$(SCHEDULE)'

# -count=1: these tests run programs whose sources the test cache does not know of.
.PHONY: integration
integration: ## Run the tests on a real API server
	cd test && GOGC=400 $(GOTEST) -count=1 -timeout 30m ./deploy/... ./guide/... ./devcluster/... ./baseos/... ./program/... ./demo/... ./story/... ./pictures/... ./svg/... ./integration/...

.PHONY: deployed
deployed: ## Run the tests on a real API server with two replicas, as they are deployed
	cd test && $(GOTEST) -count=1 -timeout 45m ./integration/... -replicas 2

.PHONY: alerts
alerts: ## Evaluate the alert rules over the series that they are for
	cd test && $(GOTEST) -count=1 ./alerts/...

.PHONY: e2e
e2e: packages ## Build a real OS image end to end and look into it (root on Debian)
	cd test && GOGC=400 $(GOTEST) -count=1 -timeout 45m -v ./e2e/...

.PHONY: node-tests
node-tests: packages ## Run Jobs on a real Kubernetes node, and record what Kubernetes says of them (root on Linux)
	cd test && GOGC=400 $(GOTEST) -count=1 -timeout 45m ./node/...

.PHONY: packages
packages: ## Install the Debian packages that building images needs
	@hack/install-packages.sh

.PHONY: verify
verify: $(LINT) ## Check format, lint, vendoring and generated files
	hack/verify.sh $(abspath $(LINT))

# A number of inputs, not a time: a machine that is busy is no reason to fail.
.PHONY: fuzz-briefly
fuzz-briefly: ## Run each fuzz target on a few hundred inputs
	GOTEST="$(GOTEST)" hack/fuzz.sh 500x

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME
	GOTEST="$(GOTEST)" hack/fuzz.sh $(FUZZTIME)

.PHONY: build
build: ## Build machine-config-controller with version information
	go build -mod=vendor -ldflags '$(LDFLAGS)' -o $(CONTROLLER) ./cmd/machine-config-controller

# IMAGE=… names it, BASE=… puts it on another image than none, BUILDAH=… adds options.
IMAGE   ?= localhost/machine-config-controller:latest
BASE    ?= scratch
BUILDAH ?= buildah
.PHONY: image
image: packages ## Build the image that hack/deploy runs (root on Debian)
	CGO_ENABLED=0 go build -mod=vendor -ldflags '-s -w $(LDFLAGS)' -o $(OUTPUT)/image/machine-config-controller ./cmd/machine-config-controller
	$(BUILDAH) bud --isolation chroot --storage-driver vfs --build-arg BASE=$(BASE) \
		--label org.opencontainers.image.version=$(GIT_VERSION) --label org.opencontainers.image.revision=$(GIT_COMMIT) \
		--label io.k8s.display-name=machine-config-controller \
		--label io.k8s.description="Builds the OS images of MachineConfigPools that opted in" \
		--file hack/image/Containerfile --tag $(IMAGE) $(OUTPUT)/image

.PHONY: devcluster
devcluster: ## Run an API server, a registry and a build runner until Ctrl-C
	@$(COMPILE)devcluster ./devcluster/cmd/devcluster
	@exec $(OUTPUT)/bin/devcluster --dir $(OUTPUT)/devcluster

# Stripped, because it is large; the same flags as where the tests compile it.
.PHONY: node-tools
node-tools:
	@$(COMPILE)kubelet -ldflags '-s -w' k8s.io/kubernetes/cmd/kubelet
	@CGO_ENABLED=0 go build -C test -ldflags '-s -w' -o ../$(OUTPUT)/bin/node-helper ./devcluster/node/helper
	@hack/fetch-containerd.sh $(OUTPUT)/bin/containerd

.PHONY: node
node: node-tools ## Run a devcluster with a real Kubernetes node, for Jobs, until Ctrl-C (root on Linux)
	@$(COMPILE)devcluster ./devcluster/cmd/devcluster
	@exec $(OUTPUT)/bin/devcluster --dir $(OUTPUT)/node --node $(OUTPUT)/bin

.PHONY: update
update: ## Write vendored, generated and golden files anew
	go mod tidy && go mod vendor
	cd test && go mod tidy && go generate ./devcluster/crds && go test ./alerts -update
	cd test/parsers && go mod tidy && go mod tidy -modfile=oldest.mod
	cd hack/tools && go mod tidy
	go test ./pkg/controller/build/plan ./pkg/controller/build/inputs ./pkg/controller/build/imagebuilder/openshift ./cmd/... -update

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf $(OUTPUT)

$(LINT): hack/tools/go.mod hack/tools/go.sum
	cd hack/tools && go build -o ../../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
