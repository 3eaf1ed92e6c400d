#include "harness/packet/tcp_flags.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace sockproof {

std::string TcpFlagsName(std::uint16_t flags) {
  static constexpr std::pair<std::uint16_t, std::string_view> kNames[] = {
      {kSyn, "SYN"}, {kFin, "FIN"}, {kRst, "RST"}, {kPsh, "PSH"},        {kUrg, "URG"},
      {kAck, "ACK"}, {kEce, "ECE"}, {kCwr, "CWR"}, {kAccurateEcn, "AE"},
  };
  std::string text;
  const auto append = [&](std::string_view name) {
    text.append(text.empty() ? "" : ",").append(name);
  };
  for (const auto& [bit, name] : kNames) {
    if ((flags & bit) != 0) append(name);
  }
  if (const int reserved = (flags & 0xfff) >> 9; reserved != 0) {
    append(fmt::format("reserved={:#x}", reserved << 1));
  }
  return text.empty() ? "none" : text;
}

}  // namespace sockproof
