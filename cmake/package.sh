#!/bin/sh
# Makes what can be installed, from the build of ./sockproof:
#
#   build/package/sockproof_VERSION_ARCHITECTURE.deb      for Debian, linked with its libraries
#   build/package/sockproof-VERSION-ARCHITECTURE.tar.gz   for any Linux: nothing is linked at run time
#
# Exit codes: 0, 3 could not.
set -eu
umask 022

top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build/release
package=$top/build/package
log=$build/package.log

fail() { printf 'package.sh: %s\n' "$1" >&2; exit 3; }
step() { "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "$1 failed, see $log"; }; }

for program in dpkg-shlibdeps strip; do
  command -v $program >/dev/null || fail "$program is missing: apt-get install dpkg-dev binutils"
done
agents="sockproof_agent sockproof_agent_c"
# shellcheck disable=SC2086  # a list
step ninja -C "$build" sockproof sockproof_static sockproof_documentation $agents
if ninja -C "$build" -t query sockproof_agent_lwip >/dev/null 2>&1; then
  step ninja -C "$build" sockproof_agent_lwip
fi
rm -rf "$build/package" "$package"
mkdir -p "$package"

(cd "$build" && step cpack -G DEB)
cp "$build"/package/*.deb "$package"

version=$(sed -n 's/^project(sockproof VERSION \([0-9.]*\).*/\1/p' "$top/CMakeLists.txt")
name=sockproof-$version-$(uname -m)
step cmake --install "$build" --prefix "$package/$name" --strip
folder=$package/$name
cp "$build/static/sockproof" "$folder/lib/sockproof/sockproof"
strip "$folder/lib/sockproof/sockproof"
# lwIP comes as a shared object alone.
rm -f "$folder/lib/sockproof/sockproof-agent-lwip"
cc -std=c11 -O2 -static -pthread -o "$folder/lib/sockproof/sockproof-agent-c" \
  "$top/src/agent_c/agent.c"
strip "$folder/lib/sockproof/sockproof-agent-c"
for program in "$folder"/lib/sockproof/*; do
  case $program in *.so) continue ;; esac # what QEMU loads has QEMU's C library
  if ldd "$program" >/dev/null 2>&1; then fail "$program needs shared objects"; fi
done
tar -C "$package" --owner=0 --group=0 --numeric-owner --sort=name -czf "$package/$name.tar.gz" "$name"
rm -rf "$folder"
for made in "$package"/*.*; do printf '%s\n' "$made"; done
