// What lwIP was built with: its settings at compile time, which its headers give.
#pragma once

#include <map>
#include <string>

namespace sockproof::agent_lwip {

std::string Release();  // "2.1.3"

// "lwip.TCP_MSL" and others, in the units of lwIP's headers.
std::map<std::string, std::string> Settings();

}  // namespace sockproof::agent_lwip
