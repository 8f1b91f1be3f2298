# The front door. Everything behind it is meson and ninja (build/) and tests/.
BUILD ?= build
PREFIX ?= /usr/local

.PHONY: all build configured setup demo check check-long bench fuzz lint install dist clean

all: build

setup:
	@scripts/setup build nodes test lint fuzz

configured:
	@scripts/setup build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null

build: configured
	@ninja -C $(BUILD) --quiet

# Zero downtime and its way back: Elasticsearch 7.10 to OpenSearch 2.19 while clients write. KEEP=1 leaves it up.
demo: configured
	@ninja -C $(BUILD) --quiet shardlift shardlift-script
	@scripts/setup nodes
	@tests/demo

check:
	@scripts/setup test
	@tests/check

check-long: check
	@scripts/setup fuzz fresh package image
	@tests/check-long

bench: build
	@scripts/setup nodes bench
	@tests/bench/run
	@tests/bench/verify
	@tests/bench/s3
	@tests/bench/shapes
	@tests/bench/copy
	@tests/bench/capture
	@tests/bench/replay
	@tests/bench/sourceless

fuzz:
	@scripts/setup fuzz
	@tests/fuzz/run

lint:
	@scripts/setup lint
	@tests/lint

install: build
	@meson configure $(BUILD) --prefix "$(abspath $(PREFIX))"
	@meson install -C $(BUILD) --destdir "$(DESTDIR)" --quiet

# A .deb, a tarball and their SHA-256 sums, in dist/.
dist:
	@scripts/setup package
	@scripts/package

clean:
	rm -rf build build-*
