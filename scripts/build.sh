#!/bin/sh
# Builds the outputs that are older than their sources: build/ringside.bpf.o (BPF programs), build/ringside_ring.node (addon
# that loads the programs and reads the rings), build/ringside_codec.node (addon that encodes and decodes batches) and
# build/panel (the panel's page). V=1 prints every command.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "build: $1" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# The newest clang with a version suffix, else clang itself if it is 14 or newer.
find_clang() {
  for version in 22 21 20 19 18 17 16 15 14; do
    if has "clang-$version"; then
      echo "clang-$version"
      return
    fi
  done
  if has clang && [ "$(clang -dumpversion | cut -d. -f1)" -ge 14 ]; then
    echo clang
  fi
}

CLANG=${CLANG:-$(find_clang)}
[ -n "$CLANG" ] || fail 'needs clang 14 or newer: apt-get install clang'
for tool in make gcc g++; do
  has "$tool" || fail "needs $tool: apt-get install build-essential"
done
[ -e /usr/include/libelf.h ] || fail 'needs libelf and zlib: apt-get install libelf-dev zlib1g-dev'
[ -d node_modules/node-addon-api ] || fail 'needs the packages of package.json: npm ci'

# Removes debug sections, most of the object. Without llvm-strip the object is larger, and works.
STRIP=
for strip in "$(echo "$CLANG" | sed 's/clang/llvm-strip/')" llvm-strip; do
  if has "$strip"; then
    STRIP=$strip
    break
  fi
done

quiet=-s
[ "${V:-0}" = 1 ] && quiet=
# shellcheck disable=SC2086
make $quiet --no-print-directory -f bpf/Makefile CLANG="$CLANG" STRIP="$STRIP" V="${V:-0}"
# shellcheck disable=SC2086
make $quiet --no-print-directory -j2 -f native/ring/Makefile V="${V:-0}"
# shellcheck disable=SC2086
make $quiet --no-print-directory -j2 -f native/codec/Makefile V="${V:-0}"

page=build/panel/index.html
# A deleted file makes its folder newer.
if [ ! -e $page ] || [ -n "$(find consumer/panel/web consumer/panel/protocol.ts runtime/format-number.ts -newer $page)" ]; then
  log=build/panel.log
  if ! node_modules/.bin/node node_modules/vite/bin/vite.js build --config consumer/panel/web/vite.config.ts >$log 2>&1; then
    cat $log >&2
    fail "cannot build the panel's page, see above"
  fi
  touch $page
fi
