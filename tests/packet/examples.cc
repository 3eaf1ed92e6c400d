#include "tests/packet/examples.h"

#include "harness/packet/fragments.h"
#include "harness/packet/groups.h"
#include "harness/packet/neighbour_discovery.h"

namespace sockproof::packet {
namespace {

Tcp Segment(TcpFlags flags, std::vector<TcpOption> options = {}) {
  return {.source_port = 40000,
          .destination_port = 80,
          .seq = 1,
          .ack = 2,
          .flags = flags,
          .window = 1024,
          .options = std::move(options)};
}

Udp Datagram() { return {.source_port = 40000, .destination_port = 53}; }

// An IP packet in a frame.
Packet Framed(std::vector<Layer> layers, Bytes payload = {}) {
  layers.insert(layers.begin(), ExampleEthernet());
  return {.layers = std::move(layers), .payload = std::move(payload)};
}

// A message that starts behind the IP header.
Packet FramedMessage(const Layer& ip, const Packet& message) {
  Packet packet = message;
  packet.layers.insert(packet.layers.begin(), {ExampleEthernet(), ip});
  return packet;
}

Bytes Quoted(const std::vector<Layer>& layers, std::size_t size) {
  Bytes quoted = Write({.layers = layers, .payload = Text("offending")});
  quoted.resize(size);
  return quoted;
}

Icmp Message(IpVersion version, std::uint8_t type, std::uint8_t code, std::uint32_t rest = 0) {
  return {.version = version, .type = type, .code = code, .rest = rest};
}

template <typename Wanted, typename Field>
Packet With(Packet packet, Field Wanted::*field, std::type_identity_t<Field> value) {
  packet.Find<Wanted>()->*field = value;
  return packet;
}

}  // namespace

Ethernet ExampleEthernet() { return {{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1}, {}}; }
Ipv4 ExampleIpv4() {
  return {.source = IpAddress("192.0.2.1"), .destination = IpAddress("192.0.2.2")};
}
Ipv6 ExampleIpv6() {
  return {.source = IpAddress("2001:db8::1"), .destination = IpAddress("2001:db8::2")};
}
Bytes Text(const std::string& text) { return {text.begin(), text.end()}; }

std::vector<Example> Examples() {
  constexpr IpVersion kIpv4 = IpVersion::kIpv4, kIpv6 = IpVersion::kIpv6;
  const Ipv4 ipv4 = ExampleIpv4();
  const Ipv6 ipv6 = ExampleIpv6();
  const IpAddress group4("232.0.0.1"), group6("ff3e::1"), source4("192.0.2.9"),
      source6("2001:db8::9");
  const MacAddress mac{2, 0, 0, 0, 0, 1};
  const std::vector<TcpOption> every_option = {
      tcp_option::Mss(1460),        tcp_option::SackPermitted(),
      tcp_option::Timestamps(1, 2), tcp_option::Nop(),
      tcp_option::WindowScale(7),   tcp_option::FastOpen(Bytes(8, 0xc0)),
      tcp_option::Mptcp({0, 0x81})};
  const Packet udp4 = Framed({ipv4, Datagram()}, Text("hello"));
  const Packet udp6 = Framed({ipv6, Datagram()}, Text("hello"));
  const Packet long4 = Framed({ipv4, Datagram()}, Bytes(100, 'x'));
  const Packet long6 = Framed({ipv6, Datagram()}, Bytes(100, 'x'));
  const auto fragment = [](const Packet& whole, std::size_t number) {
    return Fragments(whole, 7, {{0, 64, {}, {}}, {64, 64, {}, {}}}).at(number);
  };
  Ipv4 routed = ipv4;
  routed.options = {
      ipv4_option::SourceRoute(ipv4_option::kLooseSourceRoute, {IpAddress("198.51.100.7")})};
  Bytes route(4);
  Append(route, View(IpAddress("2001:db8::7").bytes(), 16));
  Udp short_udp = Datagram();
  short_udp.length = 3;
  Udp surplus = Datagram();
  surplus.surplus = Text("surplus");
  Tcp wrong_offset = Segment(kAck);
  wrong_offset.data_offset = 3;
  Tcp malformed = Segment(kSyn);
  malformed.option_rest = Bytes{2, 0, 5, 0xb4};

  return {
      {"arp-request",
       {.layers = {ExampleEthernet(),
                   Arp{.sender_mac = mac, .sender = ipv4.source, .target = ipv4.destination}}},
       "ARP who-has 192.0.2.2"},
      {"arp-reply",
       {.layers = {ExampleEthernet(),
                   Arp{.operation = Arp::kReply, .sender_mac = mac, .sender = ipv4.source}}},
       "ARP 192.0.2.1 is-at 02:00:00:00:00:01"},
      {"tcp-syn", Framed({ipv4, Segment(kSyn, every_option)}),
       "TCP SYN 40000>80 seq=1 ack=2 win=1024 <mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7,tfo "
       "cookie c0c0c0c0c0c0c0c0,mptcp capable v0 flags 81,eol> len=0"},
      {"tcp-data6", Framed({ipv6, Segment(kAck | kPsh)}, Text("hello")),
       "TCP PSH,ACK 40000>80 seq=1 ack=2 win=1024 len=5 \"hello\""},
      {"tcp-sack",
       Framed({ipv4, Segment(kAck, {tcp_option::Nop(), tcp_option::Nop(),
                                    tcp_option::Sack({{11, 21}, {31, 41}})})}),
       "TCP ACK 40000>80 seq=1 ack=2 win=1024 <nop,nop,sack 11:21,sack 31:41> len=0"},
      {"tcp-md5", Framed({ipv4, Segment(kAck, {tcp_option::Md5({0xd5})})}),
       "TCP ACK 40000>80 seq=1 ack=2 win=1024 <md5 d500000000000000...,eol> len=0"},
      {"tcp-ao", Framed({ipv6, Segment(kAck, {tcp_option::Ao(61, 84, Bytes(12, 0xa0))})}),
       "TCP ACK 40000>80 seq=1 ack=2 win=1024 <tcp-ao key 61 next 84 a0a0a0a0a0a0a0a0...> len=0"},
      {"tcp-accecn",
       Framed({ipv4, Segment(kAck, {tcp_option::AccurateEcn(tcp_option::kAccurateEcn0, {1, 2}),
                                    tcp_option::FastOpen({}), TcpOption{28, {0x80, 5}}})}),
       "TCP ACK 40000>80 seq=1 ack=2 win=1024 <accecn0 000001000002,tfo cookie request,uto 5 "
       "min,eol> "
       "len=0"},
      {"tcp-data-offset",
       Framed({ipv4, wrong_offset}, Text("x")),
       "TCP ACK 40000>80 seq=1 ack=2 win=1024 len=1 \"x\"",
       {"data offset 3"}},
      {"tcp-malformed-options", Framed({ipv4, malformed}),
       "TCP SYN 40000>80 seq=1 ack=2 win=1024 <malformed 02 00 05 b4> len=0"},
      {"tcp-source-route", Framed({routed, Segment(kSyn)}),
       "LSRR TCP SYN 40000>80 seq=1 ack=2 win=1024 len=0"},
      {"udp", udp4, "UDP 40000>53 len=5 \"hello\""},
      {"udp6", udp6, "UDP 40000>53 len=5 \"hello\""},
      {"udp-empty", Framed({ipv4, Datagram()}), "UDP 40000>53 len=0"},
      {"udp-no-checksum", With(udp4, &Udp::checksum, 0), "UDP 40000>53 len=5 \"hello\""},
      {"udp6-no-checksum",
       With(udp6, &Udp::checksum, 0),
       "UDP 40000>53 len=5 \"hello\"",
       {"no checksum"}},
      {"udp-bad-checksum",
       With(udp4, &Udp::checksum, 1),
       "UDP 40000>53 len=5 \"hello\"",
       {"bad checksum"}},
      {"udp-short",
       Framed({ipv4, short_udp}, Text("hello")),
       "UDP 40000>53 len=5 \"hello\"",
       {"UDP length 3"}},
      {"udp-surplus", Framed({ipv4, surplus}, Text("hello")), "UDP 40000>53 len=5 \"hello\""},
      {"udp-multicast", With(udp4, &Ipv4::destination, IpAddress("224.0.0.251")),
       "UDP 40000>224.0.0.251:53 len=5 \"hello\""},
      {"udp6-multicast", With(udp6, &Ipv6::destination, IpAddress("ff02::fb")),
       "UDP 40000>[ff02::fb]:53 len=5 \"hello\""},
      {"udp-cut-short",
       With(udp4, &Ipv4::total_length, 200),
       "UDP 40000>53 len=5 \"hello\"",
       {"cut short"}},
      {"udp6-extensions",
       Framed(
           {ipv6, Ipv6Options{.options = {ipv6_option::RouterAlert()}},
            Ipv6Options{.header = ip_protocol::kDestinationOptions, .options = {{0x1e, Bytes(4)}}},
            Ipv6Routing{.segments_left = 1, .data = route}, Ipv6Fragment{}, Datagram()},
           Text("hello")),
       "HBH DSTOPT RT UDP 40000>53 len=5 \"hello\""},
      {"fragment-first", fragment(long4, 0), "IPv4 fragment 7:64@0+ UDP 40000>53"},
      {"fragment-last", fragment(long4, 1), "IPv4 fragment 7:44@64 UDP"},
      {"fragment6-first", fragment(long6, 0), "IPv6 fragment 7:64@0+ UDP 40000>53"},
      {"fragment6-last", fragment(long6, 1), "IPv6 fragment 7:44@64 UDP"},
      {"icmp-echo", Framed({ipv4, Message(kIpv4, 8, 0, 0x10002)}, Text("ping")),
       "ICMP echo request id=1 seq=2 len=4"},
      {"icmp6-echo", Framed({ipv6, Message(kIpv6, 129, 0, 0x10002)}, Text("ping")),
       "ICMPv6 echo reply id=1 seq=2 len=4"},
      {"icmp-port-unreachable",
       Framed({ipv4, Message(kIpv4, 3, 3)}, Quoted({ipv4, Datagram()}, 28)),
       "ICMP port unreachable about UDP 40000>53"},
      {"icmp-too-big",
       Framed({ipv4, Message(kIpv4, 3, 4, 1300)}, Quoted({ipv4, Segment(kAck)}, 28)),
       "ICMP fragmentation needed, mtu 1300 about TCP 40000>80"},
      {"icmp-parameter-problem",
       Framed({ipv4, Message(kIpv4, 12, 0, 20U << 24)}, Quoted({ipv4, Datagram()}, 28)),
       "ICMP parameter problem at octet 20 about UDP 40000>53"},
      {"icmp-short-quote", Framed({ipv4, Message(kIpv4, 11, 0)}, Quoted({ipv4, Datagram()}, 15)),
       "ICMP time exceeded, code 0 about no IP packet"},
      {"icmp6-port-unreachable",
       Framed({ipv6, Message(kIpv6, 1, 4)}, Quoted({ipv6, Datagram()}, 50)),
       "ICMPv6 port unreachable about UDP 40000>53"},
      {"icmp6-too-big",
       Framed({ipv6, Message(kIpv6, 2, 0, 1280)}, Quoted({ipv6, Segment(kAck)}, 60)),
       "ICMPv6 packet too big, mtu 1280 about TCP 40000>80"},
      {"nd-solicitation",
       FramedMessage(ipv6,
                     NeighbourMessage{.target = ipv6.destination, .source_mac = mac}.Message()),
       "ND who-has 2001:db8::2"},
      {"nd-advertisement",
       FramedMessage(ipv6, NeighbourMessage{.type = icmpv6_type::kNeighbourAdvertisement,
                                            .flags = NeighbourMessage::kSolicited,
                                            .target = ipv6.destination,
                                            .target_mac = mac}
                               .Message()),
       "ND 2001:db8::2 is here"},
      {"igmp3-report",
       FramedMessage(ipv4, GroupReport({{GroupRecordType::kModeIsInclude, group4, {source4}, {}},
                                        {GroupRecordType::kChangeToExclude, group4, {}, {}}})),
       "IGMPv3 report 232.0.0.1 is_in {192.0.2.9}, 232.0.0.1 to_ex {}"},
      {"igmp3-query",
       FramedMessage(ipv4, GroupQueryMessage({.group = group4, .max_response = 100})),
       "IGMP query 232.0.0.1"},
      {"igmp2-report", Framed({ipv4, Igmp{.type = Igmp::kReportV2, .rest = 0xe8000001}}),
       "IGMPv2 report 232.0.0.1"},
      {"igmp2-leave", Framed({ipv4, Igmp{.type = Igmp::kLeave, .rest = 0xe8000001}}),
       "IGMP leave 232.0.0.1"},
      {"mld2-report",
       FramedMessage(ipv6,
                     GroupReport({{GroupRecordType::kBlockOldSources, group6, {source6}, {}}})),
       "MLDv2 report ff3e::1 block {2001:db8::9}"},
      {"mld2-query",
       FramedMessage(
           ipv6, GroupQueryMessage({.group = group6, .max_response = 1000, .sources = {source6}})),
       "MLD query ff3e::1 {2001:db8::9}"},
      {"ip-protocol", With(Framed({ipv4}, Text("ospf")), &Ipv4::protocol, 89),
       "IP protocol 89, 4 bytes"},
      {"ip-header-length",
       With(udp4, &Ipv4::header_words, 3),
       "IPv4, malformed header, 46 bytes",
       {"IP header length 12"}},
      {"ether-type", With(Framed({}, Text("lldp")), &Ethernet::type, 0x88cc),
       "Ethernet type 0x88cc, 46 bytes"},
  };
}

}  // namespace sockproof::packet
