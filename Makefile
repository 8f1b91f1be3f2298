# The front door. Everything behind it is meson and ninja (build/) and tests/.
BUILD ?= build
PREFIX ?= /usr/local

.PHONY: all build demo check check-long bench fuzz lint install clean setup

all: build

setup:
	@scripts/setup

build: setup
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet

demo: build
	@tests/demo

check: setup
	@tests/check

check-long: check
	@tests/check-long

bench: build
	@tests/bench/run

fuzz: setup
	@tests/fuzz/run

lint: setup
	@tests/lint

install: build
	@meson install -C $(BUILD) --destdir "$(DESTDIR)" --quiet

clean:
	rm -rf build build-*
