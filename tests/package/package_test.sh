#!/bin/sh
# The packages of cmake/package.sh, each installed in a clean root of Debian 12, used there by an
# ordinary user, and removed without a trace.
#
#   package_test.sh PACKAGES [MIRROR]    # the folder with .deb and .tar.gz; run as root
#
# Not part of `./sockproof check`: it downloads a Debian. Exit codes: 0 passed, 1 failed, 77 it cannot
# run here.
set -u

packages=$1
mirror=${2-}
[ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null || { echo "needs root and debootstrap"; exit 77; }
folder=$(mktemp -d) || exit 1
root=$folder/root
trap 'rm -rf "$folder"' EXIT

fail() { printf 'FAIL: %s\n' "$*"; exit 1; }
ok() { printf 'ok: %s\n' "$*"; }
# In the root, in namespaces of its own, so that nothing that it mounts or starts is left. Not by
# chroot: what runs in one may make no user namespace.
inside() {
  unshare --mount --pid --fork --kill-child sh -c '
    root=$1; shift
    mount --make-rprivate / && mount --bind "$root" "$root" && mount -t proc proc "$root/proc" &&
      mount --rbind /dev "$root/dev" && mount -t sysfs sysfs "$root/sys" && cd "$root" &&
      pivot_root . . && umount -l . && cd / && exec "$@"' sh "$root" "$@"
}
all_files() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./var/log -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg \) -prune -o -print | sort); }
# The verdicts of a suite, as an ordinary user: a claim that holds everywhere.
tests_something() {
  inside su -s /bin/sh nobody -c "cd /tmp && HOME=/tmp $1 run Handshake.ASynToAClosedPortIsReset \
    --attempts 100 --out /tmp/out" >"$folder/out" 2>&1
  code=$?
  grep -q '^PASS' "$folder/out" && [ $code = 0 ] || fail "$1: exit code $code: $(tail -n 20 "$folder/out")"
  inside rm -rf /tmp/out
}

# shellcheck disable=SC2086  # none, or one word
debootstrap --variant=minbase bookworm "$root" $mirror >"$folder/log" 2>&1 ||
  { tail -n 5 "$folder/log"; echo "no Debian can be had here"; exit 77; }
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null
[ -z "${APT_CONFIGURATION-}" ] || cp "$APT_CONFIGURATION" "$root/etc/apt/apt.conf.d/99test"
rm -rf "$root"/usr/share/doc/sockproof
ok "a clean Debian"

# The tarball first: nothing is installed that it could need.
all_files >"$folder/before"
tar -C "$root/opt" -xzf "$packages"/sockproof-*.tar.gz || fail "the tarball cannot be unpacked"
program=$(cd "$root" && echo opt/sockproof-*/bin/sockproof)
inside "/$program" --version || fail "the program of the tarball does not start"
tests_something "/$program"
rm -rf "$root"/opt/sockproof-*
all_files | diff "$folder/before" - || fail "the tarball left something"
ok "the tarball tests, and leaves nothing"

cp "$packages"/*.deb "$root/tmp/" || fail "no .deb"
inside sh -c 'apt-get update && apt-get install -y --no-install-recommends /tmp/*.deb' >"$folder/log" 2>&1 ||
  fail "the .deb cannot be installed: $(tail -n 5 "$folder/log")"
installed=$(date +%s%N)
inside sockproof --version || fail "the program of the .deb does not start"
tests_something sockproof
took=$((($(date +%s%N) - installed) / 1000000))
ok "the first verdict came $took ms after the installation's end"
for file in usr/share/man/man1/sockproof.1.gz usr/share/bash-completion/completions/sockproof \
  usr/lib/sockproof/sockproof-agent; do
  [ -e "$root/$file" ] || [ "${file#usr/share/man}" != "$file" ] || fail "$file is missing"
done
inside sh -c 'apt-get purge -y sockproof && apt-get autoremove --purge -y && apt-get clean' >"$folder/log" 2>&1 ||
  fail "the .deb cannot be removed: $(tail -n 5 "$folder/log")"
all_files | diff "$folder/before" - || fail "the .deb left something"
ok "the .deb tests, and leaves nothing"

# Completions, by the shells themselves: of a command, of an option, of a suite.
inside sh -c 'apt-get install -y --no-install-recommends /tmp/*.deb bash-completion zsh fish' >"$folder/log" 2>&1 ||
  fail "no shells can be had: $(tail -n 5 "$folder/log")"
cp "$(dirname "$0")/completed.sh" "$root/tmp/"
for shell in bash zsh fish; do
  for line in 'sockproof lad:ladder' 'sockproof run --fail:--fail-fast' 'sockproof run HalfC:HalfClose'; do
    inside env HOME=/tmp sh /tmp/completed.sh "$shell" "${line%:*}" >"$folder/out" 2>&1
    grep -q -e "${line#*:}" "$folder/out" || fail "$shell completes '${line%:*}' so: $(cat "$folder/out")"
  done
  ok "$shell completes"
done
