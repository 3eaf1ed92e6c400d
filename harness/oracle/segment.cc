#include "harness/oracle/segment.h"

#include <utility>

namespace sockproof::oracle {

std::string FlagNames(std::uint16_t flags) {
  std::string text;
  for (const auto& [flag, name] :
       {std::pair{kSyn, "SYN"}, {kFin, "FIN"}, {kRst, "RST"}, {kAck, "ACK"}}) {
    if ((flags & flag) != 0) text += text.empty() ? name : "," + std::string(name);
  }
  return text.empty() ? "no flags" : text;
}

}  // namespace sockproof::oracle
