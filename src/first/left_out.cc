// What `run` refers to and a first verdict never needs: compiling it takes longer than it is worth.
#include "harness/base/errors.h"
#include "harness/mutants/alteration.h"
#include "src/cli/configuration.h"
#include "src/run/usage_error.h"

namespace sockproof {

void ApplyConfiguration(CLI::App&, const std::string&) {
  throw UsageError("--config needs the whole program: ./sockproof build");
}

std::unique_ptr<System> MakeAlteredSystem(System&, Alterations) {
  throw HarnessError("mutants and variants need the whole program: ./sockproof build");
}

}  // namespace sockproof
