// Every option that the headers have (harness/agent_protocol/options.def), and what is documented
// of it: who has it, what its value is, how it may be used. The contract of getsockopt() and
// setsockopt() is tested over this table; the project's own tests keep it whole, and see that each
// option has a test of what it does, or says here why it has none.
#pragma once

#include <array>
#include <string_view>

#include "harness/test/variant.h"

namespace sockproof {

// Kinds of sockets that the contract is tested on, as bits.
enum Kinds : unsigned {
  kTcp4 = 1,
  kTcp6 = 2,
  kUdp4 = 4,
  kUdp6 = 8,
  kUnixKind = 16,
  kTcp = kTcp4 | kTcp6,
  kUdp = kUdp4 | kUdp6,
  kOfIpv4 = kTcp4 | kUdp4,
  kOfIpv6 = kTcp6 | kUdp6,
  kOfIp = kTcp | kUdp,
  kEachKind = kOfIp | kUnixKind,
};

struct OptionOfHeaders {
  enum class Value {
    kOther,   // what the contract is not tested with
    kFlag,    // an int: 0, or not 0
    kNumber,  // an int from `low` to `high`, and perhaps further
  };
  enum class Use { kReadAndWrite, kReadOnly, kWriteOnly };

  std::string_view name;
  std::string_view document;  // "socket(7)"; empty: none says what it does
  unsigned kinds = 0;         // that have it
  Value value = Value::kOther;
  Use use = Use::kReadAndWrite;
  int low = 0, high = 1;
  bool posix = false;               // POSIX has it too
  bool at_first_only = false;       // it is about what is to come: not set once a socket is in use
  std::string_view initially = {};  // its value at first, as documented: "0"
  std::string_view untested = {};   // why no test is about what it does

  constexpr OptionOfHeaders Posix() const {
    OptionOfHeaders row = *this;
    row.posix = true;
    return row;
  }
  constexpr OptionOfHeaders AtFirstOnly() const {
    OptionOfHeaders row = *this;
    row.at_first_only = true;
    return row;
  }
  constexpr OptionOfHeaders Initially(std::string_view text) const {
    OptionOfHeaders row = *this;
    row.initially = text;
    return row;
  }
  constexpr OptionOfHeaders Untested(std::string_view why) const {
    OptionOfHeaders row = *this;
    row.untested = why;
    return row;
  }
};

namespace options_of_headers {

using Value = OptionOfHeaders::Value;
using Use = OptionOfHeaders::Use;

constexpr OptionOfHeaders Flag(std::string_view name, std::string_view document, unsigned kinds) {
  return {.name = name, .document = document, .kinds = kinds, .value = Value::kFlag};
}
constexpr OptionOfHeaders Number(std::string_view name, std::string_view document, unsigned kinds,
                                 int low, int high) {
  return {.name = name,
          .document = document,
          .kinds = kinds,
          .value = Value::kNumber,
          .low = low,
          .high = high};
}
constexpr OptionOfHeaders ReadOnly(std::string_view name, std::string_view document, unsigned kinds,
                                   Value value = Value::kNumber) {
  return {
      .name = name, .document = document, .kinds = kinds, .value = value, .use = Use::kReadOnly};
}
constexpr OptionOfHeaders WriteOnly(std::string_view name, std::string_view document,
                                    unsigned kinds) {
  return {.name = name, .document = document, .kinds = kinds, .use = Use::kWriteOnly};
}
constexpr OptionOfHeaders Other(std::string_view name, std::string_view document, unsigned kinds) {
  return {.name = name, .document = document, .kinds = kinds};
}
// No page of man-pages 6.9 and none of Documentation/networking of Linux 6.1 has it, but for
// comments that it is to be written.
constexpr OptionOfHeaders Undocumented(std::string_view name) {
  return {.name = name, .document = "", .untested = "no document says what it does"};
}
}  // namespace options_of_headers

// What the contract is tested over.
inline constexpr Family kOptionKinds[] = {{"tcp-ipv4", "AF_INET", "SOCK_STREAM", IpVersion::kIpv4},
                                          {"tcp-ipv6", "AF_INET6", "SOCK_STREAM", IpVersion::kIpv6},
                                          {"udp-ipv4", "AF_INET", "SOCK_DGRAM", IpVersion::kIpv4},
                                          {"udp-ipv6", "AF_INET6", "SOCK_DGRAM", IpVersion::kIpv6},
                                          kUnixStream,
                                          kUnixDatagram,
                                          kUnixSeqpacket};
inline constexpr Family kOptionKindsOfIp[] = {kOptionKinds[0], kOptionKinds[1], kOptionKinds[2],
                                              kOptionKinds[3]};
inline constexpr Family kOptionKindsOfIpv4[] = {kOptionKinds[0], kOptionKinds[2]};
inline constexpr Family kOptionKindsOfIpv6[] = {kOptionKinds[1], kOptionKinds[3]};
inline constexpr Family kUdpOverIpv4[] = {kOptionKinds[2]};
inline constexpr Family kUdpOverIpv6[] = {kOptionKinds[3]};
inline constexpr Family kOptionKindsOfTcp[] = {kOptionKinds[0], kOptionKinds[1]};
inline constexpr Family kOptionKindsOfUdp[] = {kOptionKinds[2], kOptionKinds[3]};

// The bit of these.
constexpr unsigned KindOf(const Family& family) {
  if (family.is_unix()) return kUnixKind;
  const bool ipv4 = family.domain == "AF_INET";
  if (family.type == "SOCK_STREAM") return ipv4 ? kTcp4 : kTcp6;
  return ipv4 ? kUdp4 : kUdp6;
}

inline constexpr auto kOptionsOfHeaders = [] {
  using namespace options_of_headers;
  constexpr auto kLatency = "it may shorten waiting for a device, and changes nothing else";
  constexpr auto kNoModule = "bpf(2) makes its program, and no agent has that call";
  constexpr auto kLabels = "a security module that labels packets is not there to be tested with";
  constexpr auto kUnsigned = "keys are only added, to see what is signed by them";
  constexpr unsigned kOfKeys = 0;  // what sets a key cannot be read back: the contract is not asked of it
  return std::to_array<OptionOfHeaders>({
      // clang-format off
      // --- socket(7), unix(7) ---
      ReadOnly("SO_ACCEPTCONN", "socket(7)", kEachKind).Posix(),
      Other("SO_ATTACH_BPF", "socket(7)", kEachKind).Untested(kNoModule),
      Other("SO_ATTACH_FILTER", "socket(7)", kEachKind),
      Other("SO_ATTACH_REUSEPORT_CBPF", "socket(7)", kOfIp),
      Other("SO_ATTACH_REUSEPORT_EBPF", "socket(7)", kOfIp).Untested(kNoModule),
      Other("SO_BINDTODEVICE", "socket(7)", kOfIp),
      Undocumented("SO_BINDTOIFINDEX"),
      Undocumented("SO_BPF_EXTENSIONS"),
      Flag("SO_BROADCAST", "socket(7)", kEachKind).Posix(),
      Other("SO_BSDCOMPAT", "socket(7)", kEachKind).Untested("socket(7): it is ignored, but for a warning in the kernel's log"),
      Undocumented("SO_BUF_LOCK"),
      Other("SO_BUSY_POLL", "socket(7)", kEachKind).Untested(kLatency),
      Other("SO_BUSY_POLL_BUDGET", "napi.rst", kOfIp).Untested(kLatency),
      Undocumented("SO_CNX_ADVICE"),
      Undocumented("SO_COOKIE"),
      Other("SO_DEBUG", "socket(7)", kEachKind).Posix(),
      Other("SO_DETACH_FILTER", "socket(7)", kEachKind),
      Undocumented("SO_DETACH_REUSEPORT_BPF"),
      ReadOnly("SO_DOMAIN", "socket(7)", kEachKind),
      Flag("SO_DONTROUTE", "socket(7)", kEachKind).Posix(),
      ReadOnly("SO_ERROR", "socket(7)", kEachKind).Posix(),
      Other("SO_INCOMING_CPU", "socket(7)", kEachKind),
      Other("SO_INCOMING_NAPI_ID", "socket(7)", kOfIp).Untested("the devices of the tests have no queues with such an id"),
      Undocumented("SO_INQ"),
      Flag("SO_KEEPALIVE", "socket(7)", kEachKind).Posix(),
      Other("SO_LINGER", "socket(7)", kEachKind).Posix(),
      Other("SO_LOCK_FILTER", "socket(7)", kEachKind),
      Other("SO_MARK", "socket(7)", kEachKind),
      Undocumented("SO_MAX_PACING_RATE"),
      Undocumented("SO_MEMINFO"),
      Undocumented("SO_NETNS_COOKIE"),
      Undocumented("SO_NOFCS"),
      Other("SO_NO_CHECK", "udplite(7)", kUdp),
      Flag("SO_OOBINLINE", "socket(7)", kEachKind).Posix(),
      Flag("SO_PASSCRED", "unix(7)", kUnixKind),
      Undocumented("SO_PASSPIDFD"),
      Undocumented("SO_PASSRIGHTS"),
      Flag("SO_PASSSEC", "unix(7)", kUnixKind).Untested(kLabels),
      Number("SO_PEEK_OFF", "socket(7)", kUnixKind, -1, 7).Initially("-1"),
      ReadOnly("SO_PEERCRED", "unix(7)", kUnixKind, Value::kOther),
      Undocumented("SO_PEERGROUPS"),
      Undocumented("SO_PEERNAME"),
      Undocumented("SO_PEERPIDFD"),
      Other("SO_PEERSEC", "unix(7)", kUnixKind).Untested(kLabels),
      Other("SO_PREFER_BUSY_POLL", "napi.rst", kOfIp).Untested(kLatency),
      Number("SO_PRIORITY", "socket(7)", kEachKind, 0, 6),
      ReadOnly("SO_PROTOCOL", "socket(7)", kEachKind),
      Other("SO_RCVBUF", "socket(7)", kEachKind).Posix(),
      Other("SO_RCVBUFFORCE", "socket(7)", kEachKind),
      Number("SO_RCVLOWAT", "socket(7)", kEachKind, 1, 1000).Posix().Initially("1"),
      Undocumented("SO_RCVMARK"),
      Undocumented("SO_RCVPRIORITY"),
      Other("SO_RCVTIMEO", "socket(7)", kEachKind).Posix(),
      Undocumented("SO_RESERVE_MEM"),
      Flag("SO_REUSEADDR", "socket(7)", kEachKind).Posix(),
      Flag("SO_REUSEPORT", "socket(7)", kOfIp),
      Flag("SO_RXQ_OVFL", "socket(7)", kEachKind),
      Flag("SO_SELECT_ERR_QUEUE", "socket(7)", kEachKind),
      Other("SO_SNDBUF", "socket(7)", kEachKind).Posix(),
      Other("SO_SNDBUFFORCE", "socket(7)", kEachKind),
      ReadOnly("SO_SNDLOWAT", "socket(7)", kEachKind).Posix().Initially("1"),
      Other("SO_SNDTIMEO", "socket(7)", kEachKind).Posix(),
      Flag("SO_TIMESTAMP", "socket(7)", kEachKind),
      Other("SO_TIMESTAMPING", "timestamping.rst", kOfIp),
      Other("SO_TIMESTAMPING_NEW", "timestamping.rst", kOfIp).Untested("SO_TIMESTAMPING of who has 64 bits for seconds, as the agents' systems have already"),
      Flag("SO_TIMESTAMPNS", "socket(7)", kEachKind),
      Other("SO_TIMESTAMPNS_NEW", "timestamping.rst", kOfIp).Untested("SO_TIMESTAMPNS of who has 64 bits for seconds, as the agents' systems have already"),
      Other("SO_TIMESTAMP_NEW", "timestamping.rst", kOfIp).Untested("SO_TIMESTAMP of who has 64 bits for seconds, as the agents' systems have already"),
      Undocumented("SO_TXREHASH"),
      Undocumented("SO_TXTIME"),
      ReadOnly("SO_TYPE", "socket(7)", kEachKind).Posix(),
      Undocumented("SO_WIFI_STATUS"),
      Other("SO_ZEROCOPY", "msg_zerocopy.rst", kOfIp),

      // --- tcp(7) ---
      Other("TCP_AO_ADD_KEY", "tcp_ao.rst", kOfKeys),
      Other("TCP_AO_DEL_KEY", "tcp_ao.rst", kTcp).Untested(kUnsigned),
      Other("TCP_AO_GET_KEYS", "tcp_ao.rst", kTcp).Untested(kUnsigned),
      Other("TCP_AO_INFO", "tcp_ao.rst", kTcp).Untested(kUnsigned),
      Other("TCP_AO_REPAIR", "tcp_ao.rst", kTcp).Untested(kUnsigned),
      Undocumented("TCP_CC_INFO"),
      Other("TCP_CONGESTION", "tcp(7)", kTcp),
      Flag("TCP_CORK", "tcp(7)", kTcp),
      Other("TCP_DEFER_ACCEPT", "tcp(7)", kTcp),
      Undocumented("TCP_DELACK_MAX_US"),
      Other("TCP_FASTOPEN", "tcp(7)", kTcp),
      Other("TCP_FASTOPEN_CONNECT", "tcp(7)", kTcp),
      Other("TCP_FASTOPEN_KEY", "ip-sysctl.rst", kTcp),
      Undocumented("TCP_FASTOPEN_NO_COOKIE"),
      Other("TCP_INFO", "tcp(7)", kTcp),
      Undocumented("TCP_INQ"),
      Undocumented("TCP_IS_MPTCP"),
      Number("TCP_KEEPCNT", "tcp(7)", kTcp, 1, 20),
      Number("TCP_KEEPIDLE", "tcp(7)", kTcp, 1, 20'000),
      Number("TCP_KEEPINTVL", "tcp(7)", kTcp, 1, 20'000),
      Number("TCP_LINGER2", "tcp(7)", kTcp, 1, 30),
      Other("TCP_MAXSEG", "tcp(7)", kTcp),
      Other("TCP_MD5SIG", "RFC 2385", kOfKeys),
      Undocumented("TCP_MD5SIG_EXT"),
      Flag("TCP_NODELAY", "tcp(7)", kTcp).Posix(),
      Other("TCP_NOTSENT_LOWAT", "ip-sysctl.rst", kTcp),
      Undocumented("TCP_QUEUE_SEQ"),
      Other("TCP_QUICKACK", "tcp(7)", kTcp).Untested("tcp(7) lets the mode be left at any time"),
      Undocumented("TCP_REPAIR"),
      Undocumented("TCP_REPAIR_OPTIONS"),
      Undocumented("TCP_REPAIR_QUEUE"),
      Undocumented("TCP_REPAIR_WINDOW"),
      Other("TCP_RTO_MAX_MS", "ip-sysctl.rst", kTcp),
      Undocumented("TCP_RTO_MIN_US"),
      Undocumented("TCP_SAVED_SYN"),
      Undocumented("TCP_SAVE_SYN"),
      Number("TCP_SYNCNT", "tcp(7)", kTcp, 1, 20),
      Other("TCP_THIN_DUPACK", "tcp-thin.rst", kTcp).Untested("Linux takes it and does nothing with it since 4.12"),
      Other("TCP_THIN_LINEAR_TIMEOUTS", "tcp-thin.rst", kTcp),
      Undocumented("TCP_TIMESTAMP"),
      Undocumented("TCP_TX_DELAY"),
      Other("TCP_ULP", "tls.rst", kTcp).Untested("TLS in the kernel is a protocol of its own, which no suite is about"),
      Number("TCP_USER_TIMEOUT", "tcp(7)", kTcp, 0, 100'000),
      Other("TCP_WINDOW_CLAMP", "tcp(7)", kTcp),
      Undocumented("TCP_ZEROCOPY_RECEIVE"),

      // --- ip(7) ---
      WriteOnly("IP_ADD_MEMBERSHIP", "ip(7)", kUdp4),
      Other("IP_ADD_SOURCE_MEMBERSHIP", "ip(7)", kUdp4),
      Flag("IP_BIND_ADDRESS_NO_PORT", "ip(7)", kOfIpv4),
      Other("IP_BLOCK_SOURCE", "ip(7)", kUdp4),
      Undocumented("IP_CHECKSUM"),
      Other("IP_DROP_MEMBERSHIP", "ip(7)", kUdp4),
      Other("IP_DROP_SOURCE_MEMBERSHIP", "ip(7)", kUdp4),
      Flag("IP_FREEBIND", "ip(7)", kOfIpv4),
      Other("IP_HDRINCL", "ip(7)", 0),
      Undocumented("IP_IPSEC_POLICY"),
      Other("IP_LOCAL_PORT_RANGE", "ip(7)", kOfIpv4),
      Undocumented("IP_MINTTL"),
      Other("IP_MSFILTER", "ip(7)", kUdp4),
      ReadOnly("IP_MTU", "ip(7)", kOfIpv4, Value::kOther),
      Number("IP_MTU_DISCOVER", "ip(7)", kOfIpv4, 0, 3),
      Flag("IP_MULTICAST_ALL", "ip(7)", kUdp4).Initially("1"),
      Other("IP_MULTICAST_IF", "ip(7)", kUdp4),
      Flag("IP_MULTICAST_LOOP", "ip(7)", kUdp4),
      Number("IP_MULTICAST_TTL", "ip(7)", kUdp4, 0, 255).Initially("1"),
      Other("IP_NODEFRAG", "ip(7)", 0).Untested("it is about packets that netfilter would put together"),
      Other("IP_OPTIONS", "ip(7)", kOfIpv4),
      Flag("IP_PASSSEC", "ip(7)", kUdp4).Untested(kLabels),
      Flag("IP_PKTINFO", "ip(7)", kUdp4),
      Undocumented("IP_PKTOPTIONS"),
      Undocumented("IP_PROTOCOL"),
      Flag("IP_RECVERR", "ip(7)", kOfIpv4).Initially("0"),
      Undocumented("IP_RECVERR_RFC4884"),
      Undocumented("IP_RECVFRAGSIZE"),
      Flag("IP_RECVOPTS", "ip(7)", kUdp4),
      Flag("IP_RECVORIGDSTADDR", "ip(7)", kUdp4),
      Flag("IP_RECVTOS", "ip(7)", kOfIpv4),
      Flag("IP_RECVTTL", "ip(7)", kUdp4),
      Flag("IP_RETOPTS", "ip(7)", kUdp4),
      Other("IP_ROUTER_ALERT", "ip(7)", 0).Untested("it is about packets that are forwarded"),
      Number("IP_TOS", "ip(7)", kOfIpv4, 0, 16),
      Other("IP_TRANSPARENT", "ip(7)", kOfIpv4),
      Number("IP_TTL", "ip(7)", kOfIpv4, 1, 255),
      Other("IP_UNBLOCK_SOURCE", "ip(7)", kUdp4),
      Undocumented("IP_UNICAST_IF"),
      Undocumented("IP_XFRM_POLICY"),
      Other("MCAST_BLOCK_SOURCE", "RFC 3678", kUdp4),
      Other("MCAST_JOIN_GROUP", "RFC 3678", kUdp),
      Other("MCAST_JOIN_SOURCE_GROUP", "RFC 3678", kUdp),
      Other("MCAST_LEAVE_GROUP", "RFC 3678", kUdp),
      Other("MCAST_LEAVE_SOURCE_GROUP", "RFC 3678", kUdp),
      Undocumented("MCAST_MSFILTER"),
      Other("MCAST_UNBLOCK_SOURCE", "RFC 3678", kUdp),

      // --- ipv6(7), RFC 3493, RFC 3542 ---
      Undocumented("IPV6_2292PKTOPTIONS"),
      Other("IPV6_ADDRFORM", "ipv6(7)", kOfIpv6),
      Other("IPV6_ADDR_PREFERENCES", "RFC 5014", kOfIpv6),
      Other("IPV6_AUTOFLOWLABEL", "ip-sysctl.rst", kOfIpv6),
      Other("IPV6_CHECKSUM", "RFC 3542", 0),
      Flag("IPV6_DONTFRAG", "RFC 3542", kUdp6).Initially("0"),
      Other("IPV6_DSTOPTS", "RFC 3542", kUdp6),
      Other("IPV6_FLOWINFO", "ipv6(7)", kUdp6),
      Undocumented("IPV6_FLOWINFO_SEND"),
      Undocumented("IPV6_FLOWLABEL_MGR"),
      Undocumented("IPV6_FREEBIND"),
      Undocumented("IPV6_HDRINCL"),
      Other("IPV6_HOPOPTS", "RFC 3542", kUdp6),
      Undocumented("IPV6_IPSEC_POLICY"),
      Undocumented("IPV6_JOIN_ANYCAST"),
      WriteOnly("IPV6_JOIN_GROUP", "RFC 3493", kUdp6).Posix(),
      Undocumented("IPV6_LEAVE_ANYCAST"),
      WriteOnly("IPV6_LEAVE_GROUP", "RFC 3493", kUdp6).Posix(),
      Undocumented("IPV6_MINHOPCOUNT"),
      Other("IPV6_MTU", "ipv6(7)", kOfIpv6),
      Number("IPV6_MTU_DISCOVER", "ipv6(7)", kOfIpv6, 0, 3),
      Undocumented("IPV6_MULTICAST_ALL"),
      Number("IPV6_MULTICAST_HOPS", "RFC 3493", kUdp6, 0, 255).Posix().Initially("1"),
      Other("IPV6_MULTICAST_IF", "RFC 3493", kUdp6).Posix().Initially("0"),
      Number("IPV6_MULTICAST_LOOP", "RFC 3493", kUdp6, 0, 1).Posix().Initially("1"),
      Other("IPV6_NEXTHOP", "RFC 3542", kUdp6),
      ReadOnly("IPV6_PATHMTU", "RFC 3542", kUdp6, Value::kOther),
      Other("IPV6_PKTINFO", "RFC 3542", kUdp6),
      Flag("IPV6_RECVDSTOPTS", "RFC 3542", kUdp6).Initially("0"),
      Flag("IPV6_RECVERR", "ipv6(7)", kOfIpv6),
      Undocumented("IPV6_RECVERR_RFC4884"),
      Undocumented("IPV6_RECVFRAGSIZE"),
      Flag("IPV6_RECVHOPLIMIT", "RFC 3542", kUdp6).Initially("0"),
      Flag("IPV6_RECVHOPOPTS", "RFC 3542", kUdp6).Initially("0"),
      Undocumented("IPV6_RECVORIGDSTADDR"),
      Flag("IPV6_RECVPATHMTU", "RFC 3542", kUdp6).Initially("0"),
      Flag("IPV6_RECVPKTINFO", "RFC 3542", kUdp6).Initially("0"),
      Flag("IPV6_RECVRTHDR", "RFC 3542", kUdp6).Initially("0"),
      Flag("IPV6_RECVTCLASS", "RFC 3542", kUdp6).Initially("0"),
      Other("IPV6_ROUTER_ALERT", "ipv6(7)", 0).Untested("it is about packets that are forwarded"),
      Undocumented("IPV6_ROUTER_ALERT_ISOLATE"),
      Other("IPV6_RTHDR", "RFC 3542", kUdp6),
      Other("IPV6_RTHDRDSTOPTS", "RFC 3542", kUdp6),
      Number("IPV6_TCLASS", "RFC 3542", kUdp6, 0, 255),
      Undocumented("IPV6_TRANSPARENT"),
      Number("IPV6_UNICAST_HOPS", "RFC 3493", kOfIpv6, 1, 255).Posix(),
      Undocumented("IPV6_UNICAST_IF"),
      Flag("IPV6_V6ONLY", "RFC 3493", kOfIpv6).Posix().AtFirstOnly(),
      Undocumented("IPV6_XFRM_POLICY"),

      // --- udp(7), udplite(7) ---
      Flag("UDP_CORK", "udp(7)", kUdp),
      Undocumented("UDP_ENCAP"),
      Other("UDP_GRO", "udp(7)", kUdp),
      Undocumented("UDP_NO_CHECK6_RX"),
      Undocumented("UDP_NO_CHECK6_TX"),
      Other("UDP_SEGMENT", "udp(7)", kUdp),
      Other("UDPLITE_RECV_CSCOV", "udplite(7)", 0),
      Other("UDPLITE_SEND_CSCOV", "udplite(7)", 0),

      // --- raw(7), icmp(7), packet(7), netlink(7): sockets of other kinds ---
      Other("ICMP6_FILTER", "RFC 3542", 0),
      Other("ICMP_FILTER", "raw(7)", 0),
      Other("PACKET_ADD_MEMBERSHIP", "packet(7)", 0),
      Other("PACKET_AUXDATA", "packet(7)", 0),
      Other("PACKET_COPY_THRESH", "packet_mmap.rst", 0),
      Other("PACKET_DROP_MEMBERSHIP", "packet(7)", 0),
      Other("PACKET_FANOUT", "packet(7)", 0),
      Undocumented("PACKET_IGNORE_OUTGOING"),
      Other("PACKET_LOSS", "packet(7)", 0),
      Undocumented("PACKET_ORIGDEV"),
      Other("PACKET_QDISC_BYPASS", "packet(7)", 0),
      Other("PACKET_RESERVE", "packet(7)", 0),
      Other("PACKET_RX_RING", "packet(7)", 0),
      Other("PACKET_STATISTICS", "packet(7)", 0),
      Other("PACKET_TIMESTAMP", "packet(7)", 0),
      Other("PACKET_TX_RING", "packet(7)", 0),
      Other("PACKET_VERSION", "packet(7)", 0),
      Undocumented("PACKET_VNET_HDR"),
      Other("NETLINK_ADD_MEMBERSHIP", "netlink(7)", 0),
      Other("NETLINK_BROADCAST_ERROR", "netlink(7)", 0),
      Other("NETLINK_CAP_ACK", "netlink(7)", 0),
      Other("NETLINK_DROP_MEMBERSHIP", "netlink(7)", 0),
      Undocumented("NETLINK_EXT_ACK"),
      Undocumented("NETLINK_GET_STRICT_CHK"),
      Other("NETLINK_LISTEN_ALL_NSID", "netlink(7)", 0),
      Other("NETLINK_LIST_MEMBERSHIPS", "netlink(7)", 0),
      Other("NETLINK_NO_ENOBUFS", "netlink(7)", 0),
      Other("NETLINK_PKTINFO", "netlink(7)", 0),
      // clang-format on
  });
}();

}  // namespace sockproof
