// The options of a script, as the run of it needs them.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/time.h"
#include "src/packetdrill/flow.h"
#include "src/packetdrill/interpreter.h"
#include "src/packetdrill/script.h"
#include "src/packetdrill/tunnel.h"

namespace sockproof::packetdrill {

struct Configuration {
  TunnelPlan tunnel;
  std::uint16_t bind_port = 8080;
  std::uint16_t connect_port = 8080;
  Duration tolerance = 4ms;
  double tolerance_percent = 12.5;
  std::uint16_t injected_segment = 0;  // --mss
  bool packets_not_fatal = false;
  bool calls_not_fatal = false;
  std::string code_option;
  PacketRules rules;
};

// From the options of the plan, and those of the script, which count for less. Throws Skip for an option that this
// program does not know, SyntaxError for one that no dialect has, and for a value that makes no sense.
Configuration Configure(const ScriptPlan& plan, const Script& script);

// Why an option could be none of any script; empty: it could.
std::string WrongInOption(const Option& option);

}  // namespace sockproof::packetdrill
