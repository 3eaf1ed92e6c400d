// The recorded, reasoned departures of a system. Tests that depart are always run; a departure that
// is as recorded is expected, one that vanished or departs in another way is a surprise.
//
// A baseline is a TOML file of entries; README.md in this folder shows how one is written. A test
// is judged by the last entry that names it and whose conditions hold, so that an entry overrules
// those before it, and a user's file the shipped ones.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/claims/facts.h"
#include "src/report/result.h"
#include "src/run/fact_condition.h"

namespace sockproof {

// Bytes of a file: from `begin` until before `end`.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// One [[departure]] of a baseline file.
struct KnownDeparture {
  // As PATTERN of `sockproof run`: "Notes", "SynRetries.GivesUp/ipv4", "*Rfc*". At least one.
  std::vector<std::string> tests;
  std::string departs;  // regular expression found in the text of a failure: how
  // The claims that may depart; empty: any that the test cites.
  std::vector<std::string> claims;
  bool passes = false;  // instead of `departs`: an entry before this one holds no longer
  // With `departs`: whether it does depends on times that the test does not decide. A PASS is no
  // surprise.
  bool sometimes = false;
  std::string why;      // in one sentence, with the document that says so
  std::string link;     // where it can be read; may be empty
  std::map<std::string, FactCondition> when;  // by the fact's name; all must hold

  // Where the entry stands, for messages and for `baseline update`.
  std::string file;
  int line = 0;
  TextRange lines;       // whole lines: from its header to its last key
  TextRange how;         // the value of `departs` or `passes`
  TextRange claims_at;   // the value of `claims`; empty: there is none
  bool shipped = false;  // part of sockproof

  // "linux.toml:12"
  std::string place() const;
  // Whether one of the patterns means the test with this id.
  bool Means(const std::string& id) const;
  // The patterns, as one reads them: "A.One, B.*".
  std::string named() const;
};

// The entries of one file in TOML, in the file's order. Throws UsageError, "<name>:<line>: ..." for
// anything that is no baseline: TOML that does not parse, unknown keys, wrong types, empty texts, a
// pattern, regular expression or condition that makes no sense.
std::vector<KnownDeparture> ParseBaseline(std::string_view toml, const std::string& name);

// The same of a file. Throws UsageError also when it cannot be read.
std::vector<KnownDeparture> ReadBaseline(const std::string& path);

// The entries of the baselines that come with sockproof: baselines/*.toml, compiled in.
std::vector<KnownDeparture> ShippedBaseline();

// Whether a regular expression is found in a text (Perl's syntax; a dot is any character but a
// newline). Of a text, 64 KiB are searched; an expression that backtracks without end is not found.
// Throws std::invalid_argument for an expression that makes no sense.
bool IsFoundIn(const std::string& expression, const std::string& text);

// What is known of one system. A value.
class Baseline {
 public:
  // An empty one: nothing departs.
  Baseline() = default;

  // Those of the entries whose conditions hold. A later one overrules an earlier one.
  Baseline(const std::vector<KnownDeparture>& entries, const Facts& facts);

  // The entry by which a test is judged; null when there is none. Owned by this object.
  const KnownDeparture* Find(const std::string& id) const;

  // Fills `departure` and `surprise` of a result that has a verdict.
  void Judge(TestResult& result) const;

  // The files whose entries these are, in their order: "linux.toml (shipped)", "ours.toml".
  std::vector<std::string> Files() const;

  // The entries that are of no use any more, one line each: those of a user that name no test in
  // `suite` (ids), and those all of whose tests were run and passed. An entry whose tests were not
  // all run to PASS or FAIL, or are judged by other entries, is left alone.
  std::vector<std::string> Stale(const RunResult& run, const std::vector<std::string>& suite) const;

 private:
  std::vector<KnownDeparture> entries_;
};

}  // namespace sockproof
