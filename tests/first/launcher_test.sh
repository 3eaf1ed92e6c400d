#!/bin/sh
# In a clone that is not built, the launcher refuses at once what no command line can have, and knows
# every command and option that the program has.
#
#   launcher_test.sh LAUNCHER PROGRAM
set -u

launcher=$1 program=$2
top=$(dirname "$launcher")
eval "$(sed -n '/^known_system()/,/^}/p; /^refuse_unknown()/,/^}/p' "$launcher")"
say() { echo "$*"; }

# in_a_clone WORD...: its exit code, as if nothing were built
clone=$(mktemp -d) || exit 1
trap 'rm -rf "$clone"' EXIT
ln -s "$top/src" "$clone/src"
in_a_clone() { (top=$clone && refuse_unknown "$@"); }
refused() { in_a_clone "$@" >/dev/null; [ $? = 2 ] || { echo "not refused: $*"; exit 1; }; }
taken() { in_a_clone "$@" || { echo "refused: $*"; exit 1; }; }

refused rnu
refused run --bogus
refused run HalfClose --bogus=3
taken run HalfClose -- --bogus
refused run -Z HalfClose
refused run -s '' HalfClose
refused run --sut hots HalfClose
refused run --sut=hots HalfClose
refused run -shots HalfClose
refused run -s lwip,bogus HalfClose
refused run HalfClose --Bogus
for sut in host host,agent=x lwip lwip:2.2.1,sanitize vm:debian:6.12 rootfs:/ container:x agent:x,y \
  vm:x,append=a,b,memory=3; do
  taken run -s "$sut" HalfClose
  taken run "-s$sut" HalfClose
  taken run "--sut=$sut" HalfClose
done
for command in $("$program" help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' | grep -v '^sockproof$'); do
  taken "$command"
  # shellcheck disable=SC2046  # words without spaces
  taken "$command" $("$program" help "$command" | grep -oE '^  (-[a-zA-Z],)?--[a-z-]+' | tr , ' ')
done
