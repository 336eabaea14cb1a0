# What people run. CI calls `make test` and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CARGO ?= cargo
SQUALL := target/release/squall
OUT ?= out/demo

# Debian packages by what needs them.
DEMO_PACKAGES := redis-server:redis-server haproxy:haproxy
TEST_PACKAGES := $(DEMO_PACKAGES) nginx:nginx-light etcd:etcd-server nft:nftables ip:iproute2 python3:python3 chromium:chromium
VM_PACKAGES := qemu-system-x86_64:qemu-system-x86 strip:binutils

.PHONY: picture demo build test matrix lint fmt tidy reference demo-packages test-packages vm vm-packages

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

## reference: write docs/reference/ from the code; a test compares
reference:
	SQUALL_WRITE_REFERENCE=1 $(CARGO) test --test spec reference

## vm: the tests of namespaces and faults again, on a stock Debian kernel in an emulated machine
vm: test-packages vm-packages
	$(CARGO) test --features crash-points --test vm -- --nocapture

demo-packages:
	@scripts/packages $(DEMO_PACKAGES)

test-packages:
	@scripts/packages $(TEST_PACKAGES)

vm-packages:
	@scripts/packages $(VM_PACKAGES)

## picture: the demo's report as the README shows it
picture: test-packages
	SQUALL_PICTURE=1 $(CARGO) test --test pictures
