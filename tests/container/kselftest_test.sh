#!/bin/sh
# docker/recipes/kselftest as the kernel's selftests run it: output and exit codes.
#
#   kselftest_test.sh PROGRAMS      # the folder of sockproof and sockproof-agent
#
# Exit codes: 0 passed, 1 failed.
set -u
recipe=$(cd "$(dirname "$0")/../../docker/recipes/kselftest" && pwd)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
fail() { echo "$*"; cat "$folder/out"; exit 1; }

# expect CODE TEXT PATH ARGUMENT...: ends with that code, and says that
expect() {
  code=$1 text=$2 path=$3
  shift 3
  PATH=$path "$recipe/sockproof.sh" "$@" >"$folder/out" 2>&1
  found=$?
  [ "$found" = "$code" ] || fail "exit code $found, not $code"
  grep -q "$text" "$folder/out" || fail "nowhere: $text"
}

expect 0 '^ok 1 host' "$1:$PATH" BindConflicts --max-wait 1
expect 4 '# SKIP waits' "$1:$PATH" OwnDocumentation.AnUnansweredSynIsSentAgainAndGivenUpAsDocumented --max-wait 1
expect 2 'no test matches' "$1:$PATH" NoSuchSuite
expect 4 '^1..0 # SKIP sockproof is not installed' /usr/bin:/bin
