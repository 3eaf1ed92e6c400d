#!/bin/sh
# Tests of calls alone on a system that no wire leads to: an agent behind pipes, here in a namespace
# with a loopback interface. All others are skipped, and say why. Leaves nothing behind.
#   no_wire.sh SOCKPROOF AGENT
set -u
for tool in ip unshare; do
  command -v $tool >/dev/null || { echo "$tool is missing"; exit 77; }
done
unshare --user --map-root-user --net true 2>/dev/null || { echo "no namespaces here"; exit 77; }

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cat >"$folder/far" <<END
#!/bin/sh
exec unshare --user --map-root-user --net sh -c 'ip link set lo up; cat | "$2" | cat'
END
chmod +x "$folder/far"

"$1" run --out "$folder/out" --sut "agent:$folder/far" Names Bind HalfClose
code=$?
[ $code -eq 0 ] || { echo "exit code $code"; exit 1; }
# What each verdict was of, from the result.
verdicts() { grep -A4 "\"suite\": \"$1\"" "$folder/out/result.json" | grep -c "\"variant\""; }
[ "$(verdicts Names)" -gt 0 ] || { echo "no test of names"; exit 1; }
skipped=$(grep -c '"reason": "no wire leads to this system' "$folder/out/result.json")
[ "$skipped" -eq "$(verdicts HalfClose)" ] || { echo "$skipped tests skipped for the wire"; exit 1; }
passed=$(grep -c '"verdict": "PASS"' "$folder/out/result.json")
[ "$passed" -ge 35 ] || { echo "only $passed passed"; exit 1; }
