# The front door; the work is done by meson (build), tools/ and the program itself.
PREFIX ?= /usr/local
ifeq ($(origin CC),default) # make's own cc
CC = gcc
endif

all: build/build.ninja
	ninja -C build

# What is needed to run Medulla, without its tests.
programs: build/build.ninja
	ninja -C build programs

build/build.ninja:
	CC="$$(command -v ccache) $(CC)" meson setup build --prefix=$(PREFIX)

# Set up this machine, run every test, end with "N passed, N failed, N skipped".
check:
	tools/setup
	tools/check

# A ward's day in a minute: build, serve, deploy, feed, kill, reconcile.
demo:
	tools/setup
	$(MAKE) programs
	tools/demo

# The same ward, left running at 127.0.0.1:8080 until make stop.
run:
	tools/setup
	$(MAKE) programs
	tools/demo --stay

stop:
	tools/demo --stop

# The quick tests alone, without sanitizers.
test: all
	meson test -C build --no-rebuild --suite unit --suite fuzz --suite tidy

# Sixty seconds of every fuzz target (FUZZ_SECONDS).
fuzz:
	tools/check --fuzz $${FUZZ_SECONDS:-60}

bench: all
	tools/setup --bench
	tools/bench

# Peers and standard clients against the running program.
interop: all
	meson test -C build --no-rebuild --suite interop

install: all
	meson install -C build --no-rebuild

clean:
	rm -rf build build-*

.PHONY: all programs check demo run stop test fuzz bench interop install clean
