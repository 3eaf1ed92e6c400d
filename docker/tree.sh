#!/bin/sh
# Puts into a new folder what a container needs to run sockproof: the two programs, and the libraries
# they are linked with under the paths at which they are looked for.
#
#   docker/tree.sh FOLDER [PROGRAMS]     # PROGRAMS: where the programs are; default build/release/bin
#
# Exit codes: 0, 2 wrong usage, 3 could not.
set -eu

fail() { printf 'tree.sh: %s\n' "$2" >&2; exit "$1"; }

[ $# -eq 1 ] || [ $# -eq 2 ] || fail 2 "usage: tree.sh FOLDER [PROGRAMS]"
tree=$1
programs=${2-$(dirname "$0")/../build/release/bin}
[ ! -e "$tree" ] || fail 2 "'$tree' is there already; name a new folder"
for program in sockproof sockproof-agent; do
  [ -x "$programs/$program" ] ||
    fail 3 "no $program in '$programs': build it with ./sockproof build"
done

umask 022
mkdir -p "$tree/usr/bin" "$tree/work"
chmod 1777 "$tree/work" # whatever user the container runs as
cp "$programs/sockproof" "$programs/sockproof-agent" "$tree/usr/bin"

# Of each line the path: "libc.so.6 => /lib/libc.so.6 (0x...)" or "/lib64/ld-linux-x86-64.so.2 (0x...)".
ldd "$programs/sockproof" | sed -n 's,^[^/]*\(/[^ ]*\) (0x.*,\1,p' | while read -r library; do
  mkdir -p "$tree$(dirname "$library")"
  cp -L "$library" "$tree$library"
done
[ -n "$(find "$tree" -name 'ld-*')" ] || fail 3 "ldd does not show the libraries of sockproof"
