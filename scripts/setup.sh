#!/bin/sh
# Prepares a clone: installs missing packages, then builds. With the argument `test`, installs the tests' packages, too.
# Prints a line for each step that it takes, and asks nothing. Without root it lists the missing packages and continues.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

log=build/setup.log
mkdir -p build

quietly() { # writes a command's output to the log, and prints the end of the log when the command fails
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		say "failed: $* (whole output: $log)"
		exit 69
	fi
}

java_is_17() {
	has java && major=$(java -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p') && [ "${major:-0}" -ge 17 ]
}

# Prints the Debian packages whose commands or files are missing.
missing_packages() {
	has clang-19 || has clang || echo clang
	has llvm-strip-19 || has llvm-strip || echo llvm
	has g++ || echo g++
	has gcc || echo gcc
	has make || echo make
	[ -e /usr/include/gelf.h ] || echo libelf-dev
	[ -e /usr/include/zlib.h ] || echo zlib1g-dev
	java_is_17 || echo openjdk-17-jre-headless
	has mvn || echo maven
	[ "${1:-}" = test ] || return 0
	has python3 || echo python3
	has ip || echo iproute2
	has kcat || echo kcat
	# Where apt has none, the tests of the panel's page are skipped.
	has chromium || ! apt-cache show chromium >/dev/null 2>&1 || echo chromium
	# The load of the test that compares percentiles with the kernel's.
	has wrk || echo wrk
	# promtool: checks /metrics and the alerting rules.
	has promtool || echo prometheus
	python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
}

# clang 19 where the distribution has it: the programs were written with it.
newest_clang() {
	if apt-cache show clang-19 >/dev/null 2>&1; then
		sed -e 's/^clang$/clang-19/' -e 's/^llvm$/llvm-19/'
	else
		cat
	fi
}

install_packages() {
	packages=$(missing_packages "${1:-}")
	[ -n "$packages" ] || return 0
	if ! has apt-get; then
		say "missing: $(echo $packages) (Debian's names); install them with your package manager"
		return 0
	fi
	if [ "$(id -u)" -ne 0 ]; then
		say "missing: $(echo $packages); run as root: apt-get install $(echo $packages)"
		return 0
	fi
	export DEBIAN_FRONTEND=noninteractive
	quietly apt-get update -q
	packages=$(missing_packages "${1:-}" | newest_clang)
	say "installing with apt: $(echo $packages)"
	# shellcheck disable=SC2086
	quietly apt-get install -y -q --no-install-recommends $packages
}

install_node_modules() {
	if [ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then
		return 0
	fi
	say 'installing npm packages'
	quietly npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch node_modules/.package-lock.json
}

install_packages "${1:-}"
install_node_modules
sh scripts/build.sh
if java_is_17 && has mvn; then
	ls -d build/kafka/lib-* >/dev/null 2>&1 || say 'fetching Apache Kafka with Maven'
	RINGSIDE_LOG_LEVEL=warn node_modules/.bin/node deploy/kafka/prepare.ts ||
		say 'without a Kafka of its own, Ringside needs one named with --brokers'
fi
