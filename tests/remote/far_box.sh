#!/bin/sh
# Runs tests on a system somewhere else, which is a network namespace here: a box on a cable. Needs no
# root; leaves nothing behind.
#   far_box.sh SOCKPROOF AGENT [OPTION...]     (options of run)
# In COMMANDs below, fake-ssh stands for ssh: pipes in between, and the agent is no child of ours.
set -u
for tool in ip ethtool nsenter unshare; do
  command -v $tool >/dev/null || { echo "$tool is missing"; exit 77; }
done

if [ -z "${FAR_BOX_INSIDE-}" ]; then
  FAR_BOX_INSIDE=yes exec unshare --user --map-root-user --net --pid --fork --kill-child \
    --mount-proc "$0" "$@"
fi

sockproof=$1
agent=$2
shift 2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/ready"

# far_box HOST OTHER: one that has the addresses of HOST, on a cable to our interface wireHOST. Sets
# $box to the process that keeps it.
far_box() {
  unshare --net sh -c 'echo ready; exec sleep 1000000' >"$folder/ready" &
  box=$!
  read -r _ <"$folder/ready"
  ip link add "wire$1" type veth peer name eth0 netns $box || exit 77
  there="nsenter --target $box --net"
  # What src/agent/README.md tells the owner of such a box to do, here by iproute2.
  $there ip link set lo up
  $there ip link set eth0 up
  $there ip address add "192.0.2.$1/24" dev eth0
  $there ip address add "2001:db8::$1/64" dev eth0 nodad
  $there ip route add default via "192.0.2.$2"
  $there ip -6 route add default via "2001:db8::$2"
  $there ethtool -K eth0 tx off tso off gso off gro off >/dev/null 2>&1
  echo 1 >"/proc/sys/net/ipv6/conf/wire$1/disable_ipv6"
  ip link set "wire$1" up
}

far_box 1 2
first=$box
far_box 2 1
second=$box

cat >"$folder/fake-ssh" <<'END'
#!/bin/sh
cat | nsenter --target "$1" --net "$2" | cat
END
chmod +x "$folder/fake-ssh"

"$sockproof" run --out "$folder/out" --wire wire1 --sut "agent:$folder/fake-ssh $first '$agent'" \
  --second-wire wire2 --second-agent "exec nsenter --target $second --net '$agent'" "$@"
code=$?
[ -z "${KEEP-}" ] || cp -r "$folder/out" "$KEEP"
[ $code -ne 3 ] || exit 77
exit $code
