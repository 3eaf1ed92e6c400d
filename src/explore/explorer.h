// Looks for sequences in which a system departs from RFC 9293, and makes the most of what it finds:
// one report for each cause, of the shortest sequence that shows it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/explore/alphabet.h"
#include "src/explore/pool.h"

namespace sockproof::explore {

struct ExploreOptions {
  Plan plan;
  std::optional<std::uint64_t> sequences;  // how many; none: until the time is over
  std::optional<Duration> time;            // of looking; making reports takes some more
  std::size_t batch = 100;                 // sequences in one test
  std::size_t most_reports = 200;          // causes to shrink and show
  // Told about once a second how far it is, and what for.
  std::function<void(const std::string& text)> progress = [](const std::string&) {};
};

struct Cause {
  std::string text;         // Finding::Cause(), or how the system crashed
  std::uint64_t count = 0;  // sequences
  bool is_crash = false;
  // One that shows it, as short as was found; several where none does so alone.
  std::vector<Sequence> example;
  std::optional<Finding> finding;  // none of a crash
  // It came again when run by itself, and was late by no delay that the RFC grants.
  bool is_confirmed = false;
  std::vector<Event> events;  // of the example
};

struct Exploration {
  std::uint64_t sequences = 0;          // run
  std::uint64_t undecided = 0;          // of those
  Duration took{0};                     // without shrinking
  std::vector<Cause> causes;            // confirmed, the most frequent first
  std::vector<Cause> fleeting;          // not confirmed, or beyond most_reports
  std::string why_not;                  // nothing could be run: why
  std::vector<std::string> complaints;  // what went wrong in the harness
};

Exploration Explore(Pool& pool, const ExploreOptions& options);

// What came of running a sequence on two systems.
struct Difference {
  enum class Kind { kDeparts, kMended, kBothAllowed, kBothDepart };
  Kind kind = Kind::kBothAllowed;
  std::string text;  // step and reactions
  std::uint64_t count = 0;
  Sequence example;
  std::optional<Finding> before, after;
};
struct Comparison {
  std::uint64_t sequences = 0;
  std::uint64_t alike = 0;
  std::vector<Difference> differences;  // the gravest kind first, then the most frequent
  std::string why_not;
  std::vector<std::string> complaints;
};
Comparison Between(Pool& base, Pool& patched, const ExploreOptions& options);

}  // namespace sockproof::explore
