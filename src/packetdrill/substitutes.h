// What the init command of a script asks for and this machine does not give it, and what each socket of the script
// is given in its place.
#pragma once

#include <string>
#include <vector>

#include "src/packetdrill/script.h"
#include "src/packetdrill/simple_commands.h"

namespace sockproof::packetdrill {

struct Substitutes {
  std::string congestion_control;  // empty: that of the namespace
  bool paces_itself = false;       // for want of the qdisc fq
  std::vector<std::string> notes;  // for the ladder
};

Substitutes SubstitutesFor(const CommandEvent& init, const CommandResult& result);

}  // namespace sockproof::packetdrill
