// The result of one run, from which every report is made. Its JSON form is result.json:
//
//   {"format": "sockproof-result", "version": 1, "suite_version": "0.1.0", "sut": "host",
//    "host": "builder7", "program": "sockproof", "facts": {"release": "6.1.0", ...},
//    "started": "2026-01-31T12:00:00.000Z", "finished": null while the run goes on,
//    "setup_error": why no test could run, "" normally,
//    "seed": of the random order in which tests were started; null: the longest first,
//    "shard": {"index": from 1, "count"}, the part of the tests that was run; null: all of them,
//    "interrupted": number of the signal that ended the run early; 0: none did,
//    "baselines": [files that recorded departures, later ones overruling earlier ones],
//    "stale_departures": [entries of the baseline that no test needs any more, as text],
//    "counts": {"tests", "pass", "fail", "error", "skip", "inconclusive", "not_run",
//               "known_departures": of "fail", those that are as recorded,
//               "unexpected_passes": of "pass", those that are recorded to depart},
//    "axes": {"standards", "documentation", "notes"}: claims counted apart (axes.h), each
//            [{"authority": "rfc9293", "level", "tested", "held", "departed", "undecided",
//              "not_taken", "not_reached": of "undecided", those that no test could decide}],
//    "tests": [{
//      "id", "suite", "name", "ip": "ipv4" or "ipv6", empty where no version is meant,
//      "variant": what the test was run over: "ipv4", "unix-stream", "time-wait/ipv6", empty for a
//            test that has one case; the end of the id, "file", "line",
//      "verdict": PASS, FAIL, ERROR, SKIP, INCONCLUSIVE, or NOT-RUN as long as there is none,
//      "reason": why, for all but PASS,
//      "error_type": for ERROR: "harness", "crash" or "timeout",
//      "departure": of a FAIL that is a known departure of the system: why it departs,
//      "surprise": of a PASS or FAIL that is not as its known departure is recorded: what is not,
//      "claims": [{"id", "level", "source", "statement",
//                  "verdict": "held", "departed", "not taken", "not reached" or "undecided";
//                             missing in older results: the test's verdict says it,
//                  "why": it was not taken, or not reached}],
//      "needs": ["diag"],
//      "tags": ["timer"], words to choose tests by,
//      "planned_s", "wall_s": seconds, "sut_s": seconds in the time of the system under test,
//               from the first event to the last; null: there was none,
//      "runs": how often it was run until it had this verdict,
//      "attempts": those before whose verdict was in doubt,
//                  [{"verdict", "reason", "wall_s", "directory",
//                    "in_company": true for one on a system that it shared with other tests, and
//                    on which it ended otherwise than alone; left out otherwise}],
//      "failures": [{"file", "line", "text",
//                    "claim": that it condemns; left out: all of the test, or its set-up}],
//      "observations": [{"name", "value"}],
//      "matrix": what was observed in each cell of a rule that is checked on many, left out where
//            there are none: {"axes", "columns": words of the last axis, "rows": [{"at": words of
//            the others, "cells": [null, "observed" or, where it disagrees with the rule,
//            {"observed", "expected"}]}]},
//      "measurements": numbers against what is documented, left out where there are none,
//                      [{"name", "unit": "s", or "" for a count, "observed", "documented",
//                        "lower", "upper": what the test takes for documented}],
//      "ladder": of a test that did not pass, its middle left out when it is long,
//      "output": the end of what its process printed, of a test that ended as ERROR,
//      "directory": "tests/...", "files": [...], both relative to result.json}]}
//
// Ids are unique. A reader (read_result.h) ignores members that it does not know; a change of
// meaning raises "version".
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/time.h"
#include "harness/trace/claim_verdict.h"
#include "harness/trace/event.h"
#include "harness/trace/verdict.h"

namespace sockproof {

// A claim as a report cites it.
struct CitedClaim {
  std::string id;
  std::string level;
  std::string source;
  std::string statement;
  // What the test says of it; none: whatever its verdict says of all.
  std::optional<ClaimVerdict> verdict = std::nullopt;
  std::string why = "";
};

// An earlier attempt at a test, whose verdict was in doubt.
struct Attempt {
  Verdict verdict = Verdict::kInconclusive;
  std::string reason;
  Duration wall{0};
  std::string directory;  // its evidence, relative to result.json
  bool in_company = false;  // with other tests on one system; the one that counts was alone
};

// One test of a run; the members are those of the JSON form.
struct TestResult {
  std::string id;
  std::string suite;
  std::string name;
  std::string ip;
  std::string variant;
  std::string file;
  int line = 0;
  std::optional<Verdict> verdict;
  std::string reason = "not started";
  std::string error_type;
  std::string departure;
  std::string surprise;
  std::vector<CitedClaim> claims;
  std::vector<std::string> needs;
  std::vector<std::string> tags;
  Duration planned{0};
  Duration wall{0};
  std::optional<Duration> sut_time;
  int runs = 0;  // how often it was run until it had this verdict, with --repeat; without attempts
  std::vector<Attempt> attempts;
  std::vector<FailureEvent> failures;
  std::vector<ObservationEvent> observations;
  std::vector<MeasurementEvent> measurements;
  std::vector<std::string> axes;  // of its matrix; none: it has no matrix
  std::vector<CellEvent> cells;
  std::string ladder;
  std::string output;
  std::string directory;
  std::vector<std::string> files;

  // Neither PASS nor SKIP nor a known departure.
  bool surprising() const;
  // What it says of one of its claims.
  ClaimVerdict VerdictOf(const CitedClaim& claim) const;
  // Those that departed.
  std::vector<const CitedClaim*> DepartedClaims() const;
};

// How many tests have which verdict.
struct Counts {
  int tests = 0;
  int pass = 0;
  int fail = 0;
  int error = 0;
  int skip = 0;
  int inconclusive = 0;
  int not_run = 0;
  int known_departures = 0;
  int unexpected_passes = 0;

  void Add(const TestResult& test);
};

// The part of the tests that a run was given: number `index`, from 1, of `count`.
struct RunShard {
  int index = 1;
  int count = 1;
};

struct RunResult {
  std::string suite_version;
  std::string sut;
  std::string host;
  std::string program;  // as the user invoked it, for replay commands
  std::vector<std::string> own_arguments;  // without which `run` does not know tests of the user's own, scripts
  std::map<std::string, std::string> facts;
  Time started;
  std::optional<Time> finished;
  std::string setup_error;
  std::optional<std::uint64_t> seed;  // of the order in which tests were started
  std::optional<RunShard> shard;
  int interrupted = 0;  // by this signal
  std::vector<std::string> baselines;
  std::vector<std::string> stale_departures;
  std::deque<TestResult> tests;  // may grow while there are pointers to its elements

  Counts counts() const;
};

// "PASS" ..., "NOT-RUN" for a test without verdict.
std::string_view VerdictText(std::optional<Verdict> verdict);

// What result.json keeps of them: whole milliseconds. A report that shows no more says the same
// when it is made later.
Duration AsKept(Duration duration);
Time AsKept(Time time);

// "2026-01-31T12:00:00", UTC.
std::string FormatUtc(Time time);

nlohmann::ordered_json ToJson(const TestResult& test);
nlohmann::ordered_json ToJson(const RunResult& run);

// Indented text; invalid UTF-8 is replaced.
std::string DumpJson(const nlohmann::ordered_json& json);

// Replaces the file at once: whoever reads it sees the old or the new content, whole. Throws
// HarnessError when it cannot be written.
void ReplaceFile(const std::string& path, std::string_view content);

}  // namespace sockproof
