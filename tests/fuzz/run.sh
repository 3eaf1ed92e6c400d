#!/bin/sh
# libFuzzer with each reader, or with one: run.sh EXECUTIONS [NAME]
# What it finds stays in build/fuzz/found-NAME.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 EXECUTIONS [NAME]" >&2; exit 2; }
cd "$(dirname "$0")/../.."
for target in ${2:-answers baselines captures claims events packets results scripts sequences}; do
  case $target in
    packets) examples=tests/packet/corpus ;;
    scripts) examples=tests/packetdrill/scripts ;;
    *) examples=tests/fuzz/corpus/$target ;;
  esac
  found=build/fuzz/found-$target
  mkdir -p "$found"
  echo "$target"
  SOCKPROOF_FUZZ=$target build/fuzz/bin/fuzzer -runs="$1" -max_len=8192 -timeout=10 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="$found/" "$found" "$examples"
done
