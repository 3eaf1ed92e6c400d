// What was found, for people and as files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/explore/explorer.h"
#include "src/explore/known.h"

namespace sockproof::explore {

struct ReportOn {
  std::string system;  // as -s spells it
  Plan plan;
  Facts facts;
  std::vector<KnownCause> known;
  std::filesystem::path folder;  // to which the text refers
  std::string mutant;            // of the system; none: empty
};

// How many of the causes nobody knows of.
std::size_t SurprisesIn(const Exploration& exploration, const ReportOn& on);

// The same for the same exploration: no times are in it.
std::string RenderExploration(const Exploration& exploration, const ReportOn& on);
std::string RenderComparison(const Comparison& comparison, const std::string& base,
                             const std::string& patched);

// Of each cause N.seq, N.ladder.txt and N.cc, of what is not certain once-N.seq, and the text as
// report.txt. The folder must be there.
// Throws HarnessError.
void WriteExploration(const Exploration& exploration, const ReportOn& on);

// The sequence as a test of a suite, with what RFC 9293 asks at its end.
std::string TestText(const Cause& cause, int number);

}  // namespace sockproof::explore
