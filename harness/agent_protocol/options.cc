// The socket options of this system: names from socket(7), tcp(7), ip(7) and ipv6(7).
#include "harness/agent_protocol/options.h"

// linux/tcp.h knows more options than netinet/tcp.h; the two exclude each other.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace sockproof::agent_protocol {
namespace {

// Options of kernels newer than some headers.
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif
#ifndef TCP_RTO_MIN_US
#define TCP_RTO_MIN_US 45
#endif
#ifndef TCP_DELACK_MAX_US
#define TCP_DELACK_MAX_US 46
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

#define OPTION(level, name, kind) \
  SocketOption { #name, #level, level, name, OptionKind::kind }

constexpr SocketOption kOptions[] = {
    OPTION(SOL_SOCKET, SO_ACCEPTCONN, kInteger),
    OPTION(SOL_SOCKET, SO_BINDTODEVICE, kText),
    OPTION(SOL_SOCKET, SO_BINDTOIFINDEX, kInteger),
    OPTION(SOL_SOCKET, SO_BROADCAST, kInteger),
    OPTION(SOL_SOCKET, SO_BUSY_POLL, kInteger),
    OPTION(SOL_SOCKET, SO_COOKIE, kUnsigned64),
    OPTION(SOL_SOCKET, SO_DEBUG, kInteger),
    OPTION(SOL_SOCKET, SO_DOMAIN, kInteger),
    OPTION(SOL_SOCKET, SO_DONTROUTE, kInteger),
    OPTION(SOL_SOCKET, SO_ERROR, kInteger),
    OPTION(SOL_SOCKET, SO_INCOMING_CPU, kInteger),
    OPTION(SOL_SOCKET, SO_KEEPALIVE, kInteger),
    OPTION(SOL_SOCKET, SO_LINGER, kLinger),
    OPTION(SOL_SOCKET, SO_MARK, kInteger),
    OPTION(SOL_SOCKET, SO_MAX_PACING_RATE, kUnsigned64),
    OPTION(SOL_SOCKET, SO_MEMINFO, kBytes),
    OPTION(SOL_SOCKET, SO_OOBINLINE, kInteger),
    OPTION(SOL_SOCKET, SO_PASSCRED, kInteger),
    OPTION(SOL_SOCKET, SO_PEERCRED, kBytes),
    OPTION(SOL_SOCKET, SO_PRIORITY, kInteger),
    OPTION(SOL_SOCKET, SO_PROTOCOL, kInteger),
    OPTION(SOL_SOCKET, SO_RCVBUF, kInteger),
    OPTION(SOL_SOCKET, SO_RCVBUFFORCE, kInteger),
    OPTION(SOL_SOCKET, SO_RCVLOWAT, kInteger),
    OPTION(SOL_SOCKET, SO_RCVTIMEO, kTime),
    OPTION(SOL_SOCKET, SO_REUSEADDR, kInteger),
    OPTION(SOL_SOCKET, SO_REUSEPORT, kInteger),
    OPTION(SOL_SOCKET, SO_SNDBUF, kInteger),
    OPTION(SOL_SOCKET, SO_SNDBUFFORCE, kInteger),
    OPTION(SOL_SOCKET, SO_SNDLOWAT, kInteger),
    OPTION(SOL_SOCKET, SO_SNDTIMEO, kTime),
    OPTION(SOL_SOCKET, SO_TYPE, kInteger),
    OPTION(SOL_SOCKET, SO_ZEROCOPY, kInteger),

    OPTION(IPPROTO_TCP, TCP_CONGESTION, kText),
    OPTION(IPPROTO_TCP, TCP_CORK, kInteger),
    OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT, kInteger),
    OPTION(IPPROTO_TCP, TCP_DELACK_MAX_US, kInteger),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN, kInteger),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, kInteger),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_KEY, kBytes),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, kInteger),
    OPTION(IPPROTO_TCP, TCP_INFO, kTcpInfo),
    OPTION(IPPROTO_TCP, TCP_INQ, kInteger),
    OPTION(IPPROTO_TCP, TCP_KEEPCNT, kInteger),
    OPTION(IPPROTO_TCP, TCP_KEEPIDLE, kInteger),
    OPTION(IPPROTO_TCP, TCP_KEEPINTVL, kInteger),
    OPTION(IPPROTO_TCP, TCP_LINGER2, kInteger),
    OPTION(IPPROTO_TCP, TCP_MAXSEG, kInteger),
    OPTION(IPPROTO_TCP, TCP_MD5SIG, kBytes),
    OPTION(IPPROTO_TCP, TCP_NODELAY, kInteger),
    OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT, kInteger),
    OPTION(IPPROTO_TCP, TCP_QUEUE_SEQ, kInteger),
    OPTION(IPPROTO_TCP, TCP_QUICKACK, kInteger),
    OPTION(IPPROTO_TCP, TCP_REPAIR, kInteger),
    OPTION(IPPROTO_TCP, TCP_REPAIR_QUEUE, kInteger),
    OPTION(IPPROTO_TCP, TCP_RTO_MAX_MS, kInteger),
    OPTION(IPPROTO_TCP, TCP_RTO_MIN_US, kInteger),
    OPTION(IPPROTO_TCP, TCP_SAVED_SYN, kBytes),
    OPTION(IPPROTO_TCP, TCP_SAVE_SYN, kInteger),
    OPTION(IPPROTO_TCP, TCP_SYNCNT, kInteger),
    OPTION(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, kInteger),
    OPTION(IPPROTO_TCP, TCP_TIMESTAMP, kInteger),
    OPTION(IPPROTO_TCP, TCP_TX_DELAY, kInteger),
    OPTION(IPPROTO_TCP, TCP_ULP, kText),
    OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT, kInteger),
    OPTION(IPPROTO_TCP, TCP_WINDOW_CLAMP, kInteger),

    OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, kInteger),
    OPTION(IPPROTO_IP, IP_FREEBIND, kInteger),
    OPTION(IPPROTO_IP, IP_HDRINCL, kInteger),
    OPTION(IPPROTO_IP, IP_LOCAL_PORT_RANGE, kInteger),
    OPTION(IPPROTO_IP, IP_MINTTL, kInteger),
    OPTION(IPPROTO_IP, IP_MTU, kInteger),
    OPTION(IPPROTO_IP, IP_MTU_DISCOVER, kInteger),
    OPTION(IPPROTO_IP, IP_OPTIONS, kBytes),
    OPTION(IPPROTO_IP, IP_RECVERR, kInteger),
    OPTION(IPPROTO_IP, IP_RECVTOS, kInteger),
    OPTION(IPPROTO_IP, IP_RECVTTL, kInteger),
    OPTION(IPPROTO_IP, IP_TOS, kInteger),
    OPTION(IPPROTO_IP, IP_TRANSPARENT, kInteger),
    OPTION(IPPROTO_IP, IP_TTL, kInteger),

    OPTION(IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_DONTFRAG, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_FREEBIND, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_MINHOPCOUNT, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_MTU, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_RECVERR, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_RECVTCLASS, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_TCLASS, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_TRANSPARENT, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS, kInteger),
    OPTION(IPPROTO_IPV6, IPV6_V6ONLY, kInteger),
};

#undef OPTION

#define FIELD(name) \
  TcpInfoField { #name, offsetof(tcp_info, tcpi_##name), sizeof(tcp_info::tcpi_##name) }

constexpr TcpInfoField kInfoFields[] = {
    FIELD(ca_state),
    FIELD(retransmits),
    FIELD(probes),
    FIELD(backoff),
    FIELD(rto),
    FIELD(ato),
    FIELD(snd_mss),
    FIELD(rcv_mss),
    FIELD(unacked),
    FIELD(sacked),
    FIELD(lost),
    FIELD(retrans),
    FIELD(last_data_sent),
    FIELD(last_data_recv),
    FIELD(last_ack_recv),
    FIELD(pmtu),
    FIELD(rcv_ssthresh),
    FIELD(rtt),
    FIELD(rttvar),
    FIELD(snd_ssthresh),
    FIELD(snd_cwnd),
    FIELD(advmss),
    FIELD(reordering),
    FIELD(rcv_rtt),
    FIELD(rcv_space),
    FIELD(total_retrans),
    FIELD(pacing_rate),
    FIELD(max_pacing_rate),
    FIELD(bytes_acked),
    FIELD(bytes_received),
    FIELD(segs_out),
    FIELD(segs_in),
    FIELD(notsent_bytes),
    FIELD(min_rtt),
    FIELD(data_segs_in),
    FIELD(data_segs_out),
    FIELD(delivery_rate),
    FIELD(busy_time),
    FIELD(rwnd_limited),
    FIELD(sndbuf_limited),
    FIELD(delivered),
    FIELD(delivered_ce),
    FIELD(bytes_sent),
    FIELD(bytes_retrans),
    FIELD(dsack_dups),
    FIELD(reord_seen),
    FIELD(rcv_ooopack),
    FIELD(snd_wnd),
};

#undef FIELD

}  // namespace

std::span<const SocketOption> SocketOptions() { return kOptions; }

std::span<const TcpInfoField> TcpInfoFields() { return kInfoFields; }

bool IsTcpInfoField(std::string_view name) {
  if (name == "snd_wscale" || name == "rcv_wscale") return true;
  return std::any_of(std::begin(kInfoFields), std::end(kInfoFields),
                     [name](const TcpInfoField& field) { return field.name == name; });
}

const SocketOption* FindOption(std::string_view name) {
  for (const SocketOption& option : kOptions) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

const SocketOption* FindOption(int level_number, int number) {
  for (const SocketOption& option : kOptions) {
    if (option.level_number == level_number && option.number == number) return &option;
  }
  return nullptr;
}

}  // namespace sockproof::agent_protocol
