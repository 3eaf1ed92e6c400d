// A test that was run, as a script for packetdrill.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof::packetdrill {

// Why a test cannot be said in the language of scripts.
class NotExpressible : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The script makes the calls of the test, injects what its peer sent, when it did, and expects what came of
// that. Numbers of segments count from the initial ones, those of timestamps from the first as 100; data are
// zeros. `remarks` become comments at its head, a line each. Of one connection by TCP, with the segments and
// calls that scripts have words for: throws NotExpressible for any other.
std::string ExportedScript(const std::vector<sockproof::Event>& events,
                           const std::vector<std::string>& remarks);

}  // namespace sockproof::packetdrill
