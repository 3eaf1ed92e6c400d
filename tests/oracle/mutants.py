#!/usr/bin/env python3
"""Runs tests on wrong systems, for `oracle_figures --mutants` to say what the oracle rejects of it.

    tests/oracle/mutants.py SOCKPROOF OUT [GLOB...]
    tests/oracle/mutants.py --not-shown

For each mutant that breaks a claim of RFC 9293, at most four short tests whose claims it breaks, with its
traces in a folder of its own below OUT; one that is there already is left as it is. GLOB: only these
mutants, 'wire/fin-*'. Prints the folders with traces, one a line. Those of NOT_SHOWN are run only when a
GLOB names them; --not-shown prints why."""

import fnmatch
import json
import pathlib
import subprocess
import sys
import tomllib

KINDS = ("wire", "call", "reading")  # what a trace shows

# Mutants of which no trace of the tests that are chosen shows anything that RFC 9293 demands, and why.
NOT_SHOWN = {
    "call/bind-fails": "no connection is made, and whether the address was free a trace does not say",
    "call/getsockopt-plus-one": "which number an error has is no matter of RFC 9293",
    "call/keepalive-idle-time-told-short": "what an option tells is no step of section 3.10, and the time itself is the application's (MUST-27)",
    "call/keepalive-told-on": "the same",
    "call/round-trip-time-constant": "the RFC has no call that tells the round-trip time",
    "call/send-no-error": "whether there was room for what is sent a trace does not say",
    "call/send-without-flags": "the urgent octet is not sent before the trace ends; MSG_MORE is MAY-16",
    "call/shutdown-fails": "section 3.10.4 calls a second close an error, and takes a success for acceptable",
    "call/user-timeout-longer": "which time an option of the system sets a trace does not say",
    "reading/last-ack-hidden": "a connection that waits for an ACK may end by itself (SHLD-11 alone has a time)",
    "reading/listen-hidden": "a trace has the address alone, which a listener and its connections share",
    "reading/syn-received-hidden": "the same; and retransmission may have ended (MUST-21: its limit is set)",
    "wire/closed-window-opens-by-octets": "what is too small an update depends on the size of the receive buffer, which no trace says",
    "wire/fin-lost": "no document says within what time a FIN follows the close",
    "wire/icmp-errors-ignored": "to abort after a hard error is SHLD-26, to tell of a soft one SHLD-25",
    "wire/isn-of-a-clock": "the function of the connection is SHLD-1, which is told as not followed",
    "wire/isn-of-a-counter": "the same; within milliseconds a counter is like a clock",
    "wire/mss-huge": "MUST-67 bounds the MSS by what can be reassembled, which a trace does not say",
    "wire/mss-none": "to send an MSS is SHLD-5, which is told as not followed",
    "wire/mss-tiny": "no MSS is too small",
    "wire/options-none": "to send an MSS is SHLD-5, which is told as not followed",
    "wire/options-refused": "the trace ends before an ACK is overdue",
    "wire/probe-lost": "that a closed window is probed has no time (SHLD-29), and keepalive is MAY-5",
    "wire/retransmission-late": "it is within what the rules of RFC 6298 may give",
    "wire/signature-beyond-mss": "with RFC 2385 a connection is undecided",
    "wire/soft-errors-taken-for-hard-ones": "this kernel ends no synchronized connection by hard errors, either",
    "wire/urgent-data-beyond-a-segment-flipped": "a trace has the first octets of what was written alone",
    "wire/window-closed": "a window may stay closed (MAY-8)",
    "wire/window-of-all-connections": "no document says when data follows that the window has room for",
    "wire/window-shrinks": "not to shrink it is SHLD-14, which is told as not followed",
    "wire/window-taken-as-100-octets": "to send less than the window has room for is allowed",
}

MOST_TESTS, MOST_OF_A_SUITE, LONGEST = 4, 2, 4  # seconds


def tests_for(tests, breaks):
    """The ones with the largest share of broken claims first; of the table of states one."""
    found = []
    for test in tests:
        broken = sum(any(fnmatch.fnmatchcase(claim, glob) for glob in breaks) for claim in test["claims"])
        is_table = test["suite"] == "SegmentArrives"
        if broken:
            key = (is_table, -broken / len(test["claims"]), test["lasts_s"], test["id"])
            found.append((key, test["suite"], test["id"]))
    chosen, count = [], {}
    for _, suite, test in sorted(found):
        most = 1 if suite == "SegmentArrives" else MOST_OF_A_SUITE
        if count.get(suite, 0) < most and len(chosen) < MOST_TESTS:
            chosen.append(test)
            count[suite] = count.get(suite, 0) + 1
    return chosen


def main():
    if sys.argv[1:] == ["--not-shown"]:
        print(*(f"{name}: {why}" for name, why in NOT_SHOWN.items()), sep="\n")
        return
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, out, globs = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:] or ["*"]
    listed = subprocess.run([program, "list", "--json"], capture_output=True, text=True, check=True)
    tests = [test for test in json.loads(listed.stdout) if test["ip"] != "ipv6" and test["lasts_s"] <= LONGEST]
    catalogue = pathlib.Path(__file__).parents[2] / "harness/mutants/mutants.toml"
    mutants = tomllib.loads(catalogue.read_text())
    known = {f"{kind}/{mutant['id']}" for kind in KINDS for mutant in mutants[kind]}
    if unknown := NOT_SHOWN.keys() - known:
        sys.exit(f"no such mutants: {', '.join(sorted(unknown))}")
    for kind in KINDS:
        for mutant in mutants[kind]:
            name = f"{kind}/{mutant['id']}"
            breaks = [claim for claim in mutant["breaks"] if claim.startswith("rfc9293:")]
            chosen = tests_for(tests, breaks)
            is_named = sys.argv[3:] or name not in NOT_SHOWN
            if not chosen or not is_named or not any(fnmatch.fnmatchcase(name, glob) for glob in globs):
                continue
            folder = out / name.replace("/", "-")
            if not folder.exists():
                subprocess.run([program, "selfproof", "--every-mutant", "--only", name, "--max-wait", "15",
                                "--out", str(folder), "--", *chosen], stdout=subprocess.DEVNULL, check=False)
            if (folder / "tests").exists():
                print(folder, flush=True)


main()
