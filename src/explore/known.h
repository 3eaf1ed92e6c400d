// Departures that a system is known for: what a report of explore passes over.
//
//   [[known]]
//   cause = "TIME-WAIT*: RST!(*old*) -> nothing"     a glob over the cause as reports show it, with
//                                                    the @(one|other) and !(not this) of ksh
//   why = "TIME-WAIT sockets of Linux answer no RST"
//   link = "https://..."                             may be left out
//   when = { os = "Linux", release = ">=6.1" }       facts of the system; may be left out
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/claims/facts.h"
#include "src/run/fact_condition.h"

namespace sockproof::explore {

struct KnownCause {
  std::string cause, why, link;
  std::map<std::string, FactCondition> when;
};

// `name` stands for the file in errors. Throws UsageError.
std::vector<KnownCause> ParseKnownCauses(std::string_view toml, const std::string& name);

// The last that fits; null: none does.
const KnownCause* FindKnown(const std::vector<KnownCause>& known, const std::string& cause,
                            const Facts& facts);

// Those that come with sockproof.
std::vector<KnownCause> ShippedKnownCauses();

}  // namespace sockproof::explore
