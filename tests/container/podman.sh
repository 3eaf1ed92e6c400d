# Podman for a test: everything that it keeps is in a folder that is gone afterwards, and containers have
# no network. To be sourced by a script whose first argument is the folder of the programs; calls skip()
# with the reason where podman is missing or cannot run a container.
#
# Sets $folder, $programs, $podman (the command with its options), and $run, which runs a container.
# The image is there as "sockproof".
# shellcheck shell=sh disable=SC2086  # commands with their options

skip() { printf 'skipped: %s\n' "$*"; exit 77; }
fail() { printf 'FAILED: %s\n' "$*"; exit 1; }

command -v podman >/dev/null || skip "podman is not installed"
[ "${INSIDE-}" = yes ] || {
  [ "$(id -u)" != 0 ] || unshare --mount true || skip "mount namespaces are forbidden here"
  folder=$(mktemp -d /var/tmp/sockproof-image-XXXXXX)
  if [ "$(id -u)" = 0 ]; then
    # Whatever is mounted there is unmounted by the end of the namespace.
    INSIDE=yes folder=$folder unshare --mount "$0" "$@"
  else
    INSIDE=yes folder=$folder "$0" "$@"
  fi
  code=$?
  # Of an ordinary user podman keeps the namespaces, in a process of its own.
  find "$folder" -name pause.pid | while read -r file; do kill "$(cat "$file")"; done
  chmod -R u+rwX "$folder" # as restrictive as the files in the image
  rm -rf "$folder"
  find /sys/fs/cgroup -depth -type d -path "*/$(basename "$folder")*" -exec rmdir {} + 2>/dev/null
  exit $code
}

export HOME="$folder/home" XDG_RUNTIME_DIR="$folder/run" XDG_DATA_HOME="$folder/data"
mkdir -m 700 "$HOME" "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME" "$folder/libpod" "$folder/containers"
if [ "$(id -u)" = 0 ]; then
  mkdir -p /run/libpod /var/lib/containers
  { mount --bind "$folder/libpod" /run/libpod &&
    mount --bind "$folder/containers" /var/lib/containers; } ||
    skip "podman would write to the storage of this machine"
fi
programs=$1
podman="podman --root $folder/root --runroot $folder/runroot --tmpdir $folder/tmp
  --storage-driver vfs --cgroup-manager cgroupfs --events-backend none"
# crun, which podman prefers, refuses machines whose control groups are of both versions.
command -v runc >/dev/null && podman="$podman --runtime runc"
# Of a test that failed a container may still run.
trap '$podman rm --all --force --time 0 >/dev/null 2>&1' EXIT
limit() { awk -v name="$1" '$0 ~ name { print $(NF - 1) }' /proc/self/limits; }
files=$(limit 'Max open files')
own_cgroup=
[ "$(id -u)" != 0 ] || own_cgroup="--cgroup-parent /$(basename "$folder")"
run="$podman run --rm --network none $own_cgroup --ulimit nofile=$files:$files --ulimit nproc=1024:1024"

# --- can podman run anything here? ---
{
  tar -C "$programs" -c sockproof-agent | $podman import - usable >"$folder/log" 2>&1 &&
    $run usable /sockproof-agent </dev/null >"$folder/log" 2>&1
} || skip "podman cannot run a container here: $(tail -n 1 "$folder/log")"

PROGRAMS=$programs ENGINE=$podman "$(dirname "$0")/../../docker/build.sh" sockproof >"$folder/log" 2>&1 ||
  fail "the image cannot be made: $(cat "$folder/log")"
