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
  // For all of it: looking, shrinking and running again. Without, each takes what it takes.
  std::optional<Duration> time;
  std::size_t batch = 100;         // sequences in one test
  std::size_t most_reports = 200;  // causes to shrink and show
  // Where time is virtual, what was seen once is seen always.
  bool is_exact = false;
  // How often each find is run again by itself, until it has come again in more than half of them.
  int replays = 5;
  // Causes that are known are shrunk and run again last, with the time that is left.
  std::function<bool(const std::string& cause)> is_known = [](const std::string&) { return false; };
  // Why two systems may differ in what is known of one of them; empty: it is not known.
  std::function<std::string(const std::string& cause)> why_known = [](const std::string&) {
    return "";
  };
  // Asked several times a second whether to make an end of it, and tell what was found so far.
  std::function<bool()> is_interrupted = [] { return false; };
  // Told about once a second how far it is, and what for.
  std::function<void(const std::string& text)> progress = [](const std::string&) {};
};

struct Cause {
  std::string text;         // Finding::Cause(), or how the system crashed
  std::uint64_t count = 0;  // sequences
  bool is_crash = false, is_shrunk = false;
  // One that shows it, as short as was found; several where none does so alone.
  std::vector<Sequence> example;
  std::optional<Finding> finding;  // none of a crash
  // How often the example was run by itself, how often it came to the same, and how often it has
  // to.
  int replays = 0, again = 0, wanted = 1;
  std::vector<Event> events;  // of the example, where it came to the same

  // Only what comes again is a finding; what was late once is none.
  bool IsCertain() const { return again >= wanted; }
};

struct Exploration {
  std::uint64_t sequences = 0;  // run
  std::uint64_t undecided = 0;  // of those
  Duration took{0};             // without shrinking
  oracle::Stack stack;          // what the system has chosen
  std::vector<Cause> causes;    // certain, the most frequent first
  std::vector<Cause> fleeting;  // did not come again, or was not run again
  bool is_interrupted = false;
  std::string why_not;                  // nothing could be run: why
  std::vector<std::string> complaints;  // what went wrong in the harness
};

Exploration Explore(Pool& pool, const ExploreOptions& options);

// What came of running a sequence on two systems.
struct Difference {
  enum class Kind { kDeparts, kMended, kBothAllowed, kBothDepart };
  Kind kind = Kind::kBothAllowed;
  std::string text;   // step and reactions
  std::string cause;  // without numbers: differences of one cause are one
  std::string why;    // it is known; empty: it is not
  std::uint64_t count = 0;
  Sequence example;
  std::optional<Finding> before, after;
  int replays = 0, again = 0;  // as of a cause

  bool IsCertain() const { return 2 * again > replays; }
};
struct Comparison {
  std::uint64_t sequences = 0;
  std::uint64_t alike = 0;
  std::vector<Difference> differences;  // the gravest kind first, then the most frequent
  std::vector<Difference> fleeting;     // did not come again
  bool is_interrupted = false;
  std::string why_not;
  std::vector<std::string> complaints;
};
Comparison Between(Pool& base, Pool& patched, const ExploreOptions& options);

}  // namespace sockproof::explore
