#!/bin/sh
# Every command line of README.md and docs/ is one that the program takes, and those that take no time
# are run, in the order of the pages and in one folder, as a reader would.
#
#   commands_test.sh PROGRAM TOP     # TOP: of the clone
#
# Exit codes: 0 passed, 1 failed, 77 no test can run here.
set -u

program=$1 top=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
# As a reader types it.
ln -s "$program" sockproof
PATH=$folder:$PATH
failures=0

fail() { printf 'FAIL: %s\n' "$*"; failures=$((failures + 1)); }

# Indented lines that begin with the program, with what a backslash continues, without comments.
sed -e ':a' -e '/\\$/N; s/\\\n *//; ta' "$top/README.md" "$top"/docs/*.md |
  sed -n -e 's/^    \(\(\.\/\)\{0,1\}sockproof .*\)$/\1/p' | sed 's/ *#.*//' >commands
[ "$(wc -l <commands)" -ge 30 ] || fail "only $(wc -l <commands) commands found: do pages still indent them?"

while IFS= read -r line; do
  eval "set -- $line" # words, as a shell takes them: quotes, but nothing to expand
  launcher=$1
  shift
  command=$1
  case $launcher:$command in
    ./sockproof:build | ./sockproof:check | ./sockproof:package)
      grep -q "^ *$command)" "$top/sockproof" || fail "$line: the launcher knows no $command"
      continue
      ;;
    *:help) set -- help ;;
  esac
  if [ "$command" != help ] && ! "$program" help "$command" >help 2>&1; then fail "$line: $(cat help)"; continue; fi
  case $command in
    baseline | kernels | runtimes | stacks)
      "$program" help "$command" "$2" >help 2>&1 || fail "$line: $(cat help)"
      ;;
  esac
  for word in "$@"; do
    case $word in
      -) ;;
      -*) grep -qE -- "(^|[ ,])${word%%=*}([ ,=]|$)" help || fail "$line: there is no ${word%%=*}" ;;
    esac
  done
  case $line in
    *'run HalfClose' | *' list '* | *' explain '* | *' help'* | *'report sockproof-out' | *' ladder HalfClose.'*)
      "$program" "$@" >out 2>&1
      code=$?
      if [ $code = 3 ]; then printf 'no test can run here: %s\n' "$(tail -n 1 out)"; exit 77; fi
      [ $code = 0 ] || fail "$line: exit code $code: $(tail -n 5 out)"
      printf 'ran: %s\n' "$line"
      ;;
  esac
done <commands

# Each page that another leads to is there.
for page in "$top/README.md" "$top"/docs/*.md; do
  for link in $(grep -oE '\]\([^)#: &]+[#)]' "$page" | sed 's/](//; s/[#)]$//'); do
    [ -e "$(dirname "$page")/$link" ] || fail "$page leads to $link, which is not there"
  done
done
[ $failures = 0 ]
