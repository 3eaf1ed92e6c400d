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

"$sockproof" run "$@" --out "$folder/own" >"$folder/log" 2>&1
code=$?
if [ "$code" = 3 ]; then
  tail -n 1 "$folder/log"
  exit 77 # no test can run here
fi
"$sockproof" run "$@" --out "$folder/other" --sut "host,agent=$agent" >>"$folder/log" 2>&1

verdicts() {
  sed -n -e '/^   "id": /p' -e '/^   "verdict": /p' -e '/^   "reason": /p' "$1/result.json" |
    paste -d ' ' - - - >"$1/whole"
  # A word that an agent does not have is told by its SKIP, and says nothing of the others.
  grep '"reason": "agent .* is unsupported' "$1/whole" | sed 's/",.*//' >>"$folder/unknown"
  sed 's/ *"reason": .*//' "$1/whole"
}
: >"$folder/unknown"
verdicts "$folder/own" | sort >"$folder/a"
verdicts "$folder/other" | sort >"$folder/b"
[ -s "$folder/a" ] || { cat "$folder/log"; exit 1; }
# A machine that is too busy to judge says nothing about the agent.
grep -h INCONCLUSIVE "$folder/a" "$folder/b" | sed 's/",.*//' | sort -u >>"$folder/unknown"
for side in a b; do grep -v -F -f "$folder/unknown" "$folder/$side" >"$folder/$side.known"; done
if diff "$folder/a.known" "$folder/b.known"; then
  echo "the same $(wc -l <"$folder/a.known") verdicts"
else
  exit 1
fi
