#!/bin/sh
# Makes the image of docker/Dockerfile from the programs built here: nothing is pulled, nothing is
# compiled in a container.
#
#   docker/build.sh [NAME]     # default: sockproof
#
# ENGINE is the command of the engine, with options if need be: docker, else podman, when not given.
# PROGRAMS is the folder of the programs, when they are not to be built first.
#
# Exit codes: 0, 2 wrong usage, 3 could not.
set -eu

fail() { printf 'build.sh: %s\n' "$2" >&2; exit "$1"; }

[ $# -le 1 ] || fail 2 "usage: build.sh [NAME]"
name=${1-sockproof}
here=$(cd "$(dirname "$0")" && pwd)
engine=${ENGINE-}
for candidate in docker podman; do
  [ -n "$engine" ] || ! $candidate info >/dev/null 2>&1 || engine=$candidate
done
[ -n "$engine" ] || fail 3 "neither docker nor podman can be used here"
[ -n "${PROGRAMS-}" ] || "$here/../sockproof" build || exit 3

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$here/tree.sh" "$folder/tree" ${PROGRAMS:+"$PROGRAMS"}

# What the Dockerfile says of its last stage, apart from what is copied into it.
set --
while IFS= read -r instruction; do
  set -- "$@" --change "$instruction"
done <<END
$(sed -n '/^FROM scratch$/,$ { /^[A-Z]/ { /^FROM\|^COPY/d; p } }' "$here/Dockerfile")
END
# shellcheck disable=SC2086  # an engine may come with options
tar --owner=0 --group=0 --numeric-owner -C "$folder/tree" -c . | $engine import "$@" - "$name" >/dev/null ||
  fail 3 "$engine could not make the image"
printf 'image %s\n' "$name"
