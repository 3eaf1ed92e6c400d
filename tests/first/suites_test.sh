#!/bin/sh
# The launcher knows every suite that the program has, and no other: the part of the program that a
# pattern needs is chosen by that.
#
#   suites_test.sh LAUNCHER PROGRAM
set -u

launcher=$1 program=$2
top=$(dirname "$launcher")
eval "$(sed -n '/^suites_of()/,/^}/p' "$launcher")"
# shellcheck disable=SC2046  # names without spaces
known=$(suites_of $(cd "$top" && find suites -name '*.cc') | cut -d ' ' -f 1 | sort -u)
all=$("$program" list --json | grep -oE '"id": *"[A-Za-z0-9_]+\.' | sed 's/.*"//; s/\.$//' | sort -u)
[ -n "$all" ] || { echo "the program lists no tests"; exit 1; }
[ "$known" = "$all" ] || { echo "of the launcher: $known"; echo "of the program: $all"; exit 1; }
