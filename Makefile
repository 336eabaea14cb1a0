# What people run. CI calls `make test` and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CARGO ?= cargo
SQUALL := target/release/squall
OUT ?= out/demo
KUBE_OUT ?= out/kube-demo

# Debian packages by what needs them.
DEMO_PACKAGES := redis-server:redis-server haproxy:haproxy
TEST_PACKAGES := $(DEMO_PACKAGES) nginx:nginx-light etcd:etcd-server nft:nftables ip:iproute2 dnsmasq:dnsmasq-base prometheus:prometheus python3:python3 chromium:chromium
BENCH_PACKAGES := nft:nftables ip:iproute2

# What `make bench` measures beside us; BENCHES="effective delay" measures only those.
TOXIPROXY := github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0
BENCHES ?=

# A Kubernetes cluster as a lab, and the images of what runs in it. Its own programs come from Go.
KUBE_PACKAGES := etcd:etcd-server containerd:containerd runc:runc umoci:umoci nginx:nginx-light \
                 redis-server:redis-server haproxy:haproxy curl:curl \
                 pg_ctlcluster:postgresql \
                 /usr/lib/nginx/modules/ngx_http_lua_module.so:libnginx-mod-http-lua \
                 /usr/share/lua/5.1/nginx/redis.lua:lua-nginx-redis \
                 /usr/lib/cni/ptp:containernetworking-plugins
KUBE := target/kube
KUBE_VERSION := $(shell sed -n 's/^require k8s.io\/kubernetes v//p' scripts/kube/go.mod)

VM_PACKAGES := qemu-system-x86_64:qemu-system-x86 strip:binutils

.PHONY: demo build test matrix picture bench peers lint fmt reference vm drills demo-packages \
        test-packages bench-packages vm-packages kube-packages kube-programs kube-images \
        kube-demo kube-test kube-experiments kube-full

## demo: build, get redis and haproxy if they are missing, lose a primary, write the report
demo: demo-packages build
	rm -rf $(OUT)
	$(SQUALL) run experiments/redis-primary-loss.yaml --out $(OUT)
	@echo "open $(OUT)/report.html"

build:
	$(CARGO) build --release

## test: install what the tests need, run every test that fits its minutes
test: test-packages vm-packages lint
	$(CARGO) build --features crash-points
	$(CARGO) test --features crash-points
	@[ -x $(KUBE)/$(KUBE_VERSION)/kubectl ] || echo "skipped: the suites kube and kube-faults: \
	there are no programs in $(KUBE)/$(KUBE_VERSION); \`make kube-test\` builds them and runs the suites"

## matrix: every fault at every crash point, whoever dies; writes the table of SAFETY.md
matrix: export SQUALL_MATRIX = SAFETY.md
matrix: export SQUALL_COMMIT = $(shell git describe --always --abbrev=12 --exclude '*' --dirty)
matrix: export SQUALL_DATE = $(shell date -u +%F)
matrix:
	$(CARGO) test --features crash-points --test conformance

lint:
	git ls-files '*.rs' | xargs rustfmt --edition 2024 --check
	$(CARGO) clippy --all-targets --features crash-points -- -D warnings

fmt:
	git ls-files '*.rs' | xargs rustfmt --edition 2024

## bench: measure every claim beside its peer (root, an idle machine) and write docs/benchmarks.md
bench: bench-packages peers
	$(CARGO) bench --bench claims -- --write docs/benchmarks.md $(BENCHES)

# For the comparison only; without Go the table says that the peer is missing.
peers:
	@if command -v go >/dev/null; then \
		GOBIN=$(CURDIR)/target/peers go install $(TOXIPROXY); \
	else \
		echo "no Go toolchain: toxiproxy is not built, and its columns stay empty"; \
	fi

## drills: only the shipped experiments and their twins
drills: test-packages
	$(CARGO) test --features crash-points --test drills

## reference: write docs/reference/ from the code; a test compares
reference:
	SQUALL_WRITE_REFERENCE=1 $(CARGO) test --test spec reference

## vm: only the suites on a stock Debian kernel, in an emulated machine
vm: test-packages vm-packages
	$(CARGO) test --features crash-points --test vm -- --nocapture

## kube-programs: build the programs of Kubernetes once, from their pinned Go module
kube-programs: kube-packages
	@scripts/kube-programs $(KUBE)/$(KUBE_VERSION)

## kube-images: make the images that a lab's cluster runs, from packages of this machine
kube-images: kube-programs
	@scripts/kube-images $(KUBE)/images $(KUBE)/$(KUBE_VERSION)
	@scripts/kube-images $(KUBE)/shop $(KUBE)/$(KUBE_VERSION) nginx-lua postgres

## kube-test: the suites on a real cluster (root); `make test` runs them where their programs are
kube-test: kube-images
	$(CARGO) test --features crash-points --test kube --test kube-faults

## kube-experiments: only the experiments of experiments/kubernetes; writes their table into docs
kube-experiments: export SQUALL_EXPERIMENTS = docs/kubernetes-experiments.md
kube-experiments: export SQUALL_COMMIT = $(shell git describe --always --abbrev=12 --exclude '*' --dirty)
kube-experiments: export SQUALL_DATE = $(shell date -u +%F)
kube-experiments: kube-programs kube-images
	$(CARGO) test --features crash-points --test kube experiments:: -- --nocapture

## kube-demo: a shop in a cluster loses a node, then each of its services in turn (root)
kube-demo: kube-programs kube-images build
	@rm -rf $(KUBE_OUT) && mkdir -p $(KUBE_OUT)
	@trap '$(SQUALL) lab down shop' EXIT; \
	$(SQUALL) lab up --detach experiments/labs/shop.yaml; \
	$(SQUALL) run experiments/kubernetes/node-cut.yaml --lab experiments/labs/shop.yaml \
		--out $(KUBE_OUT)/node-cut || cut=$$?; \
	$(SQUALL) blast experiments/kubernetes/blast-shop.yaml --out $(KUBE_OUT)/blast || blast=$$?; \
	echo "open $(KUBE_OUT)/node-cut/report.html and $(KUBE_OUT)/blast/blast.html"; \
	exit $$(( $${cut:-0} > 0 ? cut : $${blast:-0} ))

## kube-full: the drill that takes minutes, with the timers that Kubernetes has by itself
kube-full: export SQUALL_EXPERIMENTS = docs/kubernetes-experiments.md
kube-full: export SQUALL_COMMIT = $(shell git describe --always --abbrev=12 --exclude '*' --dirty)
kube-full: export SQUALL_DATE = $(shell date -u +%F)
kube-full: kube-programs kube-images
	$(CARGO) test --features crash-points --test kube times_that_kubernetes -- --ignored --nocapture

kube-packages:
	@scripts/packages $(KUBE_PACKAGES)

demo-packages:
	@scripts/packages $(DEMO_PACKAGES)

test-packages:
	@scripts/packages $(TEST_PACKAGES)

bench-packages:
	@scripts/packages $(BENCH_PACKAGES)

vm-packages:
	@scripts/packages $(VM_PACKAGES)

## picture: the demo's report as the README shows it
picture: test-packages
	SQUALL_PICTURE=1 $(CARGO) test --test pictures
