// How systems differ: the results of several, side by side, as a value from which the table, the
// JSON and the page are made. Its JSON form:
//
//   {"format": "sockproof-comparison", "version": 1,
//    "systems": [{"name": unique here, "sut", "os", "release", "suite_version", "host", "started",
//                 "finished": null for a run that was not, "setup_error",
//                 "results": the folder of its result.json, "counts", "axes": as in result.json}],
//    "tests": [{"test": "Suite.Name", "suite", "name", "variants": what it was run over, ["ipv4",
//               "ipv6"] in one row where they agree on every system, "ip": the versions among
//               them, "differs", "claims": [ids],
//               "cells": one for each system, null where there was no such test:
//                   [{"answer": "PASS", "FAIL", "known departure", "ERROR", "SKIP", "INCONCLUSIVE"
//                        or "NOT-RUN",
//                     "why": in one line, for all but PASS, "departure": as in result.json,
//                     "observed": [{"name", "value"}], "tests": [ids],
//                     "directories": [of their evidence, relative to "results"]}],
//               "matrix": of a rule that was checked on many cells: {"axes", "size": in cells,
//                   "disagreeing": how many disagree with the rule, for each system, "rows": the
//                   cells where systems differ or one disagrees: [{"at": a word for each axis,
//                   "observed": [for each system, or null], "disagrees": [for each system]}]},
//               "since": of releases of Linux, where something changes: "holds since 6.12"}],
//    "claims": [{"id", "authority", "axis": "standards", "documentation" or "notes", "level",
//                "source", "statement", "differs", "tests": [as "test" above],
//                "cells": [{"answer": "holds", "departs", "known departure", "not taken",
//                          "not reached" or "undecided"}, or null]}]}
//
// A reader ignores members that it does not know; a change of meaning raises "version".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "src/report/result.h"

namespace sockproof {

// What a system answered. Of a claim kPass means that it holds, kInconclusive that some test of it
// has no answer.
enum class Answer {
  kPass,
  kKnownDeparture,
  kFail,
  kError,
  kInconclusive,
  kSkip,
  kNotRun,
  kNotTaken,  // only of a claim
  kAbsent,    // no such test was planned
};

bool IsDecided(Answer answer);  // PASS, FAIL, known departure or not taken
bool Departs(Answer answer);    // FAIL or known departure

std::string_view AnswerText(Answer answer);       // of a test: "PASS", "known departure", ...
std::string_view ClaimAnswerText(Answer answer);  // of a claim: "holds", "departs", ...

struct ComparedSystem {
  std::string name;    // unique in a comparison; clean text
  std::string folder;  // that of result.json, as the user gave it
  RunResult run;

  std::string Fact(const std::string& fact) const;  // empty when unknown
};

struct TestCell {
  Answer answer = Answer::kAbsent;
  std::vector<const TestResult*> tests;  // one for each IP version
};

struct TestRow {
  std::string test;  // "Suite.Name", followed by "/ipv6" where the IP versions do not agree
  std::string suite;
  std::string name;
  std::vector<std::string> variants;
  std::vector<CitedClaim> claims;  // of any system's test
  std::vector<TestCell> cells;     // one for each system
  bool differs = false;
};

struct ClaimRow {
  CitedClaim claim;
  std::string authority;
  std::string axis;                // as in axes.h
  std::vector<std::size_t> tests;  // which rows of Comparison::tests
  std::vector<Answer> cells;       // one for each system
  bool differs = false;
};

// Rows refer to the results of the systems: a comparison can be moved, and not copied.
struct Comparison {
  std::vector<ComparedSystem> systems;
  std::vector<TestRow> tests;    // those of a suite together
  std::vector<ClaimRow> claims;  // those of an authority together; axes in the order of axes.h

  Comparison() = default;
  Comparison(Comparison&&) = default;
  Comparison& operator=(Comparison&&) = default;
};

// A row differs when systems of which the answer is known do not agree, when one departs, which no
// baseline records, and of another nothing is known, or when observed values are not the same; with
// one system, when it departs. Names are given here. Throws std::invalid_argument without any
// system.
Comparison CompareSystems(std::vector<ComparedSystem> systems);

// What was observed or measured of one name in a cell: the value of the first test that has it,
// else empty.
std::string ObservedIn(const TestCell& cell, const std::string& name);
// All names of a row, in order of their first appearance.
std::vector<std::string> ObservedNames(const TestRow& row);

// Durations ("60.4 s", "1 s, 2 s") are the same within 2 % or 0.1 s; all other values when they
// are equal.
bool SameValue(const std::string& a, const std::string& b);

// The results that an argument names: a folder with a result.json, such a file, or a folder whose
// folders have one, as 'run -s A -s B' writes. Throws WrongInput.
std::vector<ComparedSystem> ReadSystems(const std::string& argument);

nlohmann::ordered_json ToJson(const Comparison& comparison);

}  // namespace sockproof
