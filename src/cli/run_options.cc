#include "src/cli/run_options.h"

#include <utility>

namespace sockproof {
namespace {

// The guest finds by its own time that a test hangs; a machine may have much else to do.
constexpr auto kExtraTimeOfMachines = 10min;

}  // namespace

RunOptions OptionsOn(Target& target, Baseline baseline, int jobs) {
  RunOptions options;
  options.baseline = std::move(baseline);
  options.jobs = jobs != 0 ? jobs : target.jobs();
  options.most_in_company = target.most_in_company();
  options.run_many = [&target](const std::vector<const TestCase*>& tests, Company& company) {
    target.RunManyTests(tests, company);
  };
  if (target.virtual_time()) {
    options.attempts = 1;  // it would end the same
    options.extra_time = kExtraTimeOfMachines;
  }
  return options;
}

}  // namespace sockproof
