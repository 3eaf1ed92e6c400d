#!/bin/sh
# The part of the program that a first verdict needs (src/first) can be built, and tests.
#
#   first_test.sh TOP FOLDER     # FOLDER: where to build; kept, so that the next time takes less
#
# Exit codes: 0 passed, 1 failed, 77 no test can run here.
set -u

top=$1 folder=$2
mkdir -p "$folder"
log=$folder/log
cd "$top" || exit 1
{ cmake --preset first -B "$folder" && cmake --build "$folder"; } >"$log" 2>&1 ||
  { tail -n 30 "$log"; exit 1; }
"$folder/bin/sockproof-first" run 'HalfClose.DataStillFlows*' --attempts 100 --out "$folder/out" >"$log" 2>&1
code=$?
cat "$log"
[ $code != 3 ] || exit 77
[ $code = 0 ]
