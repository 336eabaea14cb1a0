# What people run. CI calls `make test` and nothing else.
SHELL := /bin/bash
.PHONY: check fmt lint reference

fmt:
	git ls-files '*.rs' | xargs rustfmt --edition 2024

lint:
	git ls-files '*.rs' | xargs rustfmt --edition 2024 --check
	cargo clippy --all-targets --all-features -- -D warnings

# Writes docs/reference/ from the code; a test compares.
reference:
	SQUALL_WRITE_REFERENCE=1 cargo test --test spec reference
