// Which departures are known, by the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "src/run/baseline.h"

namespace sockproof {

struct BaselineArguments {
  std::vector<std::string> files;  // the user's
  bool no_shipped = false;
};

void AddBaselineOptions(CLI::App& command, BaselineArguments& baseline);

// The entries of the shipped baseline and of the user's files, in the order in which a later one
// overrules an earlier one. Throws UsageError.
std::vector<KnownDeparture> KnownDepartures(const BaselineArguments& arguments);

}  // namespace sockproof
