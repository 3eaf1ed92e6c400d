// The socket options of this system: names from socket(7), tcp(7), ip(7) and ipv6(7).
#include "harness/agent_protocol/options.h"

// linux/tcp.h knows more options than netinet/tcp.h; the two exclude each other.
#include <linux/tcp.h>
#include <netinet/in.h>
// Behind netinet/in.h, which knows less than these.
#include <linux/icmp.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <netinet/icmp6.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "harness/agent_protocol/newer_constants.h"

namespace sockproof::agent_protocol {
namespace {

#define OPTION(level, name, kind) {#name, #level, level, name, OptionKind::kind},

constexpr SocketOption kOptions[] = {
#include "harness/agent_protocol/options.def"
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
