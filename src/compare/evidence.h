// What is behind the cells of a row: which systems are alike, and what their folders hold.
#pragma once

#include <string>
#include <vector>

#include "harness/trace/event.h"
#include "src/compare/comparison.h"

namespace sockproof {

// Systems of a row with one answer, for one reason: failures and observed values alike but for
// measured times and ports. The first of them speaks for all.
struct Alike {
  Answer answer = Answer::kAbsent;
  std::vector<std::size_t> systems;
};

// Those that depart first, then those that pass, then those without an answer.
std::vector<Alike> SystemsAlike(const TestRow& row);

// The folder with the evidence of a test: below that of its result, whatever the result says. Empty
// when the result names none, or one elsewhere.
std::string EvidenceFolder(const ComparedSystem& system, const TestResult& test);

// The events of a test from its folder; none when they are not there, or damaged.
std::vector<Event> EventsOf(const ComparedSystem& system, const TestResult& test);

}  // namespace sockproof
