// The far end of a wire when it is the harness itself: a host that resolves its addresses (ARP,
// RFC 826; neighbour discovery, RFC 4861) and otherwise sends exactly what a test says: segments,
// datagrams, ICMP messages. It has no kernel address, so no kernel answers behind its back.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/event_loop.h"
#include "harness/packet/fragments.h"
#include "harness/trace/event_log.h"
#include "harness/wire/icmp.h"
#include "harness/wire/packet_queue.h"
#include "harness/wire/partial_segment.h"
#include "harness/wire/port.h"
#include "harness/wire/scripted_udp.h"
#include "harness/wire/segment.h"
#include "harness/wire/within.h"

namespace sockproof {

class ScriptedPeer;

// One TCP endpoint of the scripted peer, played by the test segment by segment. Its transmission
// control block is the test's to read and to write; names as in RFC 9293 section 3.3.1. It is
// advanced by what the test sends and by what the test expected and got, by nothing else.
// Not thread-safe; owned by its ScriptedPeer.
class ScriptedTcp {
 public:
  ScriptedTcp(const ScriptedTcp&) = delete;
  ScriptedTcp& operator=(const ScriptedTcp&) = delete;

  // Send sequence variables. Set `iss` and `snd_nxt` alike before the first segment to choose
  // another initial sequence number.
  std::uint32_t iss, snd_una, snd_nxt;
  // Receive sequence variables, known once a SYN was expected and got.
  std::uint32_t irs = 0, rcv_nxt = 0;
  // The largest segment that the other end takes: what its SYN said, else 536 octets on IPv4 and
  // 1220 on IPv6 (RFC 9293 section 3.7.1, SendMSS). At most what fits the link.
  std::uint16_t snd_mss;
  // The window field of what this end sends, whatever scale was agreed on.
  std::uint16_t rcv_wnd = 65535;
  // Options of its SYN or SYN,ACK: an MSS that fits the link unless the test says otherwise.
  std::vector<TcpOption> syn_options;
  // Whether they have a Timestamps option of its clock besides.
  bool syn_timestamps = false;

  // What the SYNs of both ends have agreed on, by the names of RFC 7323 sections 2.3 and 3.2 and
  // RFC 2018 section 2. 0 and false until both were there, and where one of them has no such
  // option.
  std::uint8_t snd_wind_shift() const;  // of windows that this end is offered
  std::uint8_t rcv_wind_shift() const;  // of windows that it offers
  bool snd_ts_ok() const { return Agreed(tcp_option::kTimestamps); }
  bool sack_permitted() const { return Agreed(tcp_option::kSackPermitted); }
  // The window that a segment of the other end offers, in octets: SEG.WND, shifted unless it is a
  // SYN.
  std::uint32_t WindowOf(const Segment& segment) const;
  // The TSval that the other end has sent last: what this end echoes. Nothing before the first.
  const std::optional<std::uint32_t>& ts_recent() const { return ts_recent_; }

  // This end's timestamp clock, in ticks of 1 ms: the TSval of what it sends now.
  static std::uint32_t TimestampNow();

  const Endpoint& local() const { return local_; }
  // The endpoint at the system under test; of a listening endpoint known after the first segment.
  const std::optional<Endpoint>& remote() const { return remote_; }

  // Sends a segment. What it leaves unset is natural: SEG.SEQ = SND.NXT, SEG.ACK = RCV.NXT,
  // SEG.WND = RCV.WND, SYNs with syn_options, and a Timestamps option once both ends have sent one
  // in their SYNs, which echoes the last TSval that was taken in. Advances SND.NXT if the segment
  // starts there. Returns what was sent.
  Segment Send(const PartialSegment& partial);

  // The next segment that arrived, or arrives within the time given, must match. Anything else is
  // a departure of the system under test, retransmissions of segments expected before excepted:
  // they are skipped, and advance SND.UNA all the same. A retransmission that acknowledges more
  // than any segment before is taken where the bare ACK matches that it could be as well: RFC 9293
  // asks for "an acknowledgment", and some stacks acknowledge with their FIN as long as that is
  // outstanding. What is returned is the segment as it came, so that its flags tell.
  // A payload that is expected may come in several segments, since TCP keeps no boundaries, also
  // when it comes again: they are returned as one, with the time of the first. A window update that
  // came before the last segment of this end was sent is skipped: an ACK that says nothing new but
  // another window. Advances RCV.NXT and SND.UNA. Throws Departure; nothing at all, and a segment
  // too many that brings nothing new, may be explained by this process being served late.
  Segment Expect(const PartialSegment& partial, Within within = Within(kPatience),
                 SourceLocation where = SourceLocation::Current());

  // Like Expect(), but other segments may come before; they are passed over.
  Segment ExpectEventually(const PartialSegment& partial, Within within = Within(kPatience),
                           SourceLocation where = SourceLocation::Current());

  // Takes in what has arrived by now, whatever it is, and returns it: all but retransmissions of
  // segments taken in before, which only acknowledge. Advances RCV.NXT and SND.UNA. For where a
  // test must say how much came without saying in what segments.
  std::vector<Segment> TakeArrived();

  // Nothing has arrived unexpected, and nothing arrives for so long. Throws Departure.
  void ExpectSilence(Duration duration, SourceLocation where = SourceLocation::Current());

  // Segments that arrived and were not expected yet, retransmissions among them.
  size_t waiting() const { return arrived_.size(); }

 private:
  friend class ScriptedPeer;
  ScriptedTcp(ScriptedPeer& peer, Endpoint local, std::optional<Endpoint> remote,
              std::uint32_t iss);

  Segment ExpectNext(const PartialSegment& partial, Duration within, bool pass_over_others,
                     SourceLocation where);
  bool IsRetransmission(const Segment& segment) const;
  bool AcknowledgesMore(const Segment& segment) const;
  bool IsAcceptable(const PartialSegment& partial, const Segment& segment) const;
  bool IsEarlierWindowUpdate(const Segment& segment) const;
  void TakeAcknowledgment(const Segment& segment);
  bool BringsNothingNew(const Segment& segment) const;
  void Consume(const Segment& segment);
  std::string DescribeArrived(const Segment& segment) const;

  ScriptedPeer& peer_;
  Endpoint local_;
  std::optional<Endpoint> remote_;
  std::deque<Segment> arrived_;
  std::vector<Segment> consumed_;  // those that occupy sequence space
  bool Agreed(std::uint8_t option) const;
  std::optional<Segment> sent_syn_, got_syn_;
  std::optional<std::uint32_t> ts_recent_;
  std::optional<std::uint16_t> snd_wnd_;  // as the last segment taken in said it, unscaled
  Time last_sent_;
};

// The host. Not thread-safe; port, loop and log must outlive it.
class ScriptedPeer {
 public:
  // What a system that lives on from test to test has otherwise than the address plan has it.
  struct Site {
    MacAddress sut_mac;            // the link-layer address of the system under test
    int gateway = 2;               // a host for whose address this one answers too
    std::uint16_t port_shift = 0;  // added to the ports that tests name
    int sut_host = 1;              // the number of the system under test in the address plan
  };

  // `actor` names it in the log ("peer"), `sut` the other end. `host` is its number in the address
  // plan (harness/wire/addresses.h).
  ScriptedPeer(EventLoop& loop, EventLog& log, WirePort& port, std::string actor, int host,
               std::string sut, const Site& site);

  ~ScriptedPeer();
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;

  IpAddress Address(IpVersion version) const;

  // An endpoint that takes the segments of the first remote endpoint that sends to it.
  ScriptedTcp& Listen(IpVersion version, std::uint16_t port);
  // An endpoint towards a known one.
  ScriptedTcp& Towards(const Endpoint& remote, std::uint16_t local_port);
  // The same with a forged source: an address that this host does not have. What the other end
  // answers arrives here when it routes that address to this host.
  ScriptedTcp& Towards(const Endpoint& remote, const Endpoint& forged_local);

  // An endpoint of UDP that takes the datagrams of whoever sends to its port: to this host, to a
  // group or to all.
  ScriptedUdp& Udp(IpVersion version, std::uint16_t port);
  // One that takes what comes from this port alone, and sends there.
  ScriptedUdp& UdpTowards(const Endpoint& remote, std::uint16_t local_port);

  // Sends a packet to the system under test: an ICMP message, a query, what nobody knows. Natural
  // are the addresses of both on the wire. Returns what was sent.
  IpPacket Send(IpVersion version, const PartialPacket& partial);
  // The next packet of its kind that has no endpoint here must match: of ICMP messages, of what is
  // said of neighbours, or of reports of group membership, where what IPv6 itself needs is left
  // out, and reports that were expected before. Throws as ScriptedUdp::Expect() does.
  IpPacket Expect(const PartialPacket& partial, Within within = Within(kPatience),
                  SourceLocation where = SourceLocation::Current());
  // The same, but others may come before; they are passed over.
  IpPacket ExpectEventually(const PartialPacket& partial, Within within = Within(kPatience),
                            SourceLocation where = SourceLocation::Current());
  // A report of group membership that tells again what one told that was expected.
  IpPacket ExpectAgain(const PartialPacket& partial, Within within = Within(kPatience),
                       SourceLocation where = SourceLocation::Current());
  // Nothing of this kind has arrived unexpected, and nothing arrives for so long. Throws Departure.
  void ExpectSilence(PacketKind kind, Duration duration,
                     SourceLocation where = SourceLocation::Current());
  // Packets of this kind that arrived and were not expected yet.
  std::size_t waiting(PacketKind kind) const;
  // Takes in what of this kind has arrived by now.
  std::vector<IpPacket> TakeArrived(PacketKind kind);

  // How an error is reported otherwise than by this host, with as much quoted as may be.
  struct Reporting {
    std::optional<IpAddress> from = std::nullopt;  // a router on the way
    std::size_t quote_at_most = 1280;              // octets from the IP header on
  };
  // Reports an ICMP error about a packet or a segment to its sender, the system under test.
  Time Report(const IcmpError& error, const IpPacket& about, const Reporting& how);
  Time Report(const IcmpError& error, const IpPacket& about) {
    return Report(error, about, Reporting());
  }
  Time Report(const IcmpError& error, const Segment& about);

  // Whether ARP requests and neighbour solicitations for its addresses are answered; true at first.
  // Those that are not, and what others tell of their addresses, can be expected
  // (harness/wire/neighbour_words.h).
  void AnswerNeighbours(bool answer) { answer_neighbours_ = answer; }

  EventLoop& loop() { return loop_; }
  EventLog& log() { return log_; }
  const std::string& sut() const { return sut_; }

  // Sends a frame as it is, and logs it.
  Time SendFrame(Bytes frame);
  Time SendSegment(const Segment& segment);

 private:
  friend class ScriptedUdp;
  void TakeFrame(Time time, const Bytes& frame);
  void TakeSegment(const Segment& segment);
  void TakePacket(Time time, packet::Packet frame);
  // From where to where `partial` goes if it does not say otherwise.
  IpPacket Make(const Endpoint& source, const Endpoint& destination, const PartialPacket& partial);
  IpPacket SendMade(IpPacket made, const PartialPacket& partial);
  Time ReportAbout(const IcmpError& error, const Bytes& octets, const Endpoint& to,
                   const Reporting& how);
  PacketQueue& QueueOf(PacketKind kind) { return queues_.at(static_cast<std::size_t>(kind)); }

  EventLoop& loop_;
  EventLog& log_;
  WirePort& port_;
  std::string actor_;
  int host_;
  std::string sut_;
  Site site_;
  bool answer_neighbours_ = true;
  std::vector<std::unique_ptr<ScriptedTcp>> endpoints_;
  std::vector<std::unique_ptr<ScriptedUdp>> udp_endpoints_;
  std::vector<PacketQueue> queues_;  // of each PacketKind; that of UDP stays empty
  packet::Reassembly reassembly_;
  std::uint32_t identification_ = 0x5000;  // of what is sent
};

}  // namespace sockproof
