// What code in scripts knows of a socket: tcpi_snd_cwnd, SK_MEMINFO_RCVBUF.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "harness/packet/bytes.h"

namespace sockproof::packetdrill {

inline constexpr std::size_t kRoomForTcpInfo = 512;

// Of struct tcp_info, as far as the kernel has filled it in.
std::map<std::string, std::int64_t> TcpInfoNames(const Bytes& info);

// Of SO_MEMINFO.
std::map<std::string, std::int64_t> MemoryInfoNames(const Bytes& info);

// Whether it is a name of either.
bool IsNameOfSocket(const std::string& name);

}  // namespace sockproof::packetdrill
