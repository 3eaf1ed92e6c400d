#!/bin/sh
# An agent that goes wrong in the middle of a test makes that test an ERROR with the reason; the next
# test has a fresh agent, and passes.
#   broken_agents.sh SOCKPROOF AGENT
set -u
sockproof=$1
agent=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0

# The test that calls shutdown meets the fault, the other does not.
hit='HalfClose.SendingAfterShutdownFailsWithEpipeAndSigpipe/ipv4'
spared='Handshake.ASynToAClosedPortIsReset/ipv4'

# broken REASON FILTER-OF-REQUESTS
broken() {
  cat >"$folder/agent" <<END
#!/bin/sh
$2 | '$agent'
END
  chmod +x "$folder/agent"
  "$sockproof" run --verbose --jobs 1 --out "$folder/out" --sut "host,agent=$folder/agent" \
    "$hit" "$spared" >"$folder/log" 2>&1
  code=$?
  if [ $code = 3 ]; then
    cat "$folder/log"
    exit 77
  fi
  if [ $code = 1 ] && grep -q "^ERROR  $hit .*$1" "$folder/log" &&
    grep -q "^PASS   $spared" "$folder/log"; then
    echo "as expected: $1"
  else
    failed=1
    echo "expected ($1), with exit code 1; it was $code:"
    cat "$folder/log"
  fi
}

broken 'did not understand a request' "sed -u 's/\"method\":\"shutdown\"/\"method\":/'"
broken 'answered what nobody asked' "sed -u '/\"shutdown\"/s/\"id\":[0-9]*/\"id\":4711/'"
broken 'exited with status' "sed -u '/\"shutdown\"/Q'"
exit $failed
