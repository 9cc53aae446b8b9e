# The front door; the work is done by meson (build), tools/ and the program itself.
PREFIX ?= /usr/local
export CC ?= gcc

all: build/build.ninja
	ninja -C build

build/build.ninja:
	CC="$$(command -v ccache) $(CC)" meson setup build --prefix=$(PREFIX)

# Set up this machine, run every test, end with "N passed, N failed".
check:
	tools/setup
	tools/check

# A ward's day in a minute: build, serve, deploy, feed, kill, reconcile.
demo:
	tools/setup
	$(MAKE) all
	tools/demo

# The same ward, left running at 127.0.0.1:8080.
run:
	tools/setup
	$(MAKE) all
	tools/demo --stay

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

.PHONY: all check demo run test fuzz bench interop install clean
