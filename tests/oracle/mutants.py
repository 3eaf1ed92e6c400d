#!/usr/bin/env python3
"""Runs tests on wrong systems, for `oracle_figures --mutants` to say what the oracle rejects of it.

    tests/oracle/mutants.py SOCKPROOF OUT [GLOB...]

For each mutant that breaks a claim of RFC 9293, at most four short tests whose claims it breaks, with its
traces in a folder of its own below OUT; one that is there already is left as it is. GLOB: only these
mutants, 'wire/fin-*'. Prints the folders with traces, one a line."""

import fnmatch
import json
import pathlib
import subprocess
import sys
import tomllib

KINDS = ("wire", "call", "reading")  # what a trace shows
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
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, out, globs = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:] or ["*"]
    listed = subprocess.run([program, "list", "--json"], capture_output=True, text=True, check=True)
    tests = [test for test in json.loads(listed.stdout) if test["ip"] != "ipv6" and test["lasts_s"] <= LONGEST]
    catalogue = pathlib.Path(__file__).parents[2] / "harness/mutants/mutants.toml"
    mutants = tomllib.loads(catalogue.read_text())
    for kind in KINDS:
        for mutant in mutants[kind]:
            name = f"{kind}/{mutant['id']}"
            breaks = [claim for claim in mutant["breaks"] if claim.startswith("rfc9293:")]
            chosen = tests_for(tests, breaks)
            if not chosen or not any(fnmatch.fnmatchcase(name, glob) for glob in globs):
                continue
            folder = out / name.replace("/", "-")
            if not folder.exists():
                subprocess.run([program, "selfproof", "--every-mutant", "--only", name, "--max-wait", "15",
                                "--out", str(folder), "--", *chosen], stdout=subprocess.DEVNULL, check=False)
            if (folder / "tests").exists():
                print(folder, flush=True)


main()
