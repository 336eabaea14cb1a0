# What people run. CI calls `make test` and nothing else.
SHELL := /bin/bash
.PHONY: check fmt lint

fmt:
	git ls-files '*.rs' | xargs rustfmt --edition 2024

lint:
	git ls-files '*.rs' | xargs rustfmt --edition 2024 --check
	cargo clippy --all-targets --all-features -- -D warnings
