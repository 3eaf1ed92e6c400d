#!/bin/sh
# sockproof as one of the kernel's selftests. Copy this folder to tools/testing/selftests/sockproof, and
# install sockproof where the kernel under test runs. Then, there:
#
#   make -C tools/testing/selftests TARGETS=sockproof run_tests    # or by run_kselftest.sh
#
# KSELFTEST_SOCKPROOF_SH_ARGS holds options and patterns of `sockproof run` in place of those below.
# What comes out is KTAP; the evidence of each test is in sockproof-out, in this folder.
set -u
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
# The runner ends what lasts too long: sockproof then reports what it has done.
trap '[ -z "${running-}" ] || kill -TERM "$running"' INT TERM
[ $# -gt 0 ] || set -- --max-wait 20

command -v sockproof >/dev/null 2>&1 || { echo "1..0 # SKIP sockproof is not installed"; exit 4; }
sockproof run --quiet --ktap "$folder/ktap" "$@" >&2 &
running=$!
wait "$running"
code=$?
# A signal ends the first wait, and not sockproof.
while kill -0 "$running" 2>/dev/null; do
  wait "$running"
  code=$?
done
[ ! -f "$folder/ktap" ] || cat "$folder/ktap"
# Nothing could be tested: what kselftest calls a skip.
[ "$code" != 3 ] || code=4
exit "$code"
