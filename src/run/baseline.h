// The recorded, reasoned departures of a system. Tests that depart are always run; a departure that
// is as recorded is expected, one that vanished or departs in another way is a surprise.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/claims/facts.h"
#include "src/report/result.h"

namespace sockproof {

// One [[departure]] of a baseline file.
struct KnownDeparture {
  std::string test;     // glob over ids: "Notes.*", "SynRetries.AsTheNotesSay/ipv4"
  std::string departs;  // regular expression (ECMAScript) found in the text of a failure: how
  std::string why;      // in one sentence, with the document that says so
  std::string link;
  std::map<std::string, std::string> when;  // facts: os = "Linux", release = ">=6.5"
};

// A value. The shipped baselines are data: baselines/*.toml, compiled in.
class Baseline {
 public:
  // An empty one: nothing departs.
  Baseline() = default;

  // The entries of all shipped baselines whose conditions hold for these facts. Throws
  // HarnessError when a file is malformed.
  static Baseline ShippedFor(const Facts& facts);

  // The entries of one file in TOML. Throws HarnessError with `name` and the line.
  static std::vector<KnownDeparture> Parse(std::string_view toml, const std::string& name);

  explicit Baseline(std::vector<KnownDeparture> departures) : departures_(std::move(departures)) {}

  // Fills `departure` and `surprise` of a result that has a verdict.
  void Judge(TestResult& result) const;

 private:
  std::vector<KnownDeparture> departures_;
};

// Whether a release ("6.18.44-generic") satisfies a condition: ">=6.5", "<6.5", or equal text.
bool ReleaseSatisfies(const std::string& release, const std::string& condition);

}  // namespace sockproof
