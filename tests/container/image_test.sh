#!/bin/sh
# Runs the image of docker/build.sh with podman: as a user does without any option, with what it then
# says is to be added, and until it is stopped.
#
#   image_test.sh PROGRAMS      # the folder of sockproof and sockproof-agent
#
# Exit codes: 0 passed, 1 failed, 77 podman is missing or cannot run a container here.
# shellcheck disable=SC2086  # commands with their options
set -u
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/podman.sh"
mkdir -m 777 "$folder/work"
run="$run --volume $folder/work:/work"

# runs CODE WHAT ARGUMENTS...: runs the image with $options and expects that exit code
options=
runs() {
  expected=$1 what=$2
  shift 2
  $run $options sockproof "$@" >"$folder/out" 2>"$folder/err"
  code=$?
  [ $code = "$expected" ] ||
    fail "$what: exit code $code, not $expected: $(tail -n 30 "$folder/out" "$folder/err")"
  printf 'ok: %s\n' "$what"
}
# Results are in the mounted folder; they are removed.
results() {
  grep -q '"verdict": "PASS"' "$folder/work/sockproof-out/result.json" || fail "no results"
  grep -q '<testcase' "$folder/work/junit.xml" || fail "no JUnit"
  rm -rf "$folder/work/sockproof-out" "$folder/work/junit.xml"
}
# A claim that holds everywhere; on a busy machine it may take many attempts to tell.
one="run Handshake.ASynToAClosedPortIsReset --attempts 100 --junit junit.xml"

runs 0 "it starts" --version
runs 2 "wrong usage is said" run --no-such-option
$run sockproof $one >"$folder/out" 2>"$folder/err"
case $? in
  0) printf 'ok: nothing has to be added here\n' ;;
  3)
    options=$(sed -n "s/^sockproof: .*add to 'podman run': \([^;]*\);.*/\1/p" "$folder/err")
    [ -n "$options" ] || fail "no word of what to add: $(cat "$folder/err")"
    [ "$(wc -l <"$folder/err")" = 1 ] || fail "more than a line: $(cat "$folder/err")"
    grep -q '<error' "$folder/work/junit.xml" || fail "a green JUnit of a run that could not test"
    printf 'ok: it says what to add: %s\n' "$options"
    runs 0 "that is enough" $one
    ;;
  *) fail "neither tested nor said why not: $(tail -n 30 "$folder/out" "$folder/err")" ;;
esac
results
if [ "$(id -u)" = 0 ]; then
  options="$options --user 1000:1000"
  runs 0 "so does an ordinary user" $one
  [ "$(stat -c %u "$folder/work/sockproof-out/result.json")" = 1000 ] || fail "the results are not his"
  results
  options=${options% --user *}
  capabilities="--cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add NET_RAW"
  other=$options options=$capabilities
  runs 0 "so does root with three capabilities alone" $one
  results
  options=$other
fi

# --- stopped ---
$run $options --name waiting sockproof run TimeWait.LastsAsLongAsDocumented --out waiting \
  >"$folder/out" 2>"$folder/err" &
events=$folder/work/waiting/tests/TimeWait.LastsAsLongAsDocumented-ipv4/events.jsonl
timeout 60 sh -c "until grep -qs connect '$events'; do :; done" ||
  fail "it does not begin: $(cat "$folder/out" "$folder/err")"
$podman stop --time 60 waiting >/dev/null 2>&1 || fail "it cannot be stopped"
wait $!
code=$?
[ $code = 143 ] || fail "stopped: exit code $code, not 143: $(cat "$folder/out" "$folder/err")"
grep -q '"interrupted": 15' "$folder/work/waiting/result.json" || fail "the result does not say so"
printf 'ok: stopped, it leaves a result that says so\n'
