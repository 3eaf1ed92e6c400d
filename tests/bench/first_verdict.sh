#!/bin/sh
# How long a first verdict takes, from a bare clone: of what is committed here.
#
#   first_verdict.sh [--check]     # --check: how long `./sockproof check` takes to its first test, too
#
# Prints seconds, as a user waits, and how long processors were busy. On a machine without the
# packages that the build needs they are installed, and counted: run it in a fresh container of
# Debian 12 for the figure of the README.
set -eu

case ${1-} in
  '' | --check) ;;
  *) sed -n 's/^# \{0,1\}//p' "$0" | sed -n '2,8p'; exit 2 ;;
esac

top=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git clone -q "$top" "$folder/clone"
cd "$folder/clone"
# No object of an earlier build.
export CCACHE_DISABLE=1

seconds() { date +%s.%N; }
begin=$(seconds)
./sockproof run HalfClose
end=$(seconds)
awk "BEGIN { printf \"first verdict after %.0f s\\n\", $end - $begin }"
if [ "${1-}" = --check ]; then
  begin=$(seconds)
  mkfifo "$folder/said"
  setsid ./sockproof check >"$folder/said" &
  while IFS= read -r line; do
    case $line in
      *'Start '*)
        awk "BEGIN { printf \"first test of check after %.0f s\\n\", $(seconds) - $begin }"
        break
        ;;
    esac
  done <"$folder/said"
  # Its tests need not end.
  kill -- "-$!" 2>/dev/null || true
  wait
fi
times
