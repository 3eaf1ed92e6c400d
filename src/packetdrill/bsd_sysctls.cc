#include "src/packetdrill/bsd_sysctls.h"

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdint>
#include <iterator>
#include <sstream>
#include <utility>

namespace sockproof::packetdrill {
namespace {

using Change = LinuxEqual::Change;

// What Linux does anyway.
struct Always {
  std::string_view name;
  std::string_view value;
  std::string_view why;
};

constexpr Always kAlways[] = {
    {"net.inet.tcp.blackhole", "0", "Linux answers what no socket is for with a RST"},
    {"net.inet.tcp.delacktime", "40", "the least of Linux, TCP_DELACK_MIN"},
    {"net.inet.tcp.drop_synfin", "1", "Linux drops a SYN with FIN in LISTEN"},
    {"net.inet.tcp.icmp_may_rst", "1", "hard errors of ICMP end SYN-SENT"},
    {"net.inet.tcp.insecure_rst", "0", "Linux does as RFC 5961 says"},
    {"net.inet.tcp.insecure_syn", "0", "Linux does as RFC 5961 says"},
    {"net.inet.tcp.mssdflt", "536", "RFC 9293"},
    {"net.inet.tcp.rexmit_drop_options", "0", "Linux keeps the options of its SYN"},
    {"net.inet.tcp.rexmit_initial", "1000", "RFC 6298"},
    {"net.inet.tcp.rexmit_slop", "200", "the least RTO of Linux, TCP_RTO_MIN"},
    {"net.inet.tcp.syncookies_only", "0", "tcp_syncookies says when"},
    {"net.inet.tcp.udp_tunneling_port", "0", "Linux has no TCP over UDP"},
};

// The same number by another name.
struct Renamed {
  std::string_view name;
  std::string_view on_linux;
  std::int64_t most;
  std::int64_t unit = 1;  // so many of FreeBSD's are one
};

constexpr Renamed kRenamed[] = {
    {"net.inet.tcp.ecn.enable", "net.ipv4.tcp_ecn", 2},
    {"net.inet.tcp.keepcnt", "net.ipv4.tcp_keepalive_probes", 127},
    {"net.inet.tcp.keepidle", "net.ipv4.tcp_keepalive_time", INT_MAX, 1000},
    {"net.inet.tcp.keepintvl", "net.ipv4.tcp_keepalive_intvl", INT_MAX, 1000},
    {"net.inet.tcp.pmtud_blackhole_detection", "net.ipv4.tcp_mtu_probing", 1},
    {"net.inet.tcp.pmtud_blackhole_mss", "net.ipv4.tcp_base_mss", INT_MAX},
    {"net.inet.tcp.rfc1323", "net.ipv4.tcp_timestamps", 1},
    {"net.inet.tcp.rfc1323", "net.ipv4.tcp_window_scaling", 1},
    {"net.inet.tcp.sack.enable", "net.ipv4.tcp_sack", 1},
    {"net.inet.tcp.syncookies", "net.ipv4.tcp_syncookies", 1},
};

Change To(std::string_view name, const std::string& value) {
  return {std::string(name), [value](const std::string&) { return value; }};
}

// Of "4096 131072 6291456" the second or third.
Change Part(std::string_view name, std::size_t index, const std::string& value) {
  return {std::string(name), [index, value](const std::string& before) {
            std::istringstream words(before);
            std::vector<std::string> parts{std::istream_iterator<std::string>(words), {}};
            if (index < parts.size()) parts[index] = value;
            std::string after;
            for (const std::string& part : parts) after += (after.empty() ? "" : " ") + part;
            return after;
          }};
}

// Bits of tcp_fastopen.
Change Bit(std::string_view name, int bit, bool set) {
  return {std::string(name), [bit, set](const std::string& before) {
            int flags = 0;
            std::from_chars(before.data(), before.data() + before.size(), flags);
            return std::to_string(set ? flags | bit : flags & ~bit);
          }};
}

}  // namespace

bool IsBsdSysctl(std::string_view name) {
  return name.starts_with("net.inet.") || name.starts_with("net.inet6.") || name.starts_with("kern.");
}

std::optional<LinuxEqual> EqualOnLinux(const std::string& name, const std::string& value) {
  for (const Always& always : kAlways) {
    if (name == always.name && value == always.value) return LinuxEqual{{}, std::string(always.why)};
  }
  if (name == "net.inet.tcp.hostcache.purgenow") return LinuxEqual{{}, "a new namespace has no metrics"};
  std::int64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end || number < 0) return std::nullopt;
  LinuxEqual equal;
  for (const Renamed& renamed : kRenamed) {
    if (name != renamed.name || number > renamed.most || number % renamed.unit != 0) continue;
    equal.changes.push_back(To(renamed.on_linux, std::to_string(number / renamed.unit)));
  }
  const bool is_flag = number <= 1;
  constexpr int kClient = 1, kServer = 2;
  constexpr std::int64_t kKeepinit = 75'000;
  if (name == "net.inet.tcp.recvspace") {
    equal.changes.push_back(Part("net.ipv4.tcp_rmem", 1, value));
  } else if (name == "net.inet.tcp.sendspace") {
    equal.changes.push_back(Part("net.ipv4.tcp_wmem", 1, value));
  } else if (name == "kern.ipc.maxsockbuf" && number <= INT_MAX) {
    // Both take the shift of their windows from it.
    equal.changes.push_back(Part("net.ipv4.tcp_rmem", 2, value));
    equal.changes.push_back(Part("net.ipv4.tcp_wmem", 2, value));
  } else if (name == "net.inet.tcp.syncookies_only" && number == 1) {
    equal.changes.push_back(To("net.ipv4.tcp_syncookies", "2"));
  } else if (name == "net.inet.tcp.ecn.maxretries" && number == 0) {
    equal.changes.push_back(To("net.ipv4.tcp_ecn_fallback", "1"));
  } else if (name == "net.inet.tcp.path_mtu_discovery" && is_flag) {
    equal.changes.push_back(To("net.ipv4.ip_no_pmtu_disc", std::to_string(1 - number)));
  } else if (name == "net.inet.tcp.fastopen.client_enable" && is_flag) {
    equal.changes.push_back(Bit("net.ipv4.tcp_fastopen", kClient, number == 1));
  } else if (name == "net.inet.tcp.fastopen.server_enable" && is_flag) {
    equal.changes.push_back(Bit("net.ipv4.tcp_fastopen", kServer, number == 1));
  } else if (name == "net.inet.tcp.keepinit" && number >= kKeepinit) {
    equal.why = "only who waits longer than that sees that Linux waits for a SYN,ACK for another time";
  }
  if (equal.changes.empty() && equal.why.empty()) return std::nullopt;
  return equal;
}

}  // namespace sockproof::packetdrill
