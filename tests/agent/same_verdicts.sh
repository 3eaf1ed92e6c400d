#!/bin/sh
# The kernel is the same whichever agent makes the calls: so must the verdicts be.
#   same_verdicts.sh SOCKPROOF AGENT [OPTION...]    (options of run; default: some of the tests)
set -u
sockproof=$1
agent=$2
shift 2
[ $# -gt 0 ] || set -- --max-wait 0 --shard 1/8

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

verdicts() {
  sed -n -e '/^   "id": /p' -e '/^   "verdict": /p' -e '/^   "reason": /p' "$1/result.json" |
    paste -d ' ' - - - >"$1/whole"
  # A word that an agent does not have is told by its SKIP, and says nothing of the others. A machine
  # that is too busy to judge says nothing of any.
  grep -e '"reason": "agent .* is unsupported' -e '"verdict": "INCONCLUSIVE"' "$1/whole" |
    sed 's/",.*//' >>"$folder/unknown"
  sed -e 's/ *"reason": .*//' -e 's/^ *"id": "//' -e 's/", *"verdict": "/ /' -e 's/",$//' "$1/whole" | sort
}

# compare OPTION...: runs both and says what differs; the ids of that are left in "differ".
compare() {
  rm -rf "$folder/own" "$folder/other"
  : >"$folder/unknown"
  "$sockproof" run "$@" --out "$folder/own" >"$folder/log" 2>&1
  code=$?
  if [ "$code" = 3 ]; then
    tail -n 1 "$folder/log"
    exit 77 # no test can run here
  fi
  "$sockproof" run "$@" --out "$folder/other" --sut "host,agent=$agent" >>"$folder/log" 2>&1
  verdicts "$folder/own" >"$folder/a"
  verdicts "$folder/other" >"$folder/b"
  [ -s "$folder/a" ] || { cat "$folder/log"; exit 1; }
  sed -i 's/^ *"id": "//' "$folder/unknown"
  for side in a b; do grep -v -F -f "$folder/unknown" "$folder/$side" >"$folder/$side.known"; done
  diff "$folder/a.known" "$folder/b.known" >"$folder/diff"
  sed -n 's/^[<>] \([^ ]*\) .*/\1/p' "$folder/diff" | sort -u >"$folder/differ"
}

compare "$@"
count=$(wc -l <"$folder/a.known")
# On a busy machine a test may not get to where it begins: what differs is run again by itself.
if [ -s "$folder/differ" ] && [ "$(wc -l <"$folder/differ")" -le 20 ]; then
  cat "$folder/diff"
  compare $(cat "$folder/differ")
fi
if [ -s "$folder/differ" ]; then
  cat "$folder/diff"
  exit 1
fi
echo "the same $count verdicts"
