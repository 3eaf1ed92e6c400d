// The words of the language: those of google/packetdrill, nplab/packetdrill and multipath-tcp/packetdrill.
#pragma once

#include <string_view>

#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

// Throws SyntaxError for a call, a name, a member of a structure, an error or a name of ICMP that is in none of the
// three: it is misspelt. What only this program lacks stays for the run to skip.
void RefuseMisspelt(const Script& script);

// Whether the option of scripts, without its "--", is one of the three that this program lacks.
bool IsOptionElsewhere(std::string_view name);

}  // namespace sockproof::packetdrill
