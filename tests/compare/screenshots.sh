#!/bin/sh
# Pictures of a page: light, dark, and as wide as a phone.
#   tests/compare/screenshots.sh PAGE.html FOLDER [FRAGMENT]
# The fragment, e.g. 'open=e12', is that of the page's address.
set -eu
page=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
fragment=${3-}
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

shoot() { # NAME WIDTH,HEIGHT OPTION...
  name=$1 size=$2
  shift 2
  "${SOCKPROOF_BROWSER-chromium-headless-shell}" --headless --no-sandbox --disable-gpu --disable-quic \
    --no-first-run --disable-background-networking --disable-component-update --disable-sync \
    --disable-dev-shm-usage --user-data-dir="$profile" --hide-scrollbars --window-size="$size" \
    --screenshot="$folder/$name.png" "$@" "file://$page#$fragment" 2>"$profile/log" ||
    { cat "$profile/log" >&2; exit 1; }
}

shoot light "${SIZE-1280,1600}"
shoot dark "${SIZE-1280,1600}" --blink-settings=preferredColorScheme=0
shoot phone 390,1400
