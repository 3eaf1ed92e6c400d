// Brings a baseline file to what a run observed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/report/result.h"
#include "src/run/baseline.h"

namespace sockproof {

// Begins `why` of an entry that nobody has looked into yet.
inline constexpr std::string_view kToDo = "TODO";

struct BaselineUpdate {
  std::string text;                  // of the file
  std::vector<std::string> changes;  // a line for each; empty: the text is as it was
};

// The text of a baseline, changed as little as will make every PASS and FAIL of `run` as recorded:
//   - a FAIL that is not known gets an entry, as does one that departs in another way than an entry
//     records that is not of this file or is of other tests too;
//   - an entry whose tests all depart in another way records that way;
//   - an entry whose tests all pass is dropped; if only some of them do, these get an entry that
//     says so.
// Comments, order and format of everything else stay; comments inside a dropped entry go with it.
// Entries are added at the end, hold for this system and release, and wait for a human to say why.
// `before` are the entries that those of the file overrule; `suite` the ids of all tests there are.
// Doing it again changes nothing. `name` stands for the file in errors. Throws UsageError for a
// text that is no baseline.
BaselineUpdate UpdateBaseline(const std::string& text, const std::string& name,
                              const RunResult& run, const std::vector<KnownDeparture>& before,
                              const std::vector<std::string>& suite);

// A regular expression for how a test failed, from the text of its failure: what was observed,
// without numbers that vary from run to run, such as times, ports and sequence numbers. It is found
// in that text. Empty for a text without any word.
std::string DepartsLike(const std::string& failure);

}  // namespace sockproof
