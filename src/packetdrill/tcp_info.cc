#include "src/packetdrill/tcp_info.h"

#include <string.h>

#include <array>

namespace sockproof::packetdrill {
namespace {

// linux/tcp.h, in its order: a member goes on where the one before it ends.
struct Member {
  const char* name;
  std::size_t size;
};
constexpr Member kBeforeBits[] = {
    {"state", 1}, {"ca_state", 1}, {"retransmits", 1}, {"probes", 1}, {"backoff", 1}, {"options", 1},
};
constexpr std::size_t kScales = 6, kBits = 7, kBehindBits = 8;
constexpr Member kMembers[] = {
    {"rto", 4},              {"ato", 4},
    {"snd_mss", 4},          {"rcv_mss", 4},
    {"unacked", 4},          {"sacked", 4},
    {"lost", 4},             {"retrans", 4},
    {"fackets", 4},          {"last_data_sent", 4},
    {"last_ack_sent", 4},    {"last_data_recv", 4},
    {"last_ack_recv", 4},    {"pmtu", 4},
    {"rcv_ssthresh", 4},     {"rtt", 4},
    {"rttvar", 4},           {"snd_ssthresh", 4},
    {"snd_cwnd", 4},         {"advmss", 4},
    {"reordering", 4},       {"rcv_rtt", 4},
    {"rcv_space", 4},        {"total_retrans", 4},
    {"pacing_rate", 8},      {"max_pacing_rate", 8},
    {"bytes_acked", 8},      {"bytes_received", 8},
    {"segs_out", 4},         {"segs_in", 4},
    {"notsent_bytes", 4},    {"min_rtt", 4},
    {"data_segs_in", 4},     {"data_segs_out", 4},
    {"delivery_rate", 8},    {"busy_time", 8},
    {"rwnd_limited", 8},     {"sndbuf_limited", 8},
    {"delivered", 4},        {"delivered_ce", 4},
    {"bytes_sent", 8},       {"bytes_retrans", 8},
    {"dsack_dups", 4},       {"reord_seen", 4},
    {"rcv_ooopack", 4},      {"snd_wnd", 4},
    {"rcv_wnd", 4},          {"rehash", 4},
    {"total_rto", 2},        {"total_rto_recoveries", 2},
    {"total_rto_time", 4},   {"received_ce", 4},
    {"delivered_e1_bytes", 4}, {"delivered_e0_bytes", 4},
    {"delivered_ce_bytes", 4}, {"received_e1_bytes", 4},
    {"received_e0_bytes", 4},  {"received_ce_bytes", 4},
};

constexpr const char* kMemory[] = {"RMEM_ALLOC", "RCVBUF",      "WMEM_ALLOC", "SNDBUF", "FWD_ALLOC",
                                   "WMEM_QUEUED", "OPTMEM", "BACKLOG",    "DROPS"};

// Little-endian, as all systems are on which this runs; false: not there.
bool ReadNumber(const Bytes& octets, std::size_t at, std::size_t size, std::int64_t& number) {
  if (at + size > octets.size()) return false;
  std::uint64_t value = 0;
  memcpy(&value, octets.data() + at, size);
  number = static_cast<std::int64_t>(value);
  return true;
}

}  // namespace

std::map<std::string, std::int64_t> TcpInfoNames(const Bytes& info) {
  std::map<std::string, std::int64_t> names;
  std::size_t at = 0;
  const auto add = [&](const Member& member) {
    std::int64_t number = 0;
    if (ReadNumber(info, at, member.size, number)) {
      names[std::string("tcpi_") + member.name] = number;
    }
    at += member.size;
  };
  for (const Member& member : kBeforeBits) add(member);
  if (info.size() > kBits) {
    names["tcpi_snd_wscale"] = info[kScales] & 15;
    names["tcpi_rcv_wscale"] = info[kScales] >> 4;
    names["tcpi_delivery_rate_app_limited"] = info[kBits] & 1;
    names["tcpi_fastopen_client_fail"] = info[kBits] >> 1 & 3;
  }
  at = kBehindBits;
  for (const Member& member : kMembers) add(member);
  if (std::int64_t bits = 0; ReadNumber(info, at, 4, bits)) {
    names["tcpi_ecn_mode"] = bits & 3;
    names["tcpi_accecn_opt_seen"] = bits >> 2 & 3;
    names["tcpi_accecn_fail_mode"] = bits >> 4 & 15;
    names["tcpi_options2"] = bits >> 8;
  }
  return names;
}

std::map<std::string, std::int64_t> MemoryInfoNames(const Bytes& info) {
  std::map<std::string, std::int64_t> names;
  std::size_t at = 0;
  for (const char* name : kMemory) {
    std::int64_t number = 0;
    if (ReadNumber(info, at, 4, number)) names[std::string("SK_MEMINFO_") + name] = number;
    at += 4;
  }
  return names;
}

bool IsNameOfSocket(const std::string& name) {
  static const Bytes whole(kRoomForTcpInfo);
  return TcpInfoNames(whole).contains(name) || MemoryInfoNames(whole).contains(name);
}

}  // namespace sockproof::packetdrill
