// How tests are run on a target, whichever command runs them.
#pragma once

#include "src/cli/target.h"
#include "src/run/runner.h"

namespace sockproof {

// As many tests at once as `jobs` says, or as the target carries when that is 0; in company where
// the target can; once and with patience where waiting takes no time. The target must outlive them.
RunOptions OptionsOn(Target& target, Baseline baseline, int jobs);

}  // namespace sockproof
