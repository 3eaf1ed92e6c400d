#include "src/cli/baseline_options.h"

namespace sockproof {

void AddBaselineOptions(CLI::App& command, BaselineArguments& baseline) {
  command
      .add_option("--baseline", baseline.files,
                  "Known departures of your system; overrules the shipped ones; repeatable")
      ->type_name("FILE");
  command.add_flag("--no-shipped-baseline", baseline.no_shipped,
                   "Forget the departures that come with sockproof");
}

std::vector<KnownDeparture> KnownDepartures(const BaselineArguments& arguments) {
  std::vector<KnownDeparture> known;
  if (!arguments.no_shipped) known = ShippedBaseline();
  for (const std::string& file : arguments.files) {
    const std::vector<KnownDeparture> entries = ReadBaseline(file);
    known.insert(known.end(), entries.begin(), entries.end());
  }
  return known;
}

}  // namespace sockproof
